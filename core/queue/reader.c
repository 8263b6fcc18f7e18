/*
 * Reading the streams of one role.
 *
 * One thing is asked at a time, chosen by work():
 *
 *	groups missing      make them, 64 streams at a time
 *	a share is due      claim over what others took and let lie (XAUTOCLAIM), 64 streams
 *	sweeping            read one priority of all shards without waiting, the highest first;
 *	                    whatever was found, start with the highest again
 *	otherwise           wait for the first entry on any stream, at most a second
 *
 * Redis counts COUNT per stream, so one read may bring more than there is room for: the
 * rest stays here, in order of priority, and nothing is read until it is gone.  Waiting
 * reads take one entry a stream; a reader begins to sweep when that brings a pile.
 */
#include "core/queue/reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/show.h"
#include "core/queue/ahead.h"
#include "core/queue/inside.h"

enum {
	BLOCK_MAX_MS = 1000,
	PER_STREAM_MAX = 16, /* entries of one stream in one sweeping read */
	SWEEP_AT = 64,       /* a waiting read that brought so many has met a backlog */
	CLAIM_SHARES = 12,   /* a lease is cut into these; each claims one priority, so each stream
				has its turn 3 times */
	NO_GROUP_MAX = 3,    /* groups made and gone again so often: let the server come to rest */
	SILENT_MS = 3600000, /* a consumer without a word and without entries for an hour is gone */
};

_Static_assert((int)AHEAD_MAX >= (int)ROLE_STREAMS, "a waiting read may bring one of every stream");
_Static_assert((int)AHEAD_MAX >= (int)ID_SHARDS * PER_STREAM_MAX, "a sweeping read, and a claim");

enum asked { NOTHING, READ, CLAIM, GROUPS };

/* One of the 64 questions of a claim, or of making groups. */
struct lookup {
	struct command cmd;
	struct reader *reader;
	uint16_t stream;
	char *cursor;
};

struct reader {
	struct queue *q;
	struct reader_options opt;
	struct redis *redis;
	struct task work;
	bool closed;
	void (*on_closed)(void *arg);
	void *closed_arg;

	enum asked asked;
	uint32_t out; /* answers to come to what was asked */
	struct command read;
	struct lookup lookups[ID_SHARDS];

	bool sweeping;
	unsigned level;       /* priority the sweep looks at next */
	unsigned first_shard; /* another one each time: none is favoured */
	unsigned groups_left; /* priorities whose groups are to be made */
	unsigned no_groups;   /* NOGROUP answers since the last good read */

	int64_t claim_at_ms;
	unsigned claim_level;
	unsigned tidy_next;
	char cursors[ROLE_STREAMS][32];

	struct ahead ahead;
};

static void work(struct reader *r);

static uint32_t room(const struct reader *r)
{
	return r->opt.room(r->opt.arg, r->opt.role);
}

static bool ask(struct reader *r, struct command *cmd, struct args *a, int wait_ms)
{
	size_t n;
	char *text = args_encode(a, NULL, NULL, 0, &n);
	bool sent = redis_send(r->redis, cmd, text, n, wait_ms);

	redisFreeCommand(text);
	args_done(a);
	if (sent)
		r->out++;
	return sent;
}

static void deliver(struct reader *r)
{
	struct delivery d;

	ahead_forget_older(&r->ahead, r->opt.lease_ms);
	while (!r->closed && room(r) > 0 && ahead_pop(&r->ahead, &d))
		r->opt.on_delivery(r->opt.arg, &d);
}

/* A read or a claim was refused. */
static void on_refused(struct reader *r, const char *why)
{
	if (strncmp(why, "UNBLOCKED", 9) == 0)
		return; /* a stream went away; the next read says what is the matter */
	if (strncmp(why, "NOGROUP", 7) != 0) {
		redis_drop(r->redis, why);
		return;
	}
	r->groups_left = QUEUE_PRIORITIES;
	if (++r->no_groups > NO_GROUP_MAX) {
		r->no_groups = 0;
		redis_drop(r->redis, why);
	}
}

/* ---- reading ---- */

static int64_t until_claim_ms(const struct reader *r)
{
	int64_t ms = r->claim_at_ms - clock_mono_ms();

	return ms < 1 ? 1 : ms > BLOCK_MAX_MS ? BLOCK_MAX_MS : ms; /* BLOCK 0 would be for ever */
}

static unsigned per_stream(const struct reader *r)
{
	uint32_t n = room(r) / ID_SHARDS;

	return n < 1 ? 1 : n > PER_STREAM_MAX ? PER_STREAM_MAX : n;
}

