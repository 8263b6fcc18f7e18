/*
 * The flow runner, with a backend answered by hand.
 *
 *	ask --> hold --> place --> reply --> done
 *	         |         +--> undo --^
 *	         +--------------^
 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metric.h"
#include "core/flow/flow.h"
#include "tests/unit/child.h"

enum { HOLD, PLACE, UNDO, REPLY, DONE, STEPS };

enum { HOLD_MS = 100, PLACE_MS = 1000, UNDO_MS = 300 };

struct order {
	struct flow fl; /* first: a flow is its order */
	int asked[STEPS], got[STEPS];
	int done;
	bool refuse_in_got;
	bool place_at_once; /* ask_place needs no answer */
	int late_errors;    /* the backend's word in op->late, for PLACE */
};

static struct loop *l;
static struct op *asked_op; /* the latest question */

static struct order *order_of(struct flow *fl)
{
	return (struct order *)fl;
}

static int ask_backend(struct flow *fl)
{
	struct op *op = arena_alloc(&fl->arena, sizeof(*op));

	order_of(fl)->asked[fl->at]++;
	assert_non_null(op);
	asked_op = op;
	return op_ask(fl, op);
}

static int got_hold(struct flow *fl, const struct answer *a)
{
	struct order *o = order_of(fl);

	assert_int_equal(a->err, ERR_OK);
	o->got[HOLD]++;
	if (o->refuse_in_got) {
		fl->err = ERR_OUT_OF_STOCK;
		return FLOW_FAIL;
	}
	return PLACE;
}

static int ask_place(struct flow *fl)
{
	if (order_of(fl)->place_at_once) {
		order_of(fl)->asked[PLACE]++;
		return REPLY;
	}
	ask_backend(fl);
	if (order_of(fl)->late_errors != 0)
		asked_op->late = (enum errc)order_of(fl)->late_errors;
	return FLOW_WAIT;
}

static int got_place(struct flow *fl, const struct answer *a)
{
	(void)a;
	order_of(fl)->got[PLACE]++;
	return REPLY;
}

static int got_undo(struct flow *fl, const struct answer *a)
{
	(void)a;
	order_of(fl)->got[UNDO]++;
	return REPLY;
}

static int ask_reply(struct flow *fl)
{
	order_of(fl)->asked[REPLY]++;
	return DONE;
}

/* clang-format off */
static const struct flow_step steps[] = {
	[HOLD]  = {"hold",  ask_backend, got_hold,  HOLD_MS,  REPLY, TO(PLACE)},
	[PLACE] = {"place", ask_place,   got_place, PLACE_MS, UNDO,  TO(REPLY)},
	[UNDO]  = {"undo",  ask_backend, got_undo,  UNDO_MS,  REPLY, TO(REPLY)},
	[REPLY] = {"reply", ask_reply,   NULL,      0,        DONE,  TO(DONE)},
	[DONE]  = {"done"},
};

/* clang-format on */

static void on_done(struct flow *fl)
{
	order_of(fl)->done++;
	arena_done(&fl->arena);
}

static void start(struct order *o)
{
	o->fl.name = "order";
	o->fl.steps = steps;
	o->fl.loop = l;
	o->fl.done = on_done;
	arena_init(&o->fl.arena, 65536);
	flow_start(&o->fl);
}

static void answer(struct op *op, enum errc err)
{
	struct answer a = {.err = err};

	op_answer(op, &a);
}

static void turn(void)
{
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
}

static void at_ms(int64_t ms)
{
	clock_fake(ms * 1000, 0);
	turn();
}

static int set_up(void **state)
{
	(void)state;
	l = loop_new();
	asked_op = NULL;
	clock_fake(1000000, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	flow_fault = NULL;
	clock_fake(-1, -1);
	loop_free(l);
	return 0;
}

static void good_answers_lead_to_the_end(void **state)
{
	struct order o = {0};
	int64_t before = metric_value(METRIC_flow_ended, "order|OK");

	(void)state;
	start(&o);
	assert_int_equal(o.fl.at, HOLD);
	answer(asked_op, ERR_OK);
	assert_int_equal(o.fl.at, PLACE);
	answer(asked_op, ERR_OK);
	assert_int_equal(o.fl.at, DONE);
	assert_int_equal(o.done, 0); /* not from inside op_answer() */
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_OK);
	assert_int_equal(o.asked[UNDO], 0);
	assert_int_equal(metric_value(METRIC_flow_ended, "order|OK"), before + 1);
}

