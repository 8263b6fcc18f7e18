#include "tests/unit/server_feed_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "core/store/unit.h"
#include "server/methods.h"
#include "server/watch/watches.h"

enum { QUESTIONS_MAX = 16, EPOCH = 77 };

struct app app;
static int64_t now_ms;

/* ---- the database: events in their order, those below the horizon are final ---- */

struct feed_events_row events[EVENTS_MAX];
uint32_t n_events;
int64_t horizon, epoch;

static struct str customer_of(uint32_t n)
{
	return n % 3 == 0 ? STR("ada") : STR("bob");
}

/* The n-th event: of one of two orders, in a transaction of its own. */
static void commit_event(void)
{
	uint32_t n = n_events++;

	assert_true(n < EVENTS_MAX);
	events[n] = (struct feed_events_row){.xid = 100 + n,
					     .order_id.b = {(uint8_t)(1 + n % 3)},
					     .seq = 1 + n / 3,
					     .number = n,
					     .customer = customer_of(n),
					     .kind = STR("tracking"),
					     .to_state = STR("completed"),
					     .actor = STR("test")};
	horizon = 100 + n_events;
}

void commit_events(uint32_t n)
{
	while (n-- > 0)
		commit_event();
}

static struct question {
	struct op op;
	struct feed_events_head head;
	bool asked;
} questions[QUESTIONS_MAX];

uint32_t answered;

int store_ask(struct flow *fl, struct store *st, struct unit u)
{
	(void)st;
	assert_ptr_equal(u.kind, &UNIT_FEED_EVENTS);
	for (int i = 0; i < QUESTIONS_MAX; i++) {
		if (questions[i].asked)
			continue;
		questions[i] = (struct question){.asked = true};
		memcpy(&questions[i].head, u.head, sizeof(questions[i].head));
		return op_ask(fl, &questions[i].op);
	}
	fail_msg("too many questions at once");
	return FLOW_FAIL;
}

static struct feed_events_row rows[FEED_READ];
static uint32_t n_rows;

uint32_t answer_rows(const struct answer *a)
{
	(void)a;
	return n_rows;
}

void unit_row_read(const struct unit_kind *kind, const struct answer *a, uint32_t i, void *ret_row)
{
	(void)kind, (void)a;
	assert_true(i < n_rows);
	memcpy(ret_row, &rows[i], sizeof(rows[i]));
}

/* What the statement would say (db/queries/feed_events.sql). */
static void look_up(const struct feed_events_head *h)
{
	struct feed_place after = {h->after_xid, h->after_order, h->after_seq};
	int64_t held = DB_NULL;

	n_rows = 0;
	for (uint32_t i = 0; i < n_events; i++) {
		struct feed_place at = feed_row_place(&events[i]);

		if (at.xid >= horizon)
			held = 1;
		else if (!h->fresh && (int32_t)n_rows < h->most &&
			 feed_place_cmp(&at, &after) > 0 &&
			 (h->customer.p == NULL || str_eq(h->customer, events[i].customer)))
			rows[n_rows++] = events[i];
	}
	if (n_rows == 0)
		rows[n_rows++] = (struct feed_events_row){.customer = STR("")};
	for (uint32_t i = 0; i < n_rows; i++) {
		rows[i].epoch = epoch;
		rows[i].horizon = horizon;
		rows[i].held_since = held;
	}
}

static void turn(void)
{
	(void)uv_run(loop_uv(app.loop), UV_RUN_NOWAIT);
}

void later(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, now_ms * 1000);
	turn();
}

uint32_t asked(void)
{
	uint32_t n = 0;

	for (int i = 0; i < QUESTIONS_MAX; i++)
		n += questions[i].asked;
	return n;
}

void answer_all(enum errc err)
{
	for (int i = 0; i < QUESTIONS_MAX; i++) {
		struct answer a = {.err = err, .body = rows};

		if (!questions[i].asked)
			continue;
		look_up(&questions[i].head);
		questions[i].asked = false;
		answered++;
		op_answer(&questions[i].op, &a);
	}
	turn();
}

/* ---- hints ---- */

void (*hear)(void *arg, struct id order);
void *hear_arg;

void queue_hint(struct queue *q, struct id order)
{
	(void)q, (void)order;
}

void queue_on_hint(struct queue *q, void (*on_hint)(void *arg, struct id order), void *arg)
{
	(void)q;
	hear = on_hint;
	hear_arg = arg;
}

/* ---- calls: messages are taken when the test says so ---- */

enum { ARENA_BYTES = 4096 };

struct call *calls;

static struct call *call_of(struct flow *fl)
{
	return (struct call *)(void *)fl;
}

void *rpc_state(struct flow *fl)
{
	return &call_of(fl)->state;
}

const void *rpc_request(struct flow *fl)
{
	return &call_of(fl)->request;
}

struct app *rpc_app(struct flow *fl)
{
	(void)fl;
	return &app;
}

const struct identity *rpc_identity(struct flow *fl)
{
	return &call_of(fl)->who;
}

enum errc rpc_identify_again(struct flow *fl)
{
	return call_of(fl)->who.role == ROLE_CUSTOMER ? ERR_UNAUTHENTICATED : ERR_OK;
}

bool rpc_can_send(struct flow *fl)
{
	return call_of(fl)->open && !call_of(fl)->sending && call_of(fl)->end == ERR_OK;
}

