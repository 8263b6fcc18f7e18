/*
 * From an order's id to those who watch it.  A hash of fixed size with chains: ids end in
 * random bits, which are the hash.  Entries are embedded in their owners.
 */
#ifndef ORDERD_SERVER_WATCH_TABLE_H
#define ORDERD_SERVER_WATCH_TABLE_H

#include <stdint.h>

#include "core/base/id.h"

struct watch_entry {
	struct watch_entry *next; /* in its chain */
	struct id order;
};

struct watch_table {
	struct watch_entry **chains;
	uint32_t mask;
};

/* `most` entries are expected at most; more make it slower, not wrong. */
void watch_table_init(struct watch_table *t, int64_t most);
void watch_table_done(struct watch_table *t); /* every entry was removed */

void watch_table_add(struct watch_table *t, struct watch_entry *e);
void watch_table_remove(struct watch_table *t, struct watch_entry *e);

/* The first, and the next, entry of this order; NULL: none.  The one before may be removed only
 * after its next was asked for. */
struct watch_entry *watch_table_first(const struct watch_table *t, struct id order);
struct watch_entry *watch_table_next(const struct watch_entry *e);

#endif
