/*
 * Sourcing against brute force: random small questions, answered by trying every set of
 * locations, must get a plan that gives each line what it asks for, takes nothing twice,
 * and uses the fewest, then the preferred, then the nearest locations.
 *
 * The seed is printed; `domain_sourcing_model SEED` asks the same questions again.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/domain/sourcing.h"
#include "tests/unit/sourcing_plan.h"

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

/* ---- plans ---- */

static unsigned used_places(const struct world *w, const struct sourcing_plan *plan)
{
	unsigned set = 0;

	for (size_t i = 0; i < plan->n_shares; i++)
		for (int p = 0; p < w->places; p++)
			if (location_no(p) == plan->shares[i].location)
				set |= 1U << p;
	return set;
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_filled_exactly_when_the_sums_suffice),
		cmocka_unit_test(plan_has_the_fewest_then_preferred_then_nearest_locations),
		cmocka_unit_test(order_of_the_offers_changes_nothing),
		cmocka_unit_test(full_arena_is_an_answer),
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)clock_mono_us();
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
