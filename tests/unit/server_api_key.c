/*
 * API keys: the one that was made is known, and nothing that resembles it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "server/auth/api_key.h"
#include "server/auth/deny.h"

enum { NOW = 1000, LATER = 2000 };

static const struct seal_key pepper = {{1, 2, 3}}, other_pepper = {{1, 2, 4}};
static struct api_keys *set;
static char credential[API_KEY_TEXT + 1];

static struct api_key make(int32_t tenant, const char *request, char text[API_KEY_TEXT + 1])
{
	struct api_key k = {.expires_us = LATER,
			    .who = {.tenant = tenant,
				    .role = ROLE_SERVICE,
				    .subject = STR("key:shop"),
				    .scopes = STR("a b"),
				    .customer = STR("c-1"),
				    .locations = STR("HALL")}};

	api_key_kid(tenant, str_of(request), k.kid);
	api_key_make(&pepper, k.kid, text, k.mac);
	return k;
}

static int set_up(void **state)
{
	struct api_key k = make(7, "request", credential);

	(void)state;
	set = api_keys_new(3);
	assert_true(api_keys_add(set, &k));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	api_keys_free(set);
	return 0;
}

static enum auth_cause check(const char *text)
{
	const struct api_key *k;

	return api_keys_check(set, &pepper, str_of(text), NOW, &k);
}

static void key_that_was_made__is_known(void **state)
{
	const struct api_key *k;

	(void)state;
	assert_int_equal(strlen(credential), API_KEY_TEXT);
	assert_int_equal(api_keys_check(set, &pepper, str_of(credential), NOW, &k), AUTH_OK);
	assert_int_equal(k->who.tenant, 7);
	assert_int_equal(k->who.role, ROLE_SERVICE);
	assert_true(str_eq(k->who.subject, STR("key:shop")));
	assert_true(str_eq(k->who.scopes, STR("a b")));
	assert_true(str_eq(k->who.customer, STR("c-1")));
	assert_true(str_eq(k->who.locations, STR("HALL")));
	assert_true(k->used);
}

static void other_texts__are_refused(void **state)
{
	char text[API_KEY_TEXT + 2];

	(void)state;
	for (size_t i = 0; i < API_KEY_TEXT; i++) { /* each character counts */
		memcpy(text, credential, sizeof(credential));
		text[i] = text[i] == '0' ? '1' : '0';
		assert_int_not_equal(check(text), AUTH_OK);
	}
	for (size_t n = 0; n < API_KEY_TEXT; n++) { /* and their number */
		memcpy(text, credential, sizeof(credential));
		text[n] = '\0';
		assert_int_equal(check(text), AUTH_MALFORMED);
	}
	snprintf(text, sizeof(text), "%s0", credential);
	assert_int_equal(check(text), AUTH_MALFORMED);
	assert_false(api_key_is(STR("eyJhbGciOiJFUzI1NiJ9.e30.x")));
}

static void wrong_secret_and_unknown_key__are_told_apart_by_operators_alone(void **state)
{
	char text[API_KEY_TEXT + 1], stranger[API_KEY_TEXT + 1];

	(void)state;
	memcpy(text, credential, sizeof(text));
	text[API_KEY_TEXT - 5] ^= 1;
	assert_int_equal(check(text), AUTH_FORGED);
	(void)make(7, "another request", stranger);
	assert_int_equal(check(stranger), AUTH_UNKNOWN_KEY);
	/* one key's name and another's secret */
	memcpy(stranger, credential, 4 + API_KEY_KID);
	assert_int_equal(check(stranger), AUTH_FORGED);
}

static void key_that_has_expired__is_refused_to_the_microsecond(void **state)
{
	const struct api_key *k;
	struct str text = str_of(credential);

	(void)state;
	assert_int_equal(api_keys_check(set, &pepper, text, LATER - 1, &k), AUTH_OK);
	assert_int_equal(api_keys_check(set, &pepper, text, LATER, &k), AUTH_EXPIRED);
}

