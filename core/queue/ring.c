/*
 * Rings and acks, gathered over a turn and sent as one script per shard.
 *
 * Both are fire and forget: a ring that is lost is found by the janitor's sweep, an ack
 * that is lost is a redelivery which PostgreSQL rejects.  So a full batch drops.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/queue/inside.h"

void batch_add(struct queue *q, struct batch *b, uint16_t stream, const char *text)
{
	struct batch_item *item;

	if (!queue_is_up(q) || b->n == BATCH_MAX)
		return;
	if (b->items == NULL)
		b->items = mem_alloc(BATCH_MAX * sizeof(b->items[0]));
	item = &b->items[b->n];
	item->stream = stream;
	item->at = (uint16_t)b->n++;
	snprintf(item->text, sizeof(item->text), "%s", text);
	loop_post(q->loop, &q->turn);
}

void batch_free(struct batch *b)
{
	free(b->items);
	*b = (struct batch){0};
}

static int by_stream(const void *a, const void *b)
{
	const struct batch_item *x = a, *y = b;

	return x->stream != y->stream ? x->stream - y->stream : x->at - y->at;
}

/* The streams among items[0..n), which are sorted. */
static size_t distinct_streams(const struct batch_item *items, size_t n,
			       uint16_t codes[SHARD_STREAMS])
{
	size_t streams = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || items[i].stream != items[i - 1].stream)
			codes[streams++] = items[i].stream;
	}
	return streams;
}

static void add_items(struct args *a, const struct batch_item *items, size_t n)
{
	size_t stream = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || items[i].stream != items[i - 1].stream)
			stream++;
		args_printf(a, "%zu", stream);
		args_add(a, items[i].text, strlen(items[i].text));
	}
}

static void on_rung(struct call *c, const redisReply *r)
{
	if (r == NULL || r->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < r->elements && i < CALL_CODES_MAX; i++) {
		enum queue_role role =
			(enum queue_role)(c->codes[i] % SHARD_STREAMS / QUEUE_PRIORITIES);

		if (r->element[i]->type == REDIS_REPLY_INTEGER && r->element[i]->integer > 0)
			metric_add(METRIC_queue_rung, queue_role_name(role),
				   (uint64_t)r->element[i]->integer);
	}
}

static void send_rings(struct queue *q, unsigned shard, const struct batch_item *items, size_t n)
{
	uint16_t codes[SHARD_STREAMS];
	size_t streams = distinct_streams(items, n, codes);
	struct call *c = call_new(q, &script_text_ring, 1 + streams);

	memcpy(c->codes, codes, streams * sizeof(codes[0]));
	c->on_reply = on_rung;
	key_generation(&c->args, shard);
	for (size_t i = 0; i < streams; i++)
		key_stream(&c->args, codes[i]);
	if (q->generation[shard] == GENERATION_UNKNOWN)
		args_add(&c->args, "", 0);
	else
		args_printf(&c->args, "%" PRId64, q->generation[shard]);
	args_printf(&c->args, "%" PRIu32, q->opt.stream_window);
	add_items(&c->args, items, n);
	call_send(c);
}

static void send_acks(struct queue *q, unsigned shard, const struct batch_item *items, size_t n)
{
	uint16_t codes[SHARD_STREAMS];
	size_t streams = distinct_streams(items, n, codes);
	struct call *c = call_new(q, &script_text_ack, streams);

	(void)shard; /* the streams carry it */
	for (size_t i = 0; i < streams; i++)
		key_stream(&c->args, codes[i]);
	add_items(&c->args, items, n);
	call_send(c);
}

static void send_by_shard(struct queue *q, struct batch *b,
			  void (*send)(struct queue *, unsigned, const struct batch_item *, size_t))
{
	size_t begin = 0;

	if (b->n > 1)
		qsort(b->items, b->n, sizeof(b->items[0]), by_stream);
	for (size_t i = 1; i <= b->n; i++) {
		unsigned shard = b->items[begin].stream / SHARD_STREAMS;

		if (i == b->n || b->items[i].stream / SHARD_STREAMS != shard) {
			send(q, shard, b->items + begin, i - begin);
			begin = i;
		}
	}
	b->n = 0;
}

void batches_send(struct queue *q)
{
	send_by_shard(q, &q->acks, send_acks);
	send_by_shard(q, &q->rings, send_rings);
}

void queue_ring(struct queue *q, const struct ring *rings, uint32_t n)
{
	char text[ID_TEXT_SIZE];

	for (uint32_t i = 0; i < n; i++) {
		const struct ring *r = &rings[i];

		batch_add(q, &q->rings,
			  stream_code(id_shard(r->job), r->role, r->priority % QUEUE_PRIORITIES),
			  id_format(r->job, text));
	}
}

void queue_ack(struct queue *q, const struct delivery *d)
{
	batch_add(q, &q->acks,
		  stream_code(id_shard(d->job), d->role, d->priority % QUEUE_PRIORITIES), d->entry);
}

void queue_beat(struct queue *q, const struct delivery *d)
{
	struct call *c;

	if (!queue_is_up(q))
		return;
	c = call_new(q, &script_text_beat, 1);
	key_stream(&c->args,
		   stream_code(id_shard(d->job), d->role, d->priority % QUEUE_PRIORITIES));
	args_printf(&c->args, "%s", q->consumer);
	args_printf(&c->args, "%s", d->entry);
	call_send(c);
}
