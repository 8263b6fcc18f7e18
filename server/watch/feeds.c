#include "server/watch/feeds.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/base/show.h"
#include "server/app.h"
#include "server/watch/feed.h"
#include "server/watch/watches.h"

/* ---- queues ---- */

void queue_push(struct follower_queue *q, struct follower *w)
{
	assert(w->in == NULL);
	w->in = q;
	w->next_in = NULL;
	w->prev_in = q->last;
	if (q->last != NULL)
		q->last->next_in = w;
	else
		q->first = w;
	q->last = w;
}

void queue_leave(struct follower *w)
{
	struct follower_queue *q = w->in;

	if (q == NULL)
		return;
	w->in = NULL;
	if (w->prev_in != NULL)
		w->prev_in->next_in = w->next_in;
	else
		q->first = w->next_in;
	if (w->next_in != NULL)
		w->next_in->prev_in = w->prev_in;
	else
		q->last = w->prev_in;
}

struct follower *queue_pop(struct follower_queue *q)
{
	struct follower *w = q->first;

	if (w != NULL)
		queue_leave(w);
	return w;
}

/* ---- turns: so many followers, then whatever else waits for the loop ---- */

static void plan_turn(struct feeds *fs)
{
	if (fs->turn.slot == 0)
		timer_set(fs->app->loop, &fs->turn, clock_mono_ms());
}

/* Orders move by the thousand, and feeds may be many: once a turn is enough. */
void feeds_moved(struct feeds *fs)
{
	if (fs->first == NULL || fs->moved)
		return;
	fs->moved = true;
	plan_turn(fs);
}

static void all_due(struct feeds *fs)
{
	fs->moved = false;
	for (struct feed *f = fs->first; f != NULL; f = f->next)
		feed_due(f);
}

/* Who becomes ready meanwhile is served in the next one. */
static void on_turn(struct timer *t)
{
	struct feeds *fs = (struct feeds *)(void *)((char *)t - offsetof(struct feeds, turn));
	struct follower *w;

	if (fs->moved)
		all_due(fs);
	for (int n = 0; n < FEED_TURN && (w = queue_pop(&fs->ready)) != NULL; n++)
		follower_serve(w);
	feed_catch(fs);
	if (fs->ready.first != NULL) /* not in this turn: the network has its part */
		timer_set(fs->app->loop, &fs->turn, clock_mono_ms() + 1);
}

void feeds_ready(struct feeds *fs, struct follower *w)
{
	if (w->in != NULL)
		return;
	queue_push(&fs->ready, w);
	plan_turn(fs);
}

void feeds_behind(struct feeds *fs, struct follower *w)
{
	if (w->in != NULL || w->catcher != NULL)
		return;
	queue_push(&fs->behind, w);
	plan_turn(fs);
}

/* ---- now and then ---- */

static void show_held_up(const struct feeds *fs)
{
	int64_t now = clock_wall_us(), longest = 0;

	for (const struct feed *f = fs->first; f != NULL; f = f->next)
		if (f->held_since_us > 0 && now - f->held_since_us > longest)
			longest = now - f->held_since_us;
	metric_set(METRIC_feed_held_up_seconds, NULL, longest / 1000000);
}

static void on_tick(struct timer *t)
{
	struct feeds *fs = (struct feeds *)(void *)((char *)t - offsetof(struct feeds, tick));
	int64_t now = clock_mono_ms();

	show_held_up(fs);
	if (fs->all == NULL)
		return; /* the next follower sets it */
	timer_set(fs->app->loop, t, now + watch_tick_ms(&fs->app->cfg));
	if (now >= fs->poll_at_ms) {
		fs->poll_at_ms = now + fs->app->cfg.watch_poll_ms;
		feeds_moved(fs);
	}
	for (struct follower *w = fs->all; w != NULL; w = w->next)
		follower_look(w, now);
}

/* ---- coming and going ---- */

static struct feed *feed_of(struct feeds *fs, int32_t tenant)
{
	struct feed *f = fs->first;

