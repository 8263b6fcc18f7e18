/*
 * What the tests of the queue share; see queue_world.h.
 */
#include "tests/integration/queue_world.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"

enum { PATIENCE_MS = 20000, TICK_MS = 5, ASK_MS = 10000 };

static void on_tick(struct timer *t)
{
	(void)t; /* its coming ends the turn, that is all */
}

void world_until(struct world *w, bool (*holds)(void *arg), void *arg, const char *what)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (!holds(arg)) {
		if (clock_mono_ms() > until_ms)
			fail_msg("waited too long: %s", what);
		timer_set(w->loop, &w->tick, clock_mono_ms() + TICK_MS);
		(void)uv_run(loop_uv(w->loop), UV_RUN_ONCE);
	}
	timer_clear(w->loop, &w->tick);
}

void world_turns(struct world *w, int n)
{
	for (int i = 0; i < n; i++)
		(void)uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
}

/* ---- life ---- */

struct queue *world_queue(struct world *w, const char *address)
{
	return queue_new(w->loop, &(struct queue_options){.address = address,
							  .timeout_ms = WORLD_TIMEOUT_MS,
							  .hold_s = WORLD_HOLD_S,
							  .stream_window = WORLD_WINDOW});
}

static bool is_up(void *queue)
{
	return queue_is_up(queue);
}

static bool is_down(void *queue)
{
	return !queue_is_up(queue);
}

void world_up(struct world *w, struct queue *q, bool up)
{
	world_until(w, up ? is_up : is_down, q, up ? "the queue is up" : "the queue is down");
}

static void on_closed(void *arg)
{
	struct world *w = arg;

	w->closed++;
}

static bool is_set(void *flag)
{
	return *(const int *)flag > 0;
}

void world_close_queue(struct world *w, struct queue *q)
{
	w->closed = 0;
	queue_close(q, on_closed, w);
	world_until(w, is_set, &w->closed, "the queue is closed");
}

int world_open(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));

	log_open("test", LOG_ERROR);
	w->loop = loop_new();
	w->tick.on_due = on_tick;
	w->redis = redis_server_start();
	w->queue = world_queue(w, redis_server_address(w->redis));
	world_up(w, w->queue, true);
	world_write_epoch(w, w->queue, 1);
	queue_know_epoch(w->queue, 1);
	*state = w;
	return 0;
}

int world_close(void **state)
{
	struct world *w = *state;

	timer_clear(w->loop, &w->tick);
	if (w->queue != NULL)
		world_close_queue(w, w->queue);
	redis_server_stop(w->redis);
	loop_free(w->loop);
	free(w);
	return 0;
}

/* ---- one question ---- */

enum { ASK, END };

static struct question *question_of(struct flow *fl)
{
	return (struct question *)(void *)((char *)fl - offsetof(struct question, fl));
}

static int ask(struct flow *fl)
{
	return question_of(fl)->ask(fl);
}

static int ask_hold(struct flow *fl)
{
	struct question *qu = question_of(fl);

	return queue_ask_hold(fl, qu->queue, qu->tenant, qu->order, qu->lines, qu->n_lines);
}

static int ask_expire(struct flow *fl)
{
	return queue_ask_expire_holds(fl, question_of(fl)->queue);
}

static int ask_generations(struct flow *fl)
{
	return queue_ask_generations(fl, question_of(fl)->queue, question_of(fl)->generation);
}

static int ask_epoch(struct flow *fl)
{
	return queue_ask_epoch(fl, question_of(fl)->queue, question_of(fl)->epoch);
}

static int ask_streams(struct flow *fl)
{
	return queue_ask_streams(fl, question_of(fl)->queue, question_of(fl)->role);
}

static int got(struct flow *fl, const struct answer *a)
{
	struct question *qu = question_of(fl);

	if (qu->ask == ask_hold)
		qu->hold = *queue_hold_answer(a);
	else if (qu->ask == ask_expire)
		qu->number = queue_expired_holds(a);
	else if (qu->ask == ask_generations)
		qu->mask = queue_generations_made(a);
	else if (qu->ask == ask_streams)
		memcpy(qu->streams, queue_streams(a), sizeof(qu->streams));
	return END;
}

static void done(struct flow *fl)
{
	struct question *qu = question_of(fl);

	qu->cause = fl->cause;
	qu->ended = true;
	arena_done(&fl->arena);
}

void question_start(struct question *qu)
{
	static const struct flow_step steps[] = {
		[ASK] = {"ask", ask, got, ASK_MS, END, TO(END)},
		[END] = {.name = "end"},
	};

	qu->fl = (struct flow){
		.name = "question", .steps = steps, .loop = qu->w->loop, .done = done};
	arena_init(&qu->fl.arena, 1 << 20);
	flow_start(&qu->fl);
}

static bool has_ended(void *question)
{
	return ((struct question *)question)->ended;
}

void question_wait(struct question *qu)
{
	world_until(qu->w, has_ended, qu, "an answer");
}

static struct question question(struct world *w, int (*what)(struct flow *fl))
{
	return (struct question){.w = w, .queue = w->queue, .ask = what};
}

struct question question_hold(struct world *w, struct id order, const struct hold_line *lines,
			      uint32_t n)
{
	struct question qu = question(w, ask_hold);

	qu.tenant = 1;
	qu.order = order;
	qu.n_lines = n;
	memcpy(qu.lines, lines, n * sizeof(lines[0]));
	return qu;
}

static void answer_now(struct question *qu)
{
	question_start(qu);
	question_wait(qu);
	assert_int_equal(qu->cause, ERR_OK);
}

struct hold_answer world_hold(struct world *w, struct id order, const struct hold_line *lines,
			      uint32_t n)
{
	struct question qu = question_hold(w, order, lines, n);

	answer_now(&qu);
	return qu.hold;
}

int64_t world_expire(struct world *w)
{
	struct question qu = question(w, ask_expire);

	answer_now(&qu);
	return qu.number;
}

void world_write_epoch(struct world *w, struct queue *q, int64_t epoch)
{
	struct question qu = question(w, ask_epoch);

	qu.queue = q;
	qu.epoch = epoch;
	answer_now(&qu);
}

uint64_t world_write_generations(struct world *w, const int64_t generation[ID_SHARDS])
{
	struct question qu = question(w, ask_generations);

	qu.generation = generation;
	answer_now(&qu);
	return qu.mask;
}

void world_streams(struct world *w, enum queue_role role,
		   struct stream_state ret[ID_SHARDS * QUEUE_PRIORITIES])
{
	struct question qu = question(w, ask_streams);

	qu.role = role;
	answer_now(&qu);
	memcpy(ret, qu.streams, sizeof(qu.streams));
}
