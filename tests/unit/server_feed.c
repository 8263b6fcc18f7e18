/*
 * The feed of a tenant, with the test as store, queue and gRPC: what is read by whom, what each
 * follower is sent, and that it is every event once, however far behind it was.
 *
 * It is linked in place of core/store/store.c, core/queue and server/runtime.
 */
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
#include "server/app.h"
#include "server/methods.h"
#include "server/page_token.h"
#include "server/watch/feed.h"
#include "server/watch/watches.h"
#include "sql.gen.h"

enum { POLL_MS = 1000, EVENTS_MAX = 4000, QUESTIONS_MAX = 16, CALLS = 40, EPOCH = 77 };

static struct app app;
static int64_t now_ms;

/* ---- the database: events in their order, those below the horizon are final ---- */

static struct feed_events_row events[EVENTS_MAX];
static uint32_t n_events;
static int64_t horizon, epoch;

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

static void commit_events(uint32_t n)
{
	while (n-- > 0)
		commit_event();
}

static struct question {
	struct op op;
	struct feed_events_head head;
	bool asked;
} questions[QUESTIONS_MAX];

static uint32_t answered;

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

static void later(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, now_ms * 1000);
	turn();
}

static uint32_t asked(void)
{
	uint32_t n = 0;

	for (int i = 0; i < QUESTIONS_MAX; i++)
		n += questions[i].asked;
	return n;
}

static void answer_all(enum errc err)
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

static void (*hear)(void *arg, struct id order);
static void *hear_arg;

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

struct call {
	struct flow fl; /* first */
	Orderd__V1__WatchOrdersRequest request;
	struct identity who;
	struct follower state;
	bool open, sending, stuck;
	enum errc end;
	char token[PAGE_TOKEN_SIZE]; /* of the last message */
	uint32_t messages, empty, n_seen;
	int64_t seen[EVENTS_MAX]; /* numbers of events */
};

static struct call *calls;

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

static bool violation;

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

static struct call *open_call(int n, const char *token, const char *customer)
{
	struct call *c = &calls[n];
	char *kept = mem_text(token); /* it may be the call's own, of before */

	*c = (struct call){.who.tenant = 7, .who.role = ROLE_SERVICE, .open = true};
	orderd__v1__watch_orders_request__init(&c->request);
	c->request.resume_token = (ProtobufCBinaryData){strlen(kept), (uint8_t *)kept};
	c->request.customer =
		(ProtobufCBinaryData){strlen(customer), (uint8_t *)(uintptr_t)customer};
	RPC_WATCH_ORDERS.stream->on_open(&c->fl);
	free(kept);
	return c;
}

static void close_call(struct call *c)
{
	if (!c->open)
		return;
	c->open = false;
	RPC_WATCH_ORDERS.stream->on_close(&c->fl);
}

/* Everything that is on its way arrives, and is followed by more, until nothing moves. */
static void settle(void)
{
	for (int quiet = 0; quiet < 3;) {
		uint32_t before = answered;
		bool sent = false;

		later(FEED_PAUSE_MS);
		answer_all(ERR_OK);
		for (int i = 0; i < CALLS; i++) {
			if (!calls[i].sending || calls[i].stuck)
				continue;
			calls[i].sending = false;
			sent = true;
			RPC_WATCH_ORDERS.stream->on_sent(&calls[i].fl);
		}
		quiet = sent || answered != before ? 0 : quiet + 1;
	}
}

/* Numbers of events from `from` on that are the customer's, each once and in order. */
static void saw_all(const struct call *c, uint32_t from, const char *customer)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

/* ---- places and the ring ---- */

