/*
 * Calls: one command or script to Redis on the queue's main connection.
 *
 * Scripts go by digest.  They are loaded whenever a connection comes up; should the
 * server have lost one since, the same call goes again with its whole text, which is
 * safe because -NOSCRIPT means that nothing ran.  Keys come before arguments, all of
 * them are named, and all of one call share a hash tag.
 *
 *	struct call *c = call_new(q, &script_text_epoch, 1);
 *	args_printf(&c->args, "{i%02u}:e", pool);
 *	args_printf(&c->args, "%lld", epoch);
 *	if (!call_send(c)) ...
 */
#ifndef ORDERD_QUEUE_SCRIPT_H
#define ORDERD_QUEUE_SCRIPT_H

#include "core/queue/args.h"
#include "core/queue/redis_uv.h"
#include "core/queue/script_table.h"

struct queue;

struct script_text {
	const char *name;
	const char *text;
	size_t n;
	const char *sha; /* SHA-1 in hex */
};

#define X(name, file) extern const struct script_text script_text_##file;
SCRIPT_TABLE(X)
#undef X

enum { CALL_CODES_MAX = 20 }; /* streams of one shard */

struct call {
	struct command cmd;
	struct queue *q;
	const struct script_text *script; /* NULL: a plain command */
	struct args args;
	/* NULL: not answered, or refused with an error (logged); it may have been done.  May itself
	 * be NULL.  The call is freed afterwards. */
	void (*on_reply)(struct call *c, const redisReply *r);
	void *owner;
	uint32_t number;                /* for on_reply: shard or pool */
	uint16_t codes[CALL_CODES_MAX]; /* for on_reply: streams in the order of the keys */
};

struct call *call_new(struct queue *q, const struct script_text *script, size_t n_keys);
struct call *call_plain(struct queue *q, const char *verb);

/* Takes the call.  False: there is no connection or it is full; on_reply is not called. */
bool call_send(struct call *c);

/* Teach a fresh connection all scripts, so that a burst does not send texts. */
void script_load_all(struct queue *q);

#endif
