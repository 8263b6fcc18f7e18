#include "server/auth/jwks.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "core/base/base64url.h"
#include "core/base/mem.h"
#include "server/json.h"

enum { DEPTH_MAX = 8, COORDINATE = 32, DER_MAX = 80 /* bytes of two 256-bit numbers and heads */ };

struct jwk {
	char kid[JWKS_KID_MAX];
	size_t kid_n;
	enum jwt_alg alg;
	EVP_PKEY *key;
};

struct jwks {
	struct jwk each[JWKS_MAX];
	unsigned n;
};

static const char *const alg_names[] = {[JWT_ES256] = "ES256", [JWT_EDDSA] = "EdDSA"};

static bool is(const json_t *j, const char *name, const char *value)
{
	return str_eq(json_text(json_object_get(j, name)), str_of(value));
}

/* ---- keys ---- */

static bool read_coordinate(const json_t *j, const char *name, uint8_t ret[COORDINATE])
{
	struct str s = json_text(json_object_get(j, name));

	return s.n == BASE64URL_LENGTH(COORDINATE) && base64url_decode(s, ret);
}

/* The point 4 || x || y; libcrypto refuses one that is not on the curve. */
static EVP_PKEY *read_p256(const json_t *j)
{
	uint8_t point[1 + 2 * COORDINATE] = {POINT_CONVERSION_UNCOMPRESSED};
	char curve[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (!read_coordinate(j, "x", point + 1) || !read_coordinate(j, "y", point + 1 + COORDINATE))
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *read_ed25519(const json_t *j)
{
	uint8_t x[COORDINATE];

	if (!read_coordinate(j, "x", x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof(x));
}

/* Is it of a kind that we use, for signatures? */
static bool is_for_us(const json_t *j, enum jwt_alg *ret)
{
	if (json_object_get(j, "use") != NULL && !is(j, "use", "sig"))
		return false;
	if (is(j, "kty", "EC") && is(j, "crv", "P-256"))
		*ret = JWT_ES256;
	else if (is(j, "kty", "OKP") && is(j, "crv", "Ed25519"))
		*ret = JWT_EDDSA;
	else
		return false;
	return json_object_get(j, "alg") == NULL || is(j, "alg", alg_names[*ret]);
}

static const char *read_key(struct jwks *keys, const json_t *j)
{
	struct str kid = json_text(json_object_get(j, "kid"));
	struct jwk *k = &keys->each[keys->n];

	if (json_object_get(j, "d") != NULL || json_object_get(j, "k") != NULL)
		return "it holds a private key";
	if (!is_for_us(j, &k->alg))
		return NULL;
	if (kid.n == 0 || kid.n > JWKS_KID_MAX)
		return "a key has no kid of 1 to 128 bytes";
	if (jwks_has(keys, kid))
		return "a kid stands there twice";
	k->key = k->alg == JWT_ES256 ? read_p256(j) : read_ed25519(j);
	ERR_clear_error();
	if (k->key == NULL)
		return "a key's x or y is not that of a key";
	memcpy(k->kid, kid.p, kid.n);
	k->kid_n = kid.n;
	keys->n++;
	return NULL;
}

static const char *read_set(struct jwks *keys, const json_t *j)
{
	const json_t *list = json_object_get(j, "keys");
	const char *why = NULL;

	if (!json_is_array(list))
		return "it has no list \"keys\"";
	if (json_array_size(list) > JWKS_MAX)
		return "it holds more than 32 keys";
	for (size_t i = 0; i < json_array_size(list) && why == NULL; i++)
		why = read_key(keys, json_array_get(list, i));
	if (why == NULL && keys->n == 0)
		why = "it holds no key for ES256 or EdDSA";
	return why;
}

struct jwks *jwks_read(struct str text, const char **ret_why)
{
	struct jwks *keys;
	json_t *j = json_read(text, DEPTH_MAX, ret_why);

	if (j == NULL)
		return NULL;
	keys = mem_alloc(sizeof(*keys));
	*ret_why = read_set(keys, j);
	json_decref(j);
	if (*ret_why == NULL)
		return keys;
	jwks_free(keys);
	return NULL;
}

void jwks_free(struct jwks *keys)
{
	for (unsigned i = 0; keys != NULL && i < keys->n; i++)
		EVP_PKEY_free(keys->each[i].key);
	free(keys);
}

/* ---- signatures ---- */

static const struct jwk *find(const struct jwks *keys, struct str kid)
{
	for (unsigned i = 0; i < keys->n; i++)
		if (str_eq((struct str){keys->each[i].kid, keys->each[i].kid_n}, kid))
			return &keys->each[i];
	return NULL;
}

bool jwks_has(const struct jwks *keys, struct str kid)
{
	return find(keys, kid) != NULL;
}

/* A JWS has the two numbers one after the other (RFC 7518, 3.4), libcrypto wants DER. */
static size_t der_of(const unsigned char raw[64], unsigned char der[DER_MAX])
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, COORDINATE, NULL),
	       *v = BN_bin2bn(raw + COORDINATE, COORDINATE, NULL);
	unsigned char *to = der;
	int n = 0;

	if (s != NULL && r != NULL && v != NULL && ECDSA_SIG_set0(s, r, v) == 1) {
		r = v = NULL; /* the signature's now */
		n = i2d_ECDSA_SIG(s, &to);
	}
	BN_free(r);
	BN_free(v);
	ECDSA_SIG_free(s);
	return n > 0 ? (size_t)n : 0;
}

bool jwks_verify(const struct jwks *keys, struct str kid, struct str alg, struct str text,
		 const unsigned char signature[64])
{
	const struct jwk *k = find(keys, kid);
	unsigned char der[DER_MAX];
	size_t n = 64;
	EVP_MD_CTX *ctx;
	bool good;

	if (k == NULL || !str_eq(alg, str_of(alg_names[k->alg])))
		return false;
	if (k->alg == JWT_ES256) {
		n = der_of(signature, der);
		signature = der;
	}
	ctx = EVP_MD_CTX_new();
	good = n > 0 && ctx != NULL &&
	       EVP_DigestVerifyInit(ctx, NULL, k->alg == JWT_ES256 ? EVP_sha256() : NULL, NULL,
				    k->key) == 1 &&
	       EVP_DigestVerify(ctx, signature, n, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}
