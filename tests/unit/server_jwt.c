/*
 * Tokens: a table of what may be wrong with one, each told apart for operators, none believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "core/base/mem.h"
#include "server/auth/jwt.h"
#include "server/auth/jwt_cache.h"
#include "tests/unit/jwt_maker.h"

#define NOW INT64_C(1700000000)

static struct issuer es, ed;
static struct jwks *keys;
static struct arena arena;
static struct jwt_rules rules = {.issuer = "https://id.shop.example",
				 .audience = "orderd",
				 .type = "at+jwt",
				 .tenant_claim = "tenant",
				 .role_claim = "role",
				 .customer_claim = "sub",
				 .locations_claim = "locations",
				 .roles = 1U << ROLE_CUSTOMER | 1U << ROLE_SERVICE,
				 .life_s = 3600};

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"

/* Good claims, whose last members are to be written by the caller. */
#define CLAIMS(rest) \
	"{\"iss\":\"https://id.shop.example\",\"aud\":\"orderd\",\"sub\":\"user-7\"," rest "}"
#define GOOD CLAIMS("\"exp\":1700000600,\"tenant\":3,\"role\":\"customer\"")

static int set_up(void **state)
{
	char *a, *b, *text;
	const char *why;

	(void)state;
	es = issuer_new("es", JWT_ES256);
	ed = issuer_new("ed", JWT_EDDSA);
	a = issuer_jwk(&es);
	b = issuer_jwk(&ed);
	text = mem_printf("{\"keys\":[%s,%s]}", a, b);
	keys = jwks_read(str_of(text), &why);
	free(a);
	free(b);
	free(text);
	return keys != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	jwks_free(keys);
	issuer_done(&es);
	issuer_done(&ed);
	return 0;
}

static enum auth_cause check_at(struct str token, int64_t now_s, struct jwt_claims *ret)
{
	arena_done(&arena);
	arena_init(&arena, 65536);
	return jwt_check(token, keys, &rules, now_s, &arena, ret);
}

static enum auth_cause check(const char *header, const char *claims)
{
	char *token = token_signed(&es, header, claims);
	struct jwt_claims c;
	enum auth_cause e = check_at(str_of(token), NOW, &c);

	free(token);
	arena_done(&arena);
	return e;
}

static void good_token_of_either_kind__names_its_user(void **state)
{
	char *of[] = {
		token_signed(&es, HEADER, GOOD),
		token_signed(&ed,
			     "{\"typ\":\"application/AT+JWT\",\"kid\":\"ed\",\"alg\":\"EdDSA\"}",
			     GOOD)};
	struct jwt_claims c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(check_at(str_of(of[i]), NOW, &c), AUTH_OK);
		assert_int_equal(c.who.tenant, 3);
		assert_int_equal(c.who.role, ROLE_CUSTOMER);
		assert_true(str_eq(c.who.subject, STR("jwt:user-7")));
		assert_true(str_eq(c.who.customer, STR("user-7")));
		assert_null(c.jti.p);
		free(of[i]);
	}
	arena_done(&arena);
}

static void what_a_token_may_say__is_read(void **state)
{
	char *token = token_signed(
		&es, HEADER,
		"{\"iss\":\"https://id.shop.example\",\"aud\":[\"x\",\"orderd\"],\"sub\":\"till\","
		"\"exp\":1700000600.5,\"nbf\":1700000060,\"tenant\":\"12\",\"role\":\"service\","
		"\"scope\":\"a b\",\"jti\":\"j-1\",\"more\":{\"deep\":[1]}}");
	struct jwt_claims c;

	(void)state;
	assert_int_equal(check_at(str_of(token), NOW, &c), AUTH_OK);
	assert_int_equal(c.who.tenant, 12);
	assert_int_equal(c.who.role, ROLE_SERVICE);
	assert_null(c.who.customer.p);
	assert_true(str_eq(c.who.scopes, STR("a b")));
	assert_true(str_eq(c.jti, STR("j-1")));
	free(token);
	arena_done(&arena);
}

