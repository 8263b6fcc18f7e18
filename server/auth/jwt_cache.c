#include "server/auth/jwt_cache.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/mem.h"

/* subject with its "cert:", customer; scopes; locations; jti */
enum {
	TEXTS_MAX = 2 * IDENTITY_NAME_MAX + 5 + IDENTITY_SCOPES_MAX + IDENTITY_LOCATIONS_MAX +
		    JWT_CACHE_ID_MAX
};

struct slot {
	uint8_t digest[DIGEST_BYTES];
	struct jwt_claims claims;
	char texts[TEXTS_MAX];
	bool used;
};

struct jwt_cache {
	struct slot each[JWT_CACHE_SLOTS];
};

/* A digest is as good as random, whatever its maker wanted. */
static size_t place(const uint8_t digest[DIGEST_BYTES])
{
	return ((size_t)digest[0] << 8 | digest[1]) % JWT_CACHE_SLOTS;
}

struct jwt_cache *jwt_cache_new(void)
{
	return mem_alloc(sizeof(struct jwt_cache));
}

void jwt_cache_clear(struct jwt_cache *c)
{
	memset(c, 0, sizeof(*c));
}

void jwt_cache_free(struct jwt_cache *c)
{
	free(c);
}

const struct jwt_claims *jwt_cache_find(const struct jwt_cache *c,
					const uint8_t digest[DIGEST_BYTES])
{
	const struct slot *s = &c->each[place(digest)];

	return s->used && memcmp(s->digest, digest, DIGEST_BYTES) == 0 ? &s->claims : NULL;
}

static struct str keep(struct slot *s, size_t *at, struct str text)
{
	char *to = s->texts + *at;

	assert(text.n <= TEXTS_MAX - *at); /* jwt_check() has bounded each */
	if (text.p == NULL)
		return text;
	memcpy(to, text.p, text.n);
	*at += text.n;
	return (struct str){to, text.n};
}

void jwt_cache_put(struct jwt_cache *c, const uint8_t digest[DIGEST_BYTES],
		   const struct jwt_claims *claims)
{
	struct slot *s = &c->each[place(digest)];
	struct identity *who = &s->claims.who;
	size_t at = 0;

	memcpy(s->digest, digest, DIGEST_BYTES);
	s->claims = *claims;
	s->claims.jti = keep(s, &at, claims->jti);
	who->subject = keep(s, &at, claims->who.subject);
	who->scopes = keep(s, &at, claims->who.scopes);
	who->customer = keep(s, &at, claims->who.customer);
	who->locations = keep(s, &at, claims->who.locations);
	s->used = true;
}
