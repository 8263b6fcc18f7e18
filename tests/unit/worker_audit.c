/*
 * The audit: rule after rule, with a rest that grows with what a rule took; what is found, and
 * what could not be asked, told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/metric.h"
#include "core/store/unit.h"
#include "tests/unit/worker_world.h"
#include "workers/janitor/audit.h"

enum { REST_MS = 50, ROUND_MS = 300000 };

static struct audit *a;

static int set_up(void **state)
{
	if (world_set_up(state) != 0)
		return -1;
	world.w.cfg.audit_s = ROUND_MS / 1000;
	world.w.cfg.audit_timeout_s = 60;
	a = audit_new(&world.w);
	world_turn();
	return 0;
}

static int tear_down(void **state)
{
	audit_stop(a);
	audit_free(a);
	return world_tear_down(state);
}

static struct question *asked(uint32_t rule)
{
	char kind[80];

	(void)snprintf(kind, sizeof(kind), "audit_%s", audit_name(rule));
	return world_asked(kind);
}

static void finds(uint32_t rule, int64_t rows)
{
	struct audit_row row = {.found = rows,
				.first = rows > 0 ? STR("{\"tenant\": 1}") : STR("")};

	WORLD_ROWS(asked(rule), &row);
}

static int64_t runs(uint32_t rule, const char *outcome)
{
	char label[80];

	(void)snprintf(label, sizeof(label), "%s|%s", audit_name(rule), outcome);
	return metric_value(METRIC_audit_runs, label);
}

static void assert_next_after(int64_t ms)
{
	world_later(ms - 1);
	world_asked_nothing();
	world_later(1);
}

static void every_rule_is_asked_once_a_round(void **state)
{
	(void)state;
	assert_true(audit_count() > 30);
	for (uint32_t rule = 0; rule < audit_count(); rule++) {
		finds(rule, 0);
		assert_int_equal(runs(rule, "holds"), 1);
		assert_next_after(rule + 1 < audit_count() ? REST_MS : ROUND_MS + REST_MS);
	}
	finds(0, 0);
	assert_int_equal(runs(0, "holds"), 2);
}

static void rule_that_takes_long_is_followed_by_nine_times_as_long_a_rest(void **state)
{
	(void)state;
	world_later(7000);
	finds(0, 0);
	assert_next_after(63000);
	finds(1, 0);
	assert_next_after(REST_MS);
	finds(2, 0);
}

static void what_is_found_stays_until_the_rule_holds_again(void **state)
{
	(void)state;
	for (uint32_t rule = 0; rule < audit_count(); rule++) {
		finds(rule, rule == 3 ? 17 : 0);
		world_later(rule + 1 < audit_count() ? REST_MS : ROUND_MS + REST_MS);
	}
	assert_int_equal(metric_value(METRIC_invariant_violations, audit_name(3)), 17);
	assert_int_equal(metric_value(METRIC_invariant_violations, audit_name(4)), 0);
	assert_int_equal(runs(3, "broken"), 1);
	for (uint32_t rule = 0; rule <= 3; rule++) {
		finds(rule, 0);
		world_later(REST_MS);
	}
	assert_int_equal(metric_value(METRIC_invariant_violations, audit_name(3)), 0);
	finds(4, 0);
}

static void rule_that_cannot_be_asked_keeps_what_was_known_of_it(void **state)
{
	int64_t failed = runs(0, "failed"), answered;

	(void)state;
	finds(0, 5);
	answered = metric_value(METRIC_audit_answered_timestamp_seconds, audit_name(0));
	for (uint32_t rule = 1; rule < audit_count(); rule++) {
		world_later(REST_MS);
		finds(rule, 0);
	}
	world_later(ROUND_MS + REST_MS);
	world_fails(asked(0), ERR_UNKNOWN_OUTCOME);
	assert_int_equal(runs(0, "failed"), failed + 1);
	assert_int_equal(metric_value(METRIC_invariant_violations, audit_name(0)), 5);
	assert_int_equal(metric_value(METRIC_audit_answered_timestamp_seconds, audit_name(0)),
			 answered);
	world_later(REST_MS);
	finds(1, 0); /* the others are asked all the same */
}

static void database_that_is_away_ends_the_round(void **state)
{
	(void)state;
	finds(0, 0);
	world_later(REST_MS);
	world_fails(asked(1), ERR_STORE_UNAVAILABLE);
	assert_next_after(ROUND_MS + REST_MS);
	finds(0, 0);
}

static void answer_that_never_comes_is_given_up(void **state)
{
	struct question *q;

	(void)state;
	q = asked(0);
	world_later(79999);
	assert_false(q->op.given_up);
	world_later(1);
	assert_true(q->op.given_up);
	world_fails(q, ERR_UNKNOWN_OUTCOME);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_rule_is_asked_once_a_round),
		TEST(rule_that_takes_long_is_followed_by_nine_times_as_long_a_rest),
		TEST(what_is_found_stays_until_the_rule_holds_again),
		TEST(rule_that_cannot_be_asked_keeps_what_was_known_of_it),
		TEST(database_that_is_away_ends_the_round),
		TEST(answer_that_never_comes_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
