#include "server/watch/watches.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/base/show.h"
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/watch/feeds.h"
#include "server/watch/watcher.h"
#include "sql.gen.h"

enum {
	ROUND_MAX = 512,      /* watchers in one question */
	ROUND_EVENTS = 16,    /* events of one watcher in one answer: what it may hold */
	ROUND_PAUSE_MS = 20,  /* between two rounds, so that hints of many turns share one */
	ROUND_ARENA = 131072, /* its lines, some 64 bytes and an owner each, and the question */
};

_Static_assert((int)ROUND_EVENTS == (int)WATCH_HOLD_MAX, "what is read can be held");

struct watches {
	struct app *app;
	struct watch_table table;
	struct watcher *all;
	int64_t n;
	struct watcher *due, *due_last;
	struct watcher *hinted; /* the last of those a hint made due: they go first */
	bool listening;         /* to hints */

	struct timer tick;
	int64_t poll_at_ms;
	struct timer next_round;
	int64_t round_at_ms; /* not before */
	struct flow reader;
	bool reading;
	struct watcher *round[ROUND_MAX]; /* NULL: it has gone */
	uint32_t n_round;

	void (*on_closed)(void *arg);
	void *closed_arg;
};

static struct watcher *watcher_of(struct watch_entry *e)
{
	return (struct watcher *)(void *)e;
}

/* ---- due ---- */

static void plan_round(struct watches *ws)
{
	int64_t now = clock_mono_ms();

	if (ws->due != NULL && !ws->reading)
		timer_set(ws->app->loop, &ws->next_round,
			  now > ws->round_at_ms ? now : ws->round_at_ms);
}

static void due_forget(struct watches *ws, struct watcher *w)
{
	if (!w->due)
		return;
	if (ws->hinted == w)
		ws->hinted = w->prev_due;
	w->due = w->hinted = false;
	if (w->prev_due != NULL)
		w->prev_due->next_due = w->next_due;
	else
		ws->due = w->next_due;
	if (w->next_due != NULL)
		w->next_due->prev_due = w->prev_due;
	else
		ws->due_last = w->prev_due;
}

/* Behind `prev`; NULL: first of all. */
static void due_insert(struct watches *ws, struct watcher *prev, struct watcher *w)
{
	w->due = true;
	w->prev_due = prev;
	w->next_due = prev != NULL ? prev->next_due : ws->due;
	if (prev != NULL)
		prev->next_due = w;
	else
		ws->due = w;
	if (w->next_due != NULL)
		w->next_due->prev_due = w;
	else
		ws->due_last = w;
	plan_round(ws);
}

void watches_due(struct watches *ws, struct watcher *w)
{
	if (w->reading)
		w->again = true; /* what is being read may be older */
	else if (!w->due)
		due_insert(ws, ws->due_last, w);
}

static struct watcher *due_take(struct watches *ws)
{
	struct watcher *w = ws->due;

	if (w != NULL)
		due_forget(ws, w);
	return w;
}

/*
 * The order moved: its watchers go before those that are only polled.  Who still holds something
 * looks again when that is sent.
 */
static void moved(struct watches *ws, struct watcher *w)
{
	w->again = true;
	if (w->reading || w->hinted || watcher_is_served(w))
		return;
	due_forget(ws, w);
	due_insert(ws, ws->hinted, w);
	ws->hinted = w;
	w->hinted = true;
}

static void on_hint(void *arg, struct id order)
{
	struct watches *ws = arg;

	feeds_moved(ws->app->feeds);
	for (struct watch_entry *e = watch_table_first(&ws->table, order); e != NULL;
	     e = watch_table_next(e))
		moved(ws, watcher_of(e));
}

void order_moved(struct app *app, struct id order)
{
	on_hint(app->watches, order);
	queue_hint(app->queue, order);
}

/* Not sent elsewhere: its payment's job, a moment later, is. */
void order_placed(struct app *app)
{
	feeds_moved(app->feeds);
}

/* ---- a round of the reader ---- */

enum { READ, DONE };

