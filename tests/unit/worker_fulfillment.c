/*
 * Goods on their way through a location, and where those come from that it turned out not to
 * have: what the fulfilment jobs ask the database for, given what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/sourcing.h"
#include "tests/unit/worker_world.h"

#define HEAD(q, kind)  ((const struct kind##_head *)(q)->unit.head)
#define SHARES(q)      ((const struct order_resourced_line *)(q)->unit.lines)
#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))
#define QUOTES(...)                                                                             \
	world_rows(world_asked("backorder_quote"), (struct backorder_quote_row[]){__VA_ARGS__}, \
		   COUNT_OF(((struct backorder_quote_row[]){__VA_ARGS__})),                     \
		   sizeof(struct backorder_quote_row))

static void picked_goods_are_packed_next(void **state)
{
	(void)state;
	world_job("fulfillment.pick", 1, 0);
	WORLD_ROWS(
		world_asked("fulfillment_picked"),
		&(struct fulfillment_picked_row){.job_id = NEXT, .kind = STR("fulfillment.pack")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.rings[0].role, ROLE_FULFILLMENT);
	assert_int_equal(world.acks, 1);
}

static void parcel_is_numbered_with_the_sellers_prefix(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.pack", 1, 0);
	q = world_asked("fulfillment_packed");
	assert_true(str_eq(HEAD(q, fulfillment_packed)->sscc_prefix, STR("09520000")));
	WORLD_ROWS(q,
		   &(struct fulfillment_packed_row){.job_id = NEXT, .kind = STR("shipping.label")});
	assert_int_equal(world.rings[0].role, ROLE_SHIPPING);
}

/* Line 1 lacks two of item 11, line 2 one of item 12. */
#define LINE_1 .line = 1, .item = 11, .qty = 2, .missing = 3
#define LINE_2 .line = 2, .item = 12, .qty = 1, .missing = 3

static void what_is_missing_is_sent_whole_from_one_place(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.resource", 1, 0);
	assert_int_equal(HEAD(world_asked("backorder_quote"), backorder_quote)->after, 0);
	QUOTES({LINE_1, .location = 1, .priority = 1, .available = 5},
	       {LINE_1, .location = 2, .priority = 9, .available = 5},
	       {LINE_2, .location = 2, .priority = 9, .available = 1});
	q = world_asked("order_resourced");
	assert_int_equal(HEAD(q, order_resourced)->backordered, 3);
	assert_false(HEAD(q, order_resourced)->more);
	assert_int_equal(q->unit.n_lines, 2);
	assert_int_equal(SHARES(q)[0].line, 1);
	assert_int_equal(SHARES(q)[0].qty, 2);
	assert_int_equal(SHARES(q)[1].line, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(SHARES(q)[i].location, 2);
		assert_int_equal(SHARES(q)[i].group_no, 1);
	}
	assert_false(id_is_zero(SHARES(q)[0].job_id)); /* one payment for the group */
	assert_true(id_is_zero(SHARES(q)[1].job_id));
	world_rows(q,
		   (struct order_resourced_row[]){{.outcome = STR("sourced")},
						  {.outcome = STR("sourced"),
						   .job_id = NEXT,
						   .kind = STR("payment.authorize")}},
		   2, sizeof(struct order_resourced_row));
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.rings[0].role, ROLE_PAYMENT);
	assert_int_equal(world.forgotten, 2); /* Redis knew of more */
	assert_int_equal(world.acks, 1);
}

static void where_nothing_is_the_order_waits(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.resource", 1, 0);
	QUOTES({LINE_1}, {LINE_2});
	q = world_asked("order_resourced");
	assert_int_equal(q->unit.n_lines, 0);
	assert_int_equal(HEAD(q, order_resourced)->delay_ms, 300000);
	WORLD_ROWS(q, &(struct order_resourced_row){.outcome = STR("waiting")});
	assert_int_equal(world.n_rings, 0);
	assert_int_equal(world.acks, 1); /* put off by the unit itself, not as a failure */
}

