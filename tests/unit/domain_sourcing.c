/*
 * Sourcing, case by case: what counts before what, what is too much, and that the largest
 * questions are answered in bounded time.  (domain_sourcing_model.c asks random ones.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/domain/sourcing.h"
#include "tests/unit/sourcing_plan.h"

static struct sourcing_offer offer(int64_t item, int32_t location, int32_t priority,
				   int64_t available)
{
	return (struct sourcing_offer){
		.item = item, .location = location, .priority = priority, .available = available};
}

static struct sourcing_plan plan_of(const struct sourcing_question *q, struct arena *arena)
{
	struct sourcing_plan plan;

	arena_init(arena, 64 << 20);
	assert_int_equal(sourcing_plan(q, arena, &plan), SOURCING_OK);
	assert_good_plan(q, &plan);
	return plan;
}

static void same_item_on_two_lines_counts_together(void **state)
{
	const struct sourcing_line lines[] = {{1, 3}, {1, 3}};
	const struct sourcing_offer offers[] = {offer(1, 7, 0, 5)}, more[] = {offer(1, 7, 0, 6)};
	struct sourcing_question q = {lines, 2, offers, 1};
	struct sourcing_plan plan;
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	assert_int_equal(sourcing_plan(&q, &arena, &plan), SOURCING_SHORT);
	assert_int_equal(plan.short_item, 1);
	assert_int_equal(plan.short_left, 5);
	arena_done(&arena);
	q.offers = more;
	plan = plan_of(&q, &arena);
	assert_int_equal(plan.groups, 1);
	arena_done(&arena);
}

static void one_location_for_all_beats_two_preferred_ones(void **state)
{
	const struct sourcing_line lines[] = {{1, 2}, {2, 2}};
	const struct sourcing_offer offers[] = {offer(1, 7, 0, 9), offer(2, 8, 0, 9),
						offer(1, 9, 50, 2), offer(2, 9, 50, 2)};
	struct sourcing_question q = {lines, 2, offers, 4};
	struct arena arena;
	struct sourcing_plan plan = plan_of(&q, &arena);

	(void)state;
	assert_int_equal(plan.groups, 1);
	assert_int_equal(plan.shares[0].location, 9);
	arena_done(&arena);
}

static void of_equal_locations_the_lower_number_is_taken(void **state)
{
	const struct sourcing_line line = {1, 1};
	const struct sourcing_offer offers[] = {offer(1, 9, 3, 9), offer(1, 4, 3, 2),
						offer(1, 6, 3, 5)};
	struct sourcing_question q = {&line, 1, offers, 3};
	struct arena arena;

	(void)state;
	assert_int_equal(plan_of(&q, &arena).shares[0].location, 4);
	arena_done(&arena);
}

static void lower_priority_beats_the_shorter_way(void **state)
{
	const struct sourcing_line line = {1, 1};
	struct sourcing_offer offers[] = {offer(1, 1, 2, 9), offer(1, 2, 1, 9), offer(1, 3, 1, 9)};
	struct sourcing_question q = {&line, 1, offers, 3, .has_position = true};
	struct arena arena;

	(void)state;
	offers[1].latitude_e6 = 60000000;
	offers[2].latitude_e6 = 50000000;
	assert_int_equal(plan_of(&q, &arena).shares[0].location, 3);
	arena_done(&arena);
}

/* Across the date line it is two degrees, not 358. */
static void way_round_the_world_is_the_short_one(void **state)
{
	const struct sourcing_line line = {1, 1};
	struct sourcing_offer offers[] = {offer(1, 1, 0, 9), offer(1, 2, 0, 9)};
	struct sourcing_question q = {
		&line, 1, offers, 2, .has_position = true, .longitude_e6 = 179000000};
	struct arena arena;

	(void)state;
	offers[0].longitude_e6 = 170000000;
	offers[1].longitude_e6 = -179000000;
	assert_int_equal(plan_of(&q, &arena).shares[0].location, 2);
	arena_done(&arena);
}

static void more_than_anybody_can_have_is_short(void **state)
{
	const struct sourcing_line lines[] = {{1, INT64_MAX}, {1, INT64_MAX}};
	const struct sourcing_offer offers[] = {offer(1, 1, 0, INT64_MAX),
						offer(1, 2, 0, INT64_MAX - 1),
						offer(1, 3, 0, INT64_MAX)};
	struct sourcing_question q = {lines, 2, offers, 3};
	struct sourcing_plan plan;
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	assert_int_equal(sourcing_plan(&q, &arena, &plan), SOURCING_SHORT);
	q.n_offers = 1;
	assert_int_equal(sourcing_plan(&q, &arena, &plan), SOURCING_SHORT);
	arena_done(&arena);
}

