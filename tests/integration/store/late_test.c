/*
 * Lanes that are bounded by time: who is refused while everything waits too long, and what is not
 * sent because nobody would hear the answer.  A lock on the notes' table keeps a batch away for as
 * long as a story likes; the clock is skipped on, not waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/late.h"
#include "core/base/metric.h"
#include "tests/integration/store/notes.h"

static struct world *world_waiting(int64_t wait_ms)
{
	struct store_options opt = {.conninfo = pg->conninfo,
				    .order_connections = 1,
				    .statement_timeout_ms = 60000,
				    .wait_ms = wait_ms};
	struct world *w = world_with(&opt);

	world_wait_up(w, true);
	world_skip(w, 1); /* from here on the clock is the test's */
	return w;
}

/* In no hurry, whatever is skipped. */
static struct question *patient(struct world *w, int n)
{
	struct question *q = questions(w, n);

	for (int i = 0; i < n; i++)
		q[i].deadline_ms = 3600 * 1000;
	return q;
}

static void ask(struct world *w, struct question *q, unsigned n)
{
	question_ask(q, note_add_unit(note(q, n, NULL), NULL, 0));
	uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
}

static bool has_left(void *arg)
{
	return metric_value(METRIC_store_batches, "order") > *(int64_t *)arg;
}

/* The connection may still be busy with the end of the batch before it. */
static void ask_and_see_it_leave(struct world *w, struct question *q, unsigned n)
{
	int64_t before = metric_value(METRIC_store_batches, "order");

	ask(w, q, n);
	world_spin(w, has_left, &before);
}

static void stop(void)
{
	pg_exec(db, "BEGIN; LOCK TABLE note");
}

static void go_on(void)
{
	pg_exec(db, "COMMIT");
}

static bool has_ended(void *arg)
{
	return ((struct question *)arg)->fl.ended;
}

static void lane_that_stands_takes_no_more_until_it_moves(void **state)
{
	struct world *w = world_waiting(50);
	struct question *q = patient(w, 5);
	int64_t before = metric_value(METRIC_store_refused, "order|late");

	(void)state;
	stop();
	ask_and_see_it_leave(w, &q[0], 0);
	ask(w, &q[1], 1); /* waits */
	world_skip(w, 60);
	ask(w, &q[2], 2); /* for all we know it is a burst */
	world_skip(w, LATE_INTERVAL_MS);
	ask(w, &q[3], 3);
	assert_true(store_backlog_ms(w->store) >= 60 + LATE_INTERVAL_MS);
	world_spin(w, has_ended, &q[3]);
	assert_int_equal(q[3].err, ERR_STORE_LATE);
	assert_int_equal(metric_value(METRIC_store_refused, "order|late") - before, 1);
	go_on();
	world_run(w);
	ask(w, &q[4], 4);
	world_run(w);
	for (int i = 0; i < 5; i++)
		assert_int_equal(q[i].err, i == 3 ? ERR_STORE_LATE : ERR_OK);
	assert_int_equal(notes_count(), 4);
	assert_int_equal(store_backlog_ms(w->store), 0);
	questions_free(q, 5);
	world_free(w);
}

static void lane_without_a_budget_is_bounded_by_number_alone(void **state)
{
	struct world *w = world_waiting(0);
	struct question *q = patient(w, 3);

	(void)state;
	stop();
	ask_and_see_it_leave(w, &q[0], 0);
	ask(w, &q[1], 1);
	world_skip(w, 5000);
	ask(w, &q[2], 2);
	world_skip(w, 5000);
	go_on();
	world_run(w);
	for (int i = 0; i < 3; i++)
		assert_int_equal(q[i].err, ERR_OK);
	questions_free(q, 3);
	world_free(w);
}

/*
 * Units of one key wait for each other however quick the lane is: that they waited is nobody
 * else's concern.
 */
