#include "seal.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

enum { VERSION = 1, NONCE = 12, TAG = 16 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool seal_key_parse(struct str hex, struct seal_key *ret)
{
	if (hex.n != 2 * (size_t)SEAL_KEY_BYTES)
		return false;
	for (size_t i = 0; i < SEAL_KEY_BYTES; i++) {
		int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void seal_key_wipe(struct seal_key *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}

/* libcrypto fails here only without memory or entropy, and then nothing else works either. */
static void sure(int ok)
{
	if (ok != 1)
		abort();
}

/* The row is authenticated, not stored: whoever opens must know it. */
static void bind_row(EVP_CIPHER_CTX *c, int32_t tenant, struct id row, bool sealing)
{
	uint8_t aad[4 + sizeof(row.b)];
	int n;

	for (unsigned i = 0; i < 4; i++)
		aad[i] = (uint8_t)((uint32_t)tenant >> (24 - 8 * i));
	memcpy(aad + 4, row.b, sizeof(row.b));
	if (sealing)
		sure(EVP_EncryptUpdate(c, NULL, &n, aad, sizeof(aad)));
	else
		sure(EVP_DecryptUpdate(c, NULL, &n, aad, sizeof(aad)));
}

struct str seal_into(const struct seal_key *k, int32_t tenant, struct id row, struct str plain,
		     uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	assert(plain.n < INT32_MAX - SEAL_OVERHEAD);
	sure(c != NULL);
	out[0] = VERSION;
	sure(RAND_bytes(out + 1, NONCE));
	sure(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->b, out + 1));
	bind_row(c, tenant, row, true);
	sure(EVP_EncryptUpdate(c, out + SEAL_OVERHEAD, &n, (const uint8_t *)plain.p, (int)plain.n));
	sure(EVP_EncryptFinal_ex(c, out + SEAL_OVERHEAD + n, &n));
	sure(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + 1 + NONCE));
	EVP_CIPHER_CTX_free(c);
	return (struct str){(const char *)out, plain.n + SEAL_OVERHEAD};
}

struct str seal(const struct seal_key *k, int32_t tenant, struct id row, struct str plain,
		struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, plain.n + SEAL_OVERHEAD);

	return out != NULL ? seal_into(k, tenant, row, plain, out) : (struct str){0};
}

struct str seal_open(const struct seal_key *k, int32_t tenant, struct id row, struct str sealed,
		     struct arena *arena)
{
	const uint8_t *in = (const uint8_t *)sealed.p;
	uint8_t tag[TAG], *out;
	EVP_CIPHER_CTX *c;
	size_t plain;
	int n, ok;

	if (sealed.p == NULL || sealed.n < SEAL_OVERHEAD || sealed.n > INT32_MAX ||
	    in[0] != VERSION)
		return (struct str){0};
	plain = sealed.n - SEAL_OVERHEAD;
	out = arena_alloc(arena, plain + 1);
	if (out == NULL)
		return (struct str){0};
	memcpy(tag, in + 1 + NONCE, TAG);
	c = EVP_CIPHER_CTX_new();
	sure(c != NULL);
	sure(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->b, in + 1));
	bind_row(c, tenant, row, false);
	sure(EVP_DecryptUpdate(c, out, &n, in + SEAL_OVERHEAD, (int)plain));
	sure(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag));
	ok = EVP_DecryptFinal_ex(c, out + n, &n);
	EVP_CIPHER_CTX_free(c);
	if (ok != 1)
		return (struct str){0};
	return (struct str){(const char *)out, plain};
}

void digest_sha256(struct str data, uint8_t ret[DIGEST_BYTES])
{
	unsigned n;

	sure(EVP_Digest(data.p, data.n, ret, &n, EVP_sha256(), NULL));
}

void digest_hmac(struct str key, struct str data, uint8_t ret[DIGEST_BYTES])
{
	unsigned n;

	sure(HMAC(EVP_sha256(), key.p, (int)key.n, (const uint8_t *)data.p, data.n, ret, &n) !=
	     NULL);
}