static void add_level(struct args *a, const struct reader *r, unsigned priority)
{
	for (unsigned i = 0; i < ID_SHARDS; i++)
		key_stream(a, stream_code((r->first_shard + i) % ID_SHARDS, r->opt.role, priority));
}

static void ask_read(struct reader *r)
{
	unsigned streams = r->sweeping ? ID_SHARDS : ROLE_STREAMS;
	int block_ms = r->sweeping ? 0 : (int)until_claim_ms(r);
	struct args a = {0};

	args_printf(&a, "XREADGROUP");
	args_printf(&a, "GROUP");
	args_printf(&a, "w");
	args_printf(&a, "%s", r->q->consumer);
	args_printf(&a, "COUNT");
	args_printf(&a, "%u", r->sweeping ? per_stream(r) : 1);
	if (!r->sweeping) {
		args_printf(&a, "BLOCK");
		args_printf(&a, "%d", block_ms);
	}
	args_printf(&a, "STREAMS");
	r->first_shard = (r->first_shard + 1) % ID_SHARDS;
	if (r->sweeping)
		add_level(&a, r, r->level);
	for (unsigned p = 0; !r->sweeping && p < QUEUE_PRIORITIES; p++)
		add_level(&a, r, p);
	for (unsigned i = 0; i < streams; i++)
		args_add(&a, ">", 1);
	r->asked = READ;
	if (!ask(r, &r->read, &a, block_ms + r->q->opt.timeout_ms))
		r->asked = NOTHING;
}

static void plan_next(struct reader *r, size_t found)
{
	if (r->sweeping && found == 0) {
		r->level++;
		r->sweeping = r->level < QUEUE_PRIORITIES;
	} else {
		r->level = 0;
		r->sweeping = r->sweeping || found >= SWEEP_AT;
	}
}

static void on_read(struct command *c, const redisReply *reply)
{
	struct reader *r = CONTAINER_OF(c, struct reader, read);

	r->asked = NOTHING;
	r->out--;
	if (reply == NULL || r->closed)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		on_refused(r, reply->str);
	} else {
		r->no_groups = 0;
		plan_next(r, ahead_take_streams(&r->ahead, reply));
	}
	work(r);
}

/* ---- claiming over, and groups ---- */

static struct lookup *lookup_of(struct command *c)
{
	return CONTAINER_OF(c, struct lookup, cmd);
}

static void on_looked_up(struct reader *r)
{
	if (--r->out > 0)
		return;
	r->asked = NOTHING;
	if (!r->closed)
		work(r);
}

/* [cursor, entries, ids no longer on the stream] */
static void on_claim(struct command *c, const redisReply *reply)
{
	struct lookup *l = lookup_of(c);
	struct reader *r = l->reader;

	if (reply != NULL && !r->closed && reply->type == REDIS_REPLY_ERROR) {
		on_refused(r, reply->str);
	} else if (reply != NULL && !r->closed && reply->type == REDIS_REPLY_ARRAY &&
		   reply->elements >= 2) {
		if (redis_is_text(reply->element[0], 1, sizeof(r->cursors[0]) - 1))
			memcpy(l->cursor, reply->element[0]->str, reply->element[0]->len + 1);
		ahead_take_entries(&r->ahead, l->stream, reply->element[1]);
	}
	on_looked_up(r);
}

static void on_group(struct command *c, const redisReply *reply)
{
	struct reader *r = lookup_of(c)->reader;

	if (reply != NULL && !r->closed && reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, "BUSYGROUP", 9) != 0)
		redis_drop(r->redis, reply->str);
	on_looked_up(r);
}

/* Ask one question of each stream of a priority. */
static void ask_lookups(struct reader *r, enum asked what, unsigned priority)
{
	r->asked = what;
	for (unsigned shard = 0; shard < ID_SHARDS; shard++) {
		struct lookup *l = &r->lookups[shard];
		struct args a = {0};

		l->stream = stream_code(shard, r->opt.role, priority);
		l->cursor = r->cursors[shard * QUEUE_PRIORITIES + priority];
		l->cmd.on_reply = what == CLAIM ? on_claim : on_group;
		if (what == GROUPS) {
			args_printf(&a, "XGROUP");
			args_printf(&a, "CREATE");
			key_stream(&a, l->stream);
			args_printf(&a, "w");
			args_printf(&a, "0");
			args_printf(&a, "MKSTREAM");
		} else {
			args_printf(&a, "XAUTOCLAIM");
			key_stream(&a, l->stream);
			args_printf(&a, "w");
			args_printf(&a, "%s", r->q->consumer);
			args_printf(&a, "%d", r->opt.lease_ms);
			args_printf(&a, "%s", l->cursor);
			args_printf(&a, "COUNT");
			args_printf(&a, "%u", per_stream(r));
		}
		ask(r, &l->cmd, &a, r->q->opt.timeout_ms);
	}
	if (r->out == 0)
		r->asked = NOTHING;
}

