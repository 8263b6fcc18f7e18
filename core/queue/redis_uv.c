/*
 * One connection to Redis on the loop; see redis_uv.h for what is promised.
 *
 *	DOWN --timer--> RESOLVING --> CONNECTING --> PROBING --> UP
 *	  ^                 |              |             |        |
 *	  +-----------------+--------------+-------------+--------+
 *	    drop(): any failure, then a pause with jitter
 *
 * The plain context of hiredis is used, not its asynchronous one: with our own queue
 * of commands nothing is freed behind our back, and a callback may close or drop the
 * connection it was called from.  Whoever calls back looks at r->ctx again afterwards.
 */
#include "core/queue/redis_uv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <hiredis/sds.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/show.h"
#include "core/flow/backoff.h"
#include "core/queue/redis_address.h"

enum {
	BACKOFF_BASE_MS = 20,
	BACKOFF_CAP_MS = 2000,
	STEADY_MS = 1000,  /* up this long: the next failure starts with a short pause again */
	RESOLVE_MS = 5000, /* a resolver asks its servers more than once */
	IDLE_PROBE_MS = 1000,
	READS_PER_EVENT = 16, /* of 16 KiB each, then other connections get their turn */
};

/* Refused in front of the first write when this server takes none, whichever the reason (Redis 7,
 * EVAL with a shebang). */
static const char probe_script[] = "#!lua\nreturn 1";

enum state { DOWN, RESOLVING, CONNECTING, PROBING, UP, CLOSED };

struct redis {
	struct loop *loop;
	struct redis_options opt;
	struct redis_address address;

	enum state state;
	redisContext *ctx; /* NULL: not connected */
	uv_poll_t *poll;
	int watched; /* events `poll` waits for */
	uv_getaddrinfo_t resolve;
	uint32_t attempts;  /* chooses among a name's addresses */
	struct timer timer; /* by state: retry, connect deadline, oldest command's deadline, idle
			       probe */
	struct task flush;
	struct task closed;

	struct command *head, *tail; /* sent or to be sent, oldest first */
	uint32_t n_commands;
	struct command probe;

	uint64_t answered, losses; /* since the start, for people */
	char last_error[128];      /* why it went down, or did not come up, the last time */
	int64_t up_since_ms;
	int64_t backoff_ms;
	uint32_t libuv_refs; /* libuv still knows this many things of ours */
	void (*on_closed)(void *arg);
	void *closed_arg;
};

static void on_poll(uv_poll_t *p, int status, int events);

/* ---- going down ---- */

static void on_poll_closed(uv_handle_t *h);

static void disconnect(struct redis *r)
{
	loop_unpost(r->loop, &r->flush);
	if (r->poll != NULL) {
		uv_poll_stop(
			r->poll); /* before the descriptor goes: libuv must not poll a stranger's */
		uv_close((uv_handle_t *)r->poll, on_poll_closed);
		r->poll = NULL;
		r->watched = 0;
	}
	if (r->ctx != NULL)
		redisFree(r->ctx);
	r->ctx = NULL;
}

static void answer_all_with_nothing(struct command *c)
{
	while (c != NULL) {
		struct command *next = c->next;

		c->on_reply(c, NULL);
		c = next;
	}
}

static struct command *take_commands(struct redis *r)
{
	struct command *c = r->head;

	r->head = r->tail = NULL;
	r->n_commands = 0;
	return c;
}

