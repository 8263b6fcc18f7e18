/*
 * Rings, deliveries, acks and rebuilding against a real Redis.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/queue/inside.h"
#include "tests/integration/queue_world.h"

enum { LEASE_MS = 1200, DELIVERIES_MAX = 4096 };

#define PAYMENT (1U << ROLE_PAYMENT)

/* What a worker would be: it takes what it has room for. */
struct taker {
	struct world *w;
	struct intake *in;
	uint32_t room;
	uint32_t n;
	bool acks;
	struct delivery got[DELIVERIES_MAX];
	uint32_t wanted; /* for until_taken() */
};

static uint32_t room(void *arg, enum queue_role r)
{
	(void)r;
	return ((struct taker *)arg)->room;
}

static void on_delivery(void *arg, const struct delivery *d)
{
	struct taker *t = arg;

	assert_true(t->room > 0 && t->n < DELIVERIES_MAX);
	t->got[t->n++] = *d;
	if (t->acks)
		queue_ack(t->w->queue, d);
	else
		t->room--;
}

static struct taker *take(struct world *w, struct queue *q, unsigned roles, uint32_t at_once,
			  int lease_ms)
{
	struct taker *t = mem_alloc(sizeof(*t));

	t->w = w;
	t->room = at_once;
	t->in = intake_new(q, roles, lease_ms, room, on_delivery, t);
	return t;
}

static bool has_taken(void *arg)
{
	struct taker *t = arg;

	return t->n >= t->wanted;
}

static void until_taken(struct taker *t, uint32_t n)
{
	t->wanted = n;
	world_until(t->w, has_taken, t, "deliveries");
}

static struct id ring_one(struct world *w, enum queue_role role, uint8_t priority)
{
	struct ring r = {.job = id_new(), .role = role, .priority = priority};

	queue_ring(w->queue, &r, 1);
	return r.job;
}

static void ring_many(struct world *w, struct id shard_of, uint8_t priority, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct ring r = {
			.job = id_child(shard_of), .role = ROLE_PAYMENT, .priority = priority};

		queue_ring(w->queue, &r, 1);
	}
}

static int64_t entries(struct world *w)
{
	return redis_server_sum(w->redis, "XLEN", "{q*}:*:p*");
}

static bool nothing_is_left(void *world)
{
	struct world *w = world;

	return entries(w) == 0 && redis_server_sum(w->redis, "PENDING", "{q*}:payment:p*") == 0;
}

/* Everything asked before has been answered when this returns. */
static void settle(struct world *w)
{
	world_write_epoch(w, w->queue, 1);
	world_write_epoch(w, w->queue, 1);
}

/* ---- delivery ---- */

static void ring_is_delivered_and_acked_away(void **state)
{
	struct world *w = *state;
	struct taker *t = take(w, w->queue, PAYMENT, 10, LEASE_MS);
	struct id job = ring_one(w, ROLE_PAYMENT, 2);

	until_taken(t, 1);
	assert_true(id_eq(t->got[0].job, job));
	assert_int_equal(t->got[0].role, ROLE_PAYMENT);
	assert_int_equal(t->got[0].priority, 2);
	queue_ack(w->queue, &t->got[0]);
	world_until(w, nothing_is_left, w, "an empty stream");
	free(t);
}

static void ring_before_any_worker_is_kept_for_it(void **state)
{
	struct world *w = *state;
	struct id job = ring_one(w, ROLE_PAYMENT, 0);
	struct taker *t;

	settle(w);
	t = take(w, w->queue, PAYMENT, 10, LEASE_MS);
	until_taken(t, 1);
	assert_true(id_eq(t->got[0].job, job));
	free(t);
}

static void thousand_rings_all_shards_each_once(void **state)
{
	enum { N = 1000 };
	struct world *w = *state;
	struct taker *t = take(w, w->queue, PAYMENT, 8, 15000);

	t->acks = true;
	for (int i = 0; i < N; i++)
		ring_one(w, ROLE_PAYMENT, (uint8_t)(i % QUEUE_PRIORITIES));
	until_taken(t, N);
	world_until(w, nothing_is_left, w, "empty streams");
	assert_int_equal(t->n, N);
	free(t);
}

static void other_roles_rings_are_left_alone(void **state)
{
	struct world *w = *state;
	struct taker *t = take(w, w->queue, PAYMENT, 10, LEASE_MS);

	ring_one(w, ROLE_SHIPPING, 0);
	ring_one(w, ROLE_PAYMENT, 0);
	until_taken(t, 1);
	assert_int_equal(t->got[0].role, ROLE_PAYMENT);
	assert_int_equal(redis_server_sum(w->redis, "XLEN", "{q*}:shipping:*"), 1);
	free(t);
}

