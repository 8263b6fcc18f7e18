/*
 * Sourcing against brute force: random small questions, answered by trying every set of
 * locations, must get a plan that gives each line what it asks for, takes nothing twice,
 * and uses the fewest, then the preferred, then the nearest locations.
 *
 * The seed is printed; `domain_sourcing SEED` asks the same questions again.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/domain/sourcing.h"

enum { ITEMS = 4, PLACES = 7, LINES = 5, QUESTIONS = 20000 };

static uint64_t seed;

static uint64_t draw(uint64_t *rng)
{
	uint64_t z = *rng +=
		UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 (Steele, Lea, Flood 2014) */

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int below(uint64_t *rng, int n)
{
	return (int)(draw(rng) % (uint64_t)n);
}

/* ---- a small world, and what is true of it ---- */

struct world {
	struct sourcing_line lines[LINES];
	struct sourcing_offer offers[ITEMS * PLACES];
	struct sourcing_question q;
	int items, places;
};

static int32_t location_no(int place)
{
	return 100 + 7 * ((place * 3) % PLACES); /* not in the order of the offers */
}

static struct world draw_world(uint64_t *rng)
{
	struct world w = {.items = 1 + below(rng, ITEMS), .places = below(rng, PLACES + 1)};
	int n_lines = 1 + below(rng, LINES), plenty = 1 + below(rng, 12);
	size_t n = 0;

	for (int i = 0; i < n_lines; i++)
		w.lines[i] = (struct sourcing_line){1000 - below(rng, w.items), 1 + below(rng, 9)};
	for (int p = 0; p < w.places; p++) {
		int32_t priority = below(rng, 3), lat = below(rng, 5) * 20000000 - 40000000;
		int32_t lon = below(rng, 9) * 40000000 - 160000000;

		for (int i = 0; i < w.items; i++)
			w.offers[n++] =
				(struct sourcing_offer){.item = 1000 - i,
							.location = location_no(p),
							.priority = priority,
							.latitude_e6 = lat,
							.longitude_e6 = lon,
							.available = below(rng, plenty) - 1};
	}
	w.q = (struct sourcing_question){.n_lines = (size_t)n_lines,
					 .n_offers = n,
					 .has_position = below(rng, 2) == 0,
					 .latitude_e6 = below(rng, 1000) * 170000 - 85000000,
					 .longitude_e6 = below(rng, 1000) * 359000 - 179000000};
	return w;
}

/* Put here because a world is returned by value. */
static void connect(struct world *w)
{
	w->q.lines = w->lines;
	w->q.offers = w->offers;
}

static int64_t asked(const struct world *w, int64_t item)
{
	int64_t sum = 0;

	for (size_t i = 0; i < w->q.n_lines; i++)
		sum += w->lines[i].item == item ? w->lines[i].qty : 0;
	return sum;
}

/* Offers stand place by place, so bit p of `set` is offers[p * items] and the ones after it. */
static int64_t offered(const struct world *w, int64_t item, unsigned set)
{
	int64_t sum = 0;

	for (size_t i = 0; i < w->q.n_offers; i++)
		if (w->offers[i].item == item && (set >> (i / (size_t)w->items) & 1) != 0)
			sum += w->offers[i].available > 0 ? w->offers[i].available : 0;
	return sum;
}

static bool suffices(const struct world *w, unsigned set)
{
	for (size_t i = 0; i < w->q.n_lines; i++)
		if (offered(w, w->lines[i].item, set) < asked(w, w->lines[i].item))
			return false;
	return true;
}

/* Spherical law of cosines: another formula than the one under test. */
static double way(const struct world *w, int place)
{
	const struct sourcing_offer *o = &w->offers[place * w->items];
	const double rad = M_PI / 180e6;
	double a = w->q.latitude_e6 * rad, b = o->latitude_e6 * rad;
	double c = sin(a) * sin(b) +
		   cos(a) * cos(b) * cos((o->longitude_e6 - w->q.longitude_e6 * 1.0) * rad);

	return w->q.has_position ? acos(fmax(-1, fmin(1, c))) : 0;
}

struct cost {
	int places;
	int64_t priorities;
	double way;
};

static struct cost cost_of(const struct world *w, unsigned set)
{
	struct cost c = {0};

