/* What no author of a flow may do: the runner aborts, in a child, and says which law was broken. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/flow/flow.h"
#include "tests/unit/child.h"

static struct loop *l;
static struct op *asked_op; /* the latest question */

static void assert_aborts(void (*body)(void *arg), const char *law)
{
	struct child c;

	child_run(&c, body, NULL);
	assert_int_equal(c.signal, SIGABRT);
	assert_non_null(strstr(c.err, law));
}

static int ask_backend(struct flow *fl)
{
	struct op *op = arena_alloc(&fl->arena, sizeof(*op));

	asked_op = op;
	return op_ask(fl, op);
}

static int got(struct flow *fl, const struct answer *a)
{
	(void)fl;
	(void)a;
	return 1;
}

static void on_done(struct flow *fl)
{
	arena_done(&fl->arena);
}

static void run(const struct flow_step *steps)
{
	struct flow fl = {.name = "lawless", .steps = steps, .loop = l, .done = on_done};

	arena_init(&fl.arena, 4096);
	flow_start(&fl);
	if (asked_op != NULL)
		op_answer(asked_op, &(struct answer){.err = ERR_OK});
}

static int got_to_elsewhere(struct flow *fl, const struct answer *a)
{
	(void)fl;
	(void)a;
	return 2;
}

static void take_an_edge_the_row_does_not_have(void *arg)
{
	static const struct flow_step steps[] = {
		{"ask", ask_backend, got_to_elsewhere, 100, 1, TO(1)},
		{.name = "done"},
		{.name = "elsewhere"},
	};

	(void)arg;
	run(steps);
}

static int ask_forever(struct flow *fl)
{
	return fl->at == 0 ? 1 : 0;
}

static void go_in_a_circle(void *arg)
{
	static const struct flow_step circle[] = {
		{"a", ask_forever, NULL, 0, 2, TO(1)},
		{"b", ask_forever, NULL, 0, 2, TO(0)},
		{.name = "done"},
	};

	(void)arg;
	run(circle);
}

static int ask_and_answer(struct flow *fl)
{
	ask_backend(fl);
	op_answer(asked_op, &(struct answer){.err = ERR_OK});
	return FLOW_WAIT;
}

static int ask_twice(struct flow *fl)
{
	ask_backend(fl);
	return ask_backend(fl);
}

static int ask_nothing(struct flow *fl)
{
	(void)fl;
	return FLOW_WAIT;
}

static void run_one_step(int (*ask)(struct flow *fl), uint32_t deadline_ms)
{
	struct flow_step one[] = {{"one", ask, got, deadline_ms, 1, TO(1)}, {.name = "done"}};

	run(one);
}

static void answer_from_inside_the_ask(void *arg)
{
	(void)arg;
	run_one_step(ask_and_answer, 100);
}

static void ask_two_questions(void *arg)
{
	(void)arg;
	run_one_step(ask_twice, 100);
}

static void wait_for_nothing(void *arg)
{
	(void)arg;
	run_one_step(ask_nothing, 100);
}

static void wait_without_a_deadline(void *arg)
{
	(void)arg;
	run_one_step(ask_backend, 0);
}

static void broken_law_aborts(void **state)
{
	(void)state;
	l = loop_new();
	assert_aborts(take_an_edge_the_row_does_not_have, "step->next");
	assert_aborts(go_in_a_circle, "FLOW_HOPS_MAX");
	assert_aborts(answer_from_inside_the_ask, "!fl->running");
	assert_aborts(ask_two_questions, "fl->op == NULL");
	assert_aborts(wait_for_nothing, "FLOW_WAIT");
	assert_aborts(wait_without_a_deadline, "deadline_ms > 0");
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_law_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
