/*
 * Who calls.  identify() is the only source of tenant, role, subject, scopes and customer; no
 * request message carries one.
 *
 *	auth=none	every caller is tenant 1's administrator; this machine's listeners alone
 *	auth=required	each call brings one of
 *	    authorization: Bearer ord_<kid>_<secret>	an API key       (api_key.h)
 *	    authorization: Bearer <JWT>			an issuer's user (jwt.h)
 *	    a client certificate, on a tls: listener	a machine        (peer.h)
 *	    one that the proxy in front has verified	likewise         (edge.h)
 *
 * A call that has the header is its bearer's, whatever the connection's certificate says, and a
 * header that is not good is not made good by a certificate.  Whatever is wrong, callers hear the
 * same sentence; operators have the metric auth_refused and a log line a second for each cause.
 *
 * Certificates, the issuer's keys, the deny list and the rate rules are read again on SIGHUP and
 * now and then by themselves, on a thread that may wait.  What cannot be used is complained of and
 * not taken.  Everything else happens on the loop thread and waits for nothing.
 */
#ifndef ORDERD_SERVER_AUTH_H
#define ORDERD_SERVER_AUTH_H

#include <grpc/grpc.h>

#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/seal.h"
#include "core/flow/loop.h"
#include "server/auth/identity.h"
#include "server/auth/listeners.h"

struct auth;
struct api_keys;
struct rate_rules;

/* Reads the files.  Exits 2, naming the field, when a setting cannot work. */
struct auth *auth_new(struct loop *l, const struct config *cfg);

/*
 * When the gRPC server has gone.  on_closed(arg) is called, perhaps before this returns, once
 * everything is freed.
 */
void auth_close(struct auth *a, void (*on_closed)(void *arg), void *arg);

/* Read the files again, now; on_done(arg) is called when what is good of them is in force. */
void auth_reload(struct auth *a, void (*on_done)(void *arg), void *arg);

/* Connections that were accepted by us and have a descriptor from here on are an edge's (peer.h).
 */
void auth_edge_from(struct auth *a, int fd);

/* For one listener; the caller releases it. */
grpc_server_credentials *auth_listener(struct auth *a, enum listener_kind kind);

/*
 * The caller of `call`, whose request headers are md; texts of *ret lie in `arena`.
 * ERR_UNAUTHENTICATED, or ERR_STORE_UNAVAILABLE while API keys are not known.
 */
enum errc identify(struct auth *a, grpc_call *call, const grpc_metadata_array *md,
		   struct arena *arena, struct identity *ret);

/*
 * Two calls with the same fingerprint are the same caller's, or one of them shows what only the
 * other may, and nobody would know it.  Of the headers identify() looks at, and where there is no
 * bearer of the connection.  Any thread.
 */
uint64_t auth_fingerprint(const struct auth *a, grpc_call *call, const grpc_metadata_array *md);

/* Whether whoever is good would be known now: API keys are not, before they were read. */
bool auth_knows_callers(const struct auth *a);

/* How often whom may call what; NULL: no file says so. */
const struct rate_rules *auth_rates(const struct auth *a);

/* ---- API keys ---- */

/* Exits 2 when the file cannot be used; false: there is none. */
bool auth_read_pepper(const struct config *cfg, struct seal_key *ret);

/* NULL: API keys are not taken. */
const struct seal_key *auth_pepper(const struct auth *a);

/*
 * All live keys, as the database just said; takes the set.  They are believed for
 * api_key_stale_s.
 */
void auth_take_keys(struct auth *a, struct api_keys *take);

/* Nothing has changed since. */
void auth_keys_are_fresh(struct auth *a);
struct api_keys *auth_keys(struct auth *a); /* NULL: none were taken yet */

#endif
