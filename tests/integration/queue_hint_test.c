/*
 * Hints: who listens hears which orders moved, from every process, once a turn; whatever
 * happens to Redis, hearing goes on when it is back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/queue_world.h"

enum { HEARD_MAX = 8192 };

struct listener {
	struct world *w;
	struct id heard[HEARD_MAX];
	uint32_t n, wanted;
};

static void on_hint(void *arg, struct id order)
{
	struct listener *l = arg;

	assert_true(l->n < HEARD_MAX);
	l->heard[l->n++] = order;
}

static bool subscribed(void *arg)
{
	struct listener *l = arg;

	return redis_server_int(l->w->redis, "EVAL %s 0",
				"return redis.call('PUBSUB', 'NUMSUB', '{watch}:orders')[2]") == 1;
}

static struct listener *listen_to(struct world *w, struct queue *q)
{
	struct listener *l = mem_alloc(sizeof(*l));

	l->w = w;
	queue_on_hint(q, on_hint, l);
	world_until(w, subscribed, l, "a subscription");
	return l;
}

static bool has_heard(void *arg)
{
	struct listener *l = arg;

	return l->n >= l->wanted;
}

static void until_heard(struct listener *l, uint32_t n)
{
	l->wanted = n;
	world_until(l->w, has_heard, l, "hints");
}

static bool heard(const struct listener *l, struct id order)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (id_eq(l->heard[i], order))
			return true;
	return false;
}

/* How often the server was sent this command. */
static int64_t calls(struct world *w, const char *command)
{
	return redis_server_int(w->redis, "EVAL %s 0 %s",
				"return tonumber(string.match(redis.call('INFO', 'commandstats'), "
				"'cmdstat_' .. ARGV[1] .. ':calls=(%d+)') or '0')",
				command);
}

static void hint_reaches_another_process_and_ones_own(void **state)
{
	struct world *w = *state;
	struct queue *other = world_queue(w, redis_server_address(w->redis));
	struct listener *l = listen_to(w, w->queue);
	struct id mine = id_new(), theirs = id_new();

	world_up(w, other, true);
	queue_hint(w->queue, mine);
	until_heard(l, 1);
	queue_hint(other, theirs);
	until_heard(l, 2);
	assert_true(id_eq(l->heard[0], mine) && id_eq(l->heard[1], theirs));
	world_close_queue(w, other);
	free(l);
}

static void orders_of_a_turn_go_out_in_one_message_each_once(void **state)
{
	struct world *w = *state;
	struct listener *l = listen_to(w, w->queue);
	struct id orders[300];
	int64_t before = calls(w, "publish");

	for (int i = 0; i < 300; i++)
		orders[i] = id_new();
	for (int round = 0; round < 5; round++)
		for (int i = 0; i < 300; i++)
			queue_hint(w->queue, orders[i]);
	until_heard(l, 300);
	queue_hint(w->queue, orders[0]);
	assert_int_equal(l->n, 300); /* they came in one message, so there is not one more */
	until_heard(l, 301);
	assert_true(id_eq(l->heard[300], orders[0]));
	for (int i = 0; i < 300; i++)
		assert_true(heard(l, orders[i]));
	assert_int_equal(calls(w, "publish"), before + 2);
	free(l);
}

/* More than a turn may hold: the rest is lost, which costs its watchers a poll. */
static void hints_of_one_turn_are_bounded(void **state)
{
	struct world *w = *state;
	struct listener *l = listen_to(w, w->queue);
	struct id last = id_new();

	for (int i = 0; i < 6000; i++)
		queue_hint(w->queue, id_new());
	until_heard(l, 4096);
	queue_hint(w->queue, last);
	until_heard(l, 4097);
	assert_true(id_eq(l->heard[4096], last));
	free(l);
}

static void killed_redis_is_heard_again(void **state)
{
	struct world *w = *state;
	struct listener *l = listen_to(w, w->queue);
	struct id order = id_new();

	redis_server_kill(w->redis);
	world_up(w, w->queue, false);
	queue_hint(w->queue, id_new()); /* lost, and nothing else */
	redis_server_again(w->redis);
	world_up(w, w->queue, true);
	world_until(w, subscribed, l, "a new subscription");
	queue_hint(w->queue, order);
	until_heard(l, 1);
	assert_true(id_eq(l->heard[0], order));
	free(l);
}

static bool pinged_twice(void *arg)
{
	struct listener *l = arg;

	return calls(l->w, "ping") >= l->wanted;
}

/* An idle subscriber probes by PING, for a script is not allowed there: it must stay connected. */
static void silence_does_not_end_a_subscription(void **state)
{
	struct world *w = *state;
	struct listener *l = listen_to(w, w->queue);

	l->wanted = (uint32_t)calls(w, "ping") + 2;
	world_until(w, pinged_twice, l, "two probes");
	world_turns(w, 3);
	assert_int_equal(calls(w, "subscribe"), 1); /* a new connection would have asked again */
	free(l);
}

static void frozen_redis_is_given_up_and_heard_again(void **state)
{
	struct world *w = *state;
	struct listener *l = listen_to(w, w->queue);

	redis_server_freeze(w->redis, true);
	world_up(w, w->queue, false);
	redis_server_freeze(w->redis, false);
	world_up(w, w->queue, true);
	world_until(w, subscribed, l, "a subscription");
	queue_hint(w->queue, id_new());
	until_heard(l, 1);
	free(l);
}

static void what_is_no_hint_is_left_alone(void **state)
{
	struct world *w = *state;
	struct listener *l = listen_to(w, w->queue);
	struct id order = id_new();

	redis_server_do(w->redis, "PUBLISH %s %s", "{watch}:orders", "");
	redis_server_do(w->redis, "PUBLISH %s %s", "{watch}:orders", "short");
	redis_server_do(w->redis, "EVAL %s 0",
			"return redis.call('PUBLISH', '{watch}:orders', string.rep('x', 1000000))");
	queue_hint(w->queue, order);
	until_heard(l, 1);
	assert_true(id_eq(l->heard[0], order));
	free(l);
}

static void no_redis_configured_hears_nothing_and_closes(void **state)
{
	struct world *w = *state;
	struct queue *none = world_queue(w, "");
	struct listener l = {.w = w};

	queue_on_hint(none, on_hint, &l);
	queue_hint(none, id_new());
	world_turns(w, 3);
	assert_int_equal(l.n, 0);
	world_close_queue(w, none);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		TEST(hint_reaches_another_process_and_ones_own),
		TEST(orders_of_a_turn_go_out_in_one_message_each_once),
		TEST(hints_of_one_turn_are_bounded),
		TEST(killed_redis_is_heard_again),
		TEST(silence_does_not_end_a_subscription),
		TEST(frozen_redis_is_given_up_and_heard_again),
		TEST(what_is_no_hint_is_left_alone),
		TEST(no_redis_configured_hears_nothing_and_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
