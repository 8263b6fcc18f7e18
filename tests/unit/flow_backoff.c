/*
 * Pauses stay between base and cap, grow, and do not fall into step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/flow/backoff.h"

static void first_pause_is_the_base(void **state)
{
	(void)state;
	assert_int_equal(backoff_next_ms(0, 500, 60000), 500);
}

static void pauses_stay_in_bounds_and_reach_the_cap(void **state)
{
	int64_t longest = 0;

	(void)state;
	for (int round = 0; round < 200; round++) {
		int64_t last = 0;

		for (int i = 0; i < 20; i++) {
			int64_t next = backoff_next_ms(last, 500, 60000);

			assert_in_range(next, 500, 60000);
			if (last >= 500)
				assert_true(next <= 3 * last);
			last = next;
			if (last > longest)
				longest = last;
		}
	}
	assert_true(longest > 50000);
}

static void clients_that_failed_together_come_back_apart(void **state)
{
	int same = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		int64_t one = backoff_next_ms(10000, 500, 60000);
		int64_t other = backoff_next_ms(10000, 500, 60000);

		same += one == other;
	}
	assert_true(same < 5);
}

static void cap_below_base_is_the_pause(void **state)
{
	(void)state;
	assert_int_equal(backoff_next_ms(0, 500, 100), 100);
	assert_int_equal(backoff_next_ms(INT64_MAX / 2, 500, 1000) <= 1000, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_pause_is_the_base),
		cmocka_unit_test(pauses_stay_in_bounds_and_reach_the_cap),
		cmocka_unit_test(clients_that_failed_together_come_back_apart),
		cmocka_unit_test(cap_below_base_is_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
