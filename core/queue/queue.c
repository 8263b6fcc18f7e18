/*
 * The queue's life: its main connection, its state and the names of its keys.  Holds
 * are in hold.c and settle.c, rings and acks in ring.c, reading in intake.c, hints in
 * hint.c, rebuilding in generation.c.
 */
#include "core/queue/queue.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/queue/inside.h"
#include "core/queue/redis_address.h"

const char *queue_role_name(enum queue_role r)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_PAYMENT] = "payment",   [ROLE_FULFILLMENT] = "fulfillment",
		[ROLE_SHIPPING] = "shipping", [ROLE_NOTIFICATION] = "notification",
		[ROLE_JANITOR] = "janitor",
	};

	assert((unsigned)r < ROLE_COUNT);
	return names[r];
}

/* ---- keys ---- */

void key_stream(struct args *a, uint16_t code)
{
	unsigned shard = code / SHARD_STREAMS, rest = code % SHARD_STREAMS;
	enum queue_role role = (enum queue_role)(rest / QUEUE_PRIORITIES);

	args_printf(a, "{q%02u}:%s:p%u", shard, queue_role_name(role), rest % QUEUE_PRIORITIES);
}

void key_generation(struct args *a, unsigned shard)
{
	args_printf(a, "{q%02u}:gen", shard);
}

void key_epoch(struct args *a, unsigned pool)
{
	args_printf(a, "{i%02u}:e", pool);
}

void key_expiries(struct args *a, unsigned pool)
{
	args_printf(a, "{i%02u}:x", pool);
}

void key_hold(struct args *a, unsigned pool, const char *order)
{
	args_printf(a, "{i%02u}:h:%s", pool, order);
}

void key_stock(struct args *a, unsigned pool, int32_t tenant, int64_t item)
{
	args_printf(a, "{i%02u}:s:%" PRId32 ":%" PRId64, pool, tenant, item);
}

/* ---- life ---- */

static void on_state(void *arg, bool up)
{
	struct queue *q = arg;

	metric_set(METRIC_queue_up, NULL, up);
	if (up)
		script_load_all(q);
	if (q->opt.on_state != NULL)
		q->opt.on_state(q->opt.arg, up);
}

static void on_turn(struct task *t)
{
	struct queue *q = CONTAINER_OF(t, struct queue, turn);

	batches_send(q);
	hints_send(q);
}

static void free_when_closed(struct task *t)
{
	struct queue *q = CONTAINER_OF(t, struct queue, closed);
	void (*on_closed)(void *) = q->on_closed;
	void *arg = q->closed_arg;

	if (q->connections > 0)
		return;
	loop_unpost(q->loop, &q->turn);
	batch_free(&q->rings);
	batch_free(&q->acks);
	hints_free(&q->hints);
	free(q);
	if (on_closed != NULL)
		on_closed(arg);
}

bool queue_address_ok(const char *address)
{
	struct redis_address a = {0};
	bool ok = redis_address_parse(&a, address);

	redis_address_done(&a);
	return ok;
}

struct queue *queue_new(struct loop *l, const struct queue_options *opt)
{
	struct queue *q = mem_alloc(sizeof(*q));

	q->loop = l;
	q->opt = *opt;
	q->turn.run = on_turn;
	q->closed.run = free_when_closed;
	q->epoch = GENERATION_UNKNOWN;
	for (unsigned i = 0; i < ID_SHARDS; i++)
		q->generation[i] = GENERATION_UNKNOWN;
	id_format(id_new(), q->consumer);
	snprintf(q->address, sizeof(q->address), "%s", opt->address);
	metric_set(METRIC_queue_up, NULL, 0);
	if (q->address[0] == '\0')
		return q;
	q->redis = redis_open(l, &(struct redis_options){.address = q->address,
							 .purpose = "main",
							 .timeout_ms = opt->timeout_ms,
							 .on_state = on_state,
							 .arg = q});
	if (q->redis != NULL)
		q->connections++;
	else
		log_error("redis_address_unreadable", "address=%s", LOG_Q(q->address));
	return q;
}

bool queue_is_up(const struct queue *q)
{
	return q->redis != NULL && redis_is_up(q->redis);
}

void queue_connection_closed(struct queue *q)
{
	q->connections--;
	if (q->closing)
		loop_post(q->loop, &q->closed);
}

static void on_main_closed(void *arg)
{
	queue_connection_closed(arg);
}

void queue_close(struct queue *q, void (*on_closed)(void *arg), void *arg)
{
	struct redis *r = q->redis;

	assert(!q->closing);
	q->closing = true;
	q->on_closed = on_closed;
	q->closed_arg = arg;
	intakes_close(q);
	ear_close(q);
	q->redis = NULL; /* whoever asks from here on is told there is no connection */
	if (r != NULL)
		redis_close(r, on_main_closed, q);
	loop_post(q->loop, &q->closed);
}

void queue_know_generations(struct queue *q, const int64_t gen[ID_SHARDS])
{
	memcpy(q->generation, gen, sizeof(q->generation));
}

void queue_know_epoch(struct queue *q, int64_t epoch)
{
	q->epoch = epoch;
}
