/*
 * A Redis that dies, hangs, forgets, is full or is not there at all: what is asked is
 * answered in time, and everything goes on when it is back.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/queue/redis_address.h"
#include "core/queue/script.h"
#include "tests/integration/queue_world.h"

enum { LEASE_MS = 3000 };

static const struct hold_line one = {.item = 7, .location = 1, .qty = 1, .available = 10};

struct taker {
	struct intake *in;
	uint32_t n, wanted;
	struct queue *acks_to;
	bool closes;
};

static uint32_t room(void *arg, enum queue_role r)
{
	(void)arg;
	(void)r;
	return 10;
}

static void on_delivery(void *arg, const struct delivery *d)
{
	struct taker *t = arg;

	t->n++;
	if (t->closes)
		intake_close(t->in);
	else
		queue_ack(t->acks_to, d);
}

static bool has_taken(void *arg)
{
	struct taker *t = arg;

	return t->n >= t->wanted;
}

static void start(struct world *w, struct taker *t)
{
	t->acks_to = w->queue;
	t->in = intake_new(w->queue, 1U << ROLE_PAYMENT, LEASE_MS, room, on_delivery, t);
}

static void ring(struct world *w)
{
	struct ring r = {.job = id_new(), .role = ROLE_PAYMENT};

	queue_ring(w->queue, &r, 1);
}

static void ring_and_take(struct world *w, struct taker *t)
{
	t->wanted = t->n + 1;
	ring(w);
	world_until(w, has_taken, t, "a delivery");
}

static enum errc try_hold(struct world *w, struct queue *q)
{
	struct question qu = question_hold(w, id_new(), &one, 1);

	qu.queue = q;
	question_start(&qu);
	assert_false(qu.ended); /* never answered inside the ask */
	question_wait(&qu);
	return qu.cause;
}

/* Redis has come back empty or not; the epoch is written again, holds work. */
static void expect_recovery(struct world *w)
{
	world_up(w, w->queue, true);
	world_write_epoch(w, w->queue, 1);
	assert_int_equal(world_hold(w, id_new(), &one, 1).outcome, HOLD_OK);
}

static bool is_waiting(void *world)
{
	struct world *w = world;

	/* blocked in XREADGROUP */
	return redis_server_int(w->redis, "EVAL %s 0",
				"return tonumber(string.match(redis.call('INFO', 'clients'), "
				"'blocked_clients:(%d+)'))") == 1;
}

/* ---- forgetting ---- */

static void flushall_while_a_worker_waits_loses_no_later_ring(void **state)
{
	struct world *w = *state;
	struct taker t = {0};

	start(w, &t);
	ring_and_take(w, &t);
	for (int i = 0; i < 3; i++) {
		world_until(w, is_waiting, w, "the worker waits");
		redis_server_do(w->redis, "FLUSHALL");
		ring_and_take(w, &t);
	}
	assert_true(queue_is_up(w->queue));
}

