/*
 * Arena: capped, aligned, zeroed, and used again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/arena.h"

static void alloc_any_size_is_aligned_and_zeroed(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t size = 0; size < 10000; size += 37) {
		unsigned char *p = arena_alloc(&a, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
		if (a.used > a.cap / 2)
			arena_reset(&a);
	}
	arena_done(&a);
}

static void alloc_beyond_cap_is_refused_and_small_ones_still_fit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1024);
	assert_non_null(arena_alloc(&a, 1000));
	assert_null(arena_alloc(&a, 17));
	assert_non_null(arena_alloc(&a, 16));
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	arena_done(&a);
}

static void array_whose_size_overflows_is_refused(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_null(
		arena_array(&a, SIZE_MAX / 8 + 2, 8)); /* 8 bytes, were it not for the overflow */
	assert_non_null(arena_array(&a, 10, 8));
	arena_done(&a);
}

static void reset_arena_hands_out_zeroes_again(void **state)
{
	struct arena a;
	unsigned char *first, *second;

	(void)state;
	arena_init(&a, 1 << 20);
	first = arena_alloc(&a, 3000);
	memset(first, 0xff, 3000);
	assert_non_null(arena_alloc(&a, 50000));
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	second = arena_alloc(&a, 3000);
	assert_ptr_equal(first, second); /* the block was kept */
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(second[i], 0);
	arena_done(&a);
}

static void reset_after_one_huge_piece_gives_it_back(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 4 << 20);
	assert_non_null(arena_alloc(&a, 3 << 20));
	arena_reset(&a);
	assert_null(a.blocks);
	arena_done(&a);
}

static void dup_and_printf_end_with_nul(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 64);
	assert_string_equal(arena_dup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_dup(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	assert_null(arena_printf(&a, "%080d", 7));
	assert_null(arena_dup(&a, "", SIZE_MAX));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_any_size_is_aligned_and_zeroed),
		cmocka_unit_test(alloc_beyond_cap_is_refused_and_small_ones_still_fit),
		cmocka_unit_test(array_whose_size_overflows_is_refused),
		cmocka_unit_test(reset_arena_hands_out_zeroes_again),
		cmocka_unit_test(reset_after_one_huge_piece_gives_it_back),
		cmocka_unit_test(dup_and_printf_end_with_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