static void error_takes_the_failure_edge_and_the_first_is_the_cause(void **state)
{
	struct order o = {0};
	int64_t before = metric_value(METRIC_step_error, "order.place|CLASH");

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	answer(asked_op, ERR_CLASH);
	assert_int_equal(o.fl.at, UNDO);
	answer(asked_op, ERR_QUEUE_UNAVAILABLE);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_CLASH);
	assert_string_equal(o.fl.cause_step, "place");
	assert_int_equal(o.fl.err, ERR_QUEUE_UNAVAILABLE);
	assert_int_equal(o.got[PLACE] + o.got[UNDO], 0);
	assert_int_equal(metric_value(METRIC_step_error, "order.place|CLASH"), before + 1);
}

static void got_that_refuses_takes_the_failure_edge(void **state)
{
	struct order o = {.refuse_in_got = true};

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_OUT_OF_STOCK);
	assert_int_equal(o.asked[PLACE], 0);
	assert_int_equal(o.asked[REPLY], 1);
}

static void ask_that_needs_no_answer_goes_on(void **state)
{
	struct order o = {.place_at_once = true};

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.asked[PLACE], 1);
	assert_int_equal(o.got[PLACE], 0);
}

static void failure_inside_an_ask_is_delivered_by_the_ready_queue(void **state)
{
	struct order o = {0};

	(void)state;
	start(&o);
	op_fail(asked_op, ERR_QUEUE_UNAVAILABLE);
	op_fail(asked_op, ERR_INTERNAL); /* said twice: the first word stands */
	assert_int_equal(o.fl.at, HOLD);
	turn();
	assert_int_equal(o.fl.cause, ERR_QUEUE_UNAVAILABLE);
	assert_int_equal(o.done, 1);
}

/* ---- deadlines ---- */

static void step_deadline_passes__done_waits_for_the_late_answer(void **state)
{
	struct order o = {0};
	struct op *late;

	(void)state;
	start(&o);
	late = asked_op;
	at_ms(1000 + HOLD_MS - 1);
	assert_int_equal(o.fl.at, HOLD);
	at_ms(1000 + HOLD_MS);
	assert_int_equal(o.fl.at, DONE);
	assert_int_equal(o.asked[REPLY], 1);
	assert_int_equal(o.fl.cause, ERR_DEADLINE);
	assert_true(late->given_up);
	turn();
	assert_int_equal(o.done, 0); /* the question still owns its memory */
	answer(late, ERR_OK);
	assert_int_equal(o.got[HOLD], 0);
	turn();
	assert_int_equal(o.done, 1);
}

static void late_answer_does_not_disturb_the_question_after_it(void **state)
{
	struct order o = {0};
	struct op *late;

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	late = asked_op;
	at_ms(1000 + PLACE_MS);
	assert_int_equal(o.fl.at, UNDO);
	answer(late, ERR_OK);
	assert_int_equal(o.fl.at, UNDO);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.got[PLACE], 0);
	assert_int_equal(o.got[UNDO], 1);
}

static void timeout_means_what_the_backend_says(void **state)
{
	struct order o = {.late_errors = ERR_UNKNOWN_OUTCOME};
	struct op *late;

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	late = asked_op;
	at_ms(1000 + PLACE_MS);
	assert_int_equal(o.fl.cause, ERR_UNKNOWN_OUTCOME);
	answer(late, ERR_CLASH);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
}

