#include "world.h"

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

const char *world_role;

enum { PATIENCE_MS = 30 * 1000, DEADLINE_MS = 20 * 1000 };

enum { ASK, DONE };

static struct question *question_of(struct flow *fl)
{
	return (struct question *)(void *)fl;
}

static int ask(struct flow *fl)
{
	return store_ask(fl, question_of(fl)->w->store, question_of(fl)->u);
}

static int got(struct flow *fl, const struct answer *a)
{
	struct question *q = question_of(fl);

	q->rows = answer_rows(a);
	if (q->got != NULL)
		q->got(q, a);
	return DONE;
}

/* A step's deadline stands in its table; ours comes from the flow. */
static const struct flow_step steps[] = {
	[ASK] = {"ask", ask, got, 3600 * 1000, DONE, TO(DONE)},
	[DONE] = {.name = "done"},
};

static void done(struct flow *fl)
{
	struct question *q = question_of(fl);

	q->err = fl->cause;
	q->place = ++q->w->answered;
	q->w->out--;
}

void question_init(struct question *q, struct world *w)
{
	memset(q, 0, sizeof(*q));
	q->w = w;
	q->deadline_ms = DEADLINE_MS;
	arena_init(&q->fl.arena, 64 << 20);
}

void question_ask(struct question *q, struct unit u)
{
	q->u = u;
	q->fl.name = "question";
	q->fl.steps = steps;
	q->fl.loop = q->w->loop;
	q->fl.done = done;
	q->fl.deadline_ms = clock_mono_ms() + q->deadline_ms;
	q->w->out++;
	flow_start(&q->fl);
}

void question_done(struct question *q)
{
	arena_done(&q->fl.arena);
}

static void on_state(void *arg, bool up)
{
	struct world *w = arg;

	w->up = up;
	if (!up && w->on_down != NULL)
		w->on_down(w);
}

struct world *world_with(const struct store_options *opt)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_options o = *opt;

	assert_non_null(w);
	w->loop = loop_new();
	o.program = "store-test";
	o.role = world_role;
	o.on_state = on_state;
	o.arg = w;
	w->store = store_new(w->loop, &o);
	return w;
}

struct world *world_new(const char *conninfo, int order_connections)
{
	struct store_options opt = {.conninfo = conninfo,
				    .order_connections = order_connections,
				    .job_connections = 1,
				    .read_connections = 1,
				    .lane_bound = 4096,
				    .statement_timeout_ms = 5000,
				    .audit_timeout_ms = 5000};
	struct world *w = world_with(&opt);

	world_wait_up(w, true);
	return w;
}

static void on_closed(void *arg)
{
	((struct world *)arg)->closed = true;
}

static bool is_closed(void *arg)
{
	return ((struct world *)arg)->closed && ((struct world *)arg)->out == 0;
}

void world_free(struct world *w)
{
	store_close(w->store, on_closed, w);
	world_spin(w, is_closed, w);
	loop_free(w->loop);
	if (w->ahead_us > 0)
		clock_fake(-1, -1);
	free(w);
}

struct patience {
	struct timer timer;
	bool over;
};

static void on_patience(struct timer *t)
{
	((struct patience *)(void *)t)->over = true;
}

/* The clock runs on, so much ahead. */
static void set_clock(const struct world *w)
{
	struct timespec real;

	if (w->ahead_us == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &real);
	clock_fake(real.tv_sec * INT64_C(1000000) + real.tv_nsec / 1000 + w->ahead_us, -1);
}

void world_skip(struct world *w, int64_t ms)
{
	w->ahead_us += ms * 1000;
	set_clock(w);
}

void world_spin(struct world *w, bool (*until)(void *arg), void *arg)
{
	struct patience p = {.timer.on_due = on_patience};

	set_clock(w);
	timer_set(w->loop, &p.timer, clock_mono_ms() + PATIENCE_MS);
	while (!until(arg) && !p.over) {
		uv_run(loop_uv(w->loop), UV_RUN_ONCE);
		set_clock(w);
	}
	timer_clear(w->loop, &p.timer);
	if (p.over)
		fail_msg("waited %d ms for nothing", PATIENCE_MS);
}

static bool all_answered(void *arg)
{
	return ((struct world *)arg)->out == 0;
}

void world_run(struct world *w)
{
	world_spin(w, all_answered, w);
}

static bool is_up(void *arg)
{
	return ((struct world *)arg)->up;
}

static bool is_down(void *arg)
{
	return !((struct world *)arg)->up;
}

void world_wait_up(struct world *w, bool up)
{
	world_spin(w, up ? is_up : is_down, w);
}

struct id test_id(unsigned n)
{
	struct id id = {{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80}};

	for (int i = 0; i < 4; i++)
		id.b[15 - i] = (uint8_t)(n >> (8 * i));
	id.b[10] = 1;
	return id;
}

struct id fresh_id(void)
{
	return id_new();
}