static void drop(struct redis *r, const char *why)
{
	int64_t now_ms = clock_mono_ms();
	bool was_up = r->state == UP;

	assert(r->state != CLOSED);
	r->losses += was_up;
	(void)snprintf(r->last_error, sizeof(r->last_error), "%s", why);
	if (was_up) {
		log_warn("redis_down", "connection=%s why=%s", r->opt.purpose, LOG_Q(why));
		if (now_ms - r->up_since_ms >= STEADY_MS)
			r->backoff_ms = 0;
	} else {
		log_debug("redis_unreachable", "connection=%s why=%s", r->opt.purpose, LOG_Q(why));
	}
	r->state = DOWN;
	disconnect(r);
	r->backoff_ms = backoff_next_ms(r->backoff_ms, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
	timer_set(r->loop, &r->timer, now_ms + r->backoff_ms);
	answer_all_with_nothing(take_commands(r));
	if (was_up && r->state != CLOSED)
		r->opt.on_state(r->opt.arg, false);
}

void redis_drop(struct redis *r, const char *why)
{
	if (r->state == UP)
		drop(r, why);
}

static void free_when_forgotten(struct redis *r)
{
	void (*on_closed)(void *) = r->on_closed;
	void *arg = r->closed_arg;

	if (r->state != CLOSED || r->libuv_refs > 0)
		return;
	loop_unpost(r->loop, &r->closed);
	redis_address_done(&r->address);
	free(r);
	if (on_closed != NULL)
		on_closed(arg);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct redis *r = h->data;

	free(h);
	r->libuv_refs--;
	free_when_forgotten(r);
}

static void on_closed_task(struct task *t)
{
	struct redis *r = CONTAINER_OF(t, struct redis, closed);

	free_when_forgotten(r);
}

void redis_close(struct redis *r, void (*on_closed)(void *arg), void *arg)
{
	assert(r->state != CLOSED);
	if (r->state == RESOLVING)
		uv_cancel((uv_req_t *)&r->resolve);
	r->state = CLOSED;
	r->on_closed = on_closed;
	r->closed_arg = arg;
	timer_clear(r->loop, &r->timer);
	disconnect(r);
	answer_all_with_nothing(take_commands(r));
	loop_post(r->loop, &r->closed);
}

/* ---- up and running ---- */

static void arm_timer(struct redis *r)
{
	int64_t at_ms = r->head != NULL ? r->head->deadline_ms : clock_mono_ms() + IDLE_PROBE_MS;

	timer_set(r->loop, &r->timer, at_ms);
}

static void watch(struct redis *r, int events)
{
	if (r->watched == events)
		return;
	r->watched = events;
	if (uv_poll_start(r->poll, events, on_poll) != 0)
		drop(r, "cannot poll the socket");
}

static void write_out(struct redis *r)
{
	int done = 0;

	if (redisBufferWrite(r->ctx, &done) != REDIS_OK)
		drop(r, r->ctx->errstr);
	else
		watch(r, done ? UV_READABLE : UV_READABLE | UV_WRITABLE);
}

static void on_flush(struct task *t)
{
	struct redis *r = CONTAINER_OF(t, struct redis, flush);

	if (r->ctx != NULL)
		write_out(r);
}

static void append(struct redis *r, struct command *c, const char *text, size_t n, int wait_ms)
{
	if (redisAppendFormattedCommand(r->ctx, text, n) != REDIS_OK)
		abort(); /* its only failure is memory */
	c->next = NULL;
	c->deadline_ms = clock_mono_ms() + wait_ms;
	if (r->tail != NULL)
		r->tail->next = c;
	else
		r->head = c;
	r->tail = c;
	if (r->n_commands++ == 0)
		arm_timer(r);
	loop_post(r->loop, &r->flush);
}

bool redis_send(struct redis *r, struct command *c, const char *text, size_t n, int wait_ms)
{
	if (r->state != UP || r->n_commands >= REDIS_COMMANDS_MAX)
		return false;
	if (sdslen(r->ctx->obuf) + n > REDIS_UNSENT_MAX)
		return false;
	append(r, c, text, n, wait_ms);
	return true;
}

bool redis_is_up(const struct redis *r)
{
	return r->state == UP;
}

/* These errors say that the server cannot do its work at present, whatever it is asked. */
static bool means_down(const redisReply *reply)
{
	static const char *const words[] = {"LOADING",     "OOM",        "MISCONF",
					    "READONLY",    "NOREPLICAS", "MASTERDOWN",
					    "CLUSTERDOWN", "BUSY",       "NOAUTH"};
	size_t n;

	if (reply->type != REDIS_REPLY_ERROR)
		return false;
	n = strcspn(reply->str, " ");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (n == strlen(words[i]) && memcmp(reply->str, words[i], n) == 0)
			return true;
	}
	return false;
}

