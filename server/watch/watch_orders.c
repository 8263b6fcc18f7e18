/*
 * WatchOrders: every event of a tenant, or of one customer, to a follower that may come back with
 * the token of its last message, here or at another server.
 *
 *	new --> joined: sent from the ring of its tenant (feed.c)
 *	 |        ^ |
 *	 v        | v
 *	behind: sent from pages read for it (feed_catch.c)
 *
 * One message is on its way at a time, and what a follower remembers is the place it has come to.
 * A token is that place, and good for the same tenant and customer alone.
 */
#include <assert.h>

#include "core/base/clock.h"
#include "core/base/metric.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/feed.h"

#define LIST "feed"

_Static_assert((int)FEED_PLACE_SIZE <= (int)PAGE_PLACE_MAX, "a place fits a token");

static struct feeds *feeds_of(struct follower *w)
{
	return rpc_app(w->fl)->feeds;
}

/* ---- sending ---- */

static struct str token_of(struct follower *w, const struct feed_place *at,
			   char buf[PAGE_TOKEN_SIZE])
{
	char text[FEED_PLACE_SIZE];

	return page_token_write(w->fl, LIST, w->customer, feed_place_write(w->epoch, at, text),
				buf);
}

/*
 * What the ring has is everybody's; who is bound to a customer is not told all of it, and what
 * leaves for that one is changed (rpc_server.h: customer_view).
 */
static void send_copies(struct follower *w, Orderd__V1__WatchOrdersResponse *rs)
{
	Orderd__V1__OrderFeedEvent own[FEED_SEND], *list[FEED_SEND];
	Orderd__V1__OrderEvent events[FEED_SEND];

	assert(rs->n_events <= FEED_SEND);
	for (size_t i = 0; i < rs->n_events; i++) {
		own[i] = *rs->events[i];
		events[i] = *own[i].event;
		own[i].event = &events[i];
		list[i] = &own[i];
	}
	rs->events = list;
	rpc_send(w->fl, &rs->base);
}

static void send_events(struct follower *w, Orderd__V1__OrderFeedEvent **events, size_t n)
{
	Orderd__V1__WatchOrdersResponse rs = ORDERD__V1__WATCH_ORDERS_RESPONSE__INIT;
	char token[PAGE_TOKEN_SIZE];

	rs.events = events;
	rs.n_events = n;
	rs.resume_token = data_of(token_of(w, &w->place, token));
	w->greeted = true;
	w->sending_since_ms = w->quiet_since_ms = clock_mono_ms();
	metric_add(METRIC_feed_events_sent, NULL, n);
	if (rpc_identity(w->fl)->customer.p != NULL)
		send_copies(w, &rs);
	else
		rpc_send(w->fl, &rs.base);
}

static void move_to(struct follower *w, struct feed_place to)
{
	if (feed_place_cmp(&to, &w->place) > 0)
		w->place = to;
}

static void fall_behind(struct follower *w)
{
	w->state = FOLLOWER_BEHIND;
	w->pending = false;
	feeds_behind(feeds_of(w), w);
}

/* From the ring: those that are its, up to a message full; false: none was. */
static bool send_pending(struct follower *w)
{
	const struct feed_ring *ring = &w->feed->ring;
	Orderd__V1__OrderFeedEvent *events[FEED_SEND];
	size_t n = 0;

	for (; w->at < ring->end && n < FEED_SEND; w->at++) {
		const struct feed_event *e = feed_ring_at(ring, w->at);

		if (feed_place_cmp(&e->place, &w->place) <= 0)
			continue; /* a page of its own had it */
		w->place = e->place;
		if (w->customer.n == 0 || id_eq(e->whose, w->entry.order))
			events[n++] = e->message;
	}
	w->pending = w->at < ring->end;
	if (!w->pending)
		move_to(w, w->feed->upto);
	if (n > 0)
		send_events(w, events, n);
	return n > 0;
}

void follower_serve(struct follower *w)
{
	if (w->state != FOLLOWER_JOINED || !rpc_can_send(w->fl))
		return;
	if (w->pending && w->at < w->feed->ring.first)
		fall_behind(w);
	else if ((!w->pending || !send_pending(w)) && !w->greeted)
		send_events(w, NULL, 0);
}

/* false: it is behind what the ring has. */
static bool join(struct follower *w)
{
	if (!feed_ring_find(&w->feed->ring, &w->place, &w->at))
		return false;
	w->state = FOLLOWER_JOINED;
	w->pending = w->at < w->feed->ring.end;
	return true;
}

void follower_settle(struct follower *w)
{
	const struct feed *f = w->feed;

	if (!w->has_token) {
		w->epoch = f->epoch;
		w->place = w->taken = f->upto;
	}
	if (w->epoch != f->epoch)
		rpc_end(w->fl, ERR_FEED_BEGAN_ANEW);
	else if (feed_place_cmp(&w->place, &f->upto) <= 0 && join(w))
		feeds_ready(f->fs, w);
	else
		fall_behind(w); /* or ahead of what this process has read: the page will say */
}

