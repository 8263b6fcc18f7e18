/*
 * Stock holds: the fast "no" of a hot sale.  The story is in lua/hold.lua; giving back
 * is in settle.c.  Redis may be too high (PostgreSQL refuses) or too low (a sale waits
 * until the stock key is loaded again); both are for PostgreSQL to judge.
 */
#include <assert.h>
#include <inttypes.h>

#include "core/base/metric.h"
#include "core/queue/inside.h"

/* Lua counts in doubles; beyond this one unit more or less is lost.  Nobody's stock is near it. */
#define QTY_MAX (INT64_C(1) << 53)

struct hold_ask {
	struct op op;
	struct hold_answer answer;
};

static void count(const char *outcome)
{
	metric_add(METRIC_hold_asked, outcome, 1);
}

static bool read_answer(const redisReply *r, struct hold_answer *ret)
{
	if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (r->element[i]->type != REDIS_REPLY_INTEGER)
			return false;
	}
	if (r->element[0]->integer < HOLD_OK || r->element[0]->integer > HOLD_STALE)
		return false;
	ret->outcome = (enum hold_outcome)r->element[0]->integer;
	ret->short_line = (uint32_t)r->element[1]->integer;
	ret->left = r->element[2]->integer;
	return true;
}

static void on_hold(struct call *c, const redisReply *r)
{
	static const char *const names[] = {"ok", "dup", "short", "stale"};
	struct hold_ask *h = c->owner;

	if (!read_answer(r, &h->answer)) {
		count("unavailable");
		op_fail(&h->op, ERR_QUEUE_UNAVAILABLE);
		return;
	}
	count(names[h->answer.outcome]);
	op_answer(&h->op, &(struct answer){.err = ERR_OK, .body = &h->answer});
}

static int64_t within(int64_t n, int64_t least, int64_t most)
{
	return n < least ? least : n > most ? most : n;
}

static void add_hold_args(struct args *a, const struct queue *q, int32_t tenant, const char *order,
			  const struct hold_line *lines, uint32_t n)
{
	unsigned pool = pool_of(tenant);

	key_epoch(a, pool);
	key_expiries(a, pool);
	key_hold(a, pool, order);
	for (uint32_t i = 0; i < n; i++)
		key_stock(a, pool, tenant, lines[i].item);
	args_printf(a, "%" PRId64, q->epoch);
	args_printf(a, "%s", order);
	args_printf(a, "%d", q->opt.hold_s * 1000);
	args_printf(a, "%d", STOCK_LIFE_MS);
	args_printf(a, "%" PRId32, tenant);
	for (uint32_t i = 0; i < n; i++) {
		assert(lines[i].qty > 0);
		args_printf(a, "%" PRId64, lines[i].item);
		args_printf(a, "%" PRId32, lines[i].location);
		args_printf(a, "%" PRId64, within(lines[i].qty, 1, QTY_MAX));
		args_printf(a, "%" PRId64, within(lines[i].available, 0, QTY_MAX));
	}
}

int queue_ask_hold(struct flow *fl, struct queue *q, int32_t tenant, struct id order,
		   const struct hold_line *lines, uint32_t n)
{
	struct hold_ask *h = arena_alloc(&fl->arena, sizeof(*h));
	char text[ID_TEXT_SIZE];
	struct call *c;
	int wait;

	if (h == NULL) {
		fl->err = ERR_TOO_LARGE;
		return FLOW_FAIL;
	}
	wait = op_ask(fl, &h->op);
	h->op.backend = "redis";
	if (!queue_is_up(q)) {
		count("unavailable");
		op_fail(&h->op, ERR_QUEUE_UNAVAILABLE);
		return wait;
	}
	c = call_new(q, &script_text_hold, 3 + (size_t)n);
	c->on_reply = on_hold;
	c->owner = h;
	add_hold_args(&c->args, q, tenant, id_format(order, text), lines, n);
	if (!call_send(c)) {
		count("unavailable");
		op_fail(&h->op, ERR_QUEUE_UNAVAILABLE);
	}
	return wait;
}

const struct hold_answer *queue_hold_answer(const struct answer *a)
{
	return a->body;
}

static void keep(struct queue *q, unsigned pool, struct id order)
{
	struct call *c = call_new(q, &script_text_hold_keep, 2);
	char text[ID_TEXT_SIZE];

	id_format(order, text);
	key_expiries(&c->args, pool);
	key_hold(&c->args, pool, text);
	args_printf(&c->args, "%s", text);
	call_send(c);
}

void queue_finish_hold(struct queue *q, int32_t tenant, struct id order, bool keep_it)
{
	if (!queue_is_up(q))
		return; /* it ends by itself after hold_s; by then the numbers it came from have
			   been loaded again */
	if (keep_it)
		keep(q, pool_of(tenant), order);
	else
		settle_release(q, pool_of(tenant), order, false, NULL, NULL);
}

void queue_forget_stock(struct queue *q, int32_t tenant, int64_t item)
{
	struct call *c;

	if (!queue_is_up(q))
		return;
	c = call_plain(q, "DEL");
	key_stock(&c->args, pool_of(tenant), tenant, item);
	call_send(c);
}