/* A customer's token names its customer in the claim that the settings say, and no other way. */
static void customer_of_a_token__is_a_name_or_it_is_refused(void **state)
{
	static const char *const without[] = {"",
					      "\"cust\":\"\",",
					      "\"cust\":7,",
					      "\"cust\":\"a b\",",
					      "\"cust\":null,",
					      "\"customer\":\"c-9\","};
	struct jwt_rules of_cust = rules;
	struct jwt_claims c;

	(void)state;
	of_cust.customer_claim = "cust";
	for (size_t i = 0; i <= sizeof(without) / sizeof(without[0]); i++) {
		bool good = i == sizeof(without) / sizeof(without[0]);
		char *claims = mem_printf(
			CLAIMS("%s\"exp\":1700000600,\"tenant\":3,\"role\":\"customer\""),
			good ? "\"cust\":\"c-9\"," : without[i]);
		char *token = token_signed(&es, HEADER, claims);

		arena_init(&arena, 65536);
		assert_int_equal(jwt_check(str_of(token), keys, &of_cust, NOW, &arena, &c),
				 good ? AUTH_OK : AUTH_WRONG_CLAIMS);
		if (good)
			assert_true(str_eq(c.who.customer, STR("c-9")));
		arena_done(&arena);
		free(claims);
		free(token);
	}
}

/* What is in the claim and cannot be read is not taken for none, which would be all there are. */
static void locations_of_a_token__are_codes_or_it_is_refused(void **state)
{
	static const struct {
		const char *claim, *role, *locations; /* NULL: none is named */
		enum auth_cause want;
	} each[] = {
		{"", "service", NULL, AUTH_OK},
		{"\"locations\":\"HALL\",", "service", "HALL", AUTH_OK},
		{"\"locations\":[\"HALL 1\",\"z\xc3\xbcrich\"],", "service",
		 "HALL 1\nz\xc3\xbcrich", AUTH_OK},
		{"\"locations\":[],", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":\"\",", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":null,", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":{\"HALL\":1},", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":[\"HALL\",7],", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":[\"HALL\",\"\"],", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":\"A\\nB\",", "service", NULL, AUTH_WRONG_CLAIMS},
		{"\"locations\":\"HALL\",", "customer", NULL, AUTH_OK}, /* it has a customer */
	};
	struct jwt_claims c;

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		char *claims =
			mem_printf(CLAIMS("%s\"exp\":1700000600,\"tenant\":3,\"role\":\"%s\""),
				   each[i].claim, each[i].role);
		char *token = token_signed(&es, HEADER, claims);

		assert_int_equal(check_at(str_of(token), NOW, &c), each[i].want);
		if (each[i].want == AUTH_OK && each[i].locations == NULL)
			assert_null(c.who.locations.p);
		else if (each[i].want == AUTH_OK)
			assert_true(str_eq(c.who.locations, str_of(each[i].locations)));
		arena_done(&arena);
		free(claims);
		free(token);
	}
}

static void time_of_a_token__has_a_minutes_leeway(void **state)
{
	char *token = token_signed(&es, HEADER,
				   CLAIMS("\"nbf\":1700000000,\"exp\":1700000600,\"tenant\":1,"
					  "\"role\":\"customer\""));
	struct jwt_claims c;

	(void)state;
	assert_int_equal(check_at(str_of(token), NOW - 61, &c), AUTH_NOT_YET_VALID);
	assert_int_equal(check_at(str_of(token), NOW - 60, &c), AUTH_OK);
	assert_int_equal(check_at(str_of(token), NOW + 659, &c), AUTH_OK);
	assert_int_equal(check_at(str_of(token), NOW + 660, &c), AUTH_EXPIRED);
	free(token);
	arena_done(&arena);
}

