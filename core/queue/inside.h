/*
 * What the files of core/queue share: the queue's state and the names of its keys.
 */
#ifndef ORDERD_QUEUE_INSIDE_H
#define ORDERD_QUEUE_INSIDE_H

#include "core/queue/args.h"
#include "core/queue/queue.h"
#include "core/queue/redis_uv.h"
#include "core/queue/script.h"
#include "core/queue/survey.h"

enum {
	POOLS = 16,                                    /* of stock; the tenant decides */
	SHARD_STREAMS = ROLE_COUNT * QUEUE_PRIORITIES, /* streams of one shard */
	ROLE_STREAMS = ID_SHARDS * QUEUE_PRIORITIES,   /* streams of one role */
	BATCH_MAX = 8192,                              /* rings, and acks, of one turn */
	HINTS_MAX = 4096,                              /* of one turn */
	STOCK_LIFE_MS = 30000, /* a stock key heals by being loaded again after this */
	GENERATION_UNKNOWN = -1,
};

_Static_assert((int)SHARD_STREAMS <= (int)CALL_CODES_MAX,
	       "a call remembers the streams of a whole shard");

/* A stream as a number: shard, role, priority. */
static inline uint16_t stream_code(unsigned shard, enum queue_role role, unsigned priority)
{
	return (uint16_t)(shard * SHARD_STREAMS + (unsigned)role * QUEUE_PRIORITIES + priority);
}

/* Rings or acks gathered in one turn. */
struct batch_item {
	uint16_t stream;
	uint16_t at;             /* order of arrival */
	char text[ID_TEXT_SIZE]; /* job id, or stream entry */
};

struct batch {
	struct batch_item *items; /* BATCH_MAX */
	uint32_t n;
};

/* Orders that moved in this turn. */
struct hints {
	struct id *orders; /* HINTS_MAX */
	uint32_t n;
};

struct queue {
	struct loop *loop;
	struct queue_options opt;
	struct redis *redis; /* NULL: no Redis is configured, or the queue is closed */
	struct intake *intakes;
	struct task turn; /* sends the batches */
	struct task closed;
	bool closing;
	uint32_t connections; /* not closed yet, intakes' included */
	void (*on_closed)(void *arg);
	void *closed_arg;
	char address[1025];
	char consumer[ID_TEXT_SIZE]; /* this incarnation's name in the groups */
	int64_t generation[ID_SHARDS];
	int64_t epoch;
	struct batch rings, acks;
	struct hints hints;
	struct ear *ear; /* NULL: nobody here wants hints */
};

/* ---- keys ---- */

void key_stream(struct args *a, uint16_t code); /* {q07}:payment:p1 */
void key_generation(struct args *a, unsigned shard);
void key_epoch(struct args *a, unsigned pool);
void key_expiries(struct args *a, unsigned pool);
void key_hold(struct args *a, unsigned pool, const char *order);
void key_stock(struct args *a, unsigned pool, int32_t tenant, int64_t item);

static inline unsigned pool_of(int32_t tenant)
{
	return (uint32_t)tenant % POOLS;
}

/* ---- between files ---- */

/* Read the hold of `order` and give back what it took; `survey` (may be NULL) hears of each call,
 * `released` counts. */
void settle_release(struct queue *q, unsigned pool, struct id order, bool only_if_over,
		    struct survey *survey, int64_t *released);

void batch_add(struct queue *q, struct batch *b, uint16_t stream, const char *text);
void batch_free(struct batch *b);
void batches_send(struct queue *q); /* ring.c */

void hints_send(struct queue *q); /* hint.c */
void hints_free(struct hints *h);
void ear_close(struct queue *q);

void intakes_close(struct queue *q);
struct reader;
void intakes_show(const struct queue *q, struct show *s,
		  void (*show_reader)(struct show *s, const struct reader *r));
void ear_show(const struct queue *q, struct show *s);
void queue_connection_closed(struct queue *q); /* one of q->connections is gone */

#endif
