/*
 * Ids are UUIDv7 (RFC 9562) with a shard inside:
 *
 *	48 bits  Unix milliseconds
 *	 4 bits  version 7
 *	 6 bits  shard 0..63          (the RFC's rand_a, upper part)
 *	 6 bits  counter in this millisecond and thread
 *	 2 bits  variant
 *	62 bits  random
 *
 * An order's children (jobs, payments, shipments, events) carry their order's shard, so
 * an id alone says which queue and, one day, which database it belongs to.
 */
#ifndef ORDERD_BASE_ID_H
#define ORDERD_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "str.h"

#define ID_SHARDS    64
#define ID_TEXT_SIZE 37 /* canonical 8-4-4-4-12 and a NUL */

struct id {
	uint8_t b[16]; /* network order, as PostgreSQL's uuid sends it */
};

/*
 * Any thread.  Within one thread no two ids share milliseconds and counter: the 65th id
 * of a millisecond takes the next one, and a clock set back does not take ids back.
 */
struct id id_new(void);               /* random shard */
struct id id_child(struct id parent); /* same shard as its parent */
unsigned id_shard(struct id id);
/* A fixed child: the same (parent, name) gives the same id for ever.  Remote idempotency keys. */
struct id id_derive(struct id parent, const char *name);

char *id_format(struct id id, char buf[ID_TEXT_SIZE]); /* lower case; returns buf */
bool id_parse(struct str text, struct id *ret); /* canonical form only, any case, any version */

static inline bool id_is_zero(struct id id)
{
	static const struct id zero;
	return memcmp(&id, &zero, sizeof(id)) == 0;
}

static inline bool id_eq(struct id a, struct id b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

#endif
