/*
 * The last events of a tenant's feed, as messages ready to be sent: bounded pages, the oldest is
 * given up for a new one.  Events are counted from 0 on for as long as the ring lives; a reader is
 * such a number.
 */
#ifndef ORDERD_SERVER_FEED_RING_H
#define ORDERD_SERVER_FEED_RING_H

#include "core/base/arena.h"
#include "orderd/v1/order_service.pb-c.h"
#include "server/watch/feed_place.h"

struct feed_events_row;

enum {
	FEED_PAGE_EVENTS = 64,
	FEED_PAGE_BYTES = 256 * 1024, /* of their messages; one takes less than 2 KiB */
	FEED_PAGES = 16,              /* of one ring at most */
};

struct feed_event {
	struct feed_place place;
	struct id whose; /* feed_whose() of its customer */
	Orderd__V1__OrderFeedEvent *message;
};

struct feed_page;

struct feed_ring {
	struct feed_page *pages[FEED_PAGES]; /* event n is of page n / FEED_PAGE_EVENTS, modulo */
	uint64_t first, end;                 /* the oldest kept, and behind the newest */
	struct feed_place floor;             /* everything behind it is kept */
};

/* Empty; what is behind `floor` will be pushed. */
void feed_ring_init(struct feed_ring *r, struct feed_place floor);
void feed_ring_done(struct feed_ring *r);

/* Behind all others; pages beyond `most` (at least 1) are given up.  false: a message too large. */
bool feed_ring_push(struct feed_ring *r, const struct feed_events_row *row, struct id whose,
		    uint32_t most);

/* first <= n < end. */
const struct feed_event *feed_ring_at(const struct feed_ring *r, uint64_t n);

/* The first event behind `place`, or the end; false: some of those before it were given up. */
bool feed_ring_find(const struct feed_ring *r, const struct feed_place *place, uint64_t *ret);

/* By whom events are found: one customer's, or (empty) everybody's. */
struct id feed_whose(int32_t tenant, struct str customer);

struct feed_place feed_row_place(const struct feed_events_row *row);

/* In `a`; NULL: that is full. */
Orderd__V1__OrderFeedEvent *feed_event_message(struct arena *a, const struct feed_events_row *row);

#endif
