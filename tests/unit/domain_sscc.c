/*
 * SSCC-18: a parcel's number and the digit that proves it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/domain/sscc.h"

static void check_digit_is_that_of_known_numbers(void **state)
{
	(void)state;
	assert_int_equal(sscc_check_digit(STR("03456789000000001")), '9');
	assert_int_equal(sscc_check_digit(STR("10614141192837465")), '7'); /* GS1's own example */
	assert_int_equal(sscc_check_digit(STR("00000000000000000")), '0');
	assert_int_equal(sscc_check_digit(STR("0345678900000000")), 0);
	assert_int_equal(sscc_check_digit(STR("034567890000000019")), 0);
	assert_int_equal(sscc_check_digit(STR("0345678900000000x")), 0);
	assert_int_equal(sscc_check_digit((struct str){0}), 0);
}

static void number_is_prefix_serial_and_check_digit(void **state)
{
	char made[SSCC_SIZE];

	(void)state;
	assert_true(sscc_make(STR("03456789"), 1, made));
	assert_string_equal(made, "034567890000000019");
	assert_true(sscc_make(STR("1061414"), 1192837465, made));
	assert_string_equal(made, "106141411928374657");
	assert_true(sscc_make(STR("03456789012"), 0, made));
	assert_memory_equal(made, "03456789012000000", 17);
}

static void serial_starts_again_when_its_digits_are_used_up(void **state)
{
	char first[SSCC_SIZE], again[SSCC_SIZE];

	(void)state;
	assert_true(sscc_make(STR("03456789012"), 7, first)); /* leaves six */
	assert_true(sscc_make(STR("03456789012"), 1000007, again));
	assert_string_equal(first, again);
	assert_true(sscc_make(STR("03456789012"), 999999, again));
	assert_memory_equal(again, "03456789012999999", 17);
	assert_true(sscc_make(STR("0345678"), INT64_MAX, again)); /* ...2036854775807 */
	assert_memory_equal(again, "03456786854775807", 17);
}

static void what_is_no_prefix_is_refused(void **state)
{
	static const struct str wrong[] = {
		{NULL, 0},       {"", 0},         {"034567", 6},    {"034567890123", 12},
		{"0345678x", 8}, {" 3456789", 8}, {"0345678\0", 8}, {"-3456789", 8}};
	char made[SSCC_SIZE] = "old";

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(sscc_make(wrong[i], 1, made));
	assert_false(sscc_make(STR("03456789"), -1, made));
	assert_string_equal(made, "old");
}

/* Weighted sum from the right, as a reader of barcodes takes it: 1, 3, 1, ... over all 18. */
static bool sum_is_a_multiple_of_ten(const char *sscc)
{
	unsigned sum = 0;

	for (size_t i = 0, n = strlen(sscc); i < n; i++)
		sum += (unsigned)(sscc[n - 1 - i] - '0') * (i % 2 != 0 ? 3 : 1);
	return sum % 10 == 0;
}

static void every_number_made_is_valid_and_one_wrong_digit_is_seen(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		char prefix[SSCC_SIZE], made[SSCC_SIZE];
		size_t n = SSCC_PREFIX_MIN +
			   (size_t)random() % (SSCC_PREFIX_MAX - SSCC_PREFIX_MIN + 1),
		       at = (size_t)random() % SSCC_DIGITS;

		for (size_t k = 0; k < n; k++)
			prefix[k] = (char)('0' + random() % 10);
		assert_true(sscc_make((struct str){prefix, n}, random() * INT64_C(65536), made));
		assert_int_equal(strlen(made), SSCC_DIGITS);
		assert_true(sum_is_a_multiple_of_ten(made));
		assert_true(sscc_is_valid(str_of(made)));
		made[at] = (char)('0' + (made[at] - '0' + 1 + random() % 9) % 10);
		assert_false(sscc_is_valid(str_of(made)));
	}
}

static void what_is_no_number_is_not_valid(void **state)
{
	(void)state;
	assert_true(sscc_is_valid(STR("034567890000000019")));
	assert_false(sscc_is_valid(STR("034567890000000010")));
	assert_false(sscc_is_valid(STR("03456789000000001")));
	assert_false(sscc_is_valid(STR("0034567890000000019")));
	assert_false(sscc_is_valid(STR("03456789000000001x")));
	assert_false(sscc_is_valid(STR("x34567890000000019")));
	assert_false(sscc_is_valid(STR("x3456789000000001\0")));
	assert_false(sscc_is_valid((struct str){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_digit_is_that_of_known_numbers),
		cmocka_unit_test(number_is_prefix_serial_and_check_digit),
		cmocka_unit_test(serial_starts_again_when_its_digits_are_used_up),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(every_number_made_is_valid_and_one_wrong_digit_is_seen),
		cmocka_unit_test(what_is_no_number_is_not_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