static void two_roles_do_not_wait_for_each_other(void **state)
{
	struct world *w = *state;
	struct taker *t = take(w, w->queue, PAYMENT | 1U << ROLE_SHIPPING, 10, LEASE_MS);

	ring_one(w, ROLE_SHIPPING, 0);
	until_taken(t, 1);
	ring_one(w, ROLE_PAYMENT, 0);
	until_taken(t, 2);
	assert_int_equal(t->got[0].role, ROLE_SHIPPING);
	assert_int_equal(t->got[1].role, ROLE_PAYMENT);
	free(t);
}

static void urgent_jobs_come_first(void **state)
{
	struct world *w = *state;
	struct id shard_of = id_new();
	struct taker *t;

	for (unsigned p = QUEUE_PRIORITIES; p-- > 0;)
		ring_many(w, shard_of, (uint8_t)p, 10);
	settle(w);
	t = take(w, w->queue, PAYMENT, 1, 15000);
	t->acks = true;
	until_taken(t, 40);
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(t->got[i].priority, i / 10);
	free(t);
}

static void urgent_job_overtakes_a_backlog(void **state)
{
	struct world *w = *state;
	struct id shard_of = id_new();
	struct taker *t;
	uint32_t at = 0;

	ring_many(w, shard_of, 1, 80);
	ring_many(w, shard_of, 3, 80);
	settle(w);
	t = take(w, w->queue, PAYMENT, 1, 15000);
	t->acks = true;
	until_taken(t, 10);
	ring_many(w, shard_of, 0, 1);
	until_taken(t, 161);
	while (t->got[at].priority != 0)
		at++;
	assert_in_range(at, 10, 80); /* before the last of those that were there first */
	free(t);
}

static void no_room_takes_nothing_until_kicked(void **state)
{
	struct world *w = *state;
	struct taker *t = take(w, w->queue, PAYMENT, 2, 15000);

	ring_many(w, id_new(), 0, 5);
	until_taken(t, 2);
	settle(w);
	assert_int_equal(t->n, 2);
	t->room = 3;
	intake_kick(t->in);
	until_taken(t, 5);
	free(t);
}

static void entry_that_is_no_job_is_taken_off(void **state)
{
	struct world *w = *state;
	struct taker *t = take(w, w->queue, PAYMENT, 2, LEASE_MS);

	redis_server_do(w->redis, "XADD {q05}:payment:p0 * j nonsense");
	redis_server_do(w->redis, "XADD {q05}:payment:p0 * a b c d");
	world_until(w, nothing_is_left, w, "the nonsense is gone");
	assert_int_equal(t->n, 0);
	free(t);
}

/* ---- leases ---- */

static void entry_not_acked_is_delivered_to_another(void **state)
{
	struct world *w = *state;
	struct queue *dead = world_queue(w, redis_server_address(w->redis));
	struct taker *first, *second;
	struct id job;

	world_up(w, dead, true);
	first = take(w, dead, PAYMENT, 1, LEASE_MS);
	job = ring_one(w, ROLE_PAYMENT, 0);
	until_taken(first, 1);
	world_close_queue(w, dead);
	second = take(w, w->queue, PAYMENT, 1, LEASE_MS);
	until_taken(second, 1);
	assert_true(id_eq(second->got[0].job, job));
	queue_ack(w->queue, &second->got[0]);
	world_until(w, nothing_is_left, w, "an empty stream");
	free(first);
	free(second);
}

struct beating {
	struct world *w;
	struct taker *holder;
	int64_t until_ms;
};

static bool beats_until_over(void *arg)
{
	struct beating *b = arg;

	queue_beat(b->w->queue, &b->holder->got[0]);
	return clock_mono_ms() >= b->until_ms;
}

static const char *shard_text(struct id job)
{
	static char text[4];

	(void)snprintf(text, sizeof(text), "%02u", id_shard(job) % 100);
	return text;
}

static void entry_with_heartbeats_stays_where_it_is(void **state)
{
	struct world *w = *state;
	struct queue *other = world_queue(w, redis_server_address(w->redis));
	struct taker *holder = take(w, w->queue, PAYMENT, 1, LEASE_MS), *vulture;
	struct beating b = {.w = w, .holder = holder};

	world_up(w, other, true);
	ring_one(w, ROLE_PAYMENT, 0);
	until_taken(holder, 1);
	vulture = take(w, other, PAYMENT, 1, LEASE_MS);
	b.until_ms = clock_mono_ms() + 3 * LEASE_MS;
	world_until(w, beats_until_over, &b, "three leases");
	assert_int_equal(vulture->n, 0);
	until_taken(vulture, 1); /* the heart has stopped */
	/* A late beat does not take it back. */
	queue_beat(w->queue, &holder->got[0]);
	settle(w);
	assert_int_equal(redis_server_int(w->redis, "XPENDING {q%s}:payment:p0 w - + 9 %s",
					  shard_text(holder->got[0].job), other->consumer),
			 1);
	world_close_queue(w, other);
	free(holder);
	free(vulture);
}

