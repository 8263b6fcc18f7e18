/*
 * Calls; see script.h.
 */
#include "core/queue/script.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/queue/inside.h"

static void call_free(struct call *c)
{
	args_done(&c->args);
	free(c);
}

static bool send_args(struct call *c, const char *const *first, const size_t *lens, size_t n_first)
{
	size_t n;
	char *text = args_encode(&c->args, first, lens, n_first, &n);
	bool sent = c->q->redis != NULL &&
		    redis_send(c->q->redis, &c->cmd, text, n, c->q->opt.timeout_ms);

	redisFreeCommand(text);
	return sent;
}

static bool send_whole(struct call *c)
{
	const char *first[] = {"EVAL", c->script->text};
	size_t lens[] = {4, c->script->n};

	return send_args(c, first, lens, 2);
}

static bool send_by_digest(struct call *c)
{
	const char *first[] = {"EVALSHA", c->script->sha};
	size_t lens[] = {7, strlen(c->script->sha)};

	return send_args(c, first, lens, 2);
}

static void finish(struct call *c, const redisReply *r)
{
	if (c->on_reply != NULL)
		c->on_reply(c, r);
	call_free(c);
}

static void on_reply(struct command *cmd, const redisReply *r)
{
	struct call *c = CONTAINER_OF(cmd, struct call, cmd);

	if (r == NULL || r->type != REDIS_REPLY_ERROR) {
		finish(c, r);
		return;
	}
	if (c->script != NULL && strncmp(r->str, "NOSCRIPT", 8) == 0) {
		if (!send_whole(c))
			finish(c, NULL);
		return;
	}
	log_debug("redis_refused", "what=%s why=%s",
		  c->script != NULL ? c->script->name : "command", LOG_Q(r->str));
	finish(c, NULL);
}

static struct call *new_call(struct queue *q)
{
	struct call *c = mem_alloc(sizeof(*c));

	c->q = q;
	c->cmd.on_reply = on_reply;
	return c;
}

struct call *call_new(struct queue *q, const struct script_text *script, size_t n_keys)
{
	struct call *c = new_call(q);

	c->script = script;
	args_printf(&c->args, "%zu", n_keys);
	return c;
}

struct call *call_plain(struct queue *q, const char *verb)
{
	struct call *c = new_call(q);

	args_add(&c->args, verb, strlen(verb));
	return c;
}

bool call_send(struct call *c)
{
	bool sent = queue_is_up(c->q) &&
		    (c->script != NULL ? send_by_digest(c) : send_args(c, NULL, NULL, 0));

	if (!sent)
		call_free(c);
	return sent;
}

void script_load_all(struct queue *q)
{
	static const struct script_text *const all[] = {
#define X(name, file) &script_text_##file,
		SCRIPT_TABLE(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct call *c = call_plain(q, "SCRIPT");

		args_add(&c->args, "LOAD", 4);
		args_add(&c->args, all[i]->text, all[i]->n);
		call_send(c);
	}
}
