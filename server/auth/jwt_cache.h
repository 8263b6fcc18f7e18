/*
 * Tokens whose signature was checked: a user sends the same one many times, and a check costs the
 * loop as much as a hundred look-ups here.  Found by SHA-256 of the whole token; bounded, a newer
 * token takes the place of an older one.  Whoever finds one looks at its time and at the deny list
 * again; when the issuer's keys change all are forgotten.  Another one holds what the edge's
 * certificates say (edge.h), for reading one costs as much.
 */
#ifndef ORDERD_SERVER_JWT_CACHE_H
#define ORDERD_SERVER_JWT_CACHE_H

#include "core/base/seal.h"
#include "server/auth/jwt.h"

enum {
	JWT_CACHE_SLOTS = 2048,
	JWT_CACHE_ID_MAX = 512, /* bytes of a jti, or of the URI in a certificate */
};

struct jwt_cache;

struct jwt_cache *jwt_cache_new(void);
void jwt_cache_free(struct jwt_cache *c);
void jwt_cache_clear(struct jwt_cache *c);

/* NULL: not known.  Until the next put or clear. */
const struct jwt_claims *jwt_cache_find(const struct jwt_cache *c,
					const uint8_t digest[DIGEST_BYTES]);
void jwt_cache_put(struct jwt_cache *c, const uint8_t digest[DIGEST_BYTES],
		   const struct jwt_claims *claims);

#endif
