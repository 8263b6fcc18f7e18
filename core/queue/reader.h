/*
 * A reader: takes the ready jobs of one role off the streams of all shards.
 *
 * It has a connection of its own, because a waiting XREADGROUP blocks it, and one per
 * role, because a role without room must not wait for another's silence to end.
 */
#ifndef ORDERD_QUEUE_READER_H
#define ORDERD_QUEUE_READER_H

#include "core/queue/queue.h"

struct reader;
struct show;

struct reader_options {
	enum queue_role role;
	int lease_ms;
	uint32_t (*room)(void *arg, enum queue_role r);
	void (*on_delivery)(void *arg, const struct delivery *d);
	void *arg;
};

/* Start; the first on_delivery comes from the loop.  NULL: no Redis is configured. */
struct reader *reader_open(struct queue *q, const struct reader_options *opt);
void reader_kick(struct reader *r);

/* No on_delivery from here on; on_closed(arg) from a later turn, the reader is freed then. */
void reader_close(struct reader *r, void (*on_closed)(void *arg), void *arg);

/* The next row of the views `pools` and `streams`. */
void reader_show_pool(struct show *s, const struct reader *r);
void reader_show_stream(struct show *s, const struct reader *r);

#endif
