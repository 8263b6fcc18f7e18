/*
 * Connections cut at every message, a server that goes away or says nothing, a store that
 * closes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/metric.h"
#include "tests/integration/store/notes.h"
#include "tests/support/cutproxy.h"

/* ---- connections cut ---- */

/* One unit of every write kind of the fixture, the connection cut before message `n`; true if there
 * were so many. */
static bool cut_once(struct world *w, struct cutproxy *x, enum cut_side side, int n)
{
	struct order_bump_head bump = {1, test_id(1), 1};
	struct take_head take = {1, test_id(2), 1, 5};
	struct question *q = questions(w, 3);
	bool cut;

	notes_clean(NULL);
	pg_exec(db,
		"INSERT INTO orders VALUES (1, '01900000-0000-7000-8000-010000000001'); INSERT "
		"INTO stock VALUES (1, 1, 7)");
	world_wait_up(w, true);
	cutproxy_arm(x, side, n);
	question_ask(&q[0], note_add_unit(note(&q[0], 0, NULL), NULL, 0));
	question_ask(&q[1], order_bump_unit(&bump, NULL, 0));
	question_ask(&q[2], take_unit(&take, NULL, 0));
	world_run(w);
	cut = cutproxy_has_cut(x);
	cutproxy_disarm(x);
	for (int i = 0; i < 3; i++)
		assert_int_equal(q[i].err, ERR_OK);
	/* answered once, done once: no row means that the first asking was the one that did it */
	assert_int_equal(notes_count(), 1);
	assert_int_equal(pg_number(db, "SELECT version FROM orders"), 2);
	assert_int_equal(pg_number(db, "SELECT reserved FROM stock"), 5);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM stock_movement"), 1);
	questions_free(q, 3);
	return cut;
}

static void a_connection_cut_at_any_message_changes_nothing_twice(void **state)
{
	struct cutproxy *x = cutproxy_new(pg);
	struct store_options opt = {.conninfo = cutproxy_conninfo(x), .order_connections = 1};
	struct world *w = world_with(&opt);
	int n;

	(void)state;
	for (n = 0; cut_once(w, x, CUT_TO_SERVER, n); n++)
		;
	assert_true(n > 20); /* BEGIN .. COMMIT, Sync: three messages each */
	for (n = 0; cut_once(w, x, CUT_TO_CLIENT, n); n++)
		;
	assert_true(n > 20);
	world_free(w);
	cutproxy_free(x);
}

static void a_cut_while_preparing_is_one_more_attempt(void **state)
{
	struct cutproxy *x = cutproxy_new(pg);
	struct store_options opt = {
		.conninfo = cutproxy_conninfo(x), .order_connections = 1, .read_connections = 1};

	(void)state;
	for (int n = 0; n < 12; n += 3) {
		struct world *w;

		cutproxy_arm(x, n % 2 == 0 ? CUT_TO_SERVER : CUT_TO_CLIENT, n);
		w = world_with(&opt);
		world_wait_up(w, true);
		assert_true(cutproxy_has_cut(x));
		world_free(w);
	}
	cutproxy_free(x);
}

/* Per key the order of asking is the order of doing, also over a lost connection. */
static void units_of_one_key_keep_their_order_over_a_cut(void **state)
{
	struct cutproxy *x = cutproxy_new(pg);
	struct store_options opt = {.conninfo = cutproxy_conninfo(x), .order_connections = 2};
	struct world *w = world_with(&opt);
	struct order_bump_head h[6];

	(void)state;
	for (int n = 4; n < 60; n += 9) {
		struct question *q = questions(w, 6);

		notes_clean(NULL);
		pg_exec(db,
			"INSERT INTO orders VALUES (1, '01900000-0000-7000-8000-010000000001')");
		world_wait_up(w, true);
		cutproxy_arm(x, CUT_TO_CLIENT, n);
		for (int i = 0; i < 6; i++) {
			h[i] = (struct order_bump_head){1, test_id(1), 1 + i};
			question_ask(&q[i], order_bump_unit(&h[i], NULL, 0));
		}
		world_run(w);
		cutproxy_disarm(x);
		for (int i = 0; i < 6; i++) {
			assert_int_equal(q[i].err, ERR_OK);
			assert_int_equal(q[i].place, q[0].place + i);
		}
		assert_int_equal(pg_number(db, "SELECT version FROM orders"), 7);
		questions_free(q, 6);
	}
	world_free(w);
	cutproxy_free(x);
}

