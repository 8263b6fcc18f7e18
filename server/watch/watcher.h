/*
 * One stream of WatchOrder, as watch_order.c (its life) and watches.c (the reader of all of
 * them) share it.
 */
#ifndef ORDERD_SERVER_WATCHER_H
#define ORDERD_SERVER_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/flow/flow.h"
#include "orderd/v1/order_service.pb-c.h"
#include "server/watch/watch_callers.h"
#include "server/watch/watch_hold.h"
#include "server/watch/watch_table.h"
#include "server/watch/watches.h"

struct watch_events_row;

struct watcher {
	struct watch_entry entry;   /* first */
	struct watch_caller caller; /* who watches */
	struct watcher *next, *prev;
	struct watcher *next_due, *prev_due;
	struct flow *fl; /* the call's */
	int32_t tenant;
	struct str owner; /* the only customer whose orders it may see; p == NULL: everybody's */

	bool hinted;    /* due, and because of a hint */
	bool due;       /* waits for a round */
	bool reading;   /* takes part in the one under way */
	bool again;     /* its order moved meanwhile, or while something was held */
	bool fresh;     /* nothing was read yet: there may be no such order */
	bool ended;     /* `version` is the last event there will be */
	uint32_t place; /* in the round */

	int64_t version; /* of the order, as last read */
	Orderd__V1__OrderState state;
	Orderd__V1__PaymentState payment_state;
	Orderd__V1__FulfillmentState fulfillment_state;

	struct watch_hold hold;
	int64_t sent;             /* sequence of the last event handed to gRPC */
	int64_t taken;            /* of the last one flow control has let go */
	int64_t sending_since_ms; /* 0: no message is on its way */
	int64_t quiet_since_ms;
};

/* ---- watches.c ---- */

void watches_add(struct watches *ws, struct watcher *w);
void watches_remove(struct watches *ws, struct watcher *w);
void watches_due(struct watches *ws, struct watcher *w); /* read it in one of the next rounds */

/* ---- watch_order.c ---- */

void watcher_read(struct watcher *w, const struct watch_events_row *r); /* a row of its order */
void watcher_go_on(struct watcher *w);                /* its part of the round is over */
void watcher_look(struct watcher *w, int64_t now_ms); /* now and then: too slow, too quiet? */

/* Wants no more than it has: something is held, or the end was read. */
static inline bool watcher_is_served(const struct watcher *w)
{
	return !watch_hold_is_empty(&w->hold) || (w->ended && w->hold.last >= w->version);
}

#endif