/* One stream's dead consumers, while we are at it: all streams once in 21 leases. */
static void tidy_one(struct reader *r)
{
	unsigned i = r->tidy_next++ % ROLE_STREAMS;
	struct call *c;

	if (!queue_is_up(r->q))
		return;
	c = call_new(r->q, &script_text_tidy, 1);
	key_stream(&c->args, stream_code(i / QUEUE_PRIORITIES, r->opt.role, i % QUEUE_PRIORITIES));
	args_printf(&c->args, "%d", SILENT_MS);
	call_send(c);
}

static void ask_claim(struct reader *r)
{
	unsigned level = r->claim_level++ % QUEUE_PRIORITIES;

	r->claim_at_ms = clock_mono_ms() + r->opt.lease_ms / CLAIM_SHARES;
	tidy_one(r);
	ask_lookups(r, CLAIM, level);
}

/* ---- the choice ---- */

static void work(struct reader *r)
{
	deliver(r);
	if (r->closed || r->asked != NOTHING || r->ahead.n > 0 || !redis_is_up(r->redis))
		return;
	if (r->groups_left > 0)
		ask_lookups(r, GROUPS, --r->groups_left);
	else if (room(r) == 0)
		return; /* intake_kick() */
	else if (clock_mono_ms() >= r->claim_at_ms)
		ask_claim(r);
	else
		ask_read(r);
}

static void on_work(struct task *t)
{
	work(CONTAINER_OF(t, struct reader, work));
}

static void on_state(void *arg, bool up)
{
	struct reader *r = arg;

	if (!up || r->closed)
		return;
	assert(r->asked == NOTHING && r->out == 0);
	r->sweeping = true;
	r->level = 0;
	for (unsigned i = 0; i < ROLE_STREAMS; i++)
		snprintf(r->cursors[i], sizeof(r->cursors[i]), "0-0");
	reader_kick(r);
}

void reader_kick(struct reader *r)
{
	if (!r->closed)
		loop_post(r->q->loop, &r->work);
}

struct reader *reader_open(struct queue *q, const struct reader_options *opt)
{
	struct reader *r;

	if (q->address[0] == '\0')
		return NULL;
	r = mem_alloc(sizeof(*r));
	r->q = q;
	r->opt = *opt;
	r->work.run = on_work;
	r->read.on_reply = on_read;
	r->ahead.q = q;
	r->ahead.role = opt->role;
	for (unsigned i = 0; i < ID_SHARDS; i++)
		r->lookups[i].reader = r;
	r->redis =
		redis_open(q->loop, &(struct redis_options){.address = q->address,
							    .purpose = queue_role_name(opt->role),
							    .timeout_ms = q->opt.timeout_ms,
							    .on_state = on_state,
							    .arg = r});
	if (r->redis == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

static void on_redis_closed(void *arg)
{
	struct reader *r = arg;
	void (*on_closed)(void *) = r->on_closed;
	void *closed_arg = r->closed_arg;

	free(r);
	on_closed(closed_arg);
}

void reader_close(struct reader *r, void (*on_closed)(void *arg), void *arg)
{
	assert(!r->closed);
	r->closed = true;
	r->on_closed = on_closed;
	r->closed_arg = arg;
	loop_unpost(r->q->loop, &r->work);
	redis_close(r->redis, on_redis_closed, r);
}

/* ---- for people ---- */

void reader_show_pool(struct show *s, const struct reader *r)
{
	redis_show(s, r->redis);
}

void reader_show_stream(struct show *s, const struct reader *r)
{
	static const char *const asks[] = {
		[NOTHING] = NULL, [READ] = "read", [CLAIM] = "claim", [GROUPS] = "groups"};

	if (!show_row(s))
		return;
	show_text(s, queue_role_name(r->opt.role));
	show_text(s, !redis_is_up(r->redis) ? "lost"
		     : r->groups_left != 0  ? "making groups"
		     : r->sweeping          ? "sweeping"
					    : "waiting");
	show_int(s, room(r));
	show_int(s, r->ahead.n);
	show_int(s, r->out);
	show_text(s, asks[r->asked]);
}
