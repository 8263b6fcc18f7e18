#include "tests/unit/jwt_maker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include "core/base/base64url.h"
#include "core/base/mem.h"
#include "core/base/seal.h"

enum { COORDINATE = 32, SIGNATURE = 64 };

static char *coded(const void *data, size_t n)
{
	char *text = mem_alloc(BASE64URL_LENGTH(n) + 1);

	base64url_encode(data, n, text);
	return text;
}

struct issuer issuer_new(const char *kid, enum jwt_alg alg)
{
	struct issuer i = {.kid = kid, .alg = alg};

	i.key = alg == JWT_ES256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert(i.key != NULL);
	return i;
}

void issuer_done(struct issuer *i)
{
	EVP_PKEY_free(i->key);
	i->key = NULL;
}

static char *p256_jwk(const struct issuer *i)
{
	unsigned char point[1 + 2 * COORDINATE];
	size_t n;
	char *x, *y, *jwk;
	int ok = EVP_PKEY_get_octet_string_param(i->key, OSSL_PKEY_PARAM_PUB_KEY, point,
						 sizeof(point), &n);

	assert(ok == 1 && n == sizeof(point));
	x = coded(point + 1, COORDINATE);
	y = coded(point + 1 + COORDINATE, COORDINATE);
	jwk = mem_printf(
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}",
		i->kid, x, y);
	free(x);
	free(y);
	return jwk;
}

char *issuer_jwk(const struct issuer *i)
{
	unsigned char x[COORDINATE];
	size_t n = sizeof(x);
	char *text, *jwk;
	int ok;

	if (i->alg == JWT_ES256)
		return p256_jwk(i);
	ok = EVP_PKEY_get_raw_public_key(i->key, x, &n);
	assert(ok == 1 && n == sizeof(x));
	text = coded(x, n);
	jwk = mem_printf("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"}",
			 i->kid, text);
	free(text);
	return jwk;
}

static void raw_of_der(const unsigned char *der, size_t n, unsigned char raw[SIGNATURE])
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);

	assert(s != NULL);
	BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, COORDINATE);
	BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + COORDINATE, COORDINATE);
	ECDSA_SIG_free(s);
}

static void sign(const struct issuer *i, const char *text, unsigned char raw[SIGNATURE])
{
	unsigned char made[128];
	size_t n = sizeof(made);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = EVP_DigestSignInit(ctx, NULL, i->alg == JWT_ES256 ? EVP_sha256() : NULL, NULL,
				    i->key);

	assert(ok == 1);
	ok = EVP_DigestSign(ctx, made, &n, (const unsigned char *)text, strlen(text));
	assert(ok == 1);
	EVP_MD_CTX_free(ctx);
	if (i->alg == JWT_ES256)
		raw_of_der(made, n, raw);
	else
		memcpy(raw, made, SIGNATURE);
}

static char *unsigned_text(const char *header, const char *claims)
{
	char *h = coded(header, strlen(header)), *c = coded(claims, strlen(claims));
	char *text = mem_printf("%s.%s", h, c);

	free(h);
	free(c);
	return text;
}

static char *with_signature(char *take, const void *signature, size_t n)
{
	char *s = coded(signature, n), *token = mem_printf("%s.%s", take, s);

	free(s);
	free(take);
	return token;
}

char *token_signed(const struct issuer *i, const char *header, const char *claims)
{
	unsigned char raw[SIGNATURE];
	char *text = unsigned_text(header, claims);

	sign(i, text, raw);
	return with_signature(text, raw, sizeof(raw));
}

char *token_hmac(const char *header, const char *claims, const void *secret, size_t n)
{
	char *text = unsigned_text(header, claims);
	uint8_t mac[DIGEST_BYTES];

	digest_hmac((struct str){secret, n}, str_of(text), mac);
	return with_signature(text, mac, sizeof(mac));
}
