/*
 * Rebuilding: what the janitor asks to bring an emptied or set-back Redis into line with
 * PostgreSQL, and what it looks at to know what to ring.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/metric.h"
#include "core/queue/inside.h"

/* ---- generations ---- */

struct generations {
	struct survey survey;
	uint64_t made;
};

static void on_generation(struct call *c, const redisReply *r)
{
	struct generations *g = c->owner;
	bool good = r != NULL && r->type == REDIS_REPLY_INTEGER;

	if (good && r->integer == 1) {
		g->made |= UINT64_C(1) << c->number;
		metric_add(METRIC_queue_rebuilds, NULL, 1);
	}
	survey_sub(&g->survey, good);
}

int queue_ask_generations(struct flow *fl, struct queue *q, const int64_t gen[ID_SHARDS])
{
	struct generations *g = survey_alloc(fl, sizeof(*g), offsetof(struct generations, made));
	int wait;

	if (g == NULL)
		return FLOW_FAIL;
	wait = survey_begin(&g->survey, fl);
	for (unsigned shard = 0; shard < ID_SHARDS && !g->survey.failed; shard++) {
		struct call *c = call_new(q, &script_text_generation, 1 + SHARD_STREAMS);

		key_generation(&c->args, shard);
		for (unsigned i = 0; i < SHARD_STREAMS; i++)
			key_stream(&c->args, (uint16_t)(shard * SHARD_STREAMS + i));
		args_printf(&c->args, "%" PRId64, gen[shard]);
		c->on_reply = on_generation;
		c->owner = g;
		c->number = shard;
		survey_add(&g->survey, call_send(c));
	}
	survey_sub(&g->survey, true);
	return wait;
}

uint64_t queue_generations_made(const struct answer *a)
{
	return *(const uint64_t *)a->body;
}

/* ---- epoch of the stock pools ---- */

static void on_epoch(struct call *c, const redisReply *r)
{
	survey_sub(c->owner, r != NULL);
}

int queue_ask_epoch(struct flow *fl, struct queue *q, int64_t epoch)
{
	struct survey *s = survey_alloc(fl, sizeof(*s), 0);
	int wait;

	if (s == NULL)
		return FLOW_FAIL;
	wait = survey_begin(s, fl);
	for (unsigned pool = 0; pool < POOLS && !s->failed; pool++) {
		struct call *c = call_new(q, &script_text_epoch, 1);

		key_epoch(&c->args, pool);
		args_printf(&c->args, "%" PRId64, epoch);
		c->on_reply = on_epoch;
		c->owner = s;
		survey_add(s, call_send(c));
	}
	survey_sub(s, true);
	return wait;
}

/* ---- state of the streams ---- */

struct streams {
	struct survey survey;
	struct stream_state state[ROLE_STREAMS];
};

static bool read_states(const redisReply *r, struct stream_state ret[QUEUE_PRIORITIES])
{
	if (r == NULL || r->type != REDIS_REPLY_ARRAY ||
	    r->elements != (size_t)2 * QUEUE_PRIORITIES)
		return false;
	for (size_t p = 0; p < QUEUE_PRIORITIES; p++) {
		const redisReply *last = r->element[2 * p], *waiting = r->element[2 * p + 1];

		if (last->type != REDIS_REPLY_STRING || waiting->type != REDIS_REPLY_INTEGER)
			return false;
		ret[p].last_delivered_ms = strtoll(last->str, NULL, 10); /* up to the '-' */
		ret[p].waiting = waiting->integer;
	}
	return true;
}

static void on_streams(struct call *c, const redisReply *r)
{
	struct streams *s = c->owner;

	survey_sub(&s->survey, read_states(r, &s->state[(size_t)c->number * QUEUE_PRIORITIES]));
}

int queue_ask_streams(struct flow *fl, struct queue *q, enum queue_role role)
{
	struct streams *s = survey_alloc(fl, sizeof(*s), offsetof(struct streams, state));
	int wait;

	if (s == NULL)
		return FLOW_FAIL;
	wait = survey_begin(&s->survey, fl);
	for (unsigned shard = 0; shard < ID_SHARDS && !s->survey.failed; shard++) {
		struct call *c = call_new(q, &script_text_streams, QUEUE_PRIORITIES);

		for (unsigned p = 0; p < QUEUE_PRIORITIES; p++)
			key_stream(&c->args, stream_code(shard, role, p));
		c->on_reply = on_streams;
		c->owner = s;
		c->number = shard;
		survey_add(&s->survey, call_send(c));
	}
	survey_sub(&s->survey, true);
	return wait;
}

const struct stream_state *queue_streams(const struct answer *a)
{
	return a->body;
}