static void who_was_under_way_at_a_cut_travels_before_who_asked_later(void **state)
{
	enum { N = 20 };
	struct cutproxy *x = cutproxy_new(pg);
	struct store_options opt = {.conninfo = cutproxy_conninfo(x), .order_connections = 1};
	struct world *w = world_with(&opt);
	struct question *q = questions(w, N);

	(void)state;
	world_wait_up(w, true);
	cutproxy_arm(x, CUT_TO_CLIENT, 0);
	for (unsigned i = 0; i < N; i++) {
		if (i == N / 2)
			world_wait_up(w, false);
		question_ask(&q[i], note_add_unit(note(&q[i], i, NULL), NULL, 0));
	}
	world_run(w);
	for (int i = 0; i < N; i++) {
		assert_int_equal(q[i].err, ERR_OK);
		assert_int_equal(q[i].place, i + 1);
	}
	questions_free(q, N);
	world_free(w);
	cutproxy_free(x);
}

/* ---- a server that goes away ---- */

static void while_the_server_is_down_units_are_refused_at_once(void **state)
{
	struct world *w = world_new(pg->conninfo, 2);
	struct question *q = questions(w, 2);
	int64_t before;

	(void)state;
	PQfinish(db);
	pg_down(pg);
	world_wait_up(w, false);
	question_ask(&q[0], note_add_unit(note(&q[0], 0, NULL), NULL, 0));
	world_run(w); /* waits until an attempt to connect has failed */
	assert_int_equal(q[0].err, ERR_STORE_UNAVAILABLE);
	before = clock_mono_ms();
	question_ask(&q[1], note_add_unit(note(&q[1], 1, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q[1].err, ERR_STORE_UNAVAILABLE);
	assert_true(clock_mono_ms() - before < 1000);
	questions_free(q, 2);
	pg_up(pg);
	db = pg_connect(pg);
	world_wait_up(w, true);
	q = questions(w, 1);
	question_ask(q, note_add_unit(note(q, 2, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q->err, ERR_OK);
	questions_free(q, 1);
	world_free(w);
}

static bool was_sent(void *arg)
{
	(void)arg;
	return pg_number(db,
			 "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
			 "'store-test' AND wait_event = 'PgSleep'") > 0;
}

static void spin_until_sleeping(struct world *w)
{
	while (!was_sent(NULL))
		uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
}

static void a_unit_under_way_when_the_server_dies_is_done_after_its_return(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 2);

	(void)state;
	question_ask(&q[0], note_add_unit(note(&q[0], 0, "sleep/1"), NULL, 0));
	spin_until_sleeping(w);
	PQfinish(db);
	pg_down(pg);
	world_wait_up(w, false);
	pg_up(pg);
	db = pg_connect(pg);
	world_run(w);
	assert_int_equal(q[0].err, ERR_OK);
	assert_int_equal(notes_count(), 1);
	questions_free(q, 2);
	world_free(w);
}

static void a_unit_under_way_when_the_server_dies_for_good_has_an_unknown_outcome(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 2);
	struct order_bump_head blocked = {.tenant = 1, .order_id = test_id(0), .version = 1};

	(void)state;
	q[0].deadline_ms = 1500;
	question_ask(&q[0], note_add_unit(note(&q[0], 0, "sleep/5"), NULL, 0));
	question_ask(&q[1], order_bump_unit(&blocked, NULL,
					    0)); /* the same key: waits behind it, never sent */
	spin_until_sleeping(w);
	PQfinish(db);
	pg_down(pg);
	world_run(w);
	assert_int_equal(q[0].err, ERR_UNKNOWN_OUTCOME);
	assert_int_equal(q[1].err, ERR_STORE_UNAVAILABLE);
	questions_free(q, 2);
	world_free(w);
	pg_up(pg);
	db = pg_connect(pg);
}

static void closing_answers_everybody(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 3);
	struct order_bump_head behind = {.tenant = 1, .order_id = test_id(0), .version = 1};

	(void)state;
	question_ask(&q[0], note_add_unit(note(&q[0], 0, "sleep/1"), NULL, 0));
	spin_until_sleeping(w);
	question_ask(&q[1], note_add_unit(note(&q[1], 1, NULL), NULL, 0));
	question_ask(&q[2], order_bump_unit(&behind, NULL, 0));
	world_free(w);
	assert_int_equal(q[0].err, ERR_UNKNOWN_OUTCOME);
	assert_int_equal(q[1].err, ERR_STORE_UNAVAILABLE);
	assert_int_equal(q[2].err, ERR_STORE_UNAVAILABLE);
	questions_free(q, 3);
}

static void a_schema_that_does_not_fit_keeps_the_store_down(void **state)
{
	struct store_options opt = {
		.conninfo = pg->conninfo, .order_connections = 1, .read_connections = 1};
	struct world *w;
	struct question *q;

	(void)state;
	pg_exec(db, "ALTER TABLE note RENAME TO not_a_note");
	w = world_with(&opt);
	q = questions(w, 1);
	question_ask(q, note_add_unit(note(q, 0, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q->err, ERR_STORE_UNAVAILABLE);
	assert_false(store_is_up(w->store));
	pg_exec(db, "ALTER TABLE not_a_note RENAME TO note");
	world_wait_up(w, true);
	questions_free(q, 1);
	world_free(w);
}

/* ---- time that passes ---- */

/* The clock runs on, so much ahead; each turn it is put `step_us` further ahead. */
static void pass_time_until(struct world *w, bool (*until)(void *arg), void *arg, int64_t ahead_us,
			    int64_t step_us)
{
	struct timespec real;
	int64_t began_s = time(NULL);

	while (!until(arg)) {
		if (time(NULL) - began_s > 60)
			fail_msg("a minute passed for nothing");
		clock_gettime(CLOCK_MONOTONIC, &real);
		clock_fake(real.tv_sec * INT64_C(1000000) + real.tv_nsec / 1000 + ahead_us,
			   clock_wall_us());
		ahead_us += step_us;
		uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
	}
}

static bool plans_are_discarded(void *arg)
{
	(void)arg;
	return pg_number(db,
			 "SELECT count(*) FROM pg_stat_activity WHERE query = 'DISCARD PLANS'"
			 " AND application_name = 'store-test'") == 2;
}

/* Statements prepared while tables were small must not keep their plans for ever. */
static void connections_plan_again_some_seconds_after_connecting(void **state)
{
	struct store_options opt = {
		.conninfo = pg->conninfo, .order_connections = 1, .read_connections = 1};
	struct world *w = world_with(&opt);
	struct question q;

	(void)state;
	world_wait_up(w, true);
	assert_false(plans_are_discarded(NULL));
	pass_time_until(w, plans_are_discarded, NULL, 0, 10000);
	question_init(&q, w);
	q.deadline_ms = 600 * 1000;
	question_ask(&q, note_add_unit(note(&q, 1, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q.err, ERR_OK);
	question_done(&q);
	world_free(w);
	clock_fake(-1, -1);
}

static bool is_answered(void *arg)
{
	return ((struct world *)arg)->out == 0;
}

static void a_server_that_says_nothing_is_given_up_and_asked_again(void **state)
{
	struct store_options opt = {.conninfo = pg->conninfo, .order_connections = 1};
	struct world *w = world_with(&opt);
	int64_t before = metric_value(METRIC_store_reconnects, "order");
	struct question q;

	(void)state;
	world_wait_up(w, true);
	question_init(&q, w);
	q.deadline_ms = 600 * 1000;
	question_ask(&q, note_add_unit(note(&q, 1, "sleep/1"), NULL, 0));
	spin_until_sleeping(w);
	/* longer than any batch may take */
	pass_time_until(w, is_answered, w, 60 * INT64_C(1000000), 0);
	assert_int_equal(q.err, ERR_OK);
	assert_int_equal(notes_count(), 1);
	assert_true(metric_value(METRIC_store_reconnects, "order") - before >= 2);
	question_done(&q);
	world_free(w);
	clock_fake(-1, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_connection_cut_at_any_message_changes_nothing_twice,
				       notes_clean),
		cmocka_unit_test_setup(a_cut_while_preparing_is_one_more_attempt, notes_clean),
		cmocka_unit_test_setup(units_of_one_key_keep_their_order_over_a_cut, notes_clean),
		cmocka_unit_test_setup(who_was_under_way_at_a_cut_travels_before_who_asked_later,
				       notes_clean),
		cmocka_unit_test_setup(while_the_server_is_down_units_are_refused_at_once,
				       notes_clean),
		cmocka_unit_test_setup(
			a_unit_under_way_when_the_server_dies_is_done_after_its_return,
			notes_clean),
		cmocka_unit_test_setup(
			a_unit_under_way_when_the_server_dies_for_good_has_an_unknown_outcome,
			notes_clean),
		cmocka_unit_test_setup(closing_answers_everybody, notes_clean),
		cmocka_unit_test_setup(a_schema_that_does_not_fit_keeps_the_store_down,
				       notes_clean),
		cmocka_unit_test_setup(connections_plan_again_some_seconds_after_connecting,
				       notes_clean),
		cmocka_unit_test_setup(a_server_that_says_nothing_is_given_up_and_asked_again,
				       notes_clean),
	};

	return cmocka_run_group_tests_name("store cuts", tests, notes_setup, notes_teardown);
}
