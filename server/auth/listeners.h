/*
 * Which addresses may be listened on, and which of them speak TLS.
 *
 *	tls:0.0.0.0:7443	any address, with auth=required
 *	127.0.0.1:7070		without TLS: this machine alone, whatever `auth` is
 *	unix:/run/orderd.sock	likewise
 */
#ifndef ORDERD_SERVER_LISTENERS_H
#define ORDERD_SERVER_LISTENERS_H

#include "core/base/config.h"
#include "core/base/str.h"

/* Takes "tls:" off; whether it was there. */
bool listener_is_tls(struct str *address);

/*
 * Is `address` (host:port or unix:/path) reachable from this machine alone?  Host names are not
 * looked up.
 */
bool listener_is_local(struct str address);

bool listeners_want_tls(const struct config *cfg);

/* Exits 2, naming the field, unless every listener may be. */
void listeners_check(const struct config *cfg, bool callers_are_known);

#endif
