/*
 * Stock holds against a real Redis: what is taken, refused, given back and healed.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/integration/queue_world.h"

/* ten of item 7 and five of item 8, both at location 1, says PostgreSQL */
static struct hold_line seven(int64_t qty)
{
	return (struct hold_line){.item = 7, .location = 1, .qty = qty, .available = 10};
}

static struct hold_line eight(int64_t qty)
{
	return (struct hold_line){.item = 8, .location = 1, .qty = qty, .available = 5};
}

static int64_t left(struct world *w, int64_t item)
{
	return redis_server_int(w->redis, "HGET {i01}:s:1:%" PRId64 " 1", item);
}

static struct hold_answer hold_seven(struct world *w, struct id order, int64_t qty)
{
	return world_hold(w, order, (struct hold_line[]){seven(qty)}, 1);
}

static void hold_enough_takes_it(void **state)
{
	struct world *w = *state;
	struct hold_answer h = world_hold(w, id_new(), (struct hold_line[]){seven(3), eight(5)}, 2);

	assert_int_equal(h.outcome, HOLD_OK);
	assert_int_equal(left(w, 7), 7);
	assert_int_equal(left(w, 8), 0);
	/* the numbers live thirty seconds, then PostgreSQL is asked again */
	assert_in_range(redis_server_int(w->redis, "PTTL {i01}:s:1:7"), 1, 30000);
}

static void hold_twice_is_one(void **state)
{
	struct world *w = *state;
	struct id order = id_new();

	assert_int_equal(hold_seven(w, order, 3).outcome, HOLD_OK);
	assert_int_equal(hold_seven(w, order, 3).outcome, HOLD_DUP);
	assert_int_equal(left(w, 7), 7);
}

static void hold_too_much_takes_nothing(void **state)
{
	struct world *w = *state;
	struct hold_answer h;

	assert_int_equal(hold_seven(w, id_new(), 4).outcome, HOLD_OK);
	h = world_hold(w, id_new(), (struct hold_line[]){eight(1), seven(7)}, 2);
	assert_int_equal(h.outcome, HOLD_SHORT);
	assert_int_equal(h.short_line, 1);
	assert_int_equal(h.left, 6);
	assert_int_equal(left(w, 7), 6);
	assert_int_equal(left(w, 8), -1); /* not even loaded */
}

static void hold_lines_of_one_item_are_summed(void **state)
{
	struct world *w = *state;
	struct hold_answer h =
		world_hold(w, id_new(), (struct hold_line[]){seven(6), eight(1), seven(5)}, 3);

	assert_int_equal(h.outcome, HOLD_SHORT);
	assert_int_equal(h.short_line, 2);
	assert_int_equal(h.left, 10);
	h = world_hold(w, id_new(), (struct hold_line[]){seven(6), eight(1), seven(4)}, 3);
	assert_int_equal(h.outcome, HOLD_OK);
	assert_int_equal(left(w, 7), 0);
}

static void hold_other_location_is_other_stock(void **state)
{
	struct world *w = *state;
	struct hold_line far = {.item = 7, .location = 2, .qty = 1, .available = 1};

	assert_int_equal(hold_seven(w, id_new(), 10).outcome, HOLD_OK);
	assert_int_equal(world_hold(w, id_new(), &far, 1).outcome, HOLD_OK);
	assert_int_equal(world_hold(w, id_new(), &far, 1).outcome, HOLD_SHORT);
}

static void hold_with_no_stock_at_all_is_short(void **state)
{
	struct world *w = *state;
	struct hold_line none = {.item = 9, .location = 1, .qty = 1, .available = 0};

	assert_int_equal(world_hold(w, id_new(), &none, 1).outcome, HOLD_SHORT);
}

static void hold_after_loading_believes_redis_not_the_caller(void **state)
{
	struct world *w = *state;

	assert_int_equal(hold_seven(w, id_new(), 10).outcome, HOLD_OK);
	assert_int_equal(hold_seven(w, id_new(), 1).outcome,
			 HOLD_SHORT); /* though it still says 10 */
}

static void hold_after_forgetting_loads_again(void **state)
{
	struct world *w = *state;

	assert_int_equal(hold_seven(w, id_new(), 10).outcome, HOLD_OK);
	queue_forget_stock(w->queue, 1, 7);
	assert_int_equal(hold_seven(w, id_new(), 1).outcome, HOLD_OK);
	assert_int_equal(left(w, 7), 9);
}

static void hold_of_another_epoch_is_stale(void **state)
{
	struct world *w = *state;

	queue_know_epoch(w->queue, 2);
	assert_int_equal(hold_seven(w, id_new(), 1).outcome, HOLD_STALE);
	world_write_epoch(w, w->queue, 2);
	assert_int_equal(hold_seven(w, id_new(), 1).outcome, HOLD_OK);
}

static void hold_in_an_emptied_redis_is_stale(void **state)
{
	struct world *w = *state;

	redis_server_do(w->redis, "FLUSHALL");
	assert_int_equal(hold_seven(w, id_new(), 1).outcome, HOLD_STALE);
}

static void stock_of_an_older_epoch_is_loaded_again(void **state)
{
	struct world *w = *state;

	assert_int_equal(hold_seven(w, id_new(), 10).outcome, HOLD_OK);
	world_write_epoch(w, w->queue, 2);
	queue_know_epoch(w->queue, 2);
	assert_int_equal(hold_seven(w, id_new(), 1).outcome, HOLD_OK);
	assert_int_equal(left(w, 7), 9);
}

