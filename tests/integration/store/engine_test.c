/*
 * The engine on a small schema: what goes in comes out, who waits for whom, who is
 * guilty, and what a lost connection or a late answer means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/metric.h"
#include "tests/integration/store/notes.h"

/* ---- what goes in comes out ---- */

static void copy_note(struct question *q, const struct answer *a)
{
	struct note_add_row *r = q->arg;

	*r = note_add_row(a, 0);
	if (r->body.p != NULL)
		r->body.p = arena_dup(&q->fl.arena, r->body.p, r->body.n);
	if (r->blob.p != NULL)
		r->blob.p = arena_dup(&q->fl.arena, r->blob.p, r->blob.n);
}

static void every_type_goes_in_and_comes_out_again(void **state)
{
	struct world *w = world_new(pg->conninfo, 2);
	struct question *q = questions(w, 1);
	struct note_add_head *h = note(q, 7, NULL);
	struct note_add_line lines[] = {{1, STR("one")}, {2, STR("")}, {3, STR("\xc3\xa4\"{,}\\")}};
	struct note_add_row r;

	(void)state;
	h->body = STR("a \"body\" with {,} and \\");
	h->amount = INT64_MAX;
	h->at = INT64_C(1700000000123456);
	h->flag = true;
	h->small = -5;
	h->medium = INT32_MIN;
	h->blob = (struct str){"\0\xff\1", 3};
	h->friend = test_id(8);
	q->got = copy_note;
	q->arg = &r;
	question_ask(q, note_add_unit(h, lines, 3));
	world_run(w);
	assert_int_equal(q->err, ERR_OK);
	assert_int_equal(q->rows, 1);
	assert_true(id_eq(r.note_id, test_id(7)) && id_eq(r.friend, test_id(8)));
	assert_true(str_eq(r.body, h->body) && str_eq(r.blob, h->blob));
	assert_true(r.amount == INT64_MAX && r.at == h->at && r.flag && r.small == -5 &&
		    r.medium == INT32_MIN && r.words == 3);
	assert_int_equal(pg_number(db,
				   "SELECT count(*) FROM note_word WHERE word IN ('one', '', "
				   "E'\\u00e4\"{,}\\\\')"),
			 3);
	assert_int_equal(pg_number(db,
				   "SELECT count(*) FROM note WHERE at = '2023-11-14 "
				   "22:13:20.123456+00' AND blob = '\\x00ff01'"),
			 1);
	questions_free(q, 1);
	world_free(w);
}

static void null_columns_stay_null_both_ways(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 1);
	struct note_add_head *h = note(q, 7, NULL);
	struct note_add_row r;

	(void)state;
	h->amount = DB_NULL;
	q->got = copy_note;
	q->arg = &r;
	question_ask(q, note_add_unit(h, NULL, 0));
	world_run(w);
	assert_int_equal(q->err, ERR_OK);
	assert_true(r.body.p == NULL && r.blob.p == NULL && r.amount == DB_NULL &&
		    r.at == DB_NULL && id_is_zero(r.friend));
	assert_int_equal(pg_number(db,
				   "SELECT count(*) FROM note WHERE num_nulls(body, blob, amount, "
				   "at, friend) = 5"),
			 1);
	questions_free(q, 1);
	world_free(w);
}

static void asks_of_one_turn_travel_in_one_batch(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 100);
	int64_t before;

	(void)state;
	before = metric_value(METRIC_store_batches, "order");
	for (int i = 0; i < 100; i++)
		question_ask(&q[i], note_add_unit(note(&q[i], (unsigned)i, NULL), NULL, 0));
	world_run(w);
	for (int i = 0; i < 100; i++)
		assert_int_equal(q[i].rows, 1);
	assert_int_equal(metric_value(METRIC_store_batches, "order") - before, 1);
	assert_int_equal(pg_number(db, "SELECT count(DISTINCT xmin::text) FROM note"), 1);
	questions_free(q, 100);
	world_free(w);
}

static void read_kinds_travel_together_and_each_unit_gets_its_own_rows(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 30);
	char sql[200];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(sql, sizeof(sql),
			 "INSERT INTO note_word SELECT 1, ('01900000-0000-7000-8000-0100' || "
			 "lpad(to_hex(%u), 8, '0'))::uuid,"
			 " p, 'w' FROM generate_series(1, %u) p",
			 i, i);
		pg_exec(db, sql);
	}
	for (unsigned i = 0; i < 30; i++) {
		struct word_list_head h = {1, test_id(i % 10)};
		struct note_read_head r = {.tenant = 1, .note_id = test_id(i % 10)};

		if (i % 3 == 2)
			question_ask(&q[i], note_read_unit(arena_dup(&q[i].fl.arena, &r, sizeof(r)),
							   NULL, 0));
		else
			question_ask(&q[i], word_list_unit(arena_dup(&q[i].fl.arena, &h, sizeof(h)),
							   NULL, 0));
	}
	world_run(w);
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(q[i].err, ERR_OK);
		assert_int_equal(q[i].rows, i % 3 == 2 ? 0 : i % 10);
	}
	questions_free(q, 30);
	world_free(w);
}

