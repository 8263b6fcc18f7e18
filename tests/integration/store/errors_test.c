/*
 * SQL errors: who is guilty, what the others are answered, what is asked again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/metric.h"
#include "tests/integration/store/notes.h"

/* ---- guilt ---- */

static void a_bad_unit_at_any_place_of_a_batch_harms_only_itself(void **state)
{
	enum { N = 9 };
	struct world *w = world_new(pg->conninfo, 1);

	(void)state;
	for (int bad = 0; bad < N; bad++) {
		struct question *q = questions(w, N);

		notes_clean(NULL);
		for (int i = 0; i < N; i++) {
			struct note_add_head *h = note(&q[i], (unsigned)i, NULL);

			if (i == bad)
				h->amount = -1; /* note_amount_positive */
			question_ask(&q[i], note_add_unit(h, NULL, 0));
		}
		world_run(w);
		for (int i = 0; i < N; i++) {
			assert_int_equal(q[i].err, i == bad ? ERR_INTERNAL : ERR_OK);
			assert_int_equal(q[i].rows, i != bad);
		}
		assert_int_equal(notes_count(), N - 1);
		questions_free(q, N);
	}
	assert_true(store_is_up(w->store));
	world_free(w);
}

static void order_of_arrival_survives_halving(void **state)
{
	enum { N = 32 };
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, N);

	(void)state;
	for (int i = 0; i < N; i++)
		question_ask(&q[i], note_add_unit(note(&q[i], (unsigned)i,
						       i == 11 || i == 20 ? "22012" : NULL),
						  NULL, 0));
	world_run(w);
	for (int i = 1; i < N; i++) {
		if (q[i].err == ERR_OK && q[i - 1].err == ERR_OK)
			assert_true(q[i].place > q[i - 1].place);
	}
	assert_int_equal(q[11].err, ERR_INTERNAL);
	assert_int_equal(q[20].err, ERR_INTERNAL);
	assert_int_equal(notes_count(), N - 2);
	questions_free(q, N);
	world_free(w);
}

static void after_eight_guilty_units_the_rest_of_the_batch_is_given_up(void **state)
{
	enum { N = 64 };
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, N);
	int64_t before = metric_value(METRIC_store_batches, "order");

	(void)state;
	for (int i = 0; i < N; i++)
		question_ask(&q[i], note_add_unit(note(&q[i], (unsigned)i, "23505"), NULL, 0));
	world_run(w);
	for (int i = 0; i < N; i++)
		assert_int_equal(q[i].err, ERR_INTERNAL);
	assert_true(metric_value(METRIC_store_batches, "order") - before < 40);
	assert_false(store_is_up(w->store));
	questions_free(q, N);
	q = questions(w, 1);
	question_ask(q, note_add_unit(note(q, 99, NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q->err, ERR_OK);
	assert_true(store_is_up(w->store)); /* a good batch makes it well again */
	questions_free(q, 1);
	world_free(w);
}

static void text_that_is_no_text_harms_only_its_unit(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 3);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct note_add_head *h = note(&q[i], i, NULL);

		h->body = i == 1 ? (struct str){"a\0b", 3} : i == 2 ? STR("fine") : (struct str){0};
		question_ask(&q[i], note_add_unit(h, NULL, 0));
	}
	world_run(w);
	assert_int_equal(q[0].err, ERR_OK);
	assert_int_equal(q[1].err, ERR_INTERNAL);
	assert_int_equal(q[2].err, ERR_OK);
	questions_free(q, 3);
	world_free(w);
}

/* ---- the table of errors ---- */

/* clang-format off */
/* A row of core/store/errors.c: what one troubled unit among five is answered, and the others. */
static const struct injected {
	const char *trouble;
	enum errc its, others;
	int stored; /* notes afterwards */
	const char *reason; /* label of store_again that must have risen */
	int times;          /* by so much at least */
} injections[] = {
	/* lost races and clashes pass when they end ... */
	{"23514/stock_not_oversold/3", ERR_OK, ERR_OK, 5, "stock_race", 3},
	{"40001//2", ERR_OK, ERR_OK, 5, "serialization", 2},
	{"40P01//2", ERR_OK, ERR_OK, 5, "deadlock", 2},
	{"55P03//2", ERR_OK, ERR_OK, 5, "lock_timeout", 2},
	/* ... and are a clash for the one unit they stay with */
	{"23514/stock_not_oversold/", ERR_CLASH, ERR_OK, 4, "stock_race", 6},
	{"40001//", ERR_CLASH, ERR_OK, 4, "serialization", 4},
	{"40P01//", ERR_CLASH, ERR_OK, 4, "deadlock", 4},
	{"55P03//", ERR_CLASH, ERR_OK, 4, "lock_timeout", 4},
	{"22012//", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"23505//", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"23503//", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"23514/order_edge/", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"21000//", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"54000//", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"P0001//", ERR_INTERNAL, ERR_OK, 4, "bad_member", 1},
	{"42501//", ERR_INTERNAL, ERR_OK, 4, "row_security", 1},
	{"57014//", ERR_UNKNOWN_OUTCOME, ERR_OK, 4, "too_slow", 1},
	/* nobody is guilty: a new connection, and everybody is asked again */
	{"25006//1", ERR_OK, ERR_OK, 5, "read_only", 1},
	{"53100//1", ERR_OK, ERR_OK, 5, "resources", 1},
	{"53200//1", ERR_OK, ERR_OK, 5, "resources", 1},
	{"53300//1", ERR_OK, ERR_OK, 5, "resources", 1},
	{"57P01//1", ERR_OK, ERR_OK, 5, "shutdown", 1},
	{"57P02//1", ERR_OK, ERR_OK, 5, "shutdown", 1},
	{"57P03//1", ERR_OK, ERR_OK, 5, "shutdown", 1},
	{"58030//1", ERR_OK, ERR_OK, 5, "server_io", 1},
	{"08006//1", ERR_OK, ERR_OK, 5, "connection", 1},
	{"26000//1", ERR_OK, ERR_OK, 5, "statement_gone", 1},
	{"0A000//1", ERR_OK, ERR_OK, 5, "plan_changed", 1},
	{"terminate//1", ERR_OK, ERR_OK, 5, NULL, 0},
	/* our own mistakes are everybody's */
	{"26000//", ERR_INTERNAL, ERR_INTERNAL, 0, "statement_gone", 2},
	{"0A000//", ERR_INTERNAL, ERR_INTERNAL, 0, "plan_changed", 2},
	{"42P01//", ERR_INTERNAL, ERR_INTERNAL, 0, "mistake", 1},
	{"XX000//", ERR_INTERNAL, ERR_INTERNAL, 0, "mistake", 1},
};