static void flow_deadline_cuts_the_step_short_and_undo_still_has_its_own(void **state)
{
	struct order o = {.fl.deadline_ms = 1400};
	struct op *late;

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	late = asked_op;
	assert_int_equal(late->deadline_ms, 1400);
	at_ms(1400);
	assert_int_equal(o.fl.at, UNDO);
	assert_int_equal(o.fl.cause, ERR_DEADLINE);
	assert_int_equal(asked_op->deadline_ms, 1400 + UNDO_MS);
	at_ms(1400 + UNDO_MS - 1);
	assert_int_equal(o.fl.at, UNDO);
	answer(asked_op, ERR_OK);
	assert_int_equal(o.got[UNDO], 1);
	answer(late, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
}

static void flow_that_starts_late_asks_nothing_but_answers(void **state)
{
	struct order o = {.fl.deadline_ms = 900};

	(void)state;
	start(&o);
	turn();
	assert_int_equal(o.asked[HOLD], 0);
	assert_int_equal(o.asked[REPLY], 1);
	assert_int_equal(o.fl.cause, ERR_DEADLINE);
	assert_int_equal(o.done, 1);
}

static void answer_in_time_clears_the_deadline(void **state)
{
	struct order o = {0};

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	answer(asked_op, ERR_OK);
	at_ms(100000);
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_OK);
}

/* ---- cancels ---- */

static void cancel_ends_the_wait_and_undo_still_runs(void **state)
{
	struct order o = {0};
	struct op *late;

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	late = asked_op;
	flow_cancel(&o.fl, ERR_CANCELLED);
	assert_int_equal(o.fl.at, PLACE); /* from the ready queue */
	turn();
	assert_int_equal(o.fl.at, UNDO);
	assert_int_equal(o.fl.cause, ERR_CANCELLED);
	flow_cancel(&o.fl, ERR_DRAINING); /* cut before: the undo is not cut again */
	turn();
	assert_int_equal(o.fl.at, UNDO);
	answer(late, ERR_OK);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_CANCELLED);
}

static void cancel_after_the_deadline_does_not_cut_the_undo(void **state)
{
	struct order o = {.fl.deadline_ms = 1400};
	struct op *late;

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	late = asked_op;
	at_ms(1400);
	assert_int_equal(o.fl.at, UNDO);
	flow_cancel(&o.fl, ERR_CANCELLED);
	turn();
	assert_int_equal(o.fl.at, UNDO);
	answer(late, ERR_OK);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
}

static void cancel_and_deadline_in_one_turn_cut_once(void **state)
{
	struct order o = {.fl.deadline_ms = 1400};
	struct op *late;

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	late = asked_op;
	flow_cancel(&o.fl, ERR_CANCELLED);
	at_ms(1400); /* timers come before the ready queue */
	assert_int_equal(o.fl.at, UNDO);
	assert_int_equal(o.fl.cause, ERR_DEADLINE);
	answer(late, ERR_OK);
	answer(asked_op, ERR_OK);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.got[UNDO], 1);
}

static void cancel_and_failure_in_one_turn_are_one_failure(void **state)
{
	struct order o = {0};

	(void)state;
	start(&o);
	op_fail(asked_op, ERR_QUEUE_UNAVAILABLE); /* posted first */
	flow_cancel(&o.fl, ERR_CANCELLED);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_QUEUE_UNAVAILABLE);
	assert_int_equal(o.asked[REPLY], 1);

	o = (struct order){0};
	start(&o);
	flow_cancel(&o.fl, ERR_CANCELLED); /* now the other way round */
	op_fail(asked_op, ERR_QUEUE_UNAVAILABLE);
	turn();
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_CANCELLED);
	assert_int_equal(o.asked[REPLY], 1);
}

static void cancel_of_a_flow_at_its_end_changes_nothing(void **state)
{
	struct order o = {0};

	(void)state;
	start(&o);
	answer(asked_op, ERR_OK);
	answer(asked_op, ERR_OK);
	flow_cancel(&o.fl, ERR_CANCELLED);
	turn();
	flow_cancel(&o.fl, ERR_CANCELLED);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_OK);
}

static void cancel_of_a_flow_that_waits_for_a_late_answer_is_safe(void **state)
{
	struct order o = {0};
	struct op *late;

	(void)state;
	start(&o);
	late = asked_op;
	at_ms(1000 + HOLD_MS);
	flow_cancel(&o.fl, ERR_CANCELLED);
	turn();
	assert_int_equal(o.done, 0);
	answer(late, ERR_OK);
	flow_cancel(&o.fl, ERR_CANCELLED);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.fl.cause, ERR_DEADLINE);
}

