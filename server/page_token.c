#include "server/page_token.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/base/base64url.h"
#include "core/base/seal.h"
#include "server/app.h"
#include "server/runtime/rpc.h"

enum {
	SEALED_MAX = PAGE_PLACE_MAX + SEAL_OVERHEAD,
	TOKEN_MAX = BASE64URL_LENGTH(SEALED_MAX),
};

/* A key of its own: pages are many, and a key is good for so many seals. */
static struct seal_key key_of(struct flow *fl)
{
	const struct seal_key *contacts = &rpc_app(fl)->contact_key;
	struct seal_key k;

	_Static_assert(sizeof(k.b) == (size_t)DIGEST_BYTES, "a digest is a key");
	digest_hmac((struct str){(const char *)contacts->b, sizeof(contacts->b)}, STR("page_token"),
		    k.b);
	return k;
}

/* What a token is bound to besides the tenant. */
static struct id page_of(const char *list, struct str filter)
{
	char data[PAGE_FILTER_MAX + 64];
	uint8_t digest[DIGEST_BYTES];
	struct id id;
	int n;

	assert(filter.n <= PAGE_FILTER_MAX);
	n = snprintf(data, sizeof(data), "%s|" STR_FMT, list, STR_ARG(filter));
	assert(n > 0 && (size_t)n < sizeof(data));
	digest_sha256((struct str){data, (size_t)n}, digest);
	memcpy(&id, digest, sizeof(id));
	return id;
}

struct str page_token_write(struct flow *fl, const char *list, struct str filter, struct str place,
			    char buf[PAGE_TOKEN_SIZE])
{
	struct seal_key k = key_of(fl);
	uint8_t room[SEALED_MAX];
	struct str sealed;

	assert(place.n <= PAGE_PLACE_MAX);
	sealed = seal_into(&k, rpc_identity(fl)->tenant, page_of(list, filter), place, room);
	seal_key_wipe(&k);
	base64url_encode(sealed.p, sealed.n, buf);
	return (struct str){buf, BASE64URL_LENGTH(sealed.n)};
}

struct str page_token_make(struct flow *fl, const char *list, struct str filter, struct str place)
{
	char buf[PAGE_TOKEN_SIZE];

	return arena_str(&fl->arena, page_token_write(fl, list, filter, place, buf));
}

struct str page_token_open(struct flow *fl, const char *list, struct str filter, struct str token)
{
	uint8_t sealed[SEALED_MAX];
	struct seal_key k;
	struct str place;

	if (token.n > TOKEN_MAX || !base64url_decode(token, sealed))
		return (struct str){0};
	k = key_of(fl);
	place = seal_open(&k, rpc_identity(fl)->tenant, page_of(list, filter),
			  (struct str){(const char *)sealed, BASE64URL_BYTES(token.n)}, &fl->arena);
	seal_key_wipe(&k);
	return place;
}