	for (int p = 0; p < w->places; p++) {
		if ((set >> p & 1) == 0)
			continue;
		c.places++;
		c.priorities += w->offers[p * w->items].priority;
		c.way += way(w, p);
	}
	return c;
}

static int compare(struct cost a, struct cost b)
{
	if (a.places != b.places)
		return a.places < b.places ? -1 : 1;
	if (a.priorities != b.priorities)
		return a.priorities < b.priorities ? -1 : 1;
	return fabs(a.way - b.way) < 1e-6 ? 0 : a.way < b.way ? -1 : 1;
}

/* ---- what holds for every plan ---- */

static unsigned used_places(const struct world *w, const struct sourcing_plan *plan)
{
	unsigned set = 0;

	for (size_t i = 0; i < plan->n_shares; i++)
		for (int p = 0; p < w->places; p++)
			if (location_no(p) == plan->shares[i].location)
				set |= 1U << p;
	return set;
}

static void assert_lines_get_what_they_ask(const struct sourcing_question *q,
					   const struct sourcing_plan *plan)
{
	int64_t *left = calloc(q->n_lines, sizeof(*left));

	assert_non_null(left);
	for (size_t i = 0; i < q->n_lines; i++)
		left[i] = q->lines[i].qty;
	for (size_t i = 0; i < plan->n_shares; i++) {
		assert_true(plan->shares[i].line < q->n_lines && plan->shares[i].qty > 0);
		left[plan->shares[i].line] -= plan->shares[i].qty;
	}
	for (size_t i = 0; i < q->n_lines; i++)
		assert_int_equal(left[i], 0);
	free(left);
}

static void assert_nothing_is_taken_twice(const struct sourcing_question *q,
					  const struct sourcing_plan *plan)
{
	for (size_t o = 0; o < q->n_offers; o++) {
		int64_t left = q->offers[o].available;
		bool taken = false;

		for (size_t i = 0; i < plan->n_shares; i++) {
			const struct sourcing_share *s = &plan->shares[i];

			if (s->location != q->offers[o].location ||
			    q->lines[s->line].item != q->offers[o].item)
				continue;
			assert_int_equal(s->available, q->offers[o].available);
			left -= s->qty;
			taken = true;
		}
		assert_true(!taken || left >= 0);
	}
}

/* Ordered by line, then group; groups are numbered from 1 without a gap, one per location. */
static void assert_groups_are_in_order(const struct sourcing_plan *plan)
{
	int32_t location[SOURCING_PLACES_MAX + 1] = {0};
	bool seen[SOURCING_PLACES_MAX + 1] = {false};

	assert_in_range(plan->groups, 1, SOURCING_PLACES_MAX);
	for (size_t i = 0; i < plan->n_shares; i++) {
		const struct sourcing_share *s = &plan->shares[i], *before = s - 1;

		assert_in_range(s->group, 1, plan->groups);
		assert_true(!seen[s->group] || location[s->group] == s->location);
		seen[s->group] = true;
		location[s->group] = s->location;
		if (i > 0 && before->line == s->line)
			assert_true(before->group < s->group);
		else
			assert_true(i == 0 ? s->line == 0 : before->line + 1 == s->line);
	}
	for (int g = 1; g <= plan->groups; g++)
		assert_true(seen[g]);
	for (int g = 1; g <= plan->groups; g++)
		for (int h = 1; h < g; h++)
			assert_int_not_equal(location[g], location[h]);
}

static void assert_good_plan(const struct sourcing_question *q, const struct sourcing_plan *plan)
{
	assert_lines_get_what_they_ask(q, plan);
	assert_nothing_is_taken_twice(q, plan);
	assert_groups_are_in_order(plan);
	assert_in_range(plan->n_reasons, 1, SOURCING_REASONS_MAX);
	for (size_t i = 0; i < plan->n_reasons; i++)
		assert_true(strlen(plan->reasons[i]) > 0);
}

static void assert_same_plan(const struct sourcing_plan *a, const struct sourcing_plan *b)
{
	assert_int_equal(a->n_shares, b->n_shares);
	assert_int_equal(a->groups, b->groups);
	for (size_t i = 0; i < a->n_shares; i++) {
		assert_int_equal(a->shares[i].line, b->shares[i].line);
		assert_int_equal(a->shares[i].location, b->shares[i].location);
		assert_int_equal(a->shares[i].qty, b->shares[i].qty);
		assert_int_equal(a->shares[i].group, b->shares[i].group);
	}
}

