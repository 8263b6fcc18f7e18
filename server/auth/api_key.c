#include "server/auth/api_key.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "core/base/base64url.h"
#include "core/base/mem.h"
#include "core/base/random.h"

enum { /* bytes of one key */
       KEY_TEXTS_MAX = 2 * IDENTITY_NAME_MAX + IDENTITY_SCOPES_MAX + IDENTITY_LOCATIONS_MAX + 64
};

static const char prefix[4] = "ord_";

_Static_assert((int)API_KEY_SECRET == (int)BASE64URL_LENGTH(API_KEY_SECRET_BYTES), "its text");

/* ---- one key ---- */

bool api_key_is(struct str credential)
{
	return credential.n >= sizeof(prefix) && memcmp(credential.p, prefix, sizeof(prefix)) == 0;
}

static bool is_kid(const char *p)
{
	for (size_t i = 0; i < API_KEY_KID; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9')))
			return false;
	return true;
}

/* Whether it looks like one; its parts by place, for a secret may have '_' in it. */
static bool parse(struct str credential, const char **ret_kid, struct str *ret_secret)
{
	const char *p = credential.p;

	if (credential.n != API_KEY_TEXT || !api_key_is(credential) ||
	    !is_kid(p + sizeof(prefix)) || p[sizeof(prefix) + API_KEY_KID] != '_')
		return false;
	*ret_kid = p + sizeof(prefix);
	*ret_secret = (struct str){p + API_KEY_TEXT - API_KEY_SECRET, API_KEY_SECRET};
	return true;
}

static void make_mac(const struct seal_key *pepper, const char kid[API_KEY_KID], struct str secret,
		     uint8_t ret[DIGEST_BYTES])
{
	char data[API_KEY_KID + API_KEY_SECRET];

	assert(secret.n == API_KEY_SECRET);
	memcpy(data, kid, API_KEY_KID);
	memcpy(data + API_KEY_KID, secret.p, API_KEY_SECRET);
	digest_hmac((struct str){(const char *)pepper->b, sizeof(pepper->b)},
		    (struct str){data, sizeof(data)}, ret);
	OPENSSL_cleanse(data, sizeof(data));
}

void api_key_kid(int32_t tenant, struct str request, char ret[API_KEY_KID])
{
	static const char letters[33] = "0123456789abcdefghjkmnpqrstvwxyz";
	char *text = mem_printf("%d|" STR_FMT, tenant, STR_ARG(request));
	uint8_t digest[DIGEST_BYTES];

	digest_sha256(str_of(text), digest);
	for (size_t i = 0; i < API_KEY_KID; i++)
		ret[i] = letters[digest[i] & 31];
	free(text);
}

void api_key_make(const struct seal_key *pepper, const char kid[API_KEY_KID],
		  char text[API_KEY_TEXT + 1], uint8_t mac[DIGEST_BYTES])
{
	uint8_t secret[API_KEY_SECRET_BYTES];
	char *p = text + API_KEY_TEXT - API_KEY_SECRET;

	random_bytes(secret, sizeof(secret));
	base64url_encode(secret, sizeof(secret), p);
	OPENSSL_cleanse(secret, sizeof(secret));
	memcpy(text, prefix, sizeof(prefix));
	memcpy(text + sizeof(prefix), kid, API_KEY_KID);
	p[-1] = '_';
	make_mac(pepper, kid, (struct str){p, API_KEY_SECRET}, mac);
}

/* ---- what the database held: an open hash by kid ---- */

struct api_keys {
	struct arena texts;
	struct api_key *each;
	uint32_t n, most;
	uint32_t *slots; /* place in `each` plus one; 0: empty */
	uint32_t mask;
};

static uint32_t slot_of(const struct api_keys *set, const char *kid)
{
	uint32_t hash = 2166136261U; /* FNV-1a: kids are ours, nobody can choose them to collide */

	for (size_t i = 0; i < API_KEY_KID; i++)
		hash = (hash ^ (uint8_t)kid[i]) * 16777619U;
	return hash & set->mask;
}

/* Its slot, or the empty one where it would stand. */
static uint32_t *find_slot(struct api_keys *set, const char *kid)
{
	uint32_t i = slot_of(set, kid);

	while (set->slots[i] != 0 &&
	       memcmp(set->each[set->slots[i] - 1].kid, kid, API_KEY_KID) != 0)
		i = (i + 1) & set->mask;
	return &set->slots[i];
}

struct api_keys *api_keys_new(uint32_t most)
{
	struct api_keys *set = mem_alloc(sizeof(*set));
	uint32_t slots = 16;

	assert(most <= API_KEYS_MAX);
	while (slots < 2 * most)
		slots *= 2;
	set->most = most;
	set->mask = slots - 1;
	set->slots = mem_array(slots, sizeof(*set->slots));
	set->each = mem_array((size_t)most + 1, sizeof(*set->each));
	arena_init(&set->texts, ((size_t)most + 1) * KEY_TEXTS_MAX);
	return set;
}

void api_keys_free(struct api_keys *set)
{
	if (set == NULL)
		return;
	OPENSSL_cleanse(set->each, set->n * sizeof(*set->each));
	arena_done(&set->texts);
	free(set->each);
	free(set->slots);
	free(set);
}

bool api_keys_add(struct api_keys *set, const struct api_key *k)
{
	uint32_t *slot = find_slot(set, k->kid);
	struct api_key *to = &set->each[set->n];

	if (*slot != 0 || set->n == set->most)
		return false;
	*to = *k;
	if (!identity_copy(&k->who, &set->texts, &to->who))
		return false;
	*slot = ++set->n;
	return true;
}

uint32_t api_keys_count(const struct api_keys *set)
{
	return set->n;
}

struct api_key *api_keys_at(struct api_keys *set, uint32_t i)
{
	return i < set->n ? &set->each[i] : NULL;
}

struct api_key *api_keys_find(struct api_keys *set, const char kid[API_KEY_KID])
{
	uint32_t at = *find_slot(set, kid);

	return at != 0 ? &set->each[at - 1] : NULL;
}

enum auth_cause api_keys_check(struct api_keys *set, const struct seal_key *pepper,
			       struct str credential, int64_t now_us, const struct api_key **ret)
{
	static const struct api_key nobody;
	struct api_key *k;
	const char *kid;
	struct str secret;
	uint8_t mac[DIGEST_BYTES];
	bool same;

	if (!parse(credential, &kid, &secret))
		return AUTH_MALFORMED;
	k = api_keys_find(set, kid);
	make_mac(pepper, kid, secret, mac);
	same = CRYPTO_memcmp(mac, k != NULL ? k->mac : nobody.mac, sizeof(mac)) == 0;
	OPENSSL_cleanse(mac, sizeof(mac));
	if (k == NULL)
		return AUTH_UNKNOWN_KEY;
	if (!same)
		return AUTH_FORGED;
	if (now_us >= k->expires_us)
		return AUTH_EXPIRED;
	k->used = true;
	*ret = k;
	return AUTH_OK;
}