/* ---- window and generations ---- */

static void full_stream_is_not_rung(void **state)
{
	struct world *w = *state;

	ring_many(w, id_new(), 0, WORLD_WINDOW + 50);
	settle(w);
	assert_int_equal(entries(w), WORLD_WINDOW);
	ring_one(w, ROLE_SHIPPING, 0); /* another stream is not full */
	settle(w);
	assert_int_equal(entries(w), WORLD_WINDOW + 1);
}

static void generation_is_written_once_and_guards_rings(void **state)
{
	struct world *w = *state;
	int64_t generation[ID_SHARDS];

	for (int i = 0; i < ID_SHARDS; i++)
		generation[i] = 7;
	assert_true(world_write_generations(w, generation) == UINT64_MAX);
	assert_true(world_write_generations(w, generation) == 0);
	generation[3] = 8;
	assert_true(world_write_generations(w, generation) == UINT64_C(1) << 3);
	assert_int_equal(redis_server_int(w->redis, "KEYS {q*}:*:p*"),
			 ID_SHARDS * ROLE_COUNT * QUEUE_PRIORITIES);

	queue_know_generations(w->queue, generation);
	ring_one(w, ROLE_PAYMENT, 0);
	settle(w);
	assert_int_equal(entries(w), 1);
	for (int i = 0; i < ID_SHARDS; i++)
		generation[i] = 9; /* PostgreSQL's word has not reached Redis yet */
	queue_know_generations(w->queue, generation);
	ring_one(w, ROLE_PAYMENT, 0);
	settle(w);
	assert_int_equal(entries(w), 1);
}

static void emptied_redis_refuses_rings_until_rebuilt(void **state)
{
	struct world *w = *state;
	int64_t generation[ID_SHARDS] = {0};

	world_write_generations(w, generation);
	queue_know_generations(w->queue, generation);
	redis_server_do(w->redis, "FLUSHALL");
	ring_one(w, ROLE_PAYMENT, 0);
	settle(w);
	assert_int_equal(entries(w), 0);
	assert_true(world_write_generations(w, generation) == UINT64_MAX);
	ring_one(w, ROLE_PAYMENT, 0);
	settle(w);
	assert_int_equal(entries(w), 1);
}

static void streams_tell_how_far_the_group_is(void **state)
{
	struct world *w = *state;
	struct stream_state *s = mem_array(ID_SHARDS * QUEUE_PRIORITIES, sizeof(*s));
	struct id job = id_new();
	size_t at = id_shard(job) * QUEUE_PRIORITIES + 1;
	struct taker *t;

	world_streams(w, ROLE_PAYMENT, s);
	assert_int_equal(s[at].waiting, 0);
	assert_int_equal(s[at].last_delivered_ms, 0);
	ring_many(w, job, 1, 3);
	settle(w);
	world_streams(w, ROLE_PAYMENT, s);
	assert_int_equal(s[at].waiting, 3);
	assert_int_equal(s[at].last_delivered_ms, 0);
	t = take(w, w->queue, PAYMENT, 3, 15000);
	until_taken(t, 3);
	queue_ack(w->queue, &t->got[1]); /* a hole in the middle */
	settle(w);
	world_streams(w, ROLE_PAYMENT, s);
	assert_int_equal(s[at].waiting, 0);
	assert_true(s[at].last_delivered_ms == strtoll(t->got[2].entry, NULL, 10));
	free(s);
	free(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		TEST(ring_is_delivered_and_acked_away),
		TEST(ring_before_any_worker_is_kept_for_it),
		TEST(thousand_rings_all_shards_each_once),
		TEST(other_roles_rings_are_left_alone),
		TEST(two_roles_do_not_wait_for_each_other),
		TEST(urgent_jobs_come_first),
		TEST(urgent_job_overtakes_a_backlog),
		TEST(no_room_takes_nothing_until_kicked),
		TEST(entry_that_is_no_job_is_taken_off),
		TEST(entry_not_acked_is_delivered_to_another),
		TEST(entry_with_heartbeats_stays_where_it_is),
		TEST(full_stream_is_not_rung),
		TEST(generation_is_written_once_and_guards_rings),
		TEST(emptied_redis_refuses_rings_until_rebuilt),
		TEST(streams_tell_how_far_the_group_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