static void wrong_claims__are_refused(void **state)
{
	static const struct {
		enum auth_cause cause;
		const char *claims;
	} cases[] = {
		{AUTH_WRONG_ISSUER, "{}"},
		{AUTH_WRONG_ISSUER, "{\"iss\":\"https://id.shop.example/\"}"},
		{AUTH_WRONG_ISSUER, "{\"iss\":[\"https://id.shop.example\"]}"},
		{AUTH_WRONG_AUDIENCE, "{\"iss\":\"https://id.shop.example\"}"},
		{AUTH_WRONG_AUDIENCE,
		 "{\"iss\":\"https://id.shop.example\",\"aud\":[\"Orderd\",\"orderd \"]}"},
		{AUTH_WRONG_AUDIENCE,
		 "{\"iss\":\"https://id.shop.example\",\"aud\":{\"a\":\"orderd\"}}"},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"tenant\":1,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":\"1700000600\",\"tenant\":1,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"exp\":-5,\"tenant\":1,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"exp\":1e300,\"tenant\":1,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":1700000600,\"nbf\":null,\"tenant\":1,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"exp\":1700000600,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":1700000600,\"tenant\":0,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":1700000600,\"tenant\":2147483648,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":1700000600,\"tenant\":1.5,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":1700000600,\"tenant\":true,\"role\":\"customer\"")},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"exp\":1700000600,\"tenant\":1")},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"exp\":1700000600,\"tenant\":1,\"role\":\"king\"")},
		{AUTH_WRONG_CLAIMS, CLAIMS("\"exp\":1700000600,\"tenant\":1,\"role\":\"customer\","
					   "\"scope\":\"a  b\"")},
		{AUTH_WRONG_CLAIMS,
		 CLAIMS("\"exp\":1700000600,\"tenant\":1,\"role\":\"customer\",\"jti\":7")},
		{AUTH_WRONG_CLAIMS,
		 "{\"iss\":\"https://id.shop.example\",\"aud\":\"orderd\",\"exp\":1700000600,"
		 "\"tenant\":1,\"role\":\"customer\"}"},
		{AUTH_MALFORMED,
		 "{\"iss\":\"https://id.shop.example\",\"aud\":\"orderd\",\"sub\":\"a\\u0000b\","
		 "\"exp\":1700000600,\"tenant\":1,\"role\":\"customer\"}"},
		{AUTH_WRONG_ROLE, CLAIMS("\"exp\":1700000600,\"tenant\":1,\"role\":\"ops_admin\"")},
		{AUTH_TOO_LONG_LIVED,
		 CLAIMS("\"exp\":1700003661,\"tenant\":1,\"role\":\"customer\"")},
		{AUTH_EXPIRED, CLAIMS("\"exp\":1699999940,\"tenant\":1,\"role\":\"customer\"")},
		/* not an object, not JSON, one member twice: which of them was meant? */
		{AUTH_MALFORMED, "[]"},
		{AUTH_MALFORMED, "nonsense"},
		{AUTH_MALFORMED,
		 CLAIMS("\"exp\":1700000600,\"tenant\":1,\"tenant\":2,\"role\":\"customer\"")},
		{AUTH_MALFORMED, GOOD " "
				      "x"},
		{AUTH_MALFORMED, "[[[[[[[[[[[[]]]]]]]]]]]]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(check(HEADER, cases[i].claims), cases[i].cause);
	assert_int_equal(check(HEADER, GOOD), AUTH_OK);
}

