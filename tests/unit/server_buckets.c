/*
 * Token buckets, with the test as the clock: the rate, the burst, the wait that is told, and that
 * the table stays as small as it was made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/late.h"
#include "server/runtime/buckets.h"

#define SECOND INT64_C(1000000000)
#define MS     INT64_C(1000000)

static const int64_t start = 1000 * SECOND;

static int taken(struct buckets *b, uint64_t key, const struct rate *r, int64_t now, int calls)
{
	int n = 0;

	for (int i = 0; i < calls; i++)
		n += buckets_take(b, key, r, now) == 0;
	return n;
}

static void full_bucket_gives_its_burst_and_then_its_rate(void **state)
{
	struct buckets *b = buckets_new(64, 1);
	struct rate r = rate_of(20, SECOND, 40);
	int n = 0;

	(void)state;
	assert_int_equal(taken(b, 7, &r, start, 1000), 40);
	for (int64_t at = start + MS; at <= start + 10 * SECOND; at += MS)
		n += taken(b, 7, &r, at, 3);
	assert_int_equal(n, 200);
	assert_int_equal(taken(b, 7, &r, start + 100 * SECOND, 1000), 40);
	buckets_free(b);
}

/* Who comes back when told gets one, a moment earlier does not. */
static void wait_is_exact(void **state)
{
	struct buckets *b = buckets_new(64, 1);
	struct rate r = rate_of(3, 60 * SECOND, 2);
	int64_t now = start, wait;

	(void)state;
	assert_int_equal(taken(b, 7, &r, now, 2), 2);
	for (int i = 0; i < 100; i++) {
		wait = buckets_take(b, 7, &r, now);
		assert_true(wait > 0 && wait <= 20 * SECOND);
		assert_int_equal(buckets_take(b, 7, &r, now + wait - 1), 1);
		now += wait;
		assert_int_equal(buckets_take(b, 7, &r, now), 0);
	}
	buckets_free(b);
}

static void refused_calls_cost_nothing(void **state)
{
	struct buckets *b = buckets_new(64, 1);
	struct rate r = rate_of(1, SECOND, 1);

	(void)state;
	assert_int_equal(taken(b, 7, &r, start, 1), 1);
	assert_int_equal(taken(b, 7, &r, start + SECOND / 2, 1000), 0);
	assert_int_equal(buckets_take(b, 7, &r, start + SECOND), 0);
	buckets_free(b);
}

static void keys_do_not_share(void **state)
{
	struct buckets *b = buckets_new(1024, 1);
	struct rate r = rate_of(1, SECOND, 5);

	(void)state;
	for (uint64_t key = 0; key < 100; key++)
		assert_int_equal(taken(b, key, &r, start, 9), 5);
	buckets_free(b);
}

static void other_rate_holds_at_once(void **state)
{
	struct buckets *b = buckets_new(64, 1);
	struct rate slow = rate_of(1, 3600 * SECOND, 10), quick = rate_of(10, SECOND, 10);
	struct rate none = {0};

	(void)state;
	assert_int_equal(taken(b, 7, &slow, start, 100), 10);
	assert_int_equal(taken(b, 7, &none, start, 100), 100);
	assert_int_equal(taken(b, 7, &quick, start, 100), 0);
	assert_int_equal(taken(b, 7, &quick, start + SECOND, 100), 10);
	buckets_free(b);
}

/*
 * A million keys through a table of a thousand: the one that is at its limit meanwhile is
 * forgotten by chance only when its whole set is emptier, and with buckets that are full again it
 * never is.
 */
static void table_keeps_its_size_and_those_in_need(void **state)
{
	struct buckets *b = buckets_new(1024, 99);
	struct rate slow = rate_of(1, 3600 * SECOND, 3), quick = rate_of(1000, SECOND, 1000);
	struct bucket all[2000];
	int64_t now = start;

	(void)state;
	assert_int_equal(taken(b, 1, &slow, now, 10), 3);
	for (uint64_t key = 2; key < 1000000; key++) {
		now += 100000; /* 10 of them are not full at any time */
		assert_int_equal(taken(b, key, &quick, now, 1), 1);
	}
	assert_int_equal(taken(b, 1, &slow, now, 10), 0);
	assert_true(buckets_emptiest(b, now, all, 2000) <= 1024);
	assert_int_equal(all[0].key, 1);
	assert_int_equal(bucket_tokens(&all[0], &slow, now), 0);
	buckets_free(b);
}

/* Others in need hold all places: the one that would be full first goes, no other. */
static void in_a_full_set_the_least_needy_is_forgotten(void **state)
{
	struct buckets *b = buckets_new(BUCKETS_WAYS, 1);
	struct rate r = rate_of(1, SECOND, 100);
	struct bucket all[BUCKETS_WAYS + 1];

	(void)state;
	for (uint64_t key = 1; key <= BUCKETS_WAYS; key++)
		assert_int_equal(taken(b, key, &r, start, 10 * (int)key), 10 * (int)key);
	assert_int_equal(taken(b, 99, &r, start, 50), 50);
	assert_int_equal(buckets_emptiest(b, start, all, BUCKETS_WAYS + 1), BUCKETS_WAYS);
	assert_int_equal(all[0].key, BUCKETS_WAYS);
	for (int i = 0; i < BUCKETS_WAYS; i++)
		assert_int_not_equal(all[i].key, 1);
	buckets_free(b);
}

/* ---- core/base/late.h: the other measure of too much ---- */

static void burst_is_let_in_and_a_queue_that_stands_is_not(void **state)
{
	struct late l = {.budget_ms = 50};
	int64_t now = 5000;

	(void)state;
	assert_false(late_saw(&l, 500, now)); /* one waited long: a burst */
	assert_false(late_saw(&l, 60, now + LATE_INTERVAL_MS - 1));
	assert_true(late_saw(&l, 51, now + LATE_INTERVAL_MS));
	assert_true(late_saw(&l, 400, now + LATE_INTERVAL_MS + 1));
	assert_false(late_saw(&l, 50, now + LATE_INTERVAL_MS + 2)); /* it moves again */
	assert_false(late_saw(&l, 400, now + LATE_INTERVAL_MS + 3));
}

static void without_a_budget_nothing_is_late(void **state)
{
	struct late l = {0};

	(void)state;
	for (int64_t now = 1; now < 100000; now += 50)
		assert_false(late_saw(&l, now, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_bucket_gives_its_burst_and_then_its_rate),
		cmocka_unit_test(wait_is_exact),
		cmocka_unit_test(refused_calls_cost_nothing),
		cmocka_unit_test(keys_do_not_share),
		cmocka_unit_test(other_rate_holds_at_once),
		cmocka_unit_test(table_keeps_its_size_and_those_in_need),
		cmocka_unit_test(in_a_full_set_the_least_needy_is_forgotten),
		cmocka_unit_test(burst_is_let_in_and_a_queue_that_stands_is_not),
		cmocka_unit_test(without_a_budget_nothing_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
