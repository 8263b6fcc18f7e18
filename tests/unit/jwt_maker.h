/*
 * An issuer for tests: keys made here, tokens signed with them, and the JWKS that tells of them.
 */
#ifndef ORDERD_TESTS_JWT_MAKER_H
#define ORDERD_TESTS_JWT_MAKER_H

#include <openssl/evp.h>

#include "server/auth/jwks.h"

struct issuer {
	const char *kid;
	enum jwt_alg alg;
	EVP_PKEY *key;
};

struct issuer issuer_new(const char *kid, enum jwt_alg alg);
void issuer_done(struct issuer *i);

char *issuer_jwk(const struct issuer *i); /* heap */

/* Heap.  Header and claims are taken as they stand. */
char *token_signed(const struct issuer *i, const char *header, const char *claims);
char *token_hmac(const char *header, const char *claims, const void *secret, size_t n);

#endif
