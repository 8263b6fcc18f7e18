#include "server/page_token.h"

#include <assert.h>
#include <stdio.h>

#include <openssl/crypto.h>

#include "core/base/seal.h"
#include "server/app.h"
#include "server/runtime/rpc.h"

enum { MAC_HEX = 32 };

/* The first 16 bytes of HMAC(contact key, list | tenant | place | filter), in hex. */
static void make_mac(struct flow *fl, const char *list, struct str filter, struct str place,
		     char hex[MAC_HEX + 1])
{
	const struct seal_key *k = &rpc_app(fl)->contact_key;
	char data[PAGE_PLACE_MAX + PAGE_FILTER_MAX + 64];
	uint8_t mac[DIGEST_BYTES];
	int n;

	assert(place.n <= PAGE_PLACE_MAX && filter.n <= PAGE_FILTER_MAX);
	n = snprintf(data, sizeof(data), "page_token|%s|%d|" STR_FMT "|" STR_FMT, list,
		     rpc_identity(fl)->tenant, STR_ARG(place), STR_ARG(filter));
	assert(n > 0 && (size_t)n < sizeof(data));
	digest_hmac((struct str){(const char *)k->b, sizeof(k->b)}, (struct str){data, (size_t)n},
		    mac);
	for (size_t i = 0; i < MAC_HEX / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
}

_Static_assert((int)PAGE_TOKEN_SIZE == (int)PAGE_PLACE_MAX + MAC_HEX + 1, "it fits");

struct str page_token_write(struct flow *fl, const char *list, struct str filter, struct str place,
			    char buf[PAGE_TOKEN_SIZE])
{
	char mac[MAC_HEX + 1];

	make_mac(fl, list, filter, place, mac);
	(void)snprintf(buf, PAGE_TOKEN_SIZE, STR_FMT "%s", STR_ARG(place), mac);
	return str_of(buf);
}

struct str page_token_make(struct flow *fl, const char *list, struct str filter, struct str place)
{
	char buf[PAGE_TOKEN_SIZE];

	return arena_str(&fl->arena, page_token_write(fl, list, filter, place, buf));
}

struct str page_token_open(struct flow *fl, const char *list, struct str filter, struct str token)
{
	struct str place;
	char mac[MAC_HEX + 1];

	if (token.n <= MAC_HEX || token.n > PAGE_PLACE_MAX + MAC_HEX)
		return (struct str){0};
	place = (struct str){token.p, token.n - MAC_HEX};
	make_mac(fl, list, filter, place, mac);
	return CRYPTO_memcmp(mac, token.p + place.n, MAC_HEX) == 0 ? place : (struct str){0};
}
