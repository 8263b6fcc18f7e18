/*
 * Pages for followers who are behind the ring: a place from yesterday, or a reader that was slow
 * for a while.  A few are read at a time, one for each follower in turn, and only for those who
 * can be sent it: nothing read is kept.
 */
#include <assert.h>
#include <stddef.h>

#include "core/base/metric.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/runtime/rpc.h"
#include "server/watch/feed.h"
#include "sql.gen.h"

enum { READ, DONE };

static struct feed_catcher *catcher_of(struct flow *fl)
{
	return (struct feed_catcher *)(void *)((char *)fl - offsetof(struct feed_catcher, fl));
}

static int ask_page(struct flow *fl)
{
	struct feed_catcher *c = catcher_of(fl);
	const struct follower *w = c->w;
	struct feed_events_head h = {.tenant = w->feed->tenant,
				     .after_xid = w->place.xid,
				     .after_order = w->place.order,
				     .after_seq = w->place.seq,
				     .most = FEED_SEND};

	/* Its own copy: the follower may leave before the store has asked. */
	if (w->customer.n > 0 && (h.customer = arena_str(&fl->arena, w->customer)).p == NULL) {
		fl->err = ERR_TOO_LARGE;
		return FLOW_FAIL;
	}
	metric_add(METRIC_feed_catch_ups, NULL, 1);
	return store_ask(fl, c->fs->app->store, feed_events_unit(&h, NULL, 0));
}

/* Those it wants: where a customer has many orders the page has everybody's. */
static bool take_rows(struct flow *fl, const struct answer *a, const struct follower *w,
		      Orderd__V1__OrderFeedEvent **events, size_t *ret_n)
{
	*ret_n = 0;
	for (uint32_t i = 0; i < answer_rows(a) && i < FEED_SEND; i++) {
		struct feed_events_row r = feed_events_row(a, i);

		if (r.xid == 0 || (w->customer.n > 0 && !str_eq(w->customer, r.customer)))
			continue;
		events[*ret_n] = feed_event_message(&fl->arena, &r);
		if (events[(*ret_n)++] == NULL)
			return false;
	}
	return true;
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__OrderFeedEvent *events[FEED_SEND];
	struct follower *w = catcher_of(fl)->w;
	uint32_t n = answer_rows(a);
	struct feed_events_row last;
	size_t n_events;

	if (w == NULL || n == 0)
		return DONE;
	catcher_of(fl)->w = NULL;
	w->catcher = NULL;
	last = feed_events_row(a, n - 1);
	if (last.epoch == DB_NULL)
		rpc_end(w->fl, ERR_FEED_NOT_READY);
	else if (last.epoch != w->epoch || w->place.xid > last.horizon)
		rpc_end(w->fl, ERR_FEED_BEGAN_ANEW);
	else if (!take_rows(fl, a, w, events, &n_events))
		rpc_end(w->fl, ERR_TOO_LARGE);
	else
		follower_caught(w, events, n_events,
				n == FEED_SEND ? feed_row_place(&last)
					       : feed_place_at(last.horizon));
	return DONE;
}

/* clang-format off */
static const struct flow_step catch_steps[] = {
	/*         name           ask       got       ms    on error  next     */
	[READ] = {"feed_page",   ask_page, got_page, 5000, DONE,     TO(DONE)}, /* follower_look() asks again */
	[DONE] = {"done"},
};

/* clang-format on */

static void on_done(struct flow *fl)
{
	struct feed_catcher *c = catcher_of(fl);
	struct feeds *fs = c->fs;

	if (c->w != NULL)
		c->w->catcher = NULL;
	c->w = NULL;
	c->busy = false;
	arena_done(&fl->arena);
	feed_catch(fs);
	feeds_read_done(fs);
}

static void start(struct feed_catcher *c, struct follower *w)
{
	c->busy = true;
	c->w = w;
	w->catcher = c;
	c->fs->reading++;
	c->fl = (struct flow){.name = "feed_catch",
			      .steps = catch_steps,
			      .loop = c->fs->app->loop,
			      .done = on_done};
	arena_init(&c->fl.arena, FEED_CATCH_ARENA);
	flow_start(&c->fl);
}

void feed_catch(struct feeds *fs)
{
	for (int i = 0; i < FEED_CATCHERS; i++) {
		struct follower *w = NULL;

		if (fs->catchers[i].busy)
			continue;
		while ((w = queue_pop(&fs->behind)) != NULL && !rpc_can_send(w->fl))
			; /* when its message has left it comes again */
		if (w == NULL)
			return;
		start(&fs->catchers[i], w);
	}
}

void feed_catchers_init(struct feeds *fs)
{
	for (int i = 0; i < FEED_CATCHERS; i++)
		fs->catchers[i].fs = fs;
}

void feed_catchers_done(struct feeds *fs)
{
	for (int i = 0; i < FEED_CATCHERS; i++)
		assert(!fs->catchers[i].busy);
}