static void key_of_another_type_is_survived(void **state)
{
	struct world *w = *state;
	struct taker t = {0};

	redis_server_do(w->redis, "SET {q05}:payment:p0 nonsense");
	start(w, &t);
	ring(w);
	/* Refused again and again, with pauses, while the other streams' fate is open. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(try_hold(w, w->queue), ERR_OK);
	redis_server_do(w->redis, "DEL {q05}:payment:p0");
	ring_and_take(w, &t);
}

/* ---- dying ---- */

static void killed_redis_is_found_again(void **state)
{
	struct world *w = *state;
	struct taker t = {0};

	start(w, &t);
	ring_and_take(w, &t);
	redis_server_kill(w->redis);
	world_up(w, w->queue, false);
	assert_int_equal(try_hold(w, w->queue), ERR_QUEUE_UNAVAILABLE);
	redis_server_again(w->redis);
	expect_recovery(w);
	ring_and_take(w, &t);
}

static void killed_redis_with_questions_outstanding_answers_them(void **state)
{
	struct world *w = *state;
	struct question qu = question_hold(w, id_new(), &one, 1);

	redis_server_freeze(w->redis, true); /* so that it cannot answer first */
	question_start(&qu);
	world_turns(w, 3);
	assert_false(qu.ended);
	redis_server_kill(w->redis);
	question_wait(&qu);
	assert_int_equal(qu.cause, ERR_QUEUE_UNAVAILABLE);
	redis_server_again(w->redis);
	expect_recovery(w);
}

/* ---- hanging ---- */

static void frozen_redis_answers_are_given_up_in_time(void **state)
{
	struct world *w = *state;
	struct taker t = {0};
	int64_t since_ms;

	start(w, &t);
	ring_and_take(w, &t);
	redis_server_freeze(w->redis, true);
	since_ms = clock_mono_ms();
	assert_int_equal(try_hold(w, w->queue), ERR_QUEUE_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - since_ms, 0, 5 * WORLD_TIMEOUT_MS);
	assert_false(queue_is_up(w->queue));

	/* From here on being down costs nothing. */
	since_ms = clock_mono_ms();
	for (int i = 0; i < 100; i++)
		assert_int_equal(try_hold(w, w->queue), ERR_QUEUE_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - since_ms, 0, 5 * WORLD_TIMEOUT_MS);

	redis_server_freeze(w->redis, false);
	expect_recovery(w);
	ring_and_take(w, &t);
}

static void idle_connection_notices_a_frozen_redis(void **state)
{
	struct world *w = *state;

	redis_server_freeze(w->redis, true);
	world_up(w, w->queue, false); /* nobody asked anything */
	redis_server_freeze(w->redis, false);
	expect_recovery(w);
}

static void paused_redis_is_down_until_the_pause_ends(void **state)
{
	struct world *w = *state;

	redis_server_do(w->redis, "CLIENT PAUSE 2500 ALL");
	assert_int_equal(try_hold(w, w->queue), ERR_QUEUE_UNAVAILABLE);
	expect_recovery(w);
}

static void own_loop_held_up_is_not_taken_for_a_hanging_redis(void **state)
{
	struct world *w = *state;
	struct question qu = question_hold(w, id_new(), &one, 1);

	question_start(&qu);
	world_turns(w, 3);
	/* An answer behind ours has come: ours lies in the socket.  Then the clock jumps, as after
	 * a long pause. */
	redis_server_do(w->redis, "PING");
	clock_fake(clock_mono_us() + INT64_C(60000000), 0);
	world_turns(w, 5);
	clock_fake(-1, -1);
	question_wait(&qu);
	assert_int_equal(qu.cause, ERR_OK);
	assert_true(queue_is_up(w->queue));
}

/* ---- refusing ---- */

enum { STAYS_MS = 500 /* a dozen attempts to connect */ };

struct watch {
	struct world *w;
	int64_t until_ms;
	bool came_up;
};

static bool watched_long_enough(void *arg)
{
	struct watch *x = arg;

	x->came_up |= queue_is_up(x->w->queue);
	return clock_mono_ms() >= x->until_ms;
}

static void expect_down(struct world *w)
{
	struct watch x = {.w = w, .until_ms = clock_mono_ms() + STAYS_MS};

	assert_int_equal(try_hold(w, w->queue), ERR_QUEUE_UNAVAILABLE);
	world_until(w, watched_long_enough, &x, "some attempts to connect");
	assert_false(x.came_up);
}

static void full_redis_counts_as_down(void **state)
{
	struct world *w = *state;

	redis_server_do(w->redis, "CONFIG SET maxmemory 1mb");
	expect_down(w);
	assert_int_equal(redis_server_int(w->redis, "KEYS {i01}:[hsx]*"),
			 0); /* nothing half done */
	redis_server_do(w->redis, "CONFIG SET maxmemory 0");
	expect_recovery(w);
}

static void replica_counts_as_down_until_promoted(void **state)
{
	struct world *w = *state;

	redis_server_do(w->redis, "REPLICAOF 127.0.0.1 1");
	expect_down(w);
	redis_server_do(w->redis, "REPLICAOF NO ONE");
	expect_recovery(w);
}

/* ---- not being there ---- */

static void no_redis_configured_fails_every_ask_and_nothing_else(void **state)
{
	struct world *w = *state;
	struct queue *none = world_queue(w, "");
	struct taker t = {0};

	t.in = intake_new(none, 1U << ROLE_PAYMENT, LEASE_MS, room, on_delivery, &t);
	intake_kick(t.in);
	assert_int_equal(try_hold(w, none), ERR_QUEUE_UNAVAILABLE);
	queue_finish_hold(none, 1, id_new(), false);
	queue_finish_hold(none, 1, id_new(), true);
	queue_forget_stock(none, 1, 7);
	queue_ring(none, &(struct ring){.job = id_new()}, 1);
	world_turns(w, 3);
	assert_false(queue_is_up(none));
	world_close_queue(w, none);
}

static void unreadable_address_is_no_redis(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {"localhost",   ":6379", "host:port",
					  "host:123456", "unix:", "host:"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct queue *q = world_queue(w, bad[i]);

		assert_int_equal(try_hold(w, q), ERR_QUEUE_UNAVAILABLE);
		world_close_queue(w, q);
	}
}

static void queue_closes_in_every_state_of_connecting(void **state)
{
	struct world *w = *state;
	char tcp[64];

	(void)snprintf(tcp, sizeof(tcp), "localhost:%d", redis_server_port(w->redis));
	for (int turns = 0; turns < 12; turns++) {
		struct queue *by_name = world_queue(w, tcp);
		struct queue *by_path = world_queue(w, redis_server_address(w->redis));
		struct queue *nobody = world_queue(w, "127.0.0.1:1");

		world_turns(w, turns);
		world_close_queue(w, by_name);
		world_close_queue(w, nobody);
		world_close_queue(w, by_path);
	}
}

static void name_with_two_addresses_has_both_tried(void **state)
{
	struct sockaddr_in at[2] = {
		{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}},
		{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + 1)}},
	};
	struct addrinfo found[2] = {
		{.ai_addr = (struct sockaddr *)&at[0],
		 .ai_addrlen = sizeof(at[0]),
		 .ai_next = &found[1]},
		{.ai_addr = (struct sockaddr *)&at[1], .ai_addrlen = sizeof(at[1])},
	};
	static const char *const expected[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1"};
	char ip[REDIS_IP_SIZE];

	(void)state;
	for (uint32_t attempt = 0; attempt < 3; attempt++) {
		assert_true(redis_address_choose(found, attempt, ip));
		assert_string_equal(ip, expected[attempt]);
	}
}

