/*
 * The few events a watcher was read and has not been sent yet.  Bounded in number and in
 * bytes; what does not fit is read again later.  It takes events in order and without gaps or
 * not at all: `last` is the sequence of the latest one taken.
 */
#ifndef ORDERD_SERVER_WATCH_HOLD_H
#define ORDERD_SERVER_WATCH_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "orderd/v1/order_service.pb-c.h"

struct order_events_row;

enum {
	WATCH_HOLD_MAX = 16,          /* events: more than most orders have to come at once */
	WATCH_HOLD_BYTES = 32 * 1024, /* of them all; one takes less than 1 KiB */
};

struct watch_hold {
	struct arena arena;
	Orderd__V1__OrderEvent *events[WATCH_HOLD_MAX];
	uint32_t at, n; /* the oldest, and behind the newest */
	int64_t last;
};

enum watch_taken {
	WATCH_TAKEN,
	WATCH_KNOWN, /* it was taken before */
	WATCH_FULL,  /* read it again when there is room */
	WATCH_GAP,   /* one before it is missing: a history that must not be told */
};

void watch_hold_init(struct watch_hold *h, int64_t after);
void watch_hold_done(struct watch_hold *h);

enum watch_taken watch_hold_take(struct watch_hold *h, const struct order_events_row *r);

static inline bool watch_hold_is_empty(const struct watch_hold *h)
{
	return h->at == h->n;
}

/* The oldest, which lives until the next watch_hold function; there is one. */
Orderd__V1__OrderEvent *watch_hold_pop(struct watch_hold *h);

#endif