static void wrong_headers__are_refused(void **state)
{
	static const struct {
		enum auth_cause cause;
		const char *header;
	} cases[] = {
		{AUTH_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"},
		{AUTH_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":\"nobody\",\"typ\":\"at+jwt\"}"},
		{AUTH_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":\"\",\"typ\":\"at+jwt\"}"},
		{AUTH_UNKNOWN_KEY, "{\"alg\":\"ES256\",\"kid\":[\"es\"],\"typ\":\"at+jwt\"}"},
		{AUTH_FORGED, "{\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		{AUTH_FORGED, "{\"alg\":\"none\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		{AUTH_FORGED, "{\"alg\":\"es256\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		{AUTH_FORGED, "{\"alg\":\"ES384\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		{AUTH_FORGED, "{\"alg\":\"HS256\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		{AUTH_FORGED, "{\"alg\":\"EdDSA\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		/* signed by one key, naming the other */
		{AUTH_FORGED, "{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"at+jwt\"}"},
		{AUTH_WRONG_TYPE, "{\"alg\":\"ES256\",\"kid\":\"es\"}"},
		{AUTH_WRONG_TYPE, "{\"alg\":\"ES256\",\"kid\":\"es\",\"typ\":\"JWT\"}"},
		{AUTH_WRONG_TYPE, "{\"alg\":\"ES256\",\"kid\":\"es\",\"typ\":\"application/\"}"},
		{AUTH_MALFORMED,
		 "{\"alg\":\"ES256\",\"kid\":\"es\",\"typ\":\"at+jwt\",\"crit\":[\"exp\"]}"},
		{AUTH_MALFORMED,
		 "{\"alg\":\"ES256\",\"alg\":\"none\",\"kid\":\"es\",\"typ\":\"at+jwt\"}"},
		{AUTH_MALFORMED, "\"ES256\""},
		/* where keys might be had is not looked at */
		{AUTH_OK,
		 "{\"alg\":\"ES256\",\"kid\":\"es\",\"typ\":\"at+jwt\",\"jku\":\"https://evil\","
		 "\"x5u\":\"https://evil\",\"jwk\":{}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(check(cases[i].header, GOOD), cases[i].cause);
}

/* What libraries fell for: the public key, which everybody has, as the secret of an HMAC. */
static void public_key_as_a_secret__forges_nothing(void **state)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(es.key, &der);
	char *jwk = issuer_jwk(&es);
	char *of[] = {token_hmac("{\"alg\":\"HS256\",\"kid\":\"es\",\"typ\":\"at+jwt\"}", GOOD, der,
				 (size_t)n),
		      token_hmac(HEADER, GOOD, jwk, strlen(jwk))};
	struct jwt_claims c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(check_at(str_of(of[i]), NOW, &c), AUTH_FORGED);
		free(of[i]);
	}
	OPENSSL_free(der);
	free(jwk);
	arena_done(&arena);
}

static void token_with_any_bit_changed__is_refused(void **state)
{
	char *token = token_signed(&es, HEADER, GOOD);
	size_t n = strlen(token);
	struct jwt_claims c;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char was = token[i];

		for (int bit = 0; bit < 8; bit++) {
			token[i] = (char)(was ^ 1 << bit);
			assert_int_not_equal(check_at((struct str){token, n}, NOW, &c), AUTH_OK);
		}
		token[i] = was;
	}
	assert_int_equal(check_at((struct str){token, n}, NOW, &c), AUTH_OK);
	for (size_t i = 0; i < n; i++) /* every beginning of it */
		assert_int_not_equal(check_at((struct str){token, i}, NOW, &c), AUTH_OK);
	free(token);
	arena_done(&arena);
}

static void text_that_is_no_token__is_refused(void **state)
{
	char *token = token_signed(&es, HEADER, GOOD);
	char *of[] = {mem_printf("%s.", token),
		      mem_printf(".%s", token),
		      mem_printf("%s.x", token),
		      mem_printf("%sA", token),
		      mem_printf("%s=", token),
		      mem_printf("%s ", token),
		      mem_printf(" %s", token),
		      mem_text(".."),
		      mem_text("a.b.c"),
		      mem_text("..."),
		      mem_text("")};
	char *huge = mem_alloc(JWT_MAX + 1);
	struct jwt_claims c;

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		assert_int_not_equal(check_at(str_of(of[i]), NOW, &c), AUTH_OK);
		free(of[i]);
	}
	memset(huge, 'A', JWT_MAX + 1);
	assert_int_equal(check_at((struct str){huge, JWT_MAX + 1}, NOW, &c), AUTH_TOO_LARGE);
	assert_int_equal(check_at((struct str){huge, JWT_MAX}, NOW, &c), AUTH_MALFORMED);
	free(huge);
	free(token);
	arena_done(&arena);
}

static void call_without_room__is_refused(void **state)
{
	char *token = token_signed(&es, HEADER, GOOD);
	struct jwt_claims c;

	(void)state;
	arena_init(&arena, 8);
	assert_int_equal(jwt_check(str_of(token), keys, &rules, NOW, &arena, &c), AUTH_NO_ROOM);
	free(token);
	arena_done(&arena);
}

/* ---- the issuer's keys ---- */

static const char *refusal(const char *text)
{
	const char *why = NULL;
	struct jwks *k = jwks_read(str_of(text), &why);

	jwks_free(k);
	return k != NULL ? NULL : why;
}

static void file_of_keys_that_is_wrong__is_refused_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[]}",
		"{\"keys\":[7]}",
		/* of kinds that we do not use */
		"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"a\"}]}",
		/* secrets */
		"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"d\":\"AAAA\","
		"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
		/* no kid; x of the wrong length, of the wrong form; a point that is on no curve */
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","
		"\"x\":\"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
		"\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
	};
	char *jwk = issuer_jwk(&es), *twice = mem_printf("{\"keys\":[%s,%s]}", jwk, jwk);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(refusal(bad[i]));
	assert_non_null(refusal(twice));
	free(twice);
	free(jwk);
}

static void keys_for_other_uses__are_passed_over(void **state)
{
	static const char rest[] =
		"{\"kty\":\"RSA\",\"kid\":\"es\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"enc\",\"use\":\"enc\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"other\",\"alg\":\"ECDH-ES\"}";
	char *jwk = issuer_jwk(&es), *text = mem_printf("{\"keys\":[%s,%s]}", rest, jwk);
	const char *why;
	struct jwks *k = jwks_read(str_of(text), &why);

	(void)state;
	assert_non_null(k);
	assert_true(jwks_has(k, STR("es")));
	assert_false(jwks_has(k, STR("enc")));
	assert_false(jwks_has(k, STR("other")));
	jwks_free(k);
	free(text);
	free(jwk);
}

static void list_of_roles__is_read_or_refused(void **state)
{
	uint32_t roles;

	(void)state;
	assert_true(jwt_roles_parse(STR("customer,mes"), &roles));
	assert_int_equal(roles, 1U << ROLE_CUSTOMER | 1U << ROLE_MES);
	assert_false(jwt_roles_parse(STR(""), &roles));
	assert_false(jwt_roles_parse(STR("customer, mes"), &roles));
	assert_false(jwt_roles_parse(STR("customer,,mes"), &roles));
}

/* ---- tokens that were checked before ---- */

static void token_checked_before__is_found_by_all_of_its_bytes(void **state)
{
	struct jwt_cache *cache = jwt_cache_new();
	uint8_t a[DIGEST_BYTES] = {1, 2, 3}, b[DIGEST_BYTES] = {1, 2, 4};
	struct jwt_claims c = {.who = {.tenant = 3,
				       .subject = STR("jwt:x"),
				       .scopes = STR("s"),
				       .locations = STR("HALL")},
			       .jti = STR("j"),
			       .expires_s = NOW};
	const struct jwt_claims *found;

	(void)state;
	assert_null(jwt_cache_find(cache, a));
	jwt_cache_put(cache, a, &c);
	assert_null(jwt_cache_find(cache, b)); /* the same slot, another token */
	found = jwt_cache_find(cache, a);
	assert_non_null(found);
	assert_true(str_eq(found->who.subject, STR("jwt:x")) &&
		    found->who.subject.p != c.who.subject.p);
	assert_null(found->who.customer.p);
	assert_true(str_eq(found->who.locations, STR("HALL")));
	assert_true(str_eq(found->jti, STR("j")));
	jwt_cache_put(cache, b, &c); /* takes its place */
	assert_null(jwt_cache_find(cache, a));
	assert_non_null(jwt_cache_find(cache, b));
	jwt_cache_clear(cache);
	assert_null(jwt_cache_find(cache, b));
	jwt_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_token_of_either_kind__names_its_user),
		cmocka_unit_test(what_a_token_may_say__is_read),
		cmocka_unit_test(customer_of_a_token__is_a_name_or_it_is_refused),
		cmocka_unit_test(locations_of_a_token__are_codes_or_it_is_refused),
		cmocka_unit_test(time_of_a_token__has_a_minutes_leeway),
		cmocka_unit_test(wrong_claims__are_refused),
		cmocka_unit_test(wrong_headers__are_refused),
		cmocka_unit_test(public_key_as_a_secret__forges_nothing),
		cmocka_unit_test(token_with_any_bit_changed__is_refused),
		cmocka_unit_test(text_that_is_no_token__is_refused),
		cmocka_unit_test(call_without_room__is_refused),
		cmocka_unit_test(file_of_keys_that_is_wrong__is_refused_whole),
		cmocka_unit_test(keys_for_other_uses__are_passed_over),
		cmocka_unit_test(list_of_roles__is_read_or_refused),
		cmocka_unit_test(token_checked_before__is_found_by_all_of_its_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