static void place__is_read_as_written_and_nothing_else_is(void **state)
{
	static const char *const bad[] = {"",
					  "1",
					  "1.2",
					  "1.2.x.3",
					  "1.2.00000000-0000-0000-0000-000000000000",
					  "1.2.00000000-0000-0000-0000-000000000000.3.4",
					  "1.0.00000000-0000-0000-0000-000000000000.3",
					  "1.2.00000000-0000-0000-0000-000000000000.-3"};
	struct feed_place p = {INT64_MAX, id_new(), INT64_MAX}, got;
	char text[FEED_PLACE_SIZE];
	int64_t e;

	(void)state;
	assert_true(feed_place_read(feed_place_write(INT64_MIN + 1, &p, text), &e, &got));
	assert_int_equal(feed_place_cmp(&p, &got), 0);
	assert_true(e == INT64_MIN + 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(feed_place_read(str_of(bad[i]), &e, &got));
}

static void ring__gives_up_the_oldest_page_and_says_so(void **state)
{
	struct feed_ring r;
	struct feed_place start = feed_place_at(100), gone;
	uint64_t at;

	(void)state;
	feed_ring_init(&r, start);
	assert_true(feed_ring_find(&r, &start, &at) && at == 0);
	commit_events(FEED_PAGE_EVENTS * 3 + 5);
	for (uint32_t i = 0; i < n_events; i++)
		assert_true(feed_ring_push(&r, &events[i], feed_whose(7, STR("ada")), 3));
	assert_int_equal(r.first,
			 FEED_PAGE_EVENTS); /* three pages: two full ones and five events */
	assert_int_equal(r.end, n_events);
	assert_false(feed_ring_find(&r, &start, &at));
	gone = feed_row_place(&events[FEED_PAGE_EVENTS - 2]);
	assert_false(feed_ring_find(&r, &gone, &at)); /* the last given up is behind it */
	for (uint32_t i = FEED_PAGE_EVENTS - 1; i < n_events; i++) {
		struct feed_place p = feed_row_place(&events[i]);

		assert_true(feed_ring_find(&r, &p, &at) && at == i + 1);
	}
	assert_int_equal(feed_ring_at(&r, FEED_PAGE_EVENTS)->message->order_number,
			 FEED_PAGE_EVENTS);
	feed_ring_done(&r);
}

/* ---- one reader ---- */

static void many_follow__one_reads(void **state)
{
	(void)state;
	commit_events(10); /* of before: nobody is told */
	for (int i = 0; i < CALLS; i++)
		open_call(i, "", i % 2 == 0 ? "" : "ada");
	settle();
	assert_int_equal(answered, 1);
	for (int i = 0; i < CALLS; i++)
		assert_true(calls[i].messages == 1 && calls[i].empty == 1); /* a token */
	commit_events(30);
	hear(hear_arg, id_new());
	hear(hear_arg, id_new());
	settle();
	assert_int_equal(answered, 2);
	for (int i = 0; i < CALLS; i++)
		saw_all(&calls[i], 10, i % 2 == 0 ? "" : "ada");
}

static void moved_while_it_was_read__is_read_again(void **state)
{
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	assert_int_equal(asked(), 1);
	hear(hear_arg, id_new()); /* what is being read may be older */
	later(FEED_PAUSE_MS);
	answer_all(ERR_OK);
	commit_event();
	later(FEED_PAUSE_MS);
	assert_int_equal(asked(), 1);
	settle();
	saw_all(c, 0, "");
}

static void no_hint__the_poll_reads(void **state)
{
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	commit_event();
	settle();
	assert_int_equal(c->n_seen, 0);
	later(POLL_MS);
	settle();
	saw_all(c, 0, "");
}

static void held_up__is_asked_for_less_and_less_and_comes_when_it_may(void **state)
{
	struct call *c = open_call(0, "", "");
	uint32_t before;

	(void)state;
	settle();
	commit_events(5);
	horizon = 102; /* an older one still writes */
	hear(hear_arg, id_new());
	before = answered;
	for (int i = 0; i < 100; i++) { /* two seconds */
		later(FEED_PAUSE_MS);
		answer_all(ERR_OK);
		if (c->sending) {
			c->sending = false;
			RPC_WATCH_ORDERS.stream->on_sent(&c->fl);
		}
	}
	assert_in_range(answered - before, 5, 10); /* not a hundred times */
	saw_all(c, 0, "");
	assert_int_equal(c->n_seen, 2);
	horizon = 105;
	for (int i = 0; i < 3; i++) {
		later(POLL_MS);
		settle();
	}
	saw_all(c, 0, "");
	assert_int_equal(c->n_seen, 5);
}

static void reading_fails__followers_stay_and_the_poll_makes_it_good(void **state)
{
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	commit_events(3);
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	answer_all(ERR_STORE_UNAVAILABLE);
	settle();
	assert_true(c->n_seen == 0 && c->end == ERR_OK);
	later(POLL_MS);
	settle();
	saw_all(c, 0, "");
}

/* ---- cursors ---- */

static void comes_back__goes_on_behind_its_last_message(void **state)
{
	struct call *c = open_call(0, "", ""), *stays = open_call(1, "", "");
	char token[PAGE_TOKEN_SIZE];

	(void)state;
	settle();
	commit_events(100);
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	answer_all(ERR_OK);
	assert_int_equal(c->n_seen, FEED_SEND); /* one message, and no more before that has left */
	memcpy(token, c->token, sizeof(token));
	close_call(c);
	settle();
	c = open_call(0, token, "");
	settle();
	saw_all(c, FEED_SEND, "");
	saw_all(stays, 0, "");
}

/* Further than the ring: pages of its own, and then the ring, with no event twice or left out. */
static void far_behind__catches_up_and_joins(void **state)
{
	static const char *const whose[] = {"", "ada"};
	struct call *stays = open_call(0, "", "");

	(void)state;
	settle();
	for (int i = 0; i < 2; i++) {
		open_call(1 + i, "", whose[i]);
		settle();
		close_call(&calls[1 + i]);
	}
	for (int i = 0; i < 13; i++) {
		commit_events(100);
		hear(hear_arg, id_new());
		settle();
	}
	for (int i = 0; i < 2; i++)
		open_call(1 + i, calls[1 + i].token, whose[i]);
	for (int i = 0; i < 5; i++) { /* and more comes meanwhile */
		later(FEED_PAUSE_MS);
		commit_events(40);
		hear(hear_arg, id_new());
		answer_all(ERR_OK);
	}
	settle();
	for (int i = 0; i < 2; i++) {
		saw_all(&calls[1 + i], 0, whose[i]);
		assert_int_equal(calls[1 + i].state.state, FOLLOWER_JOINED);
	}
	saw_all(stays, 0, "");
}

/* It is still being sent a message when the ring goes past it. */
static void slow_for_a_while__falls_behind_and_catches_up(void **state)
{
	struct call *slow = open_call(0, "", ""), *quick = open_call(1, "", "");

	(void)state;
	settle();
	slow->stuck = true;
	for (int i = 0; i < 15; i++) {
		commit_events(100);
		hear(hear_arg, id_new());
		settle();
	}
	saw_all(quick, 0, "");
	assert_int_equal(slow->n_seen, FEED_SEND);
	slow->stuck = false;
	settle();
	saw_all(slow, 0, "");
}

static void slow_for_too_long__is_ended_alone(void **state)
{
	struct call *slow = open_call(0, "", ""), *quick = open_call(1, "", "");

	(void)state;
	settle();
	slow->stuck = true;
	commit_events(100);
	hear(hear_arg, id_new());
	settle();
	later(31000);
	settle();
	assert_int_equal(slow->end, ERR_SLOW_READER);
	assert_int_equal(quick->end, ERR_OK);
	saw_all(quick, 0, "");
}

static void quiet__is_told_how_far_the_feed_has_come(void **state)
{
	struct call *c = open_call(0, "", "ada");
	char token[PAGE_TOKEN_SIZE];

	(void)state;
	settle();
	memcpy(token, c->token, sizeof(token));
	horizon = 5000; /* others' business */
	for (int i = 0; i < 32; i++) {
		later(POLL_MS);
		settle();
	}
	assert_int_equal(c->empty, 2);
	assert_string_not_equal(c->token, token);
}

static void credential_has_ended__so_does_the_stream(void **state)
{
	struct call *c = open_call(0, "", ""), *other = open_call(1, "", "");

	(void)state;
	settle();
	c->who.role = ROLE_CUSTOMER; /* what rpc_identify_again() above takes for the end of it */
	later(31000);
	settle();
	assert_int_equal(c->end, ERR_UNAUTHENTICATED);
	assert_int_equal(other->end, ERR_OK);
}

/* ---- tokens and epochs ---- */

static void token_of_another_filter__is_no_token(void **state)
{
	char token[PAGE_TOKEN_SIZE];

	(void)state;
	open_call(0, "", "");
	settle();
	memcpy(token, calls[0].token, sizeof(token));
	assert_int_equal(open_call(1, token, "ada")->end, ERR_INVALID_ARGUMENT);
	violation = false;
	assert_int_equal(open_call(2, token, "")->end, ERR_OK);
}

static void database_begins_anew__all_are_told(void **state)
{
	char token[PAGE_TOKEN_SIZE];
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	memcpy(token, c->token, sizeof(token));
	epoch++;
	hear(hear_arg, id_new());
	settle();
	assert_int_equal(c->end, ERR_FEED_BEGAN_ANEW);
	close_call(c);
	assert_int_equal(open_call(1, "", "")->end, ERR_OK);
	settle();
	c = open_call(2, token, "");
	settle();
	assert_int_equal(c->end, ERR_FEED_BEGAN_ANEW);
	c = open_call(3, calls[1].token, "");
	horizon -= 50; /* the past was put back, and nobody said so */
	commit_event();
	horizon = 60;
	later(POLL_MS);
	settle();
	assert_int_equal(c->end, ERR_FEED_BEGAN_ANEW);
}

static void leaves_at_any_moment__nothing_is_left(void **state)
{
	(void)state;
	close_call(open_call(0, "", "")); /* while its feed is first read */
	turn();
	open_call(0, "", "");
	settle();
	commit_events(2000);
	hear(hear_arg, id_new());
	settle();
	close_call(&calls[0]);
	open_call(0, calls[0].token, "");
	settle();
	n_events = 2000;
	open_call(1, calls[0].token, "");
	commit_events(1500);
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	close_call(&calls[0]);
	close_call(&calls[1]); /* while it is read for */
	settle();
	assert_true(app.feeds->first == NULL && app.feeds->reading == 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(place__is_read_as_written_and_nothing_else_is),
		TEST(ring__gives_up_the_oldest_page_and_says_so),
		TEST(many_follow__one_reads),
		TEST(moved_while_it_was_read__is_read_again),
		TEST(no_hint__the_poll_reads),
		TEST(held_up__is_asked_for_less_and_less_and_comes_when_it_may),
		TEST(reading_fails__followers_stay_and_the_poll_makes_it_good),
		TEST(comes_back__goes_on_behind_its_last_message),
		TEST(far_behind__catches_up_and_joins),
		TEST(slow_for_a_while__falls_behind_and_catches_up),
		TEST(slow_for_too_long__is_ended_alone),
		TEST(quiet__is_told_how_far_the_feed_has_come),
		TEST(credential_has_ended__so_does_the_stream),
		TEST(token_of_another_filter__is_no_token),
		TEST(database_begins_anew__all_are_told),
		TEST(leaves_at_any_moment__nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