/* ---- large ones ---- */

enum { MANY_PLACES = 80, MANY_LINES = 5000 };

static void the_64_preferred_of_many_locations_are_considered(void **state)
{
	const struct sourcing_line line = {1, SOURCING_PLACES_MAX};
	const struct sourcing_line too_much = {1, SOURCING_PLACES_MAX + 1};
	struct sourcing_offer offers[MANY_PLACES];
	struct sourcing_question q = {&line, 1, offers, MANY_PLACES};
	struct arena arena;
	struct sourcing_plan plan;

	(void)state;
	for (int i = 0; i < MANY_PLACES; i++)
		offers[i] = offer(1, 1 + i, MANY_PLACES - i, 1);
	plan = plan_of(&q, &arena);
	assert_int_equal(plan.groups, SOURCING_PLACES_MAX);
	for (size_t i = 0; i < plan.n_shares; i++)
		assert_true(plan.shares[i].location > MANY_PLACES - SOURCING_PLACES_MAX);
	q.lines = &too_much;
	assert_int_equal(sourcing_plan(&q, &arena, &plan), SOURCING_SHORT);
	assert_int_equal(plan.short_left, SOURCING_PLACES_MAX);
	arena_done(&arena);
}

/* Of this thread alone: the machine may be busy with other tests. */
static int64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The plan is made on the loop thread, so the worst question must not hold up the others. */
static void assert_is_quick(const struct sourcing_question *q, int16_t groups, int64_t most_us)
{
	int64_t before = cpu_us();
	struct arena arena;
	struct sourcing_plan plan;
	enum sourcing_outcome outcome;

	arena_init(&arena, 64 << 20);
	outcome = sourcing_plan(q, &arena, &plan);
	before = cpu_us() - before;
	print_message("%zu lines, %zu offers: %lld us\n", q->n_lines, q->n_offers,
		      (long long)before);
	assert_int_equal(outcome, SOURCING_OK);
	assert_int_equal(plan.groups, groups);
	assert_lines_get_what_they_ask(q, &plan);
	assert_groups_are_in_order(&plan);
	assert_true(before < most_us); /* under sanitizers; a few per cent of it without */
	arena_done(&arena);
}

static void largest_order_is_planned_in_bounded_time(void **state)
{
	static struct sourcing_line lines[MANY_LINES];
	static struct sourcing_offer offers[MANY_LINES * SOURCING_PLACES_MAX];
	struct sourcing_question q = {lines, MANY_LINES, offers, MANY_LINES * SOURCING_PLACES_MAX};

	(void)state;
	for (size_t i = 0; i < MANY_LINES; i++) {
		lines[i] = (struct sourcing_line){(int64_t)i, SOURCING_PLACES_MAX};
		for (size_t p = 0; p < SOURCING_PLACES_MAX; p++)
			offers[i * SOURCING_PLACES_MAX + p] =
				offer((int64_t)i, (int32_t)p + 1, 0, 1);
	}
	assert_is_quick(&q, SOURCING_PLACES_MAX, 20000000); /* every location is needed */
}

/* Few items, and so many locations that every set but the last is too small. */
static void widest_split_is_planned_in_bounded_time(void **state)
{
	struct sourcing_offer offers[SOURCING_PLACES_MAX];

	(void)state;
	for (int n = 16; n <= SOURCING_PLACES_MAX; n += 2) {
		const struct sourcing_line line = {1, n};
		struct sourcing_question q = {&line, 1, offers, (size_t)n};

		for (int p = 0; p < n; p++)
			offers[p] = offer(1, p + 1, 0, 1);
		assert_is_quick(&q, (int16_t)n, 500000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_item_on_two_lines_counts_together),
		cmocka_unit_test(one_location_for_all_beats_two_preferred_ones),
		cmocka_unit_test(of_equal_locations_the_lower_number_is_taken),
		cmocka_unit_test(lower_priority_beats_the_shorter_way),
		cmocka_unit_test(way_round_the_world_is_the_short_one),
		cmocka_unit_test(more_than_anybody_can_have_is_short),
		cmocka_unit_test(the_64_preferred_of_many_locations_are_considered),
		cmocka_unit_test(largest_order_is_planned_in_bounded_time),
		cmocka_unit_test(widest_split_is_planned_in_bounded_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
