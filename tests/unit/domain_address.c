/*
 * Packed addresses: what goes in comes out, and bytes that are no address are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/address.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct address full(void)
{
	return (struct address){.name = STR("n\303\244me"),
				.street = STR("street 1"),
				.city = STR("c"),
				.region = STR("re"),
				.postal_code = STR("20095"),
				.country = STR("DE"),
				.email = STR("a@example.com"),
				.phone = STR("+49 40 1")};
}

static void assert_same(const struct address *a, const struct address *b)
{
	assert_true(str_eq(a->name, b->name));
	assert_true(str_eq(a->street, b->street));
	assert_true(str_eq(a->city, b->city));
	assert_true(str_eq(a->region, b->region));
	assert_true(str_eq(a->postal_code, b->postal_code));
	assert_true(str_eq(a->country, b->country));
	assert_true(str_eq(a->email, b->email));
	assert_true(str_eq(a->phone, b->phone));
}

/* In a block of exactly its size, so that a byte read beyond the end is seen. */
static bool unpacks(const char *p, size_t n)
{
	struct address a = {.name = STR("as before")};
	char *exact = malloc(n > 0 ? n : 1);
	bool ok;

	assert_non_null(exact);
	memcpy(exact, p, n);
	ok = address_unpack((struct str){exact, n}, &a);
	if (!ok)
		assert_true(str_eq(a.name, STR("as before")));
	free(exact);
	return ok;
}

static void address_comes_back_as_it_went_in(void **state)
{
	struct address in = full(), out;
	struct str packed = address_pack(&in, &arena);

	(void)state;
	assert_non_null(packed.p);
	assert_true(address_unpack(packed, &out));
	assert_same(&in, &out);
}

static void empty_fields_come_back_empty(void **state)
{
	struct address in = {.city = STR("Ulm")}, out;
	struct str packed = address_pack(&in, &arena);

	(void)state;
	assert_int_equal(packed.n, 1 + 8 * 2 + 3);
	assert_true(address_unpack(packed, &out));
	assert_same(&in, &out);
	assert_int_equal(out.phone.n, 0);
}

/* Stored rows are read for years: the layout is the one of the header's comment, byte for byte. */
static void layout_is_the_documented_one(void **state)
{
	struct address in = {.name = STR("A"), .phone = STR("12")};
	struct str packed = address_pack(&in, &arena);

	(void)state;
	assert_int_equal(packed.n, 20);
	assert_memory_equal(packed.p,
			    "\1\0\1A\0\0\0\0\0\0\0\0\0\0\0\0\0\002"
			    "12",
			    20);
}

static void longest_text_fits_and_a_longer_one_is_refused(void **state)
{
	static char text[UINT16_MAX + 1];
	struct address in = {.street = {text, UINT16_MAX}}, out;
	struct str packed;

	(void)state;
	memset(text, 'x', sizeof(text));
	packed = address_pack(&in, &arena);
	assert_non_null(packed.p);
	assert_true(address_unpack(packed, &out));
	assert_same(&in, &out);
	in.street.n++;
	assert_null(address_pack(&in, &arena).p);
}

static void full_arena_is_an_answer(void **state)
{
	struct address in = full();
	struct arena small;

	(void)state;
	arena_init(&small, 16);
	assert_null(address_pack(&in, &small).p);
	arena_done(&small);
}

static void every_truncation_and_every_byte_more_is_refused(void **state)
{
	struct address in = full();
	struct str packed = address_pack(&in, &arena);
	char *longer = arena_alloc(&arena, packed.n + 1);

	(void)state;
	memcpy(longer, packed.p, packed.n);
	for (size_t n = 0; n < packed.n; n++)
		assert_false(unpacks(packed.p, n));
	assert_true(unpacks(packed.p, packed.n));
	assert_false(unpacks(longer, packed.n + 1));
}

static void other_version_is_refused(void **state)
{
	struct address in = full();
	struct str packed = address_pack(&in, &arena);
	char *bytes = arena_dup(&arena, packed.p, packed.n);

	(void)state;
	for (int version = 0; version < 256; version++) {
		bytes[0] = (char)version;
		assert_int_equal(unpacks(bytes, packed.n), version == 1);
	}
}

static void length_that_lies_is_refused(void **state)
{
	struct address in = full();
	struct str packed = address_pack(&in, &arena);
	char *bytes = arena_dup(&arena, packed.p, packed.n);

	(void)state;
	bytes[1] = '\177'; /* the first text claims 32 KiB */
	assert_false(unpacks(bytes, packed.n));
	bytes[1] = '\377';
	bytes[2] = '\377';
	assert_false(unpacks(bytes, packed.n));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(address_comes_back_as_it_went_in),
		TEST(empty_fields_come_back_empty),
		TEST(layout_is_the_documented_one),
		TEST(longest_text_fits_and_a_longer_one_is_refused),
		TEST(full_arena_is_an_answer),
		TEST(every_truncation_and_every_byte_more_is_refused),
		TEST(other_version_is_refused),
		TEST(length_that_lies_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
