/*
 * The flow runner: the one loop that moves every flow of the process along its table.
 *
 *	flow_start --> enter --ask--> waiting --answer, error--> got, on_error --+
 *	                 ^                                                       |
 *	                 +-------------------------------------------------------+
 *	                 +--> end row --> every op home? --> done
 *
 * It keeps the laws of flow.h and nothing else: what the steps mean is theirs, how an
 * answer comes about is the backend's.
 */
#include "core/flow/flow.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metric.h"

enum errc (*flow_fault)(const struct flow *fl, const struct flow_step *step);

#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

static const struct flow_step *step_of(const struct flow *fl)
{
	return &fl->steps[fl->at];
}

static bool at_end(const struct flow *fl)
{
	return step_of(fl)->ask == NULL;
}

/* ---- the end ---- */

static void report_end(const struct flow *fl)
{
	int64_t us = clock_mono_us() - fl->started_us;
	enum log_level level = fl->cause == ERR_OK ? LOG_DEBUG : LOG_INFO;
	char subject[ID_TEXT_SIZE], trace[TRACE_TEXT_SIZE];
	char label[128];

	(void)snprintf(label, sizeof(label), "%s|%s", fl->name, err_name(fl->cause));
	metric_add(METRIC_flow_ended, label, 1);
	metric_observe_us(METRIC_flow_seconds, fl->name, us);
	if (fl->quiet || !log_wants(level))
		return;
	log_line(level, "flow_ended", "flow=%s subject=%s cause=%s step=%s ms=%" PRId64 " trace=%s",
		 fl->name, id_is_zero(fl->subject) ? "none" : id_format(fl->subject, subject),
		 err_name(fl->cause), fl->cause_step != NULL ? fl->cause_step : "none", us / 1000,
		 trace_text(&fl->trace, trace));
}

/* ---- who is at work: two pointers in each flow, for people who look (show.c) ---- */

static void enlist(struct flow *fl)
{
	struct flow_list *all = loop_flows(fl->loop);

	fl->older = all->last;
	fl->younger = NULL;
	*(all->last != NULL ? &all->last->younger : &all->first) = fl;
	all->last = fl;
	all->n++;
}

static void delist(struct flow *fl)
{
	struct flow_list *all = loop_flows(fl->loop);

	*(fl->older != NULL ? &fl->older->younger : &all->first) = fl->younger;
	*(fl->younger != NULL ? &fl->younger->older : &all->last) = fl->older;
	fl->older = fl->younger = NULL;
	all->n--;
}

/* At the end row, with every question answered: the owner takes its memory back. */
static void end_if_ready(struct flow *fl)
{
	if (fl->ended || !at_end(fl) || fl->ops_out > 0)
		return;
	assert(!fl->turn.posted && fl->timer.slot == 0); /* nothing comes back to freed memory */
	fl->ended = true;
	delist(fl);
	report_end(fl);
	fl->done(fl);
}

/* ---- running ---- */

static void note_error(struct flow *fl, enum errc err)
{
	char label[160];

	assert(err != ERR_OK);
	fl->err = err;
	if (fl->cause == ERR_OK) {
		fl->cause = err;
		fl->cause_step = step_of(fl)->name;
	}
	(void)snprintf(label, sizeof(label), "%s.%s|%s", fl->name, step_of(fl)->name,
		       err_name(err));
	metric_add(METRIC_step_error, label, 1);
}

/* The flow's own deadline cuts a flow once; what runs after that undoes and answers. */
static bool deadline_cuts(struct flow *fl)
{
	if (fl->cut || fl->deadline_ms == 0 || clock_mono_ms() < fl->deadline_ms)
		return false;
	fl->cut = true;
	return true;
}

/* What this step's ask makes of it: the next step, FLOW_WAIT, or FLOW_FAIL with fl->err set. */
static int ask(struct flow *fl)
{
	const struct flow_step *step = step_of(fl);
	enum errc fault = flow_fault != NULL ? flow_fault(fl, step) : ERR_OK;
	int to;

	if (fault == ERR_OK && deadline_cuts(fl))
		fault = ERR_DEADLINE;
	if (fault != ERR_OK) {
		fl->err = fault;
		return FLOW_FAIL;
	}
	fl->running = true;
	to = step->ask(fl);
	fl->running = false;
	assert((to == FLOW_WAIT) == (fl->op != NULL)); /* waits for what it asked, and only then */
	return to;
}

