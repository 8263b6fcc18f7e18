/*
 * Hints: "this order has moved", from who committed an event to who watches orders.
 *
 * Orders of a turn go out in one PUBLISH, as the sixteen bytes of each id.  One channel for
 * all of them: a front end watches many orders, and looks each id up in a table.  Nothing is
 * kept anywhere, so a hint reaches who listens at this moment or nobody.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/queue/inside.h"

enum { MESSAGE_MAX = 1024 /* orders */ };

static const char channel[] = "{watch}:orders";

/* ---- telling ---- */

void queue_hint(struct queue *q, struct id order)
{
	struct hints *h = &q->hints;

	if (!queue_is_up(q) || h->n == HINTS_MAX)
		return;
	if (h->orders == NULL)
		h->orders = mem_array(HINTS_MAX, sizeof(h->orders[0]));
	h->orders[h->n++] = order;
	loop_post(q->loop, &q->turn);
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

/* An order that moved twice in a turn is told once. */
static uint32_t distinct(struct id *orders, uint32_t n)
{
	uint32_t kept = 0;

	qsort(orders, n, sizeof(orders[0]), by_id);
	for (uint32_t i = 0; i < n; i++) {
		if (kept == 0 || !id_eq(orders[i], orders[kept - 1]))
			orders[kept++] = orders[i];
	}
	return kept;
}

void hints_send(struct queue *q)
{
	struct hints *h = &q->hints;
	uint32_t n = h->n > 0 ? distinct(h->orders, h->n) : 0;

	for (uint32_t at = 0; at < n; at += MESSAGE_MAX) {
		uint32_t some = n - at < MESSAGE_MAX ? n - at : MESSAGE_MAX;
		struct call *c = call_plain(q, "PUBLISH");

		args_add(&c->args, channel, sizeof(channel) - 1);
		args_add(&c->args, (const char *)&h->orders[at], some * sizeof(h->orders[0]));
		call_send(c);
	}
	h->n = 0;
}

void hints_free(struct hints *h)
{
	free(h->orders);
	*h = (struct hints){0};
}

/* ---- hearing ---- */

struct ear {
	struct queue *q;
	struct redis *redis;
	struct command subscribe;
	void (*on_hint)(void *arg, struct id order);
	void *arg;
};

static void on_subscribed(struct command *c, const redisReply *r)
{
	struct ear *e = CONTAINER_OF(c, struct ear, subscribe);

	if (r != NULL && r->type == REDIS_REPLY_ERROR)
		redis_drop(e->redis, r->str);
}

/* A new connection has subscribed to nothing yet. */
static void on_state(void *arg, bool up)
{
	struct ear *e = arg;
	struct args a = {0};
	char *text;
	size_t n;

	if (!up)
		return;
	args_add(&a, "SUBSCRIBE", 9);
	args_add(&a, channel, sizeof(channel) - 1);
	text = args_encode(&a, NULL, NULL, 0, &n);
	redis_send(e->redis, &e->subscribe, text, n, e->q->opt.timeout_ms);
	redisFreeCommand(text);
	args_done(&a);
}

static void on_message(void *arg, const redisReply *r)
{
	struct ear *e = arg;
	const redisReply *orders = r->element[2];
	struct id id;

	if (!redis_is_text(orders, sizeof(id), MESSAGE_MAX * sizeof(id)))
		return; /* not one of ours */
	for (size_t at = 0; at + sizeof(id) <= orders->len; at += sizeof(id)) {
		memcpy(&id, orders->str + at, sizeof(id));
		e->on_hint(e->arg, id);
	}
}

void queue_on_hint(struct queue *q, void (*on_hint)(void *arg, struct id order), void *arg)
{
	struct ear *e;

	assert(q->ear == NULL && !q->closing);
	if (q->redis == NULL)
		return;
	e = mem_alloc(sizeof(*e));
	*e = (struct ear){
		.q = q, .subscribe.on_reply = on_subscribed, .on_hint = on_hint, .arg = arg};
	e->redis = redis_open(q->loop, &(struct redis_options){.address = q->address,
							       .purpose = "hints",
							       .timeout_ms = q->opt.timeout_ms,
							       .on_state = on_state,
							       .on_push = on_message,
							       .arg = e});
	assert(e->redis != NULL); /* the main connection has the same address */
	q->ear = e;
	q->connections++;
}

static void on_ear_closed(void *arg)
{
	struct ear *e = arg;
	struct queue *q = e->q;

	free(e);
	queue_connection_closed(q);
}

void ear_close(struct queue *q)
{
	if (q->ear != NULL)
		redis_close(q->ear->redis, on_ear_closed, q->ear);
	q->ear = NULL;
}

void ear_show(const struct queue *q, struct show *s)
{
	redis_show(s, q->ear != NULL ? q->ear->redis : NULL);
}