/* ["message", channel, payload], which comes between the answers. */
static bool is_push(const struct redis *r, const redisReply *reply)
{
	return r->opt.on_push != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	       redis_is_text(reply->element[0], 7, 7) &&
	       memcmp(reply->element[0]->str, "message", 7) == 0;
}

static void take_reply(struct redis *r, const redisReply *reply)
{
	struct command *c = r->head;

	if (is_push(r, reply)) {
		r->opt.on_push(r->opt.arg, reply);
		return;
	}
	if (c == NULL) {
		drop(r, "an answer nobody asked for");
		return;
	}
	if (means_down(reply)) {
		drop(r, reply->str);
		return;
	}
	r->head = c->next;
	if (r->head == NULL)
		r->tail = NULL;
	r->n_commands--;
	r->answered++;
	arm_timer(r);
	c->on_reply(c, reply);
}

static void read_replies(struct redis *r)
{
	void *reply;

	while (r->ctx != NULL) {
		if (redisGetReplyFromReader(r->ctx, &reply) != REDIS_OK) {
			drop(r, r->ctx->errstr);
			return;
		}
		if (reply == NULL)
			return;
		take_reply(r, reply);
		freeReplyObject(reply);
	}
}

/* EOF and errors drop; so `r->ctx` may be NULL afterwards. */
static void read_in(struct redis *r)
{
	for (int i = 0; i < READS_PER_EVENT && r->ctx != NULL; i++) {
		uint32_t before = r->n_commands;

		if (redisBufferRead(r->ctx) != REDIS_OK) {
			drop(r, r->ctx->errstr);
			return;
		}
		read_replies(r);
		if (r->n_commands == 0 || r->n_commands == before)
			return; /* nothing more, or not yet */
	}
}

/* ---- coming up ---- */

/* A connection that has subscribed may send no script any more, but PING. */
static bool probes_by_ping(const struct redis *r)
{
	return r->opt.on_push != NULL && r->state == UP;
}

static bool is_good_probe(const struct redis *r, const redisReply *reply)
{
	if (probes_by_ping(r))
		return reply->type != REDIS_REPLY_ERROR;
	return reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
}

static void on_probe(struct command *c, const redisReply *reply)
{
	struct redis *r = CONTAINER_OF(c, struct redis, probe);

	if (reply == NULL)
		return;
	if (!is_good_probe(r, reply)) {
		drop(r, reply->type == REDIS_REPLY_ERROR ? reply->str : "not an answer to a probe");
		return;
	}
	if (r->state == PROBING) {
		r->state = UP;
		r->up_since_ms = clock_mono_ms();
		arm_timer(r);
		log_info("redis_up", "connection=%s", r->opt.purpose);
		r->opt.on_state(r->opt.arg, true);
	}
}

static void send_probe(struct redis *r)
{
	const char *script[] = {"EVAL", probe_script, "0"}, *ping[] = {"PING"};
	char *text;
	int n = probes_by_ping(r) ? redisFormatCommandArgv(&text, 1, ping, NULL)
				  : redisFormatCommandArgv(&text, 3, script, NULL);

	if (n < 0)
		abort();
	append(r, &r->probe, text, (size_t)n, r->opt.timeout_ms);
	redisFreeCommand(text);
}

static void on_connected(struct redis *r)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(r->ctx->fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
		err = errno;
	if (err != 0) {
		drop(r, strerror(err));
		return;
	}
	r->state = PROBING;
	send_probe(r);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct redis *r = p->data;

	if (status < 0) {
		drop(r, uv_strerror(status));
		return;
	}
	if (r->state == CONNECTING) {
		on_connected(r);
		return;
	}
	if (events & UV_WRITABLE)
		write_out(r);
	if (r->ctx != NULL && (events & UV_READABLE))
		read_in(r);
}

