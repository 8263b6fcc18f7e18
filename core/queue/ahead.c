/*
 * Reading ahead; see ahead.h.
 */
#include "core/queue/ahead.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/queue/inside.h"

static void put(struct ahead *a, const struct delivery *d)
{
	if (a->n == 0) {
		a->at = 0;
		a->since_ms = clock_mono_ms();
	}
	if (a->at + a->n < AHEAD_MAX) /* else more than was asked for: left to a later claim */
		a->items[a->at + a->n++] = *d;
}

bool ahead_pop(struct ahead *a, struct delivery *ret)
{
	if (a->n == 0)
		return false;
	*ret = a->items[a->at++];
	a->n--;
	return true;
}

void ahead_forget_older(struct ahead *a, int lease_ms)
{
	if (a->n > 0 && clock_mono_ms() - a->since_ms >= lease_ms)
		a->n = 0;
}

/*
 * An entry is [id, ["j", job id]].  One that is not ours is taken off the stream, or it would
 * come back for ever.
 */
static void take_entry(struct ahead *a, uint16_t stream, const redisReply *e)
{
	struct delivery d = {.role = a->role, .priority = (uint8_t)(stream % QUEUE_PRIORITIES)};
	const redisReply *fields;

	if (e->type != REDIS_REPLY_ARRAY || e->elements != 2 ||
	    !redis_is_text(e->element[0], 1, sizeof(d.entry) - 1))
		return;
	memcpy(d.entry, e->element[0]->str, e->element[0]->len);
	fields = e->element[1];
	if (fields->type == REDIS_REPLY_ARRAY && fields->elements == 2 &&
	    redis_is_text(fields->element[1], 1, ID_TEXT_SIZE) &&
	    id_parse((struct str){fields->element[1]->str, fields->element[1]->len}, &d.job) &&
	    stream_code(id_shard(d.job), d.role, d.priority) == stream) {
		put(a, &d);
		return;
	}
	log_warn("stream_entry_unreadable", "role=%s entry=%s", queue_role_name(a->role), d.entry);
	batch_add(a->q, &a->q->acks, stream, d.entry);
}

size_t ahead_take_entries(struct ahead *a, uint16_t stream, const redisReply *entries)
{
	if (entries->type != REDIS_REPLY_ARRAY)
		return 0;
	for (size_t i = 0; i < entries->elements; i++)
		take_entry(a, stream, entries->element[i]);
	return entries->elements;
}

/* "{q07}:payment:p1"; only those asked for come back, so the two numbers are enough. */
static bool parse_stream(const struct ahead *a, const redisReply *key, uint16_t *ret)
{
	unsigned shard, priority;

	if (!redis_is_text(key, 8, 64) ||
	    sscanf(key->str, "{q%2u}", &shard) != 1) /* banned-ok: two characters at most */
		return false;
	priority = (unsigned)(key->str[key->len - 1] - '0');
	if (shard >= ID_SHARDS || priority >= QUEUE_PRIORITIES)
		return false;
	*ret = stream_code(shard, a->role, priority);
	return true;
}

/* [[stream, entries], ...]; nil: none. */
size_t ahead_take_streams(struct ahead *a, const redisReply *streams)
{
	size_t found = 0;
	uint16_t stream;

	if (streams->type != REDIS_REPLY_ARRAY)
		return 0;
	for (size_t i = 0; i < streams->elements; i++) {
		const redisReply *s = streams->element[i];

		if (s->type == REDIS_REPLY_ARRAY && s->elements == 2 &&
		    parse_stream(a, s->element[0], &stream))
			found += ahead_take_entries(a, stream, s->element[1]);
	}
	return found;
}