static void hold_survives_lost_scripts(void **state)
{
	struct world *w = *state;

	redis_server_do(w->redis, "SCRIPT FLUSH");
	assert_int_equal(hold_seven(w, id_new(), 1).outcome, HOLD_OK);
}

/* ---- giving back ---- */

static bool no_hold_is_left(void *arg)
{
	struct world *w = arg;

	return redis_server_int(w->redis, "KEYS {i01}:h:*") == 0 &&
	       redis_server_int(w->redis, "ZCARD {i01}:x") == 0;
}

static void release_gives_back_all_lines(void **state)
{
	struct world *w = *state;
	struct id order = id_new();

	world_hold(w, order, (struct hold_line[]){seven(3), eight(2), seven(1)}, 3);
	queue_finish_hold(w->queue, 1, order, false);
	world_until(w, no_hold_is_left, w, "the hold is gone");
	assert_int_equal(left(w, 7), 10);
	assert_int_equal(left(w, 8), 5);
	queue_finish_hold(w->queue, 1, order, false); /* twice gives back once */
	world_write_epoch(w, w->queue, 1);
	assert_int_equal(left(w, 7), 10);
}

static void keep_gives_back_nothing(void **state)
{
	struct world *w = *state;
	struct id order = id_new();

	hold_seven(w, order, 3);
	queue_finish_hold(w->queue, 1, order, true);
	world_until(w, no_hold_is_left, w, "the hold is gone");
	assert_int_equal(left(w, 7), 7);
}

static void release_after_stock_has_gone_makes_no_stock(void **state)
{
	struct world *w = *state;
	struct id order = id_new();

	hold_seven(w, order, 3);
	redis_server_do(w->redis, "DEL {i01}:s:1:7");
	queue_finish_hold(w->queue, 1, order, false);
	world_until(w, no_hold_is_left, w, "the hold is gone");
	assert_int_equal(left(w, 7), -1);
}

/* What was loaded again knows nothing of the hold; adding to it would sell units twice over. */
static void release_after_stock_was_loaded_again_adds_nothing(void **state)
{
	struct world *w = *state;
	struct id order = id_new();

	hold_seven(w, order, 3);
	queue_forget_stock(w->queue, 1, 7);
	hold_seven(w, id_new(), 1);
	queue_finish_hold(w->queue, 1, order, false);
	world_write_epoch(w, w->queue, 1); /* an answer behind the release */
	world_write_epoch(w, w->queue, 1);
	assert_int_equal(left(w, 7), 9);
}

struct expiry {
	struct world *w;
	int64_t released;
};

static bool one_was_released(void *arg)
{
	struct expiry *e = arg;

	e->released += world_expire(e->w);
	return e->released == 1;
}

static void hold_nobody_finishes_expires(void **state)
{
	struct world *w = *state;
	struct expiry e = {.w = w};

	hold_seven(w, id_new(), 3);
	assert_int_equal(world_expire(w), 0); /* its time is not over */
	assert_int_equal(left(w, 7), 7);
	world_until(w, one_was_released, &e, "the hold expires");
	assert_int_equal(left(w, 7), 10);
	assert_true(no_hold_is_left(w));
	assert_int_equal(world_expire(w), 0);
}

/* ---- a crowd ---- */

static void last_unit_and_200_buyers_sells_once(void **state)
{
	enum { BUYERS = 200 };
	struct world *w = *state;
	struct hold_line last = {.item = 7, .location = 1, .qty = 1, .available = 1};
	struct question *buyers = mem_array(BUYERS, sizeof(buyers[0]));
	int taken = 0;

	for (int i = 0; i < BUYERS; i++) {
		buyers[i] = question_hold(w, id_new(), &last, 1);
		question_start(&buyers[i]);
	}
	for (int i = 0; i < BUYERS; i++) {
		question_wait(&buyers[i]);
		assert_int_equal(buyers[i].cause, ERR_OK);
		assert_true(buyers[i].hold.outcome == HOLD_OK ||
			    buyers[i].hold.outcome == HOLD_SHORT);
		taken += buyers[i].hold.outcome == HOLD_OK;
	}
	free(buyers);
	assert_int_equal(taken, 1);
	assert_int_equal(left(w, 7), 0);
}

static void tenants_do_not_share_stock(void **state)
{
	struct world *w = *state;
	struct hold_line all = seven(10);
	struct question other = question_hold(w, id_new(), &all, 1);

	assert_int_equal(hold_seven(w, id_new(), 10).outcome, HOLD_OK);
	other.tenant = 17; /* of the same pool */
	question_start(&other);
	question_wait(&other);
	assert_int_equal(other.cause, ERR_OK);
	assert_int_equal(other.hold.outcome, HOLD_OK);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		TEST(hold_enough_takes_it),
		TEST(hold_twice_is_one),
		TEST(hold_too_much_takes_nothing),
		TEST(hold_lines_of_one_item_are_summed),
		TEST(hold_other_location_is_other_stock),
		TEST(hold_with_no_stock_at_all_is_short),
		TEST(hold_after_loading_believes_redis_not_the_caller),
		TEST(hold_after_forgetting_loads_again),
		TEST(hold_of_another_epoch_is_stale),
		TEST(hold_in_an_emptied_redis_is_stale),
		TEST(stock_of_an_older_epoch_is_loaded_again),
		TEST(hold_survives_lost_scripts),
		TEST(release_gives_back_all_lines),
		TEST(keep_gives_back_nothing),
		TEST(release_after_stock_has_gone_makes_no_stock),
		TEST(release_after_stock_was_loaded_again_adds_nothing),
		TEST(hold_nobody_finishes_expires),
		TEST(last_unit_and_200_buyers_sells_once),
		TEST(tenants_do_not_share_stock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