static void rows_other_than_the_header_promises_are_an_internal_error(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 1);
	struct liar_head h = {.tenant = 1};

	(void)state;
	question_ask(q, liar_unit(&h, NULL, 0));
	world_run(w);
	assert_int_equal(q->err, ERR_INTERNAL);
	assert_false(store_is_up(w->store));
	questions_free(q, 1);
	world_free(w);
}

/* ---- keys ---- */

static struct order_bump_head *bump(struct question *q, unsigned order, int64_t version)
{
	struct order_bump_head *h = arena_alloc(&q->fl.arena, sizeof(*h));

	*h = (struct order_bump_head){.tenant = 1, .order_id = test_id(order), .version = version};
	return h;
}

#define ORDERS(n)                                                                             \
	"INSERT INTO orders SELECT 1, ('01900000-0000-7000-8000-0100' || lpad(to_hex(i), 8, " \
	"'0'))::uuid FROM generate_series(0, " #n " - 1) i"

/* If two units of an order shared a batch, the second would not see the first one's version. */
static void units_of_one_order_asked_in_one_turn_run_one_after_the_other(void **state)
{
	struct world *w = world_new(pg->conninfo, 2);
	struct question *q = questions(w, 40);

	(void)state;
	pg_exec(db, ORDERS(4));
	for (int i = 0; i < 40; i++)
		question_ask(&q[i],
			     order_bump_unit(bump(&q[i], (unsigned)i % 4, 1 + i / 4), NULL, 0));
	world_run(w);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(q[i].err, ERR_OK);
		assert_int_equal(q[i].rows, 1);
		if (i >= 4)
			assert_true(q[i].place > q[i - 4].place);
	}
	assert_int_equal(pg_number(db, "SELECT min(version) FROM orders"), 11);
	questions_free(q, 40);
	world_free(w);
}

static void a_key_is_one_across_the_lanes(void **state)
{
	struct world *w = world_new(pg->conninfo, 2);
	struct question *q = questions(w, 20);

	(void)state;
	pg_exec(db, ORDERS(1));
	for (int i = 0; i < 20; i++) {
		struct order_bump_head *h = bump(&q[i], 0, 1 + i);
		struct order_bump_job_head *j = (struct order_bump_job_head *)(void *)h;

		question_ask(&q[i], i % 2 == 0 ? order_bump_unit(h, NULL, 0)
					       : order_bump_job_unit(j, NULL, 0));
	}
	world_run(w);
	for (int i = 0; i < 20; i++)
		assert_int_equal(q[i].rows, 1);
	questions_free(q, 20);
	world_free(w);
}

static void two_units_with_one_request_key_never_share_a_batch(void **state)
{
	struct world *w = world_new(pg->conninfo, 2);
	struct question *q = questions(w, 30);

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		struct note_add_head *h = note(&q[i], i, NULL);

		h->request_key = i % 3 == 0 ? STR("k0") : i % 3 == 1 ? STR("k1") : (struct str){0};
		question_ask(&q[i], note_add_unit(h, NULL, 0));
	}
	world_run(w);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(q[i].err, ERR_OK);
	assert_int_equal(
		pg_number(db, "SELECT count(DISTINCT xmin::text) FROM note WHERE medium % 3 = 0"),
		10);
	assert_int_equal(
		pg_number(db, "SELECT count(DISTINCT xmin::text) FROM note WHERE medium % 3 = 1"),
		10);
	assert_int_equal(
		pg_number(db, "SELECT count(DISTINCT xmin::text) FROM note WHERE medium % 3 = 2"),
		1);
	questions_free(q, 30);
	world_free(w);
}

/* ---- caps ---- */

static void a_lane_is_full_at_its_bound_and_says_so(void **state)
{
	struct store_options opt = {
		.conninfo = pg->conninfo, .order_connections = 1, .lane_bound = 50};
	struct world *w = world_with(&opt);
	struct question *q = questions(w, 60);

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		question_ask(&q[i], note_add_unit(note(&q[i], i, NULL), NULL, 0));
	world_run(w);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(q[i].err, i < 50 ? ERR_OK : ERR_STORE_FULL);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM note"), 50);
	questions_free(q, 60);
	world_free(w);
}