bool rpc_send(struct flow *fl, const ProtobufCMessage *m)
{
	const Orderd__V1__WatchOrdersResponse *rs = (const Orderd__V1__WatchOrdersResponse *)m;
	struct call *c = call_of(fl);

	assert_true(rpc_can_send(fl));
	assert_true(rs->resume_token.len < sizeof(c->token));
	memcpy(c->token, rs->resume_token.data, rs->resume_token.len);
	c->token[rs->resume_token.len] = '\0';
	for (size_t i = 0; i < rs->n_events; i++)
		c->seen[c->n_seen++] = rs->events[i]->order_number;
	c->messages++;
	c->empty += rs->n_events == 0;
	c->sending = true;
	return true;
}

void rpc_end(struct flow *fl, enum errc e)
{
	if (call_of(fl)->end == ERR_OK)
		call_of(fl)->end = e;
}

void rpc_end_text(struct flow *fl, enum errc e, const char *fmt, ...)
{
	(void)fmt;
	rpc_end(fl, e);
}

bool violation;

void rpc_violation(struct flow *fl, const char *why, const char *field_fmt, ...)
{
	(void)fl, (void)why, (void)field_fmt;
	violation = true;
}

void rpc_vviolation(struct flow *fl, const char *why, const char *field_fmt, va_list ap)
{
	(void)fl, (void)why, (void)field_fmt, (void)ap;
	violation = true;
}

bool rpc_has_violations(struct flow *fl)
{
	(void)fl;
	return violation;
}

void rpc_about(struct flow *fl, const char *type, struct str name)
{
	(void)fl, (void)type, (void)name;
}

void rpc_order(struct flow *fl, struct id order)
{
	(void)fl, (void)order;
}

void rpc_fact(struct flow *fl, const char *key, const char *fmt, ...)
{
	(void)fl, (void)key, (void)fmt;
}

struct call *open_call(int n, const char *token, const char *customer)
{
	struct call *c = &calls[n];
	char *kept = mem_text(token); /* it may be the call's own, of before */

	*c = (struct call){.who.tenant = 7, .who.role = ROLE_SERVICE, .open = true};
	arena_init(&c->fl.arena, ARENA_BYTES);
	orderd__v1__watch_orders_request__init(&c->request);
	c->request.resume_token = (ProtobufCBinaryData){strlen(kept), (uint8_t *)kept};
	c->request.customer =
		(ProtobufCBinaryData){strlen(customer), (uint8_t *)(uintptr_t)customer};
	RPC_WATCH_ORDERS.stream->on_open(&c->fl);
	free(kept);
	return c;
}

void close_call(struct call *c)
{
	if (!c->open)
		return;
	c->open = false;
	RPC_WATCH_ORDERS.stream->on_close(&c->fl);
	arena_done(&c->fl.arena);
}

void take_message(struct call *c)
{
	c->sending = false;
	RPC_WATCH_ORDERS.stream->on_sent(&c->fl);
}

void settle(void)
{
	for (int quiet = 0; quiet < 3;) {
		uint32_t before = answered;
		bool sent = false;

		later(FEED_PAUSE_MS);
		answer_all(ERR_OK);
		for (int i = 0; i < CALLS; i++) {
			if (!calls[i].sending || calls[i].stuck)
				continue;
			take_message(&calls[i]);
			sent = true;
		}
		quiet = sent || answered != before ? 0 : quiet + 1;
	}
}

void saw_all(const struct call *c, uint32_t from, const char *customer)
{
	uint32_t at = 0;

	for (uint32_t n = from; n < n_events && events[n].xid < horizon; n++) {
		if (customer[0] != '\0' && !str_eq(str_of(customer), events[n].customer))
			continue;
		assert_true(at < c->n_seen);
		assert_int_equal(c->seen[at++], n);
	}
	assert_int_equal(at, c->n_seen);
}

int set_up(void **state)
{
	static char none[] = "none";

	(void)state;
	log_open("server_feed", LOG_ERROR);
	now_ms = 1000;
	clock_fake(now_ms * 1000, now_ms * 1000);
	app = (struct app){.loop = loop_new(), .cfg.auth = none};
	app.cfg.watch_poll_ms = POLL_MS;
	app.cfg.watch_slow_ms = app.cfg.watch_heartbeat_ms = 30000;
	app.cfg.max_watches = 100;
	calls = mem_array(CALLS, sizeof(*calls));
	n_events = answered = 0;
	violation = false;
	horizon = 100;
	epoch = EPOCH;
	app.watches = watches_new(&app);
	app.feeds = feeds_new(&app);
	app.callers = watch_callers_new(10);
	return 0;
}

static void count_closed(void *arg)
{
	++*(int *)arg;
}

int tear_down(void **state)
{
	int closed = 0;

	(void)state;
	for (int i = 0; i < CALLS; i++)
		close_call(&calls[i]);
	watch_callers_free(app.callers);
	watches_close(app.watches, count_closed, &closed);
	feeds_close(app.feeds, count_closed, &closed);
	if (asked() > 0)
		answer_all(ERR_OK); /* it waits for those */
	assert_int_equal(closed, 2);
	loop_free(app.loop);
	free(calls);
	clock_fake(-1, -1);
	return 0;
}