static struct watches *watches_of(struct flow *fl)
{
	return (struct watches *)(void *)((char *)fl - offsetof(struct watches, reader));
}

static int ask_events(struct flow *fl)
{
	struct watches *ws = watches_of(fl);
	struct watch_events_head h = {.most = ROUND_EVENTS};
	struct watch_events_line *lines = arena_array(&fl->arena, ROUND_MAX, sizeof(*lines));
	struct watcher *w;

	assert(lines != NULL); /* ROUND_ARENA */
	for (ws->n_round = 0; ws->n_round < ROUND_MAX && (w = due_take(ws)) != NULL;) {
		w->reading = true;
		w->again = false;
		w->place = ws->n_round;
		lines[ws->n_round] =
			(struct watch_events_line){.watch = (int32_t)ws->n_round,
						   .tenant = w->tenant,
						   .order_id = w->entry.order,
						   .after = w->hold.last,
						   .fresh = w->fresh,
						   .owner = arena_str(&fl->arena, w->owner)};
		/* a copy, for a watcher may leave before the answer; none would mean everybody's */
		assert(w->owner.p == NULL || lines[ws->n_round].owner.p != NULL);
		ws->round[ws->n_round++] = w;
	}
	metric_add(METRIC_watch_reads, NULL, 1);
	return store_ask(fl, ws->app->store, watch_events_unit(&h, lines, ws->n_round));
}

/* Every watcher's part of the round is over before the first goes on: none sees half a round. */
static int got_events(struct flow *fl, const struct answer *a)
{
	struct watches *ws = watches_of(fl);

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct watch_events_row r = watch_events_row(a, i);
		struct watcher *w = ws->round[r.watch];

		if (w != NULL)
			watcher_read(w, &r);
	}
	for (uint32_t i = 0; i < ws->n_round; i++)
		if (ws->round[i] != NULL)
			ws->round[i]->reading = false;
	for (uint32_t i = 0; i < ws->n_round; i++)
		if (ws->round[i] != NULL)
			watcher_go_on(ws->round[i]);
	ws->n_round = 0;
	return DONE;
}

/* clang-format off */
static const struct flow_step reader_steps[] = {
	/*         name           ask         got         ms    on error  next     */
	[READ] = {"watch_events", ask_events, got_events, 5000, DONE,     TO(DONE)}, /* the next poll asks again */
	[DONE] = {"done"},
};

/* clang-format on */

static void finish_closing(struct watches *ws)
{
	void (*on_closed)(void *arg) = ws->on_closed;
	void *arg = ws->closed_arg;

	watch_table_done(&ws->table);
	arena_done(&ws->reader.arena);
	free(ws);
	on_closed(arg);
}

/* Nothing was read: forget who was due, the poll makes everybody due. */
static void give_round_up(struct watches *ws)
{
	for (uint32_t i = 0; i < ws->n_round; i++)
		if (ws->round[i] != NULL)
			ws->round[i]->reading = false;
	ws->n_round = 0;
	while (due_take(ws) != NULL)
		;
}

static void on_reader_done(struct flow *fl)
{
	struct watches *ws = watches_of(fl);

	ws->reading = false;
	arena_reset(&fl->arena);
	if (fl->cause != ERR_OK)
		give_round_up(ws);
	if (ws->on_closed != NULL)
		finish_closing(ws);
	else
		plan_round(ws);
}

static void start_round(struct timer *t)
{
	struct watches *ws =
		(struct watches *)(void *)((char *)t - offsetof(struct watches, next_round));
	struct arena arena = ws->reader.arena;

	if (ws->reading || ws->due == NULL)
		return;
	ws->reading = true;
	ws->round_at_ms = clock_mono_ms() + ROUND_PAUSE_MS;
	ws->reader = (struct flow){.name = "watch_orders",
				   .steps = reader_steps,
				   .loop = ws->app->loop,
				   .arena = arena,
				   .done = on_reader_done};
	flow_start(&ws->reader);
}

/* ---- now and then ---- */