static void more_units_than_a_batch_takes_go_in_several(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 300);

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		question_ask(&q[i], note_add_unit(note(&q[i], i, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM note"), 300);
	assert_int_equal(
		pg_number(db,
			  "SELECT max(c) FROM (SELECT count(*) c FROM note GROUP BY xmin::text) x"),
		128);
	questions_free(q, 300);
	world_free(w);
}

/* 5,000 lines are over the cap of 4,096, 400 KB over that of 256 KiB. */
static void a_unit_over_a_cap_travels_alone(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 9);
	struct note_add_line *lines = calloc(5000, sizeof(*lines));
	char *large = malloc(90000);

	(void)state;
	memset(large, 'x', 90000);
	for (int i = 0; i < 5000; i++)
		lines[i] = (struct note_add_line){i, STR("w")};
	for (unsigned i = 0; i < 9; i++) {
		struct note_add_head *h = note(&q[i], i, NULL);

		if (i == 6 || i == 7 || i == 8)
			h->body = (struct str){large, 90000};
		question_ask(&q[i],
			     i == 3 ? note_add_unit(h, lines, 5000) : note_add_unit(h, NULL, 0));
	}
	world_run(w);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(q[i].rows, 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM note_word"), 5000);
	assert_int_equal(pg_number(db,
				   "SELECT count(*) FROM note WHERE xmin = (SELECT xmin FROM note "
				   "WHERE medium = 3)"),
			 1);
	assert_int_equal(
		pg_number(db, "SELECT count(DISTINCT xmin::text) FROM note WHERE medium >= 6"), 2);
	questions_free(q, 9);
	free(lines);
	free(large);
	world_free(w);
}

/* ---- one batch beside another ---- */

static bool both_are_up(void *arg)
{
	(void)arg;
	return metric_value(METRIC_store_up, "order") == 2;
}

/* Two connections; question 0 is away on one of them for so many seconds. */
static struct question *one_away(struct world **ret_w, int n, const char *sleep)
{
	struct world *w = *ret_w = world_new(pg->conninfo, 2);
	struct question *q = questions(w, n);
	struct note_add_head *slow = note(&q[0], 0, NULL);

	world_spin(w, both_are_up, NULL);
	slow->trouble = str_of(sleep);
	question_ask(&q[0], note_add_unit(slow, NULL, 0));
	uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
	return q;
}

static void ask_in_a_turn(struct world *w, struct question *q, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		question_ask(&q[i], note_add_unit(note(&q[i], i, NULL), NULL, 0));
	uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
}

static void few_units_wait_for_the_batch_that_is_away(void **state)
{
	struct world *w;
	int64_t before = metric_value(METRIC_store_batches, "order");
	struct question *q = one_away(&w, 3, "sleep/2");

	(void)state;
	clock_fake(clock_mono_us(), -1); /* nobody's patience ends */
	ask_in_a_turn(w, q, 1, 2);
	ask_in_a_turn(w, q, 2, 3);
	world_run(w);
	clock_fake(-1, -1);
	assert_int_equal(q[0].place, 1);
	assert_int_equal(metric_value(METRIC_store_batches, "order") - before, 2);
	questions_free(q, 3);
	world_free(w);
}

static void few_units_do_not_wait_for_long(void **state)
{
	struct world *w;
	struct question *q = one_away(&w, 2, "sleep/2");

	(void)state;
	ask_in_a_turn(w, q, 1, 2);
	world_run(w);
	assert_int_equal(q[1].place, 1);
	questions_free(q, 2);
	world_free(w);
}

static void many_units_do_not_wait_for_the_batch_that_is_away(void **state)
{
	struct world *w;
	struct question *q = one_away(&w, 41, "sleep/2");

	(void)state;
	clock_fake(clock_mono_us(), -1);
	ask_in_a_turn(w, q, 1, 41);
	world_run(w);
	clock_fake(-1, -1);
	assert_int_equal(q[0].place, 41);
	questions_free(q, 41);
	world_free(w);
}

/* ---- deadlines ---- */

static void a_unit_whose_deadline_passes_before_sending_is_a_definite_no(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 3);
	struct note_add_head *slow = note(&q[0], 0, NULL);

	(void)state;
	slow->trouble = STR("sleep/0.4");
	question_ask(&q[0], note_add_unit(slow, NULL, 0));
	uv_run(loop_uv(w->loop), UV_RUN_NOWAIT); /* it is on its way */
	q[1].deadline_ms = 100;
	question_ask(&q[1], note_add_unit(note(&q[1], 1, NULL), NULL, 0));
	question_ask(&q[2], note_add_unit(note(&q[2], 2, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q[0].err, ERR_OK);
	assert_int_equal(q[1].err, ERR_DEADLINE);
	assert_int_equal(q[2].err, ERR_OK);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM note WHERE medium = 1"), 0);
	questions_free(q, 3);
	world_free(w);
}

static void a_unit_whose_deadline_passes_after_sending_has_an_unknown_outcome(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 1);
	struct note_add_head *slow = note(&q[0], 0, NULL);

	(void)state;
	slow->trouble = STR("sleep/0.4");
	q[0].deadline_ms = 100;
	question_ask(&q[0], note_add_unit(slow, NULL, 0));
	world_run(w);
	assert_int_equal(q[0].err, ERR_UNKNOWN_OUTCOME);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM note"), 1); /* it was done */
	questions_free(q, 1);
	world_free(w);
}

/* ---- stock ---- */

static struct take_head *take(struct question *q, unsigned n, int64_t item, int64_t qty)
{
	struct take_head *h = arena_alloc(&q->fl.arena, sizeof(*h));

	*h = (struct take_head){.tenant = 1, .take_id = test_id(n), .item = item, .qty = qty};
	return h;
}

static void note_outcome(struct question *q, const struct answer *a)
{
	struct str s = take_row(a, 0).outcome;

	snprintf(q->arg, 16, STR_FMT, STR_ARG(s));
}

/* The same questions one by one and all at once, over two connections, have the same winners. */
static void stock_goes_to_who_asked_first_whatever_the_batches_were(void **state)
{
	enum { N = 120, ROUNDS = 12 };

	static char alone[N][16], batched[N][16];
	struct world *w = world_new(pg->conninfo, 1);

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		srand(round);
		int64_t item[N], qty[N];

		for (int i = 0; i < N; i++) {
			item[i] = 1 + rand() % 5;
			qty[i] = 1 + rand() % 9;
		}
		for (int pass = 0; pass < 2; pass++) {
			struct question *q = questions(w, N);

			notes_clean(NULL);
			pg_exec(db,
				"INSERT INTO stock SELECT 1, i, 60 FROM generate_series(1, 5) i");
			for (int i = 0; i < N; i++) {
				q[i].got = note_outcome;
				q[i].arg = pass == 0 ? alone[i] : batched[i];
				question_ask(&q[i],
					     take_unit(take(&q[i], (unsigned)i, item[i], qty[i]),
						       NULL, 0));
				if (pass == 0)
					world_run(w);
			}
			world_run(w);
			questions_free(q, N);
			assert_int_equal(pg_number(db,
						   "SELECT count(*) FROM stock s WHERE reserved <>"
						   " (SELECT coalesce(sum(qty), 0) FROM "
						   "stock_movement m WHERE m.item = s.item)"),
					 0);
		}
		for (int i = 0; i < N; i++)
			assert_string_equal(alone[i], batched[i]);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_type_goes_in_and_comes_out_again, notes_clean),
		cmocka_unit_test_setup(null_columns_stay_null_both_ways, notes_clean),
		cmocka_unit_test_setup(asks_of_one_turn_travel_in_one_batch, notes_clean),
		cmocka_unit_test_setup(read_kinds_travel_together_and_each_unit_gets_its_own_rows,
				       notes_clean),
		cmocka_unit_test_setup(rows_other_than_the_header_promises_are_an_internal_error,
				       notes_clean),
		cmocka_unit_test_setup(units_of_one_order_asked_in_one_turn_run_one_after_the_other,
				       notes_clean),
		cmocka_unit_test_setup(a_key_is_one_across_the_lanes, notes_clean),
		cmocka_unit_test_setup(two_units_with_one_request_key_never_share_a_batch,
				       notes_clean),
		cmocka_unit_test_setup(a_lane_is_full_at_its_bound_and_says_so, notes_clean),
		cmocka_unit_test_setup(more_units_than_a_batch_takes_go_in_several, notes_clean),
		cmocka_unit_test_setup(a_unit_over_a_cap_travels_alone, notes_clean),
		cmocka_unit_test_setup(few_units_wait_for_the_batch_that_is_away, notes_clean),
		cmocka_unit_test_setup(few_units_do_not_wait_for_long, notes_clean),
		cmocka_unit_test_setup(many_units_do_not_wait_for_the_batch_that_is_away,
				       notes_clean),
		cmocka_unit_test_setup(a_unit_whose_deadline_passes_before_sending_is_a_definite_no,
				       notes_clean),
		cmocka_unit_test_setup(
			a_unit_whose_deadline_passes_after_sending_has_an_unknown_outcome,
			notes_clean),
		cmocka_unit_test_setup(stock_goes_to_who_asked_first_whatever_the_batches_were,
				       notes_clean),
	};

	return cmocka_run_group_tests_name("store engine", tests, notes_setup, notes_teardown);
}
