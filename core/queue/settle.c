/*
 * Giving back what a hold took, because its order came to nothing or its time is over.
 *
 * Two calls, since a script must name every key it touches and only the hold knows
 * them: read the hold, then release it with the stock keys it names - if it is still
 * the one that was read.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/queue/inside.h"

enum {
	DUE_MAX = 100 /* holds of one pool and one ask; a queue of 8,192 commands carries 16 pools
			 of these */
};

struct settle {
	struct queue *q;
	unsigned pool;
	char order[ID_TEXT_SIZE];
	bool only_if_over;
	struct survey *survey;
	int64_t *released;
};

/* One call of this settlement was answered: `good` or not; there is none after it. */
static void end(struct settle *s, bool good)
{
	struct survey *survey = s->survey;

	free(s);
	if (survey != NULL)
		survey_sub(survey, good);
}

static void on_released(struct call *c, const redisReply *r)
{
	struct settle *s = c->owner;

	if (r != NULL && r->type == REDIS_REPLY_INTEGER && s->released != NULL)
		*s->released += r->integer;
	end(s, r != NULL);
}

/*
 * Stock keys of a hold as lua/hold.lua writes it: "tenant item:location:qty:stamp ...".
 * Adds them to `a` and returns how many; with a == NULL it only counts.
 */
static size_t add_stock_keys(struct args *a, unsigned pool, const char *hold, size_t n)
{
	const char *end_of_hold = hold + n, *p = memchr(hold, ' ', n);
	int32_t tenant = (int32_t)strtol(hold, NULL, 10);
	size_t keys = 0;

	while (p != NULL) {
		if (a != NULL)
			key_stock(a, pool, tenant, strtoll(p + 1, NULL, 10));
		keys++;
		p = memchr(p + 1, ' ', (size_t)(end_of_hold - p - 1));
	}
	return keys;
}

static void on_hold_read(struct call *c, const redisReply *r)
{
	struct settle *s = c->owner;
	const char *hold = "";
	size_t n = 0;
	struct call *release;

	if (r == NULL || (r->type != REDIS_REPLY_STRING && r->type != REDIS_REPLY_NIL)) {
		end(s, false);
		return;
	}
	if (r->type == REDIS_REPLY_STRING) {
		hold = r->str;
		n = r->len;
	}
	release = call_new(s->q, &script_text_hold_release,
			   2 + add_stock_keys(NULL, s->pool, hold, n));
	release->on_reply = on_released;
	release->owner = s;
	key_expiries(&release->args, s->pool);
	key_hold(&release->args, s->pool, s->order);
	add_stock_keys(&release->args, s->pool, hold, n);
	args_printf(&release->args, "%s", s->order);
	args_add(&release->args, hold, n);
	args_printf(&release->args, "%d", s->only_if_over);
	if (!call_send(release))
		end(s, false);
}

void settle_release(struct queue *q, unsigned pool, struct id order, bool only_if_over,
		    struct survey *survey, int64_t *released)
{
	struct settle *s = mem_alloc(sizeof(*s));
	struct call *c = call_plain(q, "GET");
	bool sent;

	*s = (struct settle){.q = q,
			     .pool = pool,
			     .only_if_over = only_if_over,
			     .survey = survey,
			     .released = released};
	id_format(order, s->order);
	key_hold(&c->args, pool, s->order);
	c->on_reply = on_hold_read;
	c->owner = s;
	sent = call_send(c);
	if (survey != NULL)
		survey_add(survey, sent);
	if (!sent)
		free(s);
}

/* ---- those whose time is over ---- */

struct expiry {
	struct survey survey;
	int64_t released;
};

static void on_due(struct call *c, const redisReply *r)
{
	struct expiry *e = c->owner;
	bool good = r != NULL && r->type == REDIS_REPLY_ARRAY;

	for (size_t i = 0; good && i < r->elements; i++) {
		const redisReply *order = r->element[i];
		struct id id;

		if (order->type == REDIS_REPLY_STRING &&
		    id_parse((struct str){order->str, order->len}, &id))
			settle_release(c->q, c->number, id, true, &e->survey, &e->released);
	}
	survey_sub(&e->survey, good);
}

int queue_ask_expire_holds(struct flow *fl, struct queue *q)
{
	struct expiry *e = survey_alloc(fl, sizeof(*e), offsetof(struct expiry, released));
	int wait;

	if (e == NULL)
		return FLOW_FAIL;
	wait = survey_begin(&e->survey, fl);
	for (unsigned pool = 0; pool < POOLS && !e->survey.failed; pool++) {
		struct call *c = call_new(q, &script_text_hold_due, 1);

		key_expiries(&c->args, pool);
		args_printf(&c->args, "%d", DUE_MAX);
		c->on_reply = on_due;
		c->owner = e;
		c->number = pool;
		survey_add(&e->survey, call_send(c));
	}
	survey_sub(&e->survey, true);
	return wait;
}

int64_t queue_expired_holds(const struct answer *a)
{
	return *(const int64_t *)a->body;
}