/* ---- faults ---- */

static int fail_at;

static enum errc fault_at(const struct flow *fl, const struct flow_step *step)
{
	assert_ptr_equal(step, &fl->steps[fl->at]);
	return fl->at == fail_at ? ERR_INTERNAL : ERR_OK;
}

static void fault_at_each_step_still_ends_the_flow(void **state)
{
	(void)state;
	flow_fault = fault_at;
	for (fail_at = HOLD; fail_at < DONE; fail_at++) {
		struct order o = {0};

		start(&o);
		for (int i = 0; i < STEPS && o.fl.op != NULL; i++)
			answer(asked_op, ERR_OK);
		turn();
		assert_int_equal(o.done, 1);
		assert_int_equal(o.asked[fail_at], 0);
		if (fail_at == UNDO) /* not on the way of a good order */
			assert_int_equal(o.fl.cause, ERR_OK);
		else
			assert_string_equal(o.fl.cause_step, steps[fail_at].name);
	}
}

static void failing_undo_still_replies(void **state)
{
	struct order o = {0};

	(void)state;
	flow_fault = fault_at;
	fail_at = UNDO;
	start(&o);
	answer(asked_op, ERR_OK);
	answer(asked_op, ERR_CLASH);
	turn();
	assert_int_equal(o.done, 1);
	assert_int_equal(o.asked[REPLY], 1);
	assert_int_equal(o.fl.cause, ERR_CLASH);
}

/* ---- the log ---- */

static void end_with_an_error(void *arg)
{
	struct order o = {0};

	(void)arg;
	log_open("test", LOG_INFO);
	assert(id_parse(STR("018f4e2a-7b1c-7ac5-9d3e-0123456789ab"), &o.fl.subject));
	assert(trace_parse(STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
			   &o.fl.trace));
	start(&o);
	clock_fake(1007000, 0);
	answer(asked_op, ERR_OUT_OF_STOCK);
	turn();
	o = (struct order){.fl.quiet = true}; /* its owner speaks */
	start(&o);
	answer(asked_op, ERR_OUT_OF_STOCK);
	turn();
	o = (struct order){0}; /* a good one says nothing at this level */
	start(&o);
	answer(asked_op, ERR_OK);
	answer(asked_op, ERR_OK);
	turn();
}

static void flow_that_failed_is_logged_once(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, end_with_an_error, NULL);
	assert_int_equal(c.exit_code, 0);
	assert_non_null(strstr(c.err,
			       " event=flow_ended flow=order subject=018f4e2a-7b1c-7ac5-9d3e-"
			       "0123456789ab cause=OUT_OF_STOCK step=hold ms=7 "
			       "trace=0af7651916cd43dd8448eb211c80319c\n"));
	assert_ptr_equal(strchr(c.err, '\n'), c.err + strlen(c.err) - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_answers_lead_to_the_end),
		TEST(error_takes_the_failure_edge_and_the_first_is_the_cause),
		TEST(got_that_refuses_takes_the_failure_edge),
		TEST(ask_that_needs_no_answer_goes_on),
		TEST(failure_inside_an_ask_is_delivered_by_the_ready_queue),
		TEST(step_deadline_passes__done_waits_for_the_late_answer),
		TEST(late_answer_does_not_disturb_the_question_after_it),
		TEST(timeout_means_what_the_backend_says),
		TEST(flow_deadline_cuts_the_step_short_and_undo_still_has_its_own),
		TEST(flow_that_starts_late_asks_nothing_but_answers),
		TEST(answer_in_time_clears_the_deadline),
		TEST(cancel_ends_the_wait_and_undo_still_runs),
		TEST(cancel_after_the_deadline_does_not_cut_the_undo),
		TEST(cancel_and_deadline_in_one_turn_cut_once),
		TEST(cancel_and_failure_in_one_turn_are_one_failure),
		TEST(cancel_of_a_flow_at_its_end_changes_nothing),
		TEST(cancel_of_a_flow_that_waits_for_a_late_answer_is_safe),
		TEST(fault_at_each_step_still_ends_the_flow),
		TEST(failing_undo_still_replies),
		TEST(flow_that_failed_is_logged_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
