/*
 * Who is at work: every flow stands in its loop's list from its start to its end, in the
 * order they started in, and the view says what each waits for.
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
#include "core/base/config.h"
#include "core/base/random.h"
#include "core/base/show.h"
#include "core/flow/flow.h"

enum { ASK, DONE };

enum { FLOWS = 64 };

static struct loop *l;
static struct show_board board;
static struct config cfg;

struct one {
	struct flow fl; /* first */
	struct op *op;
	bool ended;
};

static int ask(struct flow *fl)
{
	struct one *o = (struct one *)fl;

	o->op = arena_alloc(&fl->arena, sizeof(*o->op));
	assert_non_null(o->op);
	op_ask(fl, o->op);
	o->op->backend = "postgres";
	o->op->of_it = "order";
	return FLOW_WAIT;
}

static int got(struct flow *fl, const struct answer *a)
{
	(void)fl;
	(void)a;
	return DONE;
}

/* clang-format off */
static const struct flow_step steps[] = {
	[ASK]  = {"ask", ask, got, 500, DONE, TO(DONE)},
	[DONE] = {"done"},
};

/* clang-format on */

/* As owners do: the memory is somebody else's at once. */
static void on_done(struct flow *fl)
{
	struct one *o = (struct one *)fl;

	arena_done(&fl->arena);
	memset(fl, 0xdb, sizeof(*fl));
	o->ended = true;
}

static void start(struct one *o)
{
	*o = (struct one){
		.fl = {.name = "place_order", .steps = steps, .loop = l, .done = on_done}};
	arena_init(&o->fl.arena, 4096);
	flow_start(&o->fl);
}

static void finish(struct one *o)
{
	op_answer(o->op, &(struct answer){.err = ERR_OK});
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
	assert_true(o->ended);
}

static int set_up(void **state)
{
	char name[] = "show";
	char *argv[] = {name, NULL};
	int argc = 1;

	(void)state;
	clock_fake(1000000, 0);
	l = loop_new();
	assert_int_equal(config_read(&cfg, "show", argc, argv, &argc), CONFIG_RUN);
	show_board_init(&board, "test", (struct id){{0}}, &cfg);
	loop_offer(l, &board);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(loop_flows(l)->n, 0);
	assert_null(loop_flows(l)->first);
	assert_null(loop_flows(l)->last);
	loop_free(l);
	config_done(&cfg);
	clock_fake(-1, -1);
	return 0;
}

/* The list both ways: the same flows, the oldest first. */
static void check_list(const struct one *flows)
{
	const struct flow_list *all = loop_flows(l);
	const struct flow *fl = all->first;
	uint32_t n = 0;

	for (int i = 0; i < FLOWS; i++) {
		if (flows[i].ended)
			continue;
		assert_ptr_equal(fl, &flows[i].fl);
		assert_ptr_equal(fl->younger != NULL ? fl->younger->older : all->last, fl);
		fl = fl->younger;
		n++;
	}
	assert_null(fl);
	assert_int_equal(all->n, n);
}

static void flows_that_end_in_any_order__leave_the_others_in_theirs(void **state)
{
	static struct one flows[FLOWS];

	(void)state;
	for (int i = 0; i < FLOWS; i++)
		flows[i].ended = true;
	for (int i = 0; i < FLOWS; i++) {
		start(&flows[i]);
		check_list(flows);
	}
	for (int left = FLOWS; left > 0; left--) {
		int i = (int)random_below(FLOWS);

		while (flows[i].ended)
			i = (i + 1) % FLOWS;
		finish(&flows[i]);
		check_list(flows);
	}
}

static void flow_that_waits__is_shown_with_what_it_waits_for(void **state)
{
	struct show_cell cells[8];
	struct one o;
	struct show *s;

	(void)state;
	start(&o);
	assert_true(id_parse(STR("018f4e2a-7b1c-7ac5-9d3e-0123456789ab"), &o.fl.subject));
	o.fl.deadline_ms = 3000;
	clock_fake(1200000, 0);
	s = show_look(&board, SHOW_flows);
	assert_int_equal(show_rows(s), 1);
	for (size_t c = 0; c < 8; c++)
		cells[c] = *show_cell(s, 0, c);
	assert_string_equal(cells[0].text, "place_order");
	assert_string_equal(cells[1].text, "018f4e2a-7b1c-7ac5-9d3e-0123456789ab");
	assert_string_equal(cells[2].text, "ask");
	assert_int_equal(cells[3].number, 200);
	assert_string_equal(cells[4].text, "postgres:order");
	assert_int_equal(cells[5].number, 300);
	assert_int_equal(cells[6].number, 1800);
	assert_int_equal(cells[7].kind, SHOW_NOTHING);
	show_free(s);
	finish(&o);
	s = show_look(&board, SHOW_flows);
	assert_int_equal(show_rows(s), 0);
	show_free(s);
}

/* Given up, it waits for its late answer, and is still there to be seen. */
static void flow_whose_answer_is_late__is_shown_until_it_has_come(void **state)
{
	struct one o;
	struct show *s;

	(void)state;
	start(&o);
	clock_fake(1600000, 0);
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
	s = show_look(&board, SHOW_flows);
	assert_int_equal(show_rows(s), 1);
	assert_string_equal(show_cell(s, 0, 2)->text, "done");
	assert_int_equal(show_cell(s, 0, 4)->kind, SHOW_NOTHING);
	assert_string_equal(show_cell(s, 0, 7)->text, "DEADLINE");
	show_free(s);
	finish(&o);
}

static void too_many_flows__the_oldest_are_shown(void **state)
{
	enum { MANY = SHOW_ROWS_MAX + 1 };

	struct one *flows = calloc(MANY, sizeof(*flows));
	struct show *s;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		clock_fake(1000000 + i * 100, 0); /* all within their deadline */
		start(&flows[i]);
	}
	s = show_look(&board, SHOW_flows);
	assert_int_equal(show_rows(s), SHOW_ROWS_MAX);
	assert_true(s->truncated);
	assert_int_equal(show_cell(s, 0, 3)->number, (MANY - 1) / 10);
	show_free(s);
	for (int i = 0; i < MANY; i++)
		finish(&flows[i]);
	free(flows);
}

static void on_due(struct timer *t)
{
	(void)t;
}

static void timers__are_counted_by_when_they_are_due(void **state)
{
	static const int64_t in_ms[] = {-5, 0, 100, 101, 1000, 5000, 60000};
	static const int64_t want[] = {2, 3, 5, 6, 7};
	struct timer timers[7] = {{0}};
	struct show *s = show_look(&board, SHOW_timers);

	(void)state;
	assert_int_equal(show_cell(s, 4, 1)->number, 0);
	assert_int_equal(show_cell(s, 4, 2)->kind, SHOW_NOTHING);
	show_free(s);
	for (int i = 0; i < 7; i++) {
		timers[i].on_due = on_due;
		timer_set(l, &timers[i], 1000 + in_ms[i]);
	}
	s = show_look(&board, SHOW_timers);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(show_cell(s, i, 1)->number, want[i]);
	assert_int_equal(show_cell(s, 4, 2)->number, -5);
	show_free(s);
	for (int i = 0; i < 7; i++)
		timer_clear(l, &timers[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flows_that_end_in_any_order__leave_the_others_in_theirs),
		TEST(flow_that_waits__is_shown_with_what_it_waits_for),
		TEST(flow_whose_answer_is_late__is_shown_until_it_has_come),
		TEST(too_many_flows__the_oldest_are_shown),
		TEST(timers__are_counted_by_when_they_are_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