static void waiting_for_ones_own_key_does_not_make_a_lane_late(void **state)
{
	struct world *w = world_waiting(50);
	struct question *q = patient(w, 4);

	(void)state;
	stop();
	ask_and_see_it_leave(w, &q[0], 7);
	ask(w, &q[1], 7); /* the same note: blocked */
	world_skip(w, 60);
	ask(w, &q[2], 7);
	world_skip(w, INT64_C(2) * LATE_INTERVAL_MS);
	assert_int_equal(store_backlog_ms(w->store), 0);
	ask(w, &q[3], 1);
	go_on();
	world_run(w);
	for (int i = 0; i < 4; i++)
		assert_int_equal(q[i].err, ERR_OK);
	questions_free(q, 4);
	world_free(w);
}

/* Its batches take 3 s, and whoever has no 3 s left would not hear of it. */
static void while_a_lane_stands_what_cannot_be_in_time_is_not_sent(void **state)
{
	struct world *w = world_waiting(5000);
	struct question *q = patient(w, 4);
	int64_t before = metric_value(METRIC_store_dropped, "order|deadline");

	(void)state;
	stop();
	ask_and_see_it_leave(w, &q[0], 0);
	world_skip(w, 24000);
	go_on();
	world_run(w); /* one batch in eight counts: 3 s */
	stop();
	ask_and_see_it_leave(w, &q[1], 1);
	ask(w, &q[2], 2);
	world_skip(w, 6000);
	q[3].deadline_ms = 2500;
	ask(w, &q[3], 3); /* finds that the one before it has waited 6 s */
	go_on();
	world_run(w);
	assert_int_equal(q[1].err, ERR_OK);
	assert_int_equal(q[2].err, ERR_OK);
	assert_int_equal(q[3].err, ERR_DEADLINE);
	assert_int_equal(metric_value(METRIC_store_dropped, "order|deadline") - before, 1);
	assert_int_equal(notes_count(), 3);
	questions_free(q, 4);
	world_free(w);
}

/* Whether its caller or the lane looks at the clock first does not matter. */
static int64_t dropped(void)
{
	return metric_value(METRIC_store_dropped, "order|gone") +
	       metric_value(METRIC_store_dropped, "order|deadline");
}

static bool both_are_forgotten(void *arg)
{
	const struct question *q = arg;

	return q[1].fl.ended && q[2].fl.ended;
}

/* Their flows end, memory and all, although nothing leaves and nothing comes back. */
static void who_has_gone_is_forgotten_while_a_lane_stands(void **state)
{
	struct world *w = world_waiting(0);
	struct question *q = patient(w, 3);
	int64_t before = dropped();

	(void)state;
	stop();
	ask_and_see_it_leave(w, &q[0], 0);
	q[1].deadline_ms = q[2].deadline_ms = 100;
	ask(w, &q[1], 1);
	ask(w, &q[2], 0); /* waits for the first one's key */
	world_spin(w, both_are_forgotten, q);
	assert_false(q[0].fl.ended);
	assert_int_equal(dropped() - before, 2);
	go_on();
	world_run(w);
	assert_int_equal(q[1].err, ERR_DEADLINE);
	assert_int_equal(q[2].err, ERR_DEADLINE);
	assert_int_equal(q[0].err, ERR_OK);
	assert_int_equal(notes_count(), 1);
	questions_free(q, 3);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lane_that_stands_takes_no_more_until_it_moves, notes_clean),
		cmocka_unit_test_setup(lane_without_a_budget_is_bounded_by_number_alone,
				       notes_clean),
		cmocka_unit_test_setup(waiting_for_ones_own_key_does_not_make_a_lane_late,
				       notes_clean),
		cmocka_unit_test_setup(while_a_lane_stands_what_cannot_be_in_time_is_not_sent,
				       notes_clean),
		cmocka_unit_test_setup(who_has_gone_is_forgotten_while_a_lane_stands, notes_clean),
	};

	return cmocka_run_group_tests_name("store late", tests, notes_setup, notes_teardown);
}
