/*
 * The store as its users see it: made, asked, closed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/store/internal.h"

enum { LANE_BOUND_DEFAULT = 4096, STATEMENT_TIMEOUT_DEFAULT_MS = 5000 };

/* Asks were made after this turn's events: make sure the turn ends instead of waiting for more. */
static void on_wake(struct task *t)
{
	(void)t;
}

/* The asks of one turn travel together. */
static void on_turn_end(void *arg)
{
	struct store *st = arg;

	for (int i = 0; i < STORE_LANES && !st->closing; i++)
		lane_kick(&st->lanes[i]);
}

static bool all_up(const struct store *st)
{
	for (int i = 0; i < STORE_LANES; i++) {
		const struct lane *l = &st->lanes[i];

		if (i == STORE_LANE_AUDIT) /* nobody's work waits for it */
			continue;
		if (l->n_conns > 0 && (l->n_up == 0 || l->unhealthy))
			return false;
	}
	return true;
}

void store_state_changed(struct store *st)
{
	bool up = all_up(st);

	if (st->closing || up == st->up)
		return;
	st->up = up;
	log_info("store_state", "up=%d", up);
	if (st->opt.on_state != NULL)
		st->opt.on_state(st->opt.arg, up);
}

bool store_is_up(const struct store *st)
{
	return st->up;
}

struct store *store_new(struct loop *l, const struct store_options *opt)
{
	struct store *st = mem_alloc(sizeof(*st));

	assert(opt->job_connections <= 1 && opt->order_connections >= 0 &&
	       opt->read_connections >= 0);
	*st = (struct store){.loop = l, .opt = *opt, .turn.run = on_wake};
	st->conninfo = mem_text(opt->conninfo != NULL ? opt->conninfo : "");
	st->program = mem_text(opt->program != NULL ? opt->program : "orderd");
	if (st->opt.lane_bound == 0)
		st->opt.lane_bound = LANE_BOUND_DEFAULT;
	if (st->opt.statement_timeout_ms == 0)
		st->opt.statement_timeout_ms = STATEMENT_TIMEOUT_DEFAULT_MS;
	keys_init(&st->keys);
	lane_init(&st->lanes[STORE_LANE_ORDER], st, STORE_LANE_ORDER, opt->order_connections);
	lane_init(&st->lanes[STORE_LANE_JOB], st, STORE_LANE_JOB, opt->job_connections);
	lane_init(&st->lanes[STORE_LANE_READ], st, STORE_LANE_READ, opt->read_connections);
	lane_init(&st->lanes[STORE_LANE_AUDIT], st, STORE_LANE_AUDIT, opt->audit_timeout_ms > 0);
	loop_on_turn_end(l, on_turn_end, st);
	for (int i = 0; i < STORE_LANES; i++) {
		for (int k = 0; k < st->lanes[i].n_conns; k++)
			conn_connect_soon(&st->lanes[i].conns[k]);
	}
	return st;
}

int64_t store_backlog_ms(const struct store *st)
{
	int64_t now = clock_mono_ms(), most = 0;

	for (int i = 0; i < STORE_LANE_AUDIT; i++) {
		const struct ask *a = st->lanes[i].ready.first;

		if (a != NULL && now - a->ready_ms > most)
			most = now - a->ready_ms;
	}
	return most;
}

bool store_is_late(struct store *st, const struct unit_kind *kind)
{
	return lane_is_late(&st->lanes[kind->lane]);
}

int store_ask(struct flow *fl, struct store *st, struct unit u)
{
	struct ask *a = arena_alloc(&fl->arena, sizeof(*a));

	u.head = arena_dup(&fl->arena, u.head, u.kind->head_size);
	if (a == NULL || u.head == NULL) {
		fl->err = ERR_TOO_LARGE;
		return FLOW_FAIL;
	}
	*a = (struct ask){.u = u,
			  .lane = &st->lanes[u.kind->lane],
			  .seq = ++st->seq,
			  .ready_ms = clock_mono_ms()};
	(void)op_ask(fl, &a->op);
	a->op.backend = "postgres";
	a->op.of_it = a->lane->law->name;
	a->bytes = unit_bytes(&a->u);
	if (st->closing)
		op_fail(&a->op, ERR_STORE_UNAVAILABLE);
	else
		lane_ask(a->lane, a);
	return FLOW_WAIT;
}

/* ---- closing ---- */

static void closed_if_ready(struct store *st)
{
	if (st->watches > 0)
		return;
	for (int i = 0; i < STORE_LANES; i++)
		free(st->lanes[i].conns);
	keys_done(&st->keys);
	free(st->conninfo);
	free(st->program);
	if (st->on_closed != NULL)
		st->on_closed(st->closed_arg);
	free(st);
}

void store_watch_closed(struct store *st)
{
	st->watches--;
	if (st->closing && st->closing_task.run == NULL)
		closed_if_ready(st);
}

/* From the ready queue: store_close() may have been called by a flow we were answering. */
static void on_close(struct task *t)
{
	struct store *st = (struct store *)((char *)t - offsetof(struct store, closing_task));

	st->closing_task.run = NULL;
	loop_off_turn_end(st->loop, on_turn_end, st);
	for (int i = 0; i < STORE_LANES; i++)
		lane_close(&st->lanes[i]);
	loop_unpost(st->loop, &st->turn);
	closed_if_ready(st);
}

void store_close(struct store *st, void (*on_closed)(void *arg), void *arg)
{
	assert(!st->closing);
	st->closing = true;
	st->on_closed = on_closed;
	st->closed_arg = arg;
	st->closing_task.run = on_close;
	loop_post(st->loop, &st->closing_task);
}