void follower_caught(struct follower *w, Orderd__V1__OrderFeedEvent **events, size_t n,
		     struct feed_place upto)
{
	bool joined;

	move_to(w, upto);
	joined = join(w);
	if (n > 0 || (joined && !w->greeted))
		send_events(w, events, n); /* the rest when that has left */
	else if (joined)
		feeds_ready(w->feed->fs, w);
	else
		feeds_behind(w->feed->fs, w);
}

/* ---- now and then ---- */

/* What has left this server; where the reader is it knows better itself. */
static void end_with_token(struct follower *w, enum errc e)
{
	char token[PAGE_TOKEN_SIZE];

	if (w->state == FOLLOWER_NEW && !w->has_token)
		rpc_end_text(w->fl, e, "%s: %s", err_name(e), err_text(e));
	else
		rpc_end_text(w->fl, e, "%s: %s; resume_token=" STR_FMT, err_name(e), err_text(e),
			     STR_ARG(token_of(w, &w->taken, token)));
}

static bool is_known_still(struct follower *w, int64_t now_ms)
{
	if (now_ms - w->known_since_ms < rpc_app(w->fl)->cfg.watch_heartbeat_ms)
		return true;
	w->known_since_ms = now_ms;
	return rpc_identify_again(w->fl) != ERR_UNAUTHENTICATED;
}

void follower_look(struct follower *w, int64_t now_ms)
{
	const struct config *cfg = &rpc_app(w->fl)->cfg;

	if (!is_known_still(w, now_ms)) {
		rpc_end(w->fl, ERR_UNAUTHENTICATED);
	} else if (w->sending_since_ms != 0 && now_ms - w->sending_since_ms >= cfg->watch_slow_ms) {
		w->sending_since_ms = 0;
		metric_add(METRIC_watch_slow, NULL, 1);
		end_with_token(w, ERR_SLOW_READER);
	} else if (w->state == FOLLOWER_BEHIND && rpc_can_send(w->fl)) {
		feeds_behind(w->feed->fs, w); /* a page could not be read */
	} else if (w->state == FOLLOWER_JOINED && !w->pending && rpc_can_send(w->fl) &&
		   now_ms - w->quiet_since_ms >= cfg->watch_heartbeat_ms) {
		move_to(w, w->feed->upto);
		send_events(w, NULL, 0);
	}
}

/* ---- the stream ---- */

static void read_token(struct flow *fl, struct follower *w, struct str token)
{
	struct str place = page_token_open(fl, LIST, w->customer, token);

	w->has_token = feed_place_read(place, &w->epoch, &w->place);
	w->taken = w->place;
	if (!w->has_token)
		rpc_violation(fl, "it is not a token of this feed with this customer",
			      "resume_token");
}

static void on_open(struct flow *fl)
{
	const Orderd__V1__WatchOrdersRequest *rq = rpc_request(fl);
	struct follower *w = rpc_state(fl);

	w->fl = fl;
	w->quiet_since_ms = w->known_since_ms = clock_mono_ms();
	w->customer = may_customer(fl, rq->customer);
	if (!rpc_has_violations(fl) && rq->resume_token.len > 0)
		read_token(fl, w, text_of(rq->resume_token));
	if (rpc_has_violations(fl)) {
		rpc_end(fl, ERR_INVALID_ARGUMENT);
	} else if (!watch_callers_add(rpc_app(fl)->callers, fl, &w->caller)) {
		rpc_end(fl, ERR_TOO_MANY_WATCHES);
	} else {
		feeds_add(feeds_of(w), w, rpc_identity(fl)->tenant);
		if (w->feed->known)
			follower_settle(w);
	}
}

static void on_sent(struct flow *fl)
{
	struct follower *w = rpc_state(fl);

	w->sending_since_ms = 0;
	w->taken = w->place;
	if (w->feed == NULL)
		return;
	if (w->state == FOLLOWER_BEHIND)
		feeds_behind(w->feed->fs, w);
	else if (w->pending)
		feeds_ready(w->feed->fs, w);
}

static void on_drain(struct flow *fl)
{
	end_with_token(rpc_state(fl), ERR_DRAINING);
}

static void on_close(struct flow *fl)
{
	struct follower *w = rpc_state(fl);

	watch_callers_remove(rpc_app(fl)->callers, &w->caller);
	if (w->feed != NULL)
		feeds_remove(w->feed->fs, w);
}

static const struct rpc_stream watch_orders_stream = {
	.on_open = on_open, .on_sent = on_sent, .on_drain = on_drain, .on_close = on_close};

const struct rpc_method RPC_WATCH_ORDERS = {
	.path = "/orderd.v1.OrderService/WatchOrders",
	.name = "watch_orders",
	.kind = RPC_SERVER_STREAM,
	.class = RPC_WATCH,
	.request = &orderd__v1__watch_orders_request__descriptor,
	.response = &orderd__v1__watch_orders_response__descriptor,
	.stream = &watch_orders_stream,
	.state_size = sizeof(struct follower),
	.slots = RPC_SLOTS_HOT, /* they all come back at once when a server has left */
};
