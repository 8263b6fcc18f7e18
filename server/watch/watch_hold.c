#include "server/watch/watch_hold.h"

#include <assert.h>

#include "server/orders/order_message.h"
#include "sql.gen.h"

void watch_hold_init(struct watch_hold *h, int64_t after)
{
	*h = (struct watch_hold){.last = after};
	arena_init(&h->arena, WATCH_HOLD_BYTES);
}

void watch_hold_done(struct watch_hold *h)
{
	arena_done(&h->arena);
	h->at = h->n = 0;
}

enum watch_taken watch_hold_take(struct watch_hold *h, const struct order_events_row *r)
{
	Orderd__V1__OrderEvent *e;

	if (r->seq <= h->last)
		return WATCH_KNOWN;
	if (r->seq != h->last + 1)
		return WATCH_GAP;
	if (watch_hold_is_empty(h)) /* most of the time a watcher holds nothing, not even a page */
		watch_hold_done(h);
	if (h->n == WATCH_HOLD_MAX)
		return WATCH_FULL;
	e = event_message(&h->arena, r);
	if (e == NULL)
		return WATCH_FULL;
	h->events[h->n++] = e;
	h->last = r->seq;
	return WATCH_TAKEN;
}

Orderd__V1__OrderEvent *watch_hold_pop(struct watch_hold *h)
{
	assert(!watch_hold_is_empty(h));
	return h->events[h->at++];
}