static void redis_is_reached_by_host_name(void **state)
{
	struct world *w = *state;
	char tcp[64];
	struct queue *q;

	(void)snprintf(tcp, sizeof(tcp), "localhost:%d", redis_server_port(w->redis));
	q = world_queue(w, tcp);
	world_up(w, q, true); /* the server is not on ::1, which may come first */
	queue_know_epoch(q, 1);
	assert_int_equal(try_hold(w, q), ERR_OK);
	world_close_queue(w, q);
}

/* ---- closing ---- */

static void queue_closed_with_questions_outstanding_answers_them(void **state)
{
	struct world *w = *state;
	struct question qu = question_hold(w, id_new(), &one, 1), late = qu;

	redis_server_freeze(w->redis, true);
	question_start(&qu);
	world_turns(w, 2);
	queue_finish_hold(w->queue, 1, id_new(), false);
	queue_close(w->queue, NULL, NULL);
	question_start(&late); /* of a flow that goes on */
	w->queue = NULL;
	question_wait(&qu);
	question_wait(&late);
	assert_int_equal(qu.cause, ERR_QUEUE_UNAVAILABLE);
	assert_int_equal(late.cause, ERR_QUEUE_UNAVAILABLE);
	world_turns(w, 5);
}

static void intake_closed_by_its_own_delivery_delivers_no_more(void **state)
{
	struct world *w = *state;
	struct taker t = {.closes = true};

	for (int i = 0; i < 10; i++)
		ring(w);
	start(w, &t);
	t.wanted = 1;
	world_until(w, has_taken, &t, "a delivery");
	world_write_epoch(w, w->queue, 1);
	world_turns(w, 10);
	assert_int_equal(t.n, 1);
}

/* ---- housekeeping ---- */

static bool ghost_is_forgotten(void *world)
{
	struct world *w = world;

	return redis_server_int(w->redis, "EVALSHA %s 1 {q00}:payment:p0 0",
				script_text_tidy.sha) >= 1;
}

static void consumers_of_the_past_are_forgotten_but_not_with_entries(void **state)
{
	struct world *w = *state;

	redis_server_do(w->redis, "XGROUP CREATE {q00}:payment:p0 w 0 MKSTREAM");
	redis_server_do(w->redis, "XADD {q00}:payment:p0 * j x");
	redis_server_do(w->redis, "XREADGROUP GROUP w holder COUNT 1 STREAMS {q00}:payment:p0 >");
	redis_server_do(w->redis, "XGROUP CREATECONSUMER {q00}:payment:p0 w ghost");
	world_until(w, ghost_is_forgotten, w, "the ghost is forgotten");
	assert_int_equal(redis_server_int(w->redis, "XINFO CONSUMERS {q00}:payment:p0 w"), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		TEST(flushall_while_a_worker_waits_loses_no_later_ring),
		TEST(key_of_another_type_is_survived),
		TEST(killed_redis_is_found_again),
		TEST(killed_redis_with_questions_outstanding_answers_them),
		TEST(frozen_redis_answers_are_given_up_in_time),
		TEST(idle_connection_notices_a_frozen_redis),
		TEST(paused_redis_is_down_until_the_pause_ends),
		TEST(own_loop_held_up_is_not_taken_for_a_hanging_redis),
		TEST(full_redis_counts_as_down),
		TEST(replica_counts_as_down_until_promoted),
		TEST(no_redis_configured_fails_every_ask_and_nothing_else),
		TEST(unreadable_address_is_no_redis),
		TEST(queue_closes_in_every_state_of_connecting),
		TEST(redis_is_reached_by_host_name),
		cmocka_unit_test(name_with_two_addresses_has_both_tried),
		TEST(queue_closed_with_questions_outstanding_answers_them),
		TEST(intake_closed_by_its_own_delivery_delivers_no_more),
		TEST(consumers_of_the_past_are_forgotten_but_not_with_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