/* ---- properties ---- */

typedef void property(const struct world *w, enum sourcing_outcome outcome,
		      const struct sourcing_plan *plan, struct arena *arena);

static void holds_for_all(property *holds, uint64_t stream)
{
	uint64_t rng = seed ^ stream;

	for (int i = 0; i < QUESTIONS; i++) {
		struct world w = draw_world(&rng);
		struct sourcing_plan plan;
		struct arena arena;

		connect(&w);
		arena_init(&arena, 1 << 20);
		holds(&w, sourcing_plan(&w.q, &arena, &plan), &plan, &arena);
		arena_done(&arena);
	}
}

static void sums_decide(const struct world *w, enum sourcing_outcome outcome,
			const struct sourcing_plan *plan, struct arena *arena)
{
	unsigned all = (1U << w->places) - 1;

	(void)arena;
	assert_int_equal(outcome, suffices(w, all) ? SOURCING_OK : SOURCING_SHORT);
	if (outcome == SOURCING_OK) {
		assert_good_plan(&w->q, plan);
		return;
	}
	assert_int_equal(plan->short_left, offered(w, plan->short_item, all));
	assert_true(plan->short_left < asked(w, plan->short_item));
	for (size_t i = 0; w->lines[i].item != plan->short_item; i++)
		assert_true(offered(w, w->lines[i].item, all) >= asked(w, w->lines[i].item));
}

static void order_is_filled_exactly_when_the_sums_suffice(void **state)
{
	(void)state;
	holds_for_all(sums_decide, 1);
}

static void no_set_is_better(const struct world *w, enum sourcing_outcome outcome,
			     const struct sourcing_plan *plan, struct arena *arena)
{
	struct cost got;

	(void)arena;
	if (outcome != SOURCING_OK)
		return;
	got = cost_of(w, used_places(w, plan));
	assert_int_equal(got.places, plan->groups);
	for (unsigned set = 1; set < 1U << w->places; set++)
		if (suffices(w, set))
			assert_true(compare(got, cost_of(w, set)) <= 0);
}

static void plan_has_the_fewest_then_preferred_then_nearest_locations(void **state)
{
	(void)state;
	holds_for_all(no_set_is_better, 2);
}

static void turned_round_is_the_same(const struct world *w, enum sourcing_outcome outcome,
				     const struct sourcing_plan *plan, struct arena *arena)
{
	struct world turned = *w;
	struct sourcing_plan again;

	connect(&turned);
	for (size_t i = 0; i < w->q.n_offers; i++)
		turned.offers[i] = w->offers[w->q.n_offers - 1 - i];
	assert_int_equal(sourcing_plan(&turned.q, arena, &again), outcome);
	assert_int_equal(again.short_item, plan->short_item);
	assert_int_equal(again.short_left, plan->short_left);
	assert_same_plan(plan, &again);
}

static void order_of_the_offers_changes_nothing(void **state)
{
	(void)state;
	holds_for_all(turned_round_is_the_same, 3);
}

static void an_arena_too_small(const struct world *w, enum sourcing_outcome outcome,
			       const struct sourcing_plan *plan, struct arena *arena)
{
	size_t cap = arena->used / 2;

	(void)plan;
	arena_done(arena);
	arena_init(arena, cap);
	if (sourcing_plan(&w->q, arena, &(struct sourcing_plan){0}) != SOURCING_NO_MEMORY)
		assert_int_equal(outcome, SOURCING_SHORT); /* which needs no room for shares */
}

static void full_arena_is_an_answer(void **state)
{
	(void)state;
	holds_for_all(an_arena_too_small, 4);
}

/* ---- single cases ---- */

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
static void assert_is_quick(const struct sourcing_question *q, int16_t groups)
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
	assert_true(before < 4000000); /* under sanitizers; a few per cent of it without */
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
	assert_is_quick(&q, SOURCING_PLACES_MAX); /* every location is needed */
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
		assert_is_quick(&q, (int16_t)n);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_filled_exactly_when_the_sums_suffice),
		cmocka_unit_test(plan_has_the_fewest_then_preferred_then_nearest_locations),
		cmocka_unit_test(order_of_the_offers_changes_nothing),
		cmocka_unit_test(full_arena_is_an_answer),
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

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)clock_mono_us();
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