	while (f != NULL && f->tenant != tenant)
		f = f->next;
	if (f != NULL)
		return f;
	f = feed_new(fs, tenant);
	f->next = fs->first;
	if (f->next != NULL)
		f->next->prev = f;
	fs->first = f;
	fs->n_feeds++;
	return f;
}

void feeds_add(struct feeds *fs, struct follower *w, int32_t tenant)
{
	w->entry.order = feed_whose(tenant, w->customer);
	watch_table_add(&fs->followers, &w->entry);
	w->prev = NULL;
	w->next = fs->all;
	if (w->next != NULL)
		w->next->prev = w;
	else
		timer_set(fs->app->loop, &fs->tick, clock_mono_ms() + watch_tick_ms(&fs->app->cfg));
	fs->all = w;
	w->feed = feed_of(fs, tenant);
	w->feed->n++;
	metric_set(METRIC_feed_streams, NULL, ++fs->n);
	watches_listen(fs->app->watches);
}

static void feed_unlink(struct feeds *fs, struct feed *f)
{
	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		fs->first = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	fs->n_feeds--;
	feed_left(f);
}

void feeds_remove(struct feeds *fs, struct follower *w)
{
	watch_table_remove(&fs->followers, &w->entry);
	queue_leave(w);
	if (w->catcher != NULL)
		w->catcher->w = NULL;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		fs->all = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	metric_set(METRIC_feed_streams, NULL, --fs->n);
	if (--w->feed->n == 0)
		feed_unlink(fs, w->feed);
	w->feed = NULL;
}

/* ---- for people ---- */

static const char *state_of(const struct feed *f)
{
	if (f->reading)
		return "reading";
	return !f->known ? "unknown" : f->held_since_us > 0 ? "held up" : "idle";
}

static void show_feeds(struct show *s, const void *arg)
{
	const struct feeds *fs = arg;

	for (const struct feed *f = fs->first; f != NULL && show_row(s); f = f->next) {
		int64_t behind = 0;

		for (const struct follower *w = fs->all; w != NULL; w = w->next)
			behind += w->feed == f && w->state == FOLLOWER_BEHIND;
		show_int(s, f->tenant);
		show_int(s, f->n);
		show_int(s, behind);
		show_int(s, (int64_t)(f->ring.end - f->ring.first));
		show_int(s, (int64_t)f->ring.end);
		show_int(s, f->upto.xid);
		show_text(s, state_of(f));
	}
}

void feeds_offer(const struct feeds *fs, struct show_board *b)
{
	show_offer(b, SHOW_feeds, show_feeds, fs);
}

/* ---- the beginning and the end ---- */

struct feeds *feeds_new(struct app *app)
{
	struct feeds *fs = mem_alloc(sizeof(*fs));

	fs->app = app;
	fs->turn.on_due = on_turn;
	fs->tick.on_due = on_tick;
	watch_table_init(&fs->followers, app->cfg.max_watches);
	feed_catchers_init(fs);
	metric_set(METRIC_feed_streams, NULL, 0);
	metric_set(METRIC_feed_held_up_seconds, NULL, 0);
	return fs;
}

static void finish_closing(struct feeds *fs)
{
	void (*on_closed)(void *arg) = fs->on_closed;
	void *arg = fs->closed_arg;

	watch_table_done(&fs->followers);
	feed_catchers_done(fs);
	free(fs);
	on_closed(arg);
}

void feeds_read_done(struct feeds *fs)
{
	assert(fs->reading > 0);
	if (--fs->reading == 0 && fs->on_closed != NULL)
		finish_closing(fs);
}

void feeds_close(struct feeds *fs, void (*on_closed)(void *arg), void *arg)
{
	assert(fs->all == NULL && fs->first == NULL && fs->on_closed == NULL);
	timer_clear(fs->app->loop, &fs->turn);
	timer_clear(fs->app->loop, &fs->tick);
	fs->on_closed = on_closed;
	fs->closed_arg = arg;
	if (fs->reading == 0)
		finish_closing(fs);
}
