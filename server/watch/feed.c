/*
 * The reader of one tenant's feed.
 *
 * It asks for what is behind the place it has come to.  What is committed but held up by an older
 * transaction that still writes is asked for again soon, less soon each time, and in the end with
 * the poll.
 */
#include "server/watch/feed.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

/* Many feeds ask less often each, so that all of them ask some thousand times a second at most. */
static int64_t pause_ms(const struct feeds *fs)
{
	return fs->n_feeds > FEED_PAUSE_MS ? fs->n_feeds : FEED_PAUSE_MS;
}

static void read_not_before(struct feed *f, int64_t at_ms)
{
	timer_set(f->fs->app->loop, &f->next_read, at_ms > f->read_at_ms ? at_ms : f->read_at_ms);
}

void feed_due(struct feed *f)
{
	if (f->reading)
		f->again = true; /* what is being read may be older */
	else
		read_not_before(f, clock_mono_ms());
}

/* ---- what was read ---- */

static void end_all(struct feed *f, enum errc e)
{
	for (struct follower *w = f->fs->all, *next; w != NULL; w = next) {
		next = w->next;
		if (w->feed == f)
			rpc_end(w->fl, e);
	}
	feed_ring_done(&f->ring);
	f->known = false;
}

static void wake(struct feed *f, struct id whose, uint64_t at)
{
	for (struct watch_entry *e = watch_table_first(&f->fs->followers, whose); e != NULL;
	     e = watch_table_next(e)) {
		struct follower *w = (struct follower *)(void *)e;

		if (w->state != FOLLOWER_JOINED || w->pending)
			continue;
		w->pending = true;
		w->at = at;
		if (rpc_can_send(w->fl)) /* else when that has left */
			feeds_ready(f->fs, w);
	}
}

static uint32_t most_pages(const struct feeds *fs)
{
	uint32_t most = FEED_PAGES_ALL / fs->n_feeds;

	return most > 0 ? most : 1;
}

/* false: an event that cannot be told. */
static bool take_events(struct feed *f, const struct answer *a)
{
	uint64_t from = f->ring.end;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct feed_events_row r = feed_events_row(a, i);
		uint64_t at = f->ring.end;
		struct id whose;

		if (r.xid == 0)
			continue; /* there is none */
		whose = feed_whose(f->tenant, r.customer);
		if (!feed_ring_push(&f->ring, &r, whose, most_pages(f->fs)))
			return false;
		f->upto = feed_row_place(&r);
		wake(f, whose, at);
	}
	if (f->ring.end > from)
		wake(f, feed_whose(f->tenant, STR("")), from);
	return true;
}

static void begin(struct feed *f, const struct feed_events_row *r)
{
	f->known = true;
	f->epoch = r->epoch;
	f->upto = feed_place_at(r->horizon);
	feed_ring_init(&f->ring, f->upto);
	for (struct follower *w = f->fs->all, *next; w != NULL; w = next) {
		next = w->next;
		if (w->feed == f && w->state == FOLLOWER_NEW)
			follower_settle(w);
	}
}

/* The next question at once when there may be more, soon while something is held up. */
static void go_on(struct feed *f, const struct feed_events_row *r, bool more)
{
	int64_t now = clock_mono_ms(), poll = f->fs->app->cfg.watch_poll_ms;

	f->held_since_us = r->held_since != DB_NULL ? r->held_since : 0;
	if (more)
		f->read_at_ms = now;
	else
		f->upto = feed_place_at(r->horizon);
	if (more)
		f->next_ms = now;
	else if (f->held_since_us > 0)
		f->next_ms = now + f->held_ms;
	f->held_ms = f->held_since_us == 0 ? FEED_PAUSE_MS : f->held_ms * 2;
	if (f->held_ms > poll)
		f->held_ms = poll;
}

static void take_answer(struct feed *f, const struct answer *a)
{
	struct feed_events_row r = feed_events_row(a, 0);

	if (r.epoch == DB_NULL) {
		end_all(f, ERR_FEED_NOT_READY);
	} else if (!f->known) {
		begin(f, &r);
		go_on(f, &r, false);
	} else if (r.epoch != f->epoch || r.horizon < f->upto.xid) {
		log_warn("feed_begins_anew", "tenant=%d", f->tenant);
		end_all(f, ERR_FEED_BEGAN_ANEW);
	} else if (take_events(f, a)) {
		go_on(f, &r, answer_rows(a) == FEED_READ);
	} else {
		log_error("feed_event_too_large", "tenant=%d", f->tenant);
		end_all(f, ERR_TOO_LARGE);
	}
}

/* ---- the flow ---- */

enum { READ, DONE };

static struct feed *feed_of(struct flow *fl)
{
	return (struct feed *)(void *)((char *)fl - offsetof(struct feed, reader));
}

static int ask_events(struct flow *fl)
{
	struct feed *f = feed_of(fl);
	struct feed_events_head h = {.tenant = f->tenant,
				     .fresh = !f->known,
				     .after_xid = f->upto.xid,
				     .after_order = f->upto.order,
				     .after_seq = f->upto.seq,
				     .most = FEED_READ};

	metric_add(METRIC_feed_reads, NULL, 1);
	return store_ask(fl, f->fs->app->store, feed_events_unit(&h, NULL, 0));
}

static int got_events(struct flow *fl, const struct answer *a)
{
	struct feed *f = feed_of(fl);

	if (!f->orphan && answer_rows(a) > 0)
		take_answer(f, a);
	return DONE;
}

/* clang-format off */
static const struct flow_step reader_steps[] = {
	/*         name           ask         got         ms    on error  next     */
	[READ] = {"feed_events", ask_events, got_events, 5000, DONE,     TO(DONE)}, /* the next poll asks again */
	[DONE] = {"done"},
};

/* clang-format on */

static void feed_free(struct feed *f)
{
	timer_clear(f->fs->app->loop, &f->next_read);
	feed_ring_done(&f->ring);
	arena_done(&f->reader.arena);
	free(f);
}

static void on_reader_done(struct flow *fl)
{
	struct feed *f = feed_of(fl);
	struct feeds *fs = f->fs;

	f->reading = false;
	arena_reset(&fl->arena);
	if (f->orphan)
		feed_free(f);
	else if (f->again && fl->cause == ERR_OK)
		feed_due(f);
	else if (f->next_ms > 0)
		read_not_before(f, f->next_ms);
	feeds_read_done(fs);
}

static void start_read(struct timer *t)
{
	struct feed *f = (struct feed *)(void *)((char *)t - offsetof(struct feed, next_read));
	struct arena arena = f->reader.arena;
	struct loop *loop = f->fs->app->loop;

	f->reading = true;
	f->again = false;
	f->next_ms = 0;
	f->read_at_ms = clock_mono_ms() + pause_ms(f->fs);
	f->fs->reading++;
	f->reader = (struct flow){.name = "feed",
				  .steps = reader_steps,
				  .loop = loop,
				  .arena = arena,
				  .done = on_reader_done};
	flow_start(&f->reader);
}

struct feed *feed_new(struct feeds *fs, int32_t tenant)
{
	struct feed *f = mem_alloc(sizeof(*f));

	f->fs = fs;
	f->tenant = tenant;
	f->held_ms = FEED_PAUSE_MS;
	f->next_read.on_due = start_read;
	arena_init(&f->reader.arena, FEED_ARENA);
	feed_due(f);
	return f;
}

void feed_left(struct feed *f)
{
	timer_clear(f->fs->app->loop, &f->next_read);
	if (f->reading)
		f->orphan = true;
	else
		feed_free(f);
}
