/*
 * The issuer's public keys, from a local JWKS file (RFC 7517); nothing that a token names is ever
 * fetched.  A key id has one algorithm, the one its key is for, so a token cannot choose.
 *
 *	ES256  kty EC, crv P-256     EdDSA  kty OKP, crv Ed25519
 *
 * Keys of other kinds are passed over; a private key in the file, or a kid twice, refuses it.
 */
#ifndef ORDERD_SERVER_JWKS_H
#define ORDERD_SERVER_JWKS_H

#include "core/base/str.h"

enum {
	JWKS_MAX = 32, /* keys */
	JWKS_KID_MAX = 128,
	JWKS_BYTES_MAX = 65536, /* of the file */
};

enum jwt_alg { JWT_ES256, JWT_EDDSA };

struct jwks;

/* NULL and *ret_why: it cannot be used.  Any thread. */
struct jwks *jwks_read(struct str text, const char **ret_why);
void jwks_free(struct jwks *keys); /* NULL is fine */

bool jwks_has(const struct jwks *keys, struct str kid);

/* Is `signature` (64 bytes) the one of `kid` over `text`, and `alg` that key's algorithm? */
bool jwks_verify(const struct jwks *keys, struct str kid, struct str alg, struct str text,
		 const unsigned char signature[64]);

#endif