/* clang-format on */

static void inject(struct world *w, const struct injected *in)
{
	int64_t before = in->reason != NULL ? metric_value(METRIC_store_again, in->reason) : 0;
	struct question *q = questions(w, 5);

	notes_clean(NULL);
	for (unsigned i = 0; i < 5; i++)
		question_ask(&q[i],
			     note_add_unit(note(&q[i], i, i == 2 ? in->trouble : NULL), NULL, 0));
	world_run(w);
	for (int i = 0; i < 5; i++) {
		if (q[i].err != (i == 2 ? in->its : in->others))
			fail_msg("%s: unit %d was answered %s", in->trouble, i, err_name(q[i].err));
	}
	if (notes_count() != in->stored)
		fail_msg("%s: %lld notes", in->trouble, notes_count());
	if (in->reason != NULL && metric_value(METRIC_store_again, in->reason) - before < in->times)
		fail_msg("%s: not counted as %s", in->trouble, in->reason);
	questions_free(q, 5);
}

static void every_sqlstate_is_answered_as_its_row_says(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(injections) / sizeof(injections[0]); i++)
		inject(w, &injections[i]);
	world_free(w);
}

static void an_error_of_one_read_kind_leaves_the_others_alone(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 12);

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct word_list_head l = {1, test_id(i)};
		struct note_read_head r = {.tenant = 1,
					   .note_id = test_id(i),
					   .trouble = i == 4 ? STR("22012//") : (struct str){0}};

		question_ask(&q[i],
			     i % 2 == 1 ? word_list_unit(arena_dup(&q[i].fl.arena, &l, sizeof(l)),
							 NULL, 0)
					: note_read_unit(arena_dup(&q[i].fl.arena, &r, sizeof(r)),
							 NULL, 0));
	}
	world_run(w);
	for (int i = 0; i < 12; i++)
		assert_int_equal(q[i].err, i == 4 ? ERR_INTERNAL : ERR_OK);
	questions_free(q, 12);
	world_free(w);
}

static void a_warning_at_commit_makes_the_outcome_unknown(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question *q = questions(w, 2);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct note_add_head *h = note(&q[i], i, NULL);

		h->body = STR("warn at commit");
		question_ask(&q[i], note_add_unit(h, NULL, 0));
	}
	world_run(w);
	assert_int_equal(q[0].err, ERR_UNKNOWN_OUTCOME);
	assert_int_equal(q[1].err, ERR_UNKNOWN_OUTCOME);
	questions_free(q, 2);
	world_free(w);
}

static void a_statement_over_its_time_is_cut_and_spares_the_others(void **state)
{
	struct store_options opt = {
		.conninfo = pg->conninfo, .order_connections = 1, .statement_timeout_ms = 200};
	struct world *w = world_with(&opt);
	struct question *q = questions(w, 3);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		question_ask(&q[i],
			     note_add_unit(note(&q[i], i, i == 1 ? "sleep/5" : NULL), NULL, 0));
	world_run(w);
	assert_int_equal(q[0].err, ERR_OK);
	assert_int_equal(q[1].err, ERR_UNKNOWN_OUTCOME);
	assert_int_equal(q[2].err, ERR_OK);
	questions_free(q, 3);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_bad_unit_at_any_place_of_a_batch_harms_only_itself,
				       notes_clean),
		cmocka_unit_test_setup(order_of_arrival_survives_halving, notes_clean),
		cmocka_unit_test_setup(after_eight_guilty_units_the_rest_of_the_batch_is_given_up,
				       notes_clean),
		cmocka_unit_test_setup(text_that_is_no_text_harms_only_its_unit, notes_clean),
		cmocka_unit_test_setup(every_sqlstate_is_answered_as_its_row_says, notes_clean),
		cmocka_unit_test_setup(an_error_of_one_read_kind_leaves_the_others_alone,
				       notes_clean),
		cmocka_unit_test_setup(a_warning_at_commit_makes_the_outcome_unknown, notes_clean),
		cmocka_unit_test_setup(a_statement_over_its_time_is_cut_and_spares_the_others,
				       notes_clean),
	};

	return cmocka_run_group_tests_name("store errors", tests, notes_setup, notes_teardown);
}
