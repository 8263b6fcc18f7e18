/*
 * Sealed names and addresses: they open for their row and key, and for nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/seal.h"

static const char key_text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

static struct arena arena;
static struct seal_key key;
static struct id row;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 65536);
	return seal_key_parse(str_of(key_text), &key) &&
			       id_parse(STR("018f4e2a-7b1c-7ac5-9d3e-0123456789ab"), &row)
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void from_hex(const char *hex, uint8_t *to)
{
	for (; *hex != '\0'; hex += 2) {
		const char pair[3] = {hex[0], hex[1], '\0'};

		*to++ = (uint8_t)strtoul(pair, NULL, 16);
	}
}

static void sealed_text_opens_for_its_row(void **state)
{
	static const struct str plains[] = {{"Erika Mustermann", sizeof("Erika Mustermann") - 1},
					    {"x", sizeof("x") - 1},
					    {"", sizeof("") - 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(plains) / sizeof(plains[0]); i++) {
		struct str sealed = seal(&key, 7, row, plains[i], &arena);
		struct str opened = seal_open(&key, 7, row, sealed, &arena);

		assert_int_equal(sealed.n, plains[i].n + SEAL_OVERHEAD);
		assert_non_null(opened.p);
		assert_true(str_eq(opened, plains[i]));
	}
	assert_non_null(seal(&key, 7, row, (struct str){NULL, 0}, &arena).p);
}

static void same_text_is_never_sealed_the_same(void **state)
{
	struct str a = seal(&key, 7, row, STR("same"), &arena);
	struct str b = seal(&key, 7, row, STR("same"), &arena);

	(void)state;
	assert_false(str_eq(a, b));
}

static void sealed_text_moved_or_changed_does_not_open(void **state)
{
	struct str sealed = seal(&key, 7, row, STR("Erika Mustermann"), &arena);
	struct seal_key other = key;
	char *bytes = arena_dup(&arena, sealed.p, sealed.n);

	(void)state;
	other.b[31] ^= 1;
	assert_null(seal_open(&other, 7, row, sealed, &arena).p);
	assert_null(seal_open(&key, 8, row, sealed, &arena).p);
	assert_null(seal_open(&key, 7, id_child(row), sealed, &arena).p);
	for (size_t i = 0; i < sealed.n; i++) {
		bytes[i] = (char)(bytes[i] ^ 1);
		assert_null(seal_open(&key, 7, row, (struct str){bytes, sealed.n}, &arena).p);
		bytes[i] = (char)(bytes[i] ^ 1);
		assert_null(seal_open(&key, 7, row, (struct str){bytes, i}, &arena).p);
	}
	assert_non_null(seal_open(&key, 7, row, (struct str){bytes, sealed.n}, &arena).p);
	assert_null(seal_open(&key, 7, row, (struct str){NULL, 0}, &arena).p);
}

/* Made by another implementation (node:crypto): what was stored yesterday opens tomorrow. */
static void value_sealed_elsewhere_opens(void **state)
{
	static const char hex[] =
		"01101112131415161718191a1b5b8f1ef249b28e027525ec1748de8885388cf17d28e977c6b9016d6f"
		"6218073d";
	uint8_t bytes[sizeof(hex) / 2];
	struct str opened;

	(void)state;
	from_hex(hex, bytes);
	opened = seal_open(&key, 7, row, (struct str){(const char *)bytes, sizeof(bytes)}, &arena);
	assert_true(str_eq(opened, STR("Erika Mustermann")));
}

static void full_arena_is_an_answer(void **state)
{
	struct arena small;

	(void)state;
	arena_init(&small, 16);
	assert_null(seal(&key, 7, row, STR("x"), &small).p);
	arena_done(&small);
}

static void key_is_64_hex_digits_and_can_be_wiped(void **state)
{
	struct seal_key k, zero = {0};

	(void)state;
	assert_false(seal_key_parse((struct str){key_text, 63}, &k));
	assert_false(seal_key_parse(
		STR("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g"), &k));
	assert_true(seal_key_parse(str_of(key_text), &k));
	seal_key_wipe(&k);
	assert_memory_equal(&k, &zero, sizeof(k));
}

/* "abc" of FIPS 180-4; RFC 4231 test case 2. */
static void digests_are_the_published_ones(void **state)
{
	uint8_t expected[DIGEST_BYTES], digest[DIGEST_BYTES];

	(void)state;
	from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected);
	digest_sha256(STR("abc"), digest);
	assert_memory_equal(digest, expected, DIGEST_BYTES);
	from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected);
	digest_hmac(STR("Jefe"), STR("what do ya want for nothing?"), digest);
	assert_memory_equal(digest, expected, DIGEST_BYTES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sealed_text_opens_for_its_row),
		TEST(same_text_is_never_sealed_the_same),
		TEST(sealed_text_moved_or_changed_does_not_open),
		TEST(value_sealed_elsewhere_opens),
		TEST(full_arena_is_an_answer),
		TEST(key_is_64_hex_digits_and_can_be_wiped),
		TEST(digests_are_the_published_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