/* Leave the present step for `to`, along one of its edges. */
static void move(struct flow *fl, int to)
{
	const struct flow_step *step = step_of(fl);

	if (to == FLOW_FAIL) {
		note_error(fl, fl->err);
		to = step->on_error;
	} else {
		assert(to >= 0 && to < 64);
		assert((step->next & TO(to)) != 0 || to == step->on_error);
	}
	fl->at = to;
}

/* Drive the flow from the step it has just come to until it waits or ends. */
static void run(struct flow *fl)
{
	for (int hops = 0; !at_end(fl); hops++) {
		int to;

		assert(hops < FLOW_HOPS_MAX);
		to = ask(fl);
		if (to == FLOW_WAIT)
			return;
		move(fl, to);
	}
	if (fl->ops_out == 0)
		loop_post(fl->loop, &fl->turn);
}

/* The wait is over, one way or the other: the present step's failure edge, with `err`. */
static void fail_step(struct flow *fl, enum errc err)
{
	fl->err = err;
	move(fl, FLOW_FAIL);
	run(fl);
}

/* ---- waiting ---- */

static void give_up(struct flow *fl)
{
	fl->op->given_up = true;
	fl->op = NULL;
	timer_clear(fl->loop, &fl->timer);
}

static void on_deadline(struct timer *t)
{
	struct flow *fl = CONTAINER_OF(t, struct flow, timer);
	enum errc late = fl->op->late;

	(void)deadline_cuts(fl);
	give_up(fl);
	fail_step(fl, late);
}

/* A cancel or the end, from the ready queue. */
static void on_turn(struct task *t)
{
	struct flow *fl = CONTAINER_OF(t, struct flow, turn);
	enum errc why = fl->cancelled;

	fl->cancelled = ERR_OK;
	if (why != ERR_OK && fl->op != NULL && !fl->cut) {
		fl->cut = true;
		give_up(fl);
		fail_step(fl, why);
		return; /* the question given up is still out: not the end yet */
	}
	end_if_ready(fl);
}

void flow_start(struct flow *fl)
{
	assert(fl->name != NULL && fl->steps != NULL && fl->loop != NULL && fl->done != NULL);
	assert(fl->op == NULL && fl->ops_out == 0 && !fl->ended);
	fl->started_us = clock_mono_us();
	fl->timer.on_due = on_deadline;
	fl->turn.run = on_turn;
	enlist(fl);
	run(fl);
}

void flow_cancel(struct flow *fl, enum errc why)
{
	assert(why != ERR_OK);
	if (fl->ended || fl->cut || fl->cancelled != ERR_OK)
		return;
	fl->cancelled = why;
	loop_post(fl->loop, &fl->turn);
}

/* ---- questions ---- */

static void on_op_failed(struct task *t)
{
	struct op *op = CONTAINER_OF(t, struct op, task);
	struct answer a = {.err = op->failed};

	op_answer(op, &a);
}

int op_ask(struct flow *fl, struct op *op)
{
	const struct flow_step *step = step_of(fl);
	int64_t at_ms = clock_mono_ms() + step->deadline_ms;

	assert(fl->running && fl->op == NULL); /* from an ask, one question in flight */
	assert(step->got != NULL && step->deadline_ms > 0);
	if (!fl->cut && fl->deadline_ms != 0 && fl->deadline_ms < at_ms)
		at_ms = fl->deadline_ms;
	*op = (struct op){.fl = fl, .deadline_ms = at_ms, .late = ERR_DEADLINE};
	op->task.run = on_op_failed;
	fl->op = op;
	fl->ops_out++;
	timer_set(fl->loop, &fl->timer, at_ms);
	return FLOW_WAIT;
}

void op_answer(struct op *op, const struct answer *a)
{
	struct flow *fl = op->fl;
	int to;

	assert(!fl->running); /* never from inside an ask or got */
	assert(!op->task.posted && fl->ops_out > 0 && !fl->ended);
	fl->ops_out--;
	if (op->given_up) {
		if (at_end(fl) && fl->ops_out == 0)
			loop_post(fl->loop, &fl->turn);
		return;
	}
	assert(fl->op == op);
	fl->op = NULL;
	timer_clear(fl->loop, &fl->timer);
	if (a->err != ERR_OK) {
		fail_step(fl, a->err);
		return;
	}
	fl->err = ERR_OK;
	fl->running = true;
	to = step_of(fl)->got(fl, a);
	fl->running = false;
	assert(to != FLOW_WAIT);
	move(fl, to);
	run(fl);
}

void op_fail(struct op *op, enum errc err)
{
	assert(err != ERR_OK);
	if (op->failed != ERR_OK)
		return;
	op->failed = err;
	loop_post(op->fl->loop, &op->task);
}
