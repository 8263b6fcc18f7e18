/*
 * Which addresses may be listened on, and who is on the other side.
 *
 *	tls:0.0.0.0:7443		any address, with auth=required
 *	edge:unix:/run/orderd/edge	the proxy in front (edge.h), with auth=required
 *	127.0.0.1:7070			without TLS: this machine alone, whatever `auth` is
 *	unix:/run/orderd.sock		likewise
 *	fd:NAME, edge:fd:NAME		one of both kinds that systemd holds and has passed to us
 */
#ifndef ORDERD_SERVER_LISTENERS_H
#define ORDERD_SERVER_LISTENERS_H

#include "core/base/config.h"
#include "core/base/str.h"

enum listener_kind { LISTENER_PLAIN, LISTENER_TLS, LISTENER_EDGE, LISTENER_KINDS };

/* Takes what names the kind, "tls:" or "edge:", off. */
enum listener_kind listener_kind(struct str *address);

/* As the line `listening NAME=ADDRESS` calls it. */
const char *listener_name(enum listener_kind kind);

/* Takes "fd:" off, too: what stays is the name of a socket that systemd holds. */
bool listener_is_held(struct str *address);

/*
 * Is `address` (host:port or unix:/path) reachable from this machine alone?  Host names are not
 * looked up.
 */
bool listener_is_local(struct str address);

/* Is there one of this kind? */
bool listeners_want(const struct config *cfg, enum listener_kind kind);

/* Exits 2, naming the field, unless every listener may be. */
void listeners_check(const struct config *cfg, bool callers_are_known);

/* The same for the socket at `address` (unix:/path, host:port) that was passed for `one`, an
 * edge's. */
void listeners_check_held_edge(struct str one, const char *address);

#endif