static void stolen_table_without_the_pepper__opens_nothing(void **state)
{
	const struct api_key *k;

	(void)state;
	assert_int_equal(api_keys_check(set, &other_pepper, str_of(credential), NOW, &k),
			 AUTH_FORGED);
}

static void request_of_a_tenant__has_one_kid(void **state)
{
	char a[API_KEY_KID], b[API_KEY_KID];

	(void)state;
	api_key_kid(1, STR("r"), a);
	api_key_kid(1, STR("r"), b);
	assert_memory_equal(a, b, API_KEY_KID);
	api_key_kid(2, STR("r"), b);
	assert_memory_not_equal(a, b, API_KEY_KID);
	api_key_kid(1, STR("s"), b);
	assert_memory_not_equal(a, b, API_KEY_KID);
}

static void set__holds_each_kid_once_and_no_more_than_it_may(void **state)
{
	char text[API_KEY_TEXT + 1];
	struct api_key k = make(7, "request", text);

	(void)state;
	assert_false(api_keys_add(set, &k)); /* another secret of a kid that is there */
	assert_int_equal(check(credential), AUTH_OK);
	k = make(7, "2", text);
	assert_true(api_keys_add(set, &k));
	k = make(7, "3", text);
	assert_true(api_keys_add(set, &k));
	assert_int_equal(check(text), AUTH_OK);
	k = make(7, "4", text);
	assert_false(api_keys_add(set, &k));
	assert_int_equal(api_keys_count(set), 3);
}

static void empty_set__knows_nobody(void **state)
{
	struct api_keys *none = api_keys_new(0);
	const struct api_key *k;

	(void)state;
	assert_int_equal(api_keys_check(none, &pepper, str_of(credential), NOW, &k),
			 AUTH_UNKNOWN_KEY);
	api_keys_free(none);
}

static void many_keys__are_all_found(void **state)
{
	enum { MANY = 2000 };
	struct api_keys *many = api_keys_new(MANY);
	char(*texts)[API_KEY_TEXT + 1] = mem_array(MANY, sizeof(*texts));
	const struct api_key *found;
	char request[16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		struct api_key k;

		snprintf(request, sizeof(request), "r%d", i);
		k = make(i + 1, request, texts[i]);
		assert_true(api_keys_add(many, &k));
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(api_keys_check(many, &pepper, str_of(texts[i]), NOW, &found),
				 AUTH_OK);
		assert_int_equal(found->who.tenant, i + 1);
	}
	free(texts);
	api_keys_free(many);
}

static void deny_list__has_what_stands_on_a_line(void **state)
{
	static const char text[] = "# comment\n\n  jti-1 \r\nb\na\n#b2\nlast";
	struct deny *d = deny_read(mem_text(text), sizeof(text) - 1);

	(void)state;
	assert_true(deny_has(d, STR("jti-1")));
	assert_true(deny_has(d, STR("a")));
	assert_true(deny_has(d, STR("b")));
	assert_true(deny_has(d, STR("last")));
	assert_false(deny_has(d, STR("")));
	assert_false(deny_has(d, STR("b2")));
	assert_false(deny_has(d, STR("jti-")));
	assert_false(deny_has(d, (struct str){0}));
	assert_false(deny_has(NULL, STR("a")));
	deny_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(key_that_was_made__is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_texts__are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			wrong_secret_and_unknown_key__are_told_apart_by_operators_alone, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(key_that_has_expired__is_refused_to_the_microsecond,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(stolen_table_without_the_pepper__opens_nothing,
						set_up, tear_down),
		cmocka_unit_test(request_of_a_tenant__has_one_kid),
		cmocka_unit_test_setup_teardown(set__holds_each_kid_once_and_no_more_than_it_may,
						set_up, tear_down),
		cmocka_unit_test(empty_set__knows_nobody),
		cmocka_unit_test(many_keys__are_all_found),
		cmocka_unit_test(deny_list__has_what_stands_on_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
