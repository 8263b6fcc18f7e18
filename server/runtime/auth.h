/*
 * Who calls.  identify() is the only source of tenant and role; no request message
 * carries one.
 *
 * One mode exists: auth=none, in which every caller is tenant 1's administrator.  It is
 * refused together with a listener that other machines can reach.
 */
#ifndef ORDERD_SERVER_AUTH_H
#define ORDERD_SERVER_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "core/base/err.h"
#include "core/base/str.h"

enum role { ROLE_OPS_ADMIN };

struct identity {
	int32_t tenant;
	enum role role;
	struct str subject; /* for audit and logs: never a name of a person */
};

/*
 * Is `address` (host:port or unix:/path) reachable from this machine alone?  Host names are not
 * looked up.
 */
bool auth_is_local(struct str address);

/* Exits 2, naming the field, unless `auth` is "none" and every listener is local. */
void auth_check(const char *auth, const char *listen, const char *http_listen);

/* The caller of `call`; md are its request headers. */
enum errc identify(grpc_call *call, const grpc_metadata_array *md, struct identity *ret);

#endif
