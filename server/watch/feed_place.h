/*
 * Places in the feed of a tenant (db/migrations/0014_feed.sql): where an event stands, or behind
 * which event somebody has read.  They mean something within one epoch of one database.
 */
#ifndef ORDERD_SERVER_FEED_PLACE_H
#define ORDERD_SERVER_FEED_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/id.h"
#include "core/base/str.h"

struct feed_place {
	int64_t xid;
	struct id order;
	int64_t seq;
};

enum { FEED_PLACE_SIZE = 112 /* bytes of its text with the NUL, at most */ };

/* < 0, 0, > 0: `a` is before, at, behind `b`. */
int feed_place_cmp(const struct feed_place *a, const struct feed_place *b);

/* Before every event of a transaction that was not over when `horizon` was the oldest under way. */
static inline struct feed_place feed_place_at(int64_t horizon)
{
	return (struct feed_place){.xid = horizon};
}

struct str feed_place_write(int64_t epoch, const struct feed_place *p, char buf[FEED_PLACE_SIZE]);
bool feed_place_read(struct str text, int64_t *ret_epoch, struct feed_place *ret);

#endif
