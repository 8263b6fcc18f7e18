/*
 * WatchOrder: every event of an order as it comes, once, in order, without gaps.
 *
 * One message is on its way at a time; the next leaves when flow control has let that one go.
 * What a watcher remembers is the sequence it has sent and a few events already read
 * (watch_hold.h), so a slow reader costs that much and no queue.  One that has not taken a
 * message for watch_slow_ms is ended and told where to go on: where depends on what it has
 * read, so it knows best itself, and resume_after is what has left this server.
 *
 * When nothing is read for it there is nothing to send: reading is watches.c.
 */
#include <inttypes.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metric.h"
#include "core/domain/order_state.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watcher.h"
#include "sql.gen.h"

static struct watches *watches_of(struct watcher *w)
{
	return rpc_app(w->fl)->watches;
}

/* ---- sending ---- */

static void send_message(struct watcher *w, Orderd__V1__WatchOrderResponse *rs)
{
	rs->sequence = w->sent;
	rs->state = w->state;
	rs->payment_state = w->payment_state;
	rs->fulfillment_state = w->fulfillment_state;
	w->sending_since_ms = w->quiet_since_ms = clock_mono_ms();
	rpc_send(w->fl, &rs->base);
}

static void send_event(struct watcher *w)
{
	Orderd__V1__WatchOrderResponse rs = ORDERD__V1__WATCH_ORDER_RESPONSE__INIT;

	rs.what_case = ORDERD__V1__WATCH_ORDER_RESPONSE__WHAT_EVENT;
	rs.event = watch_hold_pop(&w->hold);
	w->sent = rs.event->sequence;
	metric_add(METRIC_watch_events_sent, NULL, 1);
	send_message(w, &rs);
}

static void send_heartbeat(struct watcher *w)
{
	Orderd__V1__WatchOrderResponse rs = ORDERD__V1__WATCH_ORDER_RESPONSE__INIT;
	Orderd__V1__Heartbeat beat = ORDERD__V1__HEARTBEAT__INIT;

	rs.what_case = ORDERD__V1__WATCH_ORDER_RESPONSE__WHAT_HEARTBEAT;
	rs.heartbeat = &beat;
	send_message(w, &rs);
}

/* Send what is held; read on as soon as nothing is, while the last of it is still on its way. */
static void send_on(struct watcher *w)
{
	if (rpc_can_send(w->fl) && !watch_hold_is_empty(&w->hold))
		send_event(w);
	if (!watcher_is_served(w) && (w->again || w->version > w->hold.last))
		watches_due(watches_of(w), w);
	if (rpc_can_send(w->fl) && w->ended && w->sent >= w->version)
		rpc_end(w->fl, ERR_OK);
}

/* ---- what the reader brings ---- */

void watcher_read(struct watcher *w, const struct watch_events_row *r)
{
	struct order_events_row e = {.seq = r->seq,
				     .at = r->at,
				     .kind = r->kind,
				     .from_state = r->from_state,
				     .to_state = r->to_state,
				     .group_no = r->group_no,
				     .detail = r->detail,
				     .actor = r->actor};
	bool room = watch_hold_is_empty(&w->hold);
	enum watch_taken taken = watch_hold_take(&w->hold, &e);

	w->fresh = false;
	w->version = r->version;
	w->ended = r->settled && order_state_is_final(order_state_of(r->state));
	w->state = order_state_message(r->state);
	w->payment_state = payment_state_message(r->payment_state);
	w->fulfillment_state = fulfillment_state_message(r->fulfillment_state);
	if (taken == WATCH_GAP) {
		char text[ID_TEXT_SIZE];

		log_error("order_history_has_a_gap", "order=%s after=%" PRId64 " next=%" PRId64,
			  id_format(w->entry.order, text), w->hold.last, r->seq);
		rpc_end(w->fl, ERR_INTERNAL);
	} else if (taken == WATCH_FULL && room) {
		rpc_end(w->fl, ERR_TOO_LARGE); /* one event alone: it would never fit */
	}
}

void watcher_go_on(struct watcher *w)
{
	char text[ID_TEXT_SIZE];

	if (w->fresh) { /* answered, and not one row */
		rpc_about(w->fl, "orderd.v1.Order", str_of(id_format(w->entry.order, text)));
		rpc_end(w->fl, ERR_NOT_FOUND);
	} else if (w->version < w->hold.last) {
		rpc_violation(w->fl, "the order has not come so far", "after_sequence");
		rpc_end(w->fl, ERR_INVALID_ARGUMENT);
	} else {
		send_on(w);
	}
}

void watcher_look(struct watcher *w, int64_t now_ms)
{
	const struct config *cfg = &rpc_app(w->fl)->cfg;

	if (w->sending_since_ms != 0 && now_ms - w->sending_since_ms >= cfg->watch_slow_ms) {
		w->sending_since_ms = 0;
		metric_add(METRIC_watch_slow, NULL, 1);
		rpc_fact(w->fl, "resume_after", "%" PRId64, w->taken);
		rpc_end_text(w->fl, ERR_SLOW_READER, "SLOW_READER: %s; resume_after=%" PRId64,
			     err_text(ERR_SLOW_READER), w->taken);
	} else if (!w->fresh && rpc_can_send(w->fl) &&
		   now_ms - w->quiet_since_ms >= cfg->watch_heartbeat_ms) {
		send_heartbeat(w);
	}
}

/* ---- the stream ---- */

static void on_open(struct flow *fl)
{
	const Orderd__V1__WatchOrderRequest *rq = rpc_request(fl);
	struct watcher *w = rpc_state(fl);

	w->fl = fl;
	w->tenant = rpc_identity(fl)->tenant;
	w->owner = rpc_identity(fl)->customer;
	w->entry.order = fl->subject = want_order(fl, rq->order_id);
	w->sent = w->taken = want_range(fl, rq->after_sequence, 0, INT64_MAX, "after_sequence");
	w->fresh = true;
	w->quiet_since_ms = clock_mono_ms();
	watch_hold_init(&w->hold, w->sent);
	watches_add(watches_of(w), w);
	if (rpc_has_violations(fl))
		rpc_end(fl, ERR_INVALID_ARGUMENT);
	else if (!watch_callers_add(rpc_app(fl)->callers, fl, &w->caller))
		rpc_end(fl, ERR_TOO_MANY_WATCHES);
	else
		watches_due(watches_of(w), w);
}

static void on_sent(struct flow *fl)
{
	struct watcher *w = rpc_state(fl);

	w->sending_since_ms = 0;
	w->taken = w->sent;
	send_on(w);
}

static void on_close(struct flow *fl)
{
	struct watcher *w = rpc_state(fl);

	watch_callers_remove(rpc_app(fl)->callers, &w->caller);
	watches_remove(watches_of(w), w);
	watch_hold_done(&w->hold);
}

static const struct rpc_stream watch_order_stream = {
	.on_open = on_open, .on_sent = on_sent, .on_close = on_close};

const struct rpc_method RPC_WATCH_ORDER = {
	.path = "/orderd.v1.OrderService/WatchOrder",
	.name = "watch_order",
	.kind = RPC_SERVER_STREAM,
	.class = RPC_WATCH,
	.request = &orderd__v1__watch_order_request__descriptor,
	.response = &orderd__v1__watch_order_response__descriptor,
	.stream = &watch_order_stream,
	.state_size = sizeof(struct watcher),
	.slots = RPC_SLOTS_HOT, /* they all come back at once when a server has left */
};
