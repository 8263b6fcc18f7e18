/*
 * One connection to Redis on the loop, kept alive.
 *
 * hiredis connects, formats and parses; polling, deadlines and reconnecting are here.
 * Commands are pipelined and answered in order.  A command not answered in time costs
 * the connection, because the answers behind it could no longer be told apart; so do
 * the errors that mean "this server cannot be written to" (-LOADING, -OOM, -MISCONF,
 * -READONLY, -NOREPLICAS and their kin).  A new connection counts as up when a probe
 * that is allowed to write has been answered, and an idle one is probed every second.
 *
 * Loop thread only.  Used by core/queue alone.
 */
#ifndef ORDERD_QUEUE_REDIS_UV_H
#define ORDERD_QUEUE_REDIS_UV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "core/flow/loop.h"

/* Commands not answered yet on one connection, and bytes not sent yet; one more is refused. */
enum { REDIS_COMMANDS_MAX = 8192, REDIS_UNSENT_MAX = 16 << 20 };

#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

struct redis;
struct show;

/* A command on its way.  Embedded in its owner, who keeps it until on_reply. */
struct command {
	struct command *next;
	int64_t deadline_ms;
	/* `r` lives until this returns.  NULL: no answer; it may or may not have been done. */
	void (*on_reply)(struct command *c, const redisReply *r);
};

struct redis_options {
	const char *address; /* host:port, [v6]:port or unix:/path; copied */
	const char *purpose; /* "main", "payment": for the log; a literal */
	int timeout_ms;      /* of connecting, and of the probe */
	void (*on_state)(void *arg, bool up);
	/*
	 * This connection will subscribe: what arrives unasked comes here and lives until it
	 * returns.  NULL: nothing may.
	 */
	void (*on_push)(void *arg, const redisReply *r);
	void *arg;
};

/* Start connecting.  NULL: the address cannot be read. */
struct redis *redis_open(struct loop *l, const struct redis_options *opt);

/* Answer what is outstanding with NULL, now; then free everything and call on_closed from a later
 * turn. */
void redis_close(struct redis *r, void (*on_closed)(void *arg), void *arg);

bool redis_is_up(const struct redis *r);

/* Append a command formatted by hiredis; it leaves at the end of the turn.  wait_ms: longest wait
 * for its answer; of two commands on one connection the later must not have the nearer deadline by
 * more than it can wait. False: not up or full, on_reply will not be called. */
bool redis_send(struct redis *r, struct command *c, const char *text, size_t n, int wait_ms);

/* The server answers, but not as it should: give the connection up and make a new one after a
 * pause. */
void redis_drop(struct redis *r, const char *why);

/* The next row of the view `pools`; NULL: none. */
void redis_show(struct show *s, const struct redis *r);

static inline bool redis_is_text(const redisReply *r, size_t least, size_t most)
{
	return r->type == REDIS_REPLY_STRING && r->len >= least && r->len <= most;
}

#endif
