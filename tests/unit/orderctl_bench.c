/*
 * The histogram of orderctl bench: what it says of latencies is at most 1.6 % too high.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clients/orderctl/bench.h"

static struct histogram h;

static int empty(void **state)
{
	(void)state;
	h = (struct histogram){0};
	return 0;
}

static void nothing_measured__is_zero(void **state)
{
	(void)state;
	assert_int_equal(histogram_at(&h, 0.5), 0);
	assert_int_equal(histogram_at(&h, 1), 0);
}

static void one_latency__is_told_within_its_error_whatever_it_is(void **state)
{
	(void)state;
	for (int64_t us = 1; us < INT64_C(3600) * 1000000; us += us / 7 + 1) {
		h = (struct histogram){0};
		histogram_add(&h, us);
		histogram_add(&h, 2 * us); /* so that the largest is another one */
		assert_in_range(histogram_at(&h, 0.25), us, us + us / HISTOGRAM_STEPS);
		assert_int_equal(histogram_at(&h, 1), 2 * us);
	}
}

static void quantiles__are_those_of_the_sorted_latencies(void **state)
{
	(void)state;
	for (int64_t us = 10000; us >= 1; us--)
		histogram_add(&h, us);
	assert_in_range(histogram_at(&h, 0.5), 5000, 5100);
	assert_in_range(histogram_at(&h, 0.99), 9900, 10000);
	assert_int_equal(histogram_at(&h, 1), 10000);
}

static void what_no_bucket_holds__is_in_the_last_and_the_largest_is_exact(void **state)
{
	(void)state;
	histogram_add(&h, -5);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(histogram_at(&h, 0), 0);
	assert_int_equal(h.max_us, INT64_MAX);
	assert_true(histogram_at(&h, 1) > INT64_C(3600) * 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_measured__is_zero, empty),
		cmocka_unit_test_setup(one_latency__is_told_within_its_error_whatever_it_is, empty),
		cmocka_unit_test_setup(quantiles__are_those_of_the_sorted_latencies, empty),
		cmocka_unit_test_setup(
			what_no_bucket_holds__is_in_the_last_and_the_largest_is_exact, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
