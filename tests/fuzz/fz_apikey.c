/*
 * Whatever stands behind "Bearer ord_", in a certificate or its URI, or on the lines of a deny
 * list: nobody is believed who was not made here, and what is read can be logged.
 */
#include "core/base/mem.h"
#include "server/auth/api_key.h"
#include "server/auth/deny.h"
#include "server/auth/edge.h"
#include "server/auth/jwt_cache.h"
#include "server/auth/peer.h"
#include "tests/fuzz/fuzz.h"

static const struct seal_key pepper = {{7}};

static void stranger_is_not_believed(struct str text)
{
	static struct api_keys *set;
	const struct api_key *found;
	struct api_key k = {.expires_us = INT64_MAX, .who = {.tenant = 1, .subject = STR("key:a")}};
	char credential[API_KEY_TEXT + 1];

	if (set == NULL) {
		set = api_keys_new(1);
		memcpy(k.kid, "0123456789abcdef", API_KEY_KID);
		api_key_make(&pepper, k.kid, credential, k.mac);
		MUST(api_keys_add(set, &k));
		MUST(api_keys_check(set, &pepper, str_of(credential), 0, &found) == AUTH_OK);
	}
	MUST(api_keys_check(set, &pepper, text, 0, &found) != AUTH_OK);
}

static void uri_is_somebody_of_use_or_nobody(struct str uri)
{
	struct identity who;
	struct arena arena;

	arena_init(&arena, 4096);
	if (peer_read_uri(uri, STR("orderd://"), &arena, &who) == AUTH_OK) {
		MUST(who.tenant > 0 && (unsigned)who.role < ROLES && str_is_text(who.subject));
		MUST(who.subject.n > 5 && who.subject.n <= IDENTITY_NAME_MAX + 5);
		MUST((who.role == ROLE_CUSTOMER) == (who.customer.p != NULL));
	}
	arena_done(&arena);
}

static void certificate_is_somebodys_or_nobodys(struct str header)
{
	struct jwt_claims claims;
	struct arena arena;

	arena_init(&arena, 64 * 1024);
	if (edge_check(header, STR("orderd://"), 0, &arena, &claims) == AUTH_OK)
		MUST(claims.who.tenant > 0 && claims.jti.n <= JWT_CACHE_ID_MAX);
	arena_done(&arena);
}

static void deny_list_has_its_lines(struct str text)
{
	char *copy = mem_alloc(text.n + 1);
	struct deny *d;

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	d = deny_read(copy, text.n);
	MUST(!deny_has(d, STR("")));
	(void)deny_has(d, text);
	deny_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {size > 0 ? (const char *)data : "", size};

	stranger_is_not_believed(text);
	uri_is_somebody_of_use_or_nobody(text);
	certificate_is_somebodys_or_nobodys(text);
	deny_list_has_its_lines(text);
	return 0;
}
