/*
 * API keys, as partner backends send them:
 *
 *	authorization: Bearer ord_<kid>_<secret>
 *
 * kid is 16 characters of 0-9a-z that name the key, secret 32 random bytes in base64url.  Kept is
 * HMAC-SHA-256(pepper, kid || secret): with 256 bits of entropy a fast hash does, and without the
 * pepper, which no database has, a stolen table is of no use.
 *
 * A set of keys is what the database held at one moment.  Loop thread only.
 */
#ifndef ORDERD_SERVER_API_KEY_H
#define ORDERD_SERVER_API_KEY_H

#include "core/base/seal.h"
#include "server/auth/cause.h"
#include "server/auth/identity.h"

enum {
	API_KEY_KID = 16,
	API_KEY_SECRET_BYTES = 32,
	API_KEY_SECRET = 43, /* characters */
	API_KEY_TEXT = 4 + API_KEY_KID + 1 + API_KEY_SECRET,
	API_KEYS_MAX = 10000, /* live ones, over all tenants */
};

struct api_key {
	char kid[API_KEY_KID];
	uint8_t mac[DIGEST_BYTES];
	struct identity who;
	int64_t expires_us; /* clock_wall_us() */
	bool used;          /* since that was written down */
	int64_t noted_ms;   /* when it was, clock_mono_ms(); 0: never by this process */
};

/* ---- one key ---- */

bool api_key_is(struct str credential); /* does it begin like one? */

/* A kid that (tenant, request) always gives again, so that one request makes one key. */
void api_key_kid(int32_t tenant, struct str request, char ret[API_KEY_KID]);

/* Makes a secret.  `text` gets the whole credential and a NUL; wipe it with OPENSSL_cleanse(). */
void api_key_make(const struct seal_key *pepper, const char kid[API_KEY_KID],
		  char text[API_KEY_TEXT + 1], uint8_t mac[DIGEST_BYTES]);

/* ---- what the database held ---- */

struct api_keys;

struct api_keys *api_keys_new(uint32_t most);
void api_keys_free(struct api_keys *set); /* NULL is fine */

/* `k` and its texts are copied; false: there are `most` of them, or one has its kid. */
bool api_keys_add(struct api_keys *set, const struct api_key *k);

uint32_t api_keys_count(const struct api_keys *set);
struct api_key *api_keys_at(struct api_keys *set, uint32_t i);
struct api_key *api_keys_find(struct api_keys *set, const char kid[API_KEY_KID]);

/*
 * AUTH_OK and *ret when `credential` is one of the set and has not expired.  Takes as long for a
 * kid nobody has as for a wrong secret.
 */
enum auth_cause api_keys_check(struct api_keys *set, const struct seal_key *pepper,
			       struct str credential, int64_t now_us, const struct api_key **ret);

#endif
