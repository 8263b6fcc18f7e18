/*
 * Who a client certificate is for: its one URI (subject alternative name) that begins with the
 * configured prefix,
 *
 *	<prefix>tenant/<n>/role/<role>[/location/<code>...]/<name>
 *	orderd://tenant/1/role/mes/packer-3
 *	orderd://tenant/1/role/mes/location/HAMBURG/packer-3
 *	spiffe://shop.example/tenant/1/role/mes/packer-3
 *
 * A code stands there as it is: one that has a slash, a blank or a letter outside ASCII can be
 * named by an API key or a token alone.  Whether the certificate is to be believed is TLS's part.
 */
#ifndef ORDERD_SERVER_PEER_H
#define ORDERD_SERVER_PEER_H

#include <grpc/grpc.h>

#include "server/auth/cause.h"
#include "server/auth/identity.h"

/* Texts of *ret lie in `arena`, the subject being "cert:<name>". */
enum auth_cause peer_read_uri(struct str uri, struct str prefix, struct arena *arena,
			      struct identity *ret);

/* The URIs of one certificate, shown one after the other. */
struct peer_uris {
	struct str prefix;
	struct str ours; /* lies where the certificate does */
	unsigned n;      /* of ours: two are none, for which of them was meant? */
};

void peer_uris_see(struct peer_uris *u, struct str uri);

/* Whom they name.  *ret_uri, in `arena`, is what auth_deny_file may name. */
enum auth_cause peer_uris_read(const struct peer_uris *u, struct arena *arena, struct identity *ret,
			       struct str *ret_uri);

/*
 * Does the call come from the proxy in front, over a listener that is its own?  gRPC knows
 * connections that were accepted by us by their descriptor alone: those of an edge have a number
 * from `edge_from` on.
 */
bool peer_is_edge(grpc_call *call, int edge_from);

/* The caller's certificate, if it showed one that TLS verified: AUTH_MISSING when it did not. */
enum auth_cause peer_identify(grpc_call *call, struct str prefix, struct arena *arena,
			      struct identity *ret, struct str *ret_uri);

#endif