static void what_there_is_is_taken_and_not_promised_twice(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.resource", 1, 0);
	/* both lines lack item 11, of which three are left */
	QUOTES({.line = 1, .item = 11, .qty = 2, .missing = 4, .location = 1, .available = 3},
	       {.line = 2, .item = 11, .qty = 2, .missing = 4, .location = 1, .available = 3});
	q = world_asked("order_resourced");
	assert_int_equal(q->unit.n_lines, 2);
	assert_int_equal(SHARES(q)[0].qty, 2);
	assert_int_equal(SHARES(q)[1].qty, 1);
	assert_int_equal(HEAD(q, order_resourced)->delay_ms, 300000);
	WORLD_ROWS(q, &(struct order_resourced_row){.outcome = STR("partly")});
}

static void place_that_was_short_is_asked_last(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.resource", 1, 0);
	QUOTES({LINE_1, .location = 1, .priority = 0, .available = 5, .missed = true},
	       {LINE_1, .location = 2, .priority = 1000000, .available = 5});
	q = world_asked("order_resourced");
	assert_int_equal(q->unit.n_lines, 1);
	assert_int_equal(SHARES(q)[0].location, 2);
	world_no_rows(q);
}

static void more_places_than_a_plan_considers_are_no_failure(void **state)
{
	static struct backorder_quote_row rows[SOURCING_PLACES_MAX + 6];
	struct question *q;

	(void)state;
	world_job("fulfillment.resource", 1, 0);
	/* one is at each place: of item 11 line 1 lacks more than 64 places have */
	for (unsigned i = 0; i < COUNT_OF(rows); i++)
		rows[i] = (struct backorder_quote_row){.line = 1,
						       .item = 11,
						       .qty = COUNT_OF(rows),
						       .missing = COUNT_OF(rows),
						       .location = (int32_t)i + 1,
						       .priority = (int32_t)i,
						       .available = 1};
	world_rows(world_asked("backorder_quote"), rows, COUNT_OF(rows), sizeof(rows[0]));
	q = world_asked("order_resourced");
	assert_int_equal(q->unit.n_lines, SOURCING_PLACES_MAX);
	world_no_rows(q);
}

static void lines_are_looked_for_some_at_a_time(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.resource", 1, 0);
	QUOTES({LINE_1, .more = true});
	q = world_asked("backorder_quote");
	assert_int_equal(HEAD(q, backorder_quote)->after, 1);
	QUOTES({LINE_2, .more = true, .location = 1, .available = 1});
	q = world_asked("order_resourced");
	assert_true(HEAD(q, order_resourced)->more);
	assert_int_equal(HEAD(q, order_resourced)->delay_ms, 0); /* there is a third line */
	assert_int_equal(SHARES(q)[0].line, 2);
	world_no_rows(q);
}

static void plan_that_came_too_late_is_made_again(void **state)
{
	(void)state;
	world_job("fulfillment.resource", 1, 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(HEAD(world_asked("backorder_quote"), backorder_quote)->after, 0);
		QUOTES({LINE_1, .location = 1, .available = 2});
		WORLD_ROWS(world_asked("order_resourced"),
			   &(struct order_resourced_row){.outcome = STR("lost")});
	}
	/* the stock is in motion: later */
	assert_int_equal(world.acks, 0);
	world_no_rows(world_asked("job_retry"));
	assert_int_equal(world.acks, 1);
}

static void job_taken_over_takes_nothing(void **state)
{
	(void)state;
	world_job("fulfillment.resource", 1, 0);
	world_no_rows(world_asked("backorder_quote"));
	assert_int_equal(HEAD(world_asked("order_resourced"), order_resourced)->backordered, 0);
	world_no_rows(world_asked("order_resourced"));
	assert_int_equal(world.acks, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(picked_goods_are_packed_next),
		TEST(parcel_is_numbered_with_the_sellers_prefix),
		TEST(what_is_missing_is_sent_whole_from_one_place),
		TEST(where_nothing_is_the_order_waits),
		TEST(what_there_is_is_taken_and_not_promised_twice),
		TEST(place_that_was_short_is_asked_last),
		TEST(more_places_than_a_plan_considers_are_no_failure),
		TEST(lines_are_looked_for_some_at_a_time),
		TEST(plan_that_came_too_late_is_made_again),
		TEST(job_taken_over_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
