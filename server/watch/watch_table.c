#include "server/watch/watch_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

enum { CHAINS_LEAST = 64, CHAINS_MOST = 1 << 18 };

static struct watch_entry **chain_of(const struct watch_table *t, struct id order)
{
	uint32_t hash;

	memcpy(&hash, order.b + sizeof(order.b) - sizeof(hash), sizeof(hash));
	return &t->chains[hash & t->mask];
}

void watch_table_init(struct watch_table *t, int64_t most)
{
	uint32_t n = CHAINS_LEAST;

	while (n < most && n < CHAINS_MOST)
		n *= 2;
	*t = (struct watch_table){.chains = mem_array(n, sizeof(struct watch_entry *)),
				  .mask = n - 1};
}

void watch_table_done(struct watch_table *t)
{
	for (uint32_t i = 0; i <= t->mask; i++)
		assert(t->chains[i] == NULL);
	free((void *)t->chains);
	*t = (struct watch_table){0};
}

void watch_table_add(struct watch_table *t, struct watch_entry *e)
{
	struct watch_entry **chain = chain_of(t, e->order);

	e->next = *chain;
	*chain = e;
}

void watch_table_remove(struct watch_table *t, struct watch_entry *e)
{
	struct watch_entry **at = chain_of(t, e->order);

	while (*at != e) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = e->next;
	e->next = NULL;
}

static struct watch_entry *same_order(struct watch_entry *e, struct id order)
{
	while (e != NULL && !id_eq(e->order, order))
		e = e->next;
	return e;
}

struct watch_entry *watch_table_first(const struct watch_table *t, struct id order)
{
	return same_order(*chain_of(t, order), order);
}

struct watch_entry *watch_table_next(const struct watch_entry *e)
{
	return same_order(e->next, e->order);
}