int64_t watch_tick_ms(const struct config *cfg)
{
	int64_t ms = cfg->watch_poll_ms;

	if (ms > cfg->watch_slow_ms / 4)
		ms = cfg->watch_slow_ms / 4;
	if (ms > cfg->watch_heartbeat_ms / 4)
		ms = cfg->watch_heartbeat_ms / 4;
	return ms;
}

static void on_tick(struct timer *t)
{
	struct watches *ws = (struct watches *)(void *)((char *)t - offsetof(struct watches, tick));
	int64_t now = clock_mono_ms();
	bool poll = now >= ws->poll_at_ms;

	if (ws->all == NULL)
		return; /* the next watcher sets it */
	timer_set(ws->app->loop, t, now + watch_tick_ms(&ws->app->cfg));
	if (poll)
		ws->poll_at_ms = now + ws->app->cfg.watch_poll_ms;
	for (struct watcher *w = ws->all; w != NULL; w = w->next) {
		watcher_look(w, now);
		if (poll && !w->reading && !watcher_is_served(w))
			watches_due(ws, w);
	}
}

static void start_ticking(struct watches *ws)
{
	int64_t now = clock_mono_ms();

	ws->poll_at_ms = now + ws->app->cfg.watch_poll_ms;
	timer_set(ws->app->loop, &ws->tick, now + watch_tick_ms(&ws->app->cfg));
}

/* ---- coming and going ---- */

void watches_listen(struct watches *ws)
{
	if (!ws->listening)
		queue_on_hint(ws->app->queue, on_hint, ws);
	ws->listening = true;
}

void watches_add(struct watches *ws, struct watcher *w)
{
	watch_table_add(&ws->table, &w->entry);
	w->prev = NULL;
	w->next = ws->all;
	if (w->next != NULL)
		w->next->prev = w;
	else
		start_ticking(ws);
	ws->all = w;
	metric_set(METRIC_watch_streams, NULL, ++ws->n);
	watches_listen(ws);
}

void watches_remove(struct watches *ws, struct watcher *w)
{
	watch_table_remove(&ws->table, &w->entry);
	due_forget(ws, w);
	if (w->reading)
		ws->round[w->place] = NULL;
	w->reading = false;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		ws->all = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	metric_set(METRIC_watch_streams, NULL, --ws->n);
}

/* ---- for people ---- */

static const char *state_of(const struct watcher *w)
{
	if (w->sending_since_ms != 0)
		return "sending";
	if (w->reading)
		return "reading";
	return w->due ? "due" : "idle";
}

static void show_watches(struct show *s, const void *arg)
{
	const struct watches *ws = arg;

	for (const struct watcher *w = ws->all; w != NULL && show_row(s); w = w->next) {
		show_id(s, w->entry.order);
		show_int(s, w->tenant);
		show_text(s, state_of(w));
		show_int(s, w->sent);
		show_int(s, w->taken);
		show_int(s, w->version);
		show_int(s, w->hold.n - w->hold.at);
		show_int(s, clock_mono_ms() - w->quiet_since_ms);
	}
}

void watches_offer(const struct watches *ws, struct show_board *b)
{
	show_offer(b, SHOW_watches, show_watches, ws);
}

struct watches *watches_new(struct app *app)
{
	struct watches *ws = mem_alloc(sizeof(*ws));

	ws->app = app;
	ws->tick.on_due = on_tick;
	ws->next_round.on_due = start_round;
	watch_table_init(&ws->table, app->cfg.max_watches);
	arena_init(&ws->reader.arena, ROUND_ARENA);
	metric_set(METRIC_watch_streams, NULL, 0);
	return ws;
}

void watches_close(struct watches *ws, void (*on_closed)(void *arg), void *arg)
{
	assert(ws->all == NULL && ws->on_closed == NULL);
	timer_clear(ws->app->loop, &ws->tick);
	timer_clear(ws->app->loop, &ws->next_round);
	ws->on_closed = on_closed;
	ws->closed_arg = arg;
	if (!ws->reading)
		finish_closing(ws);
}