/* The context is made; wait for the connection. */
static void on_context(struct redis *r, redisContext *ctx)
{
	if (ctx == NULL)
		abort();
	r->ctx = ctx;
	if (ctx->err != 0) {
		drop(r, ctx->errstr);
		return;
	}
	r->state = CONNECTING;
	timer_set(r->loop, &r->timer, clock_mono_ms() + r->opt.timeout_ms);
	r->poll = mem_alloc(sizeof(*r->poll));
	if (uv_poll_init(loop_uv(r->loop), r->poll, ctx->fd) != 0) {
		free(r->poll);
		r->poll = NULL;
		drop(r, "cannot poll the socket");
		return;
	}
	r->poll->data = r;
	r->libuv_refs++;
	watch(r, UV_WRITABLE);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct redis *r = req->data;
	char ip[REDIS_IP_SIZE];
	bool good = status == 0 && redis_address_choose(found, r->attempts++, ip);

	r->libuv_refs--;
	uv_freeaddrinfo(found);
	if (r->state == RESOLVING && good)
		on_context(r, redisConnectNonBlock(
				      ip, atoi(r->address.port))); /* banned-ok: is_port() */
	else if (r->state == RESOLVING)
		drop(r, "cannot resolve the host name");
	else
		free_when_forgotten(r); /* the deadline or redis_close() was faster */
}

static void resolve(struct redis *r)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	int rc;

	r->state = RESOLVING;
	r->resolve.data = r;
	timer_set(r->loop, &r->timer, clock_mono_ms() + RESOLVE_MS);
	rc = uv_getaddrinfo(loop_uv(r->loop), &r->resolve, on_resolved, r->address.host,
			    r->address.port, &hints);
	if (rc == 0)
		r->libuv_refs++;
	else
		drop(r, "cannot ask the resolver");
}

static void connect_now(struct redis *r)
{
	if (r->address.is_unix)
		on_context(r, redisConnectUnixNonBlock(r->address.host));
	else if (r->libuv_refs == 0)
		resolve(r);
	else /* the resolver has not done with us; its answer is for an attempt given up */
		timer_set(r->loop, &r->timer, clock_mono_ms() + BACKOFF_CAP_MS);
}

/* The loop handles what has arrived before it runs timers: a loop that was held up does not blame
 * the server. */
static void on_command_overdue(struct redis *r)
{
	if (r->head != NULL && r->head->deadline_ms <= clock_mono_ms())
		drop(r, "no answer in time");
	else
		arm_timer(r);
}

static void on_timer(struct timer *t)
{
	struct redis *r = CONTAINER_OF(t, struct redis, timer);

	switch (r->state) {
	case DOWN:
		connect_now(r);
		break;
	case RESOLVING:
	case CONNECTING:
		drop(r, "cannot connect in time");
		break;
	case PROBING:
		on_command_overdue(r);
		break;
	case UP:
		if (r->head != NULL)
			on_command_overdue(r);
		else
			send_probe(r);
		break;
	case CLOSED:
		assert(r->state != CLOSED); /* its timer was cleared */
	}
}

struct redis *redis_open(struct loop *l, const struct redis_options *opt)
{
	struct redis *r = mem_alloc(sizeof(*r));

	if (!redis_address_parse(&r->address, opt->address)) {
		redis_address_done(&r->address);
		free(r);
		return NULL;
	}
	r->loop = l;
	r->opt = *opt;
	r->opt.address = NULL; /* the caller's; r->address is ours */
	r->timer.on_due = on_timer;
	r->flush.run = on_flush;
	r->closed.run = on_closed_task;
	r->probe.on_reply = on_probe;
	timer_set(l, &r->timer,
		  clock_mono_ms()); /* from the loop: no callback before this has returned */
	return r;
}

/* ---- for people ---- */

void redis_show(struct show *s, const struct redis *r)
{
	static const char *const states[] = {[DOWN] = "lost",
					     [RESOLVING] = "connecting",
					     [CONNECTING] = "connecting",
					     [PROBING] = "probing",
					     [UP] = "up",
					     [CLOSED] = "closed"};

	if (r == NULL || !show_row(s))
		return;
	show_text(s, "redis");
	show_text(s, r->opt.purpose);
	show_nothing(s);
	show_text(s, states[r->state]);
	show_nothing(s);
	show_int(s, r->n_commands);
	show_int(s, (int64_t)r->answered);
	show_int(s, (int64_t)r->losses);
	if (r->address.is_unix)
		show_text(s, r->address.host);
	else
		show_printf(s, "%s:%s", r->address.host, r->address.port);
	show_nothing(s);
	show_text(s, r->last_error[0] != '\0' ? r->last_error : NULL);
}
