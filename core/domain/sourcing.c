#include "sourcing.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The question as a table: what is missing of each item, and what each place has of it.
 *
 *	items    sorted, every one once, with the sum over its lines
 *	places   sorted by preference, at most 64, so a set of places is one word
 *	has      n_items rows of n_places numbers
 */
struct place {
	int32_t location;
	int32_t priority;
	double way; /* relative distance to the customer; 0 when unknown */
};

struct need {
	int64_t item;
	int64_t qty;
};

struct table {
	struct need *items;
	size_t n_items;
	struct place *places;
	size_t n_places;
	int64_t *has;
};

static int by_item(const void *a, const void *b)
{
	const struct need *x = a, *y = b;

	return (x->item > y->item) - (x->item < y->item);
}

static int by_location(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->location > y->location) - (x->location < y->location);
}

static int by_preference(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->way != y->way)
		return x->way < y->way ? -1 : 1;
	return by_location(a, b);
}

/* Great-circle distance by the haversine formula, on a sphere of radius 1. */
static double way_between(const struct sourcing_question *q, const struct sourcing_offer *o)
{
	const double rad = 3.14159265358979323846 / 180e6;
	double phi1 = q->latitude_e6 * rad, phi2 = o->latitude_e6 * rad;
	double dphi = phi2 - phi1, dlambda = (o->longitude_e6 - (double)q->longitude_e6) * rad;
	double h = sin(dphi / 2) * sin(dphi / 2) +
		   cos(phi1) * cos(phi2) * sin(dlambda / 2) * sin(dlambda / 2);

	return 2 * asin(sqrt(h > 1 ? 1 : h));
}

static size_t find_item(const struct table *t, int64_t item)
{
	struct need key = {.item = item};
	const struct need *n = bsearch(&key, t->items, t->n_items, sizeof(key), by_item);

	return n != NULL ? (size_t)(n - t->items) : t->n_items;
}

static bool collect_items(struct table *t, const struct sourcing_question *q, struct arena *arena)
{
	size_t n = 0;

	t->items = arena_array(arena, q->n_lines, sizeof(*t->items));
	if (t->items == NULL)
		return false;
	for (size_t i = 0; i < q->n_lines; i++)
		t->items[i] = (struct need){q->lines[i].item, q->lines[i].qty};
	qsort(t->items, q->n_lines, sizeof(*t->items), by_item);
	for (size_t i = 0; i < q->n_lines; i++) {
		if (n > 0 && t->items[n - 1].item == t->items[i].item) {
			/* A need nobody can fill stays one nobody can fill. */
			if (__builtin_add_overflow(t->items[n - 1].qty, t->items[i].qty,
						   &t->items[n - 1].qty))
				t->items[n - 1].qty = INT64_MAX;
		} else {
			t->items[n++] = t->items[i];
		}
	}
	t->n_items = n;
	return true;
}

static bool collect_places(struct table *t, const struct sourcing_question *q, struct arena *arena)
{
	size_t n = 0;

	t->places = arena_array(arena, q->n_offers, sizeof(*t->places));
	if (t->places == NULL)
		return false;
	for (size_t i = 0; i < q->n_offers; i++) {
		const struct sourcing_offer *o = &q->offers[i];

		if (o->available > 0 && find_item(t, o->item) < t->n_items)
			t->places[n++] = (struct place){o->location, o->priority,
							q->has_position ? way_between(q, o) : 0};
	}
	t->n_places = 0;
	if (n == 0)
		return true;
	qsort(t->places, n, sizeof(*t->places), by_location);
	for (size_t i = 0; i < n; i++)
		if (t->n_places == 0 ||
		    t->places[t->n_places - 1].location != t->places[i].location)
			t->places[t->n_places++] = t->places[i];
	qsort(t->places, t->n_places, sizeof(*t->places), by_preference);
	if (t->n_places > SOURCING_PLACES_MAX)
		t->n_places = SOURCING_PLACES_MAX;
	return true;
}

static bool fill_table(struct table *t, const struct sourcing_question *q, struct arena *arena)
{
	t->has = arena_array(arena, t->n_items * t->n_places + 1, sizeof(*t->has));
	if (t->has == NULL)
		return false;
	for (size_t i = 0; i < q->n_offers; i++) {
		const struct sourcing_offer *o = &q->offers[i];
		size_t item = find_item(t, o->item);

		if (item == t->n_items || o->available <= 0)
			continue;
		for (size_t p = 0; p < t->n_places; p++) {
			if (t->places[p].location == o->location) {
				t->has[item * t->n_places + p] = o->available;
				break;
			}
		}
	}
	return true;
}

/* What the places in `set` have of one item; saturates below the need that nobody can fill. */
static int64_t sum_of(const struct table *t, size_t item, uint64_t set)
{
	int64_t sum = 0;

	for (; set != 0; set &= set - 1) {
		int64_t has = t->has[item * t->n_places + (size_t)__builtin_ctzll(set)];

		if (__builtin_add_overflow(sum, has, &sum) || sum == INT64_MAX)
			return INT64_MAX - 1;
	}
	return sum;
}

static bool fills(const struct table *t, uint64_t set)
{
	for (size_t i = 0; i < t->n_items; i++)
		if (sum_of(t, i, set) < t->items[i].qty)
			return false;
	return true;
}

/* Lower is better: priorities first, the way second, and (by order of search) preference last. */
static bool cheaper(const struct table *t, uint64_t a, uint64_t b)
{
	int64_t pa = 0, pb = 0;
	double wa = 0, wb = 0;

	for (; a != 0; a &= a - 1) {
		pa += t->places[__builtin_ctzll(a)].priority;
		wa += t->places[__builtin_ctzll(a)].way;
	}
	for (; b != 0; b &= b - 1) {
		pb += t->places[__builtin_ctzll(b)].priority;
		wb += t->places[__builtin_ctzll(b)].way;
	}
	return pa != pb ? pa < pb : wa < wb;
}

/* How many sets of `size` places there are. */
static double sets_of(const struct table *t, size_t size)
{
	double sets = 1;

	for (size_t k = 0; k < size; k++)
		sets = sets * (double)(t->n_places - k) / (double)(k + 1);
	return sets;
}

/* The cheapest of the smallest sets that fill the order; 0 when there are too many to try. */
static uint64_t exact_set(const struct table *t)
{
	uint64_t best = 0;
	double work = 0;

	for (size_t size = 1; size <= t->n_places && best == 0; size++) {
		uint64_t set = size == 64 ? ~UINT64_C(0) : (UINT64_C(1) << size) - 1;
		double sets = sets_of(t, size);

		work += sets * (double)t->n_items * (double)size;
		if (work > SOURCING_WORK_MAX)
			return 0;
		for (uint64_t left = (uint64_t)(sets + 0.5); left > 0; left--) {
			if (fills(t, set) && (best == 0 || cheaper(t, set, best)))
				best = set;
			if (left > 1) { /* the next larger word with as many bits (Gosper) */
				uint64_t low = set & -set, ripple = set + low;

				set = ripple | (((set ^ ripple) >> 2) / low);
			}
		}
	}
	return best;
}

/* The place outside `set` that has most of what is missing, counted in units; n_places: none. */
static size_t fullest(const struct table *t, const int64_t *missing, uint64_t set)
{
	double gain[SOURCING_PLACES_MAX] = {0}, best_gain = 0;
	size_t best = t->n_places;

	for (size_t i = 0; i < t->n_items; i++) {
		const int64_t *has = &t->has[i * t->n_places];

		for (size_t p = 0; p < t->n_places && missing[i] > 0; p++)
			gain[p] += (double)(has[p] < missing[i] ? has[p] : missing[i]);
	}
	for (size_t p = 0; p < t->n_places; p++) {
		if ((set >> p & 1) == 0 && gain[p] > best_gain) {
			best = p;
			best_gain = gain[p];
		}
	}
	return best;
}

/* Always the place next that has most of what is missing; 0: no memory. */
static uint64_t greedy_set(const struct table *t, struct arena *arena)
{
	int64_t *missing = arena_array(arena, t->n_items, sizeof(*missing));
	uint64_t set = 0;

	if (missing == NULL)
		return 0;
	for (size_t i = 0; i < t->n_items; i++)
		missing[i] = t->items[i].qty;
	while (!fills(t, set)) {
		size_t next = fullest(t, missing, set);

		assert(next < t->n_places); /* the caller knows that all places together fill it */
		set |= UINT64_C(1) << next;
		for (size_t i = 0; i < t->n_items; i++) {
			int64_t has = t->has[i * t->n_places + next];

			missing[i] -= has < missing[i] ? has : missing[i];
		}
	}
	return set;
}

/* What one line takes of each place: all of it from one that has it, else from the fullest. */
static void share_line(int64_t qty, int64_t *has, uint64_t set, size_t n_places, int64_t *ret_takes)
{
	while (qty > 0) {
		size_t from = n_places;

		for (uint64_t s = set; s != 0 && (from == n_places || has[from] < qty);
		     s &= s - 1) {
			size_t p = (size_t)__builtin_ctzll(s);

			if (from == n_places || has[p] > has[from])
				from = p;
		}
		assert(from < n_places && has[from] > 0);
		ret_takes[from] = has[from] < qty ? has[from] : qty;
		has[from] -= ret_takes[from];
		qty -= ret_takes[from];
		set &= ~(UINT64_C(1) << from);
	}
}

/* The places used get their numbers in order of preference, which is the order of the table. */
static void number_groups(struct sourcing_plan *plan, const bool *used, size_t n_places)
{
	int16_t group_of[SOURCING_PLACES_MAX] = {0};

	for (size_t p = 0; p < n_places; p++)
		if (used[p])
			group_of[p] = ++plan->groups;
	for (size_t i = 0; i < plan->n_shares; i++)
		plan->shares[i].group = group_of[plan->shares[i].group];
}

static bool share_out(const struct table *t, const struct sourcing_question *q, uint64_t set,
		      struct arena *arena, struct sourcing_plan *plan)
{
	size_t most = q->n_lines * (size_t)__builtin_popcountll(set);
	int64_t *free_at = arena_dup(arena, t->has, t->n_items * t->n_places * sizeof(*t->has));
	bool used[SOURCING_PLACES_MAX] = {false};

	plan->shares = arena_array(arena, most, sizeof(*plan->shares));
	if (plan->shares == NULL || free_at == NULL)
		return false;
	for (uint32_t l = 0; l < q->n_lines; l++) {
		size_t row = find_item(t, q->lines[l].item) * t->n_places;
		int64_t takes[SOURCING_PLACES_MAX] = {0};

		share_line(q->lines[l].qty, &free_at[row], set, t->n_places, takes);
		for (size_t p = 0; p < t->n_places; p++) {
			if (takes[p] == 0)
				continue;
			used[p] = true;
			plan->shares[plan->n_shares++] =
				(struct sourcing_share){.line = l,
							.location = t->places[p].location,
							.qty = takes[p],
							.group = (int16_t)p,
							.available = t->has[row + p]};
		}
	}
	number_groups(plan, used, t->n_places);
	return true;
}

static void explain(struct sourcing_plan *plan, const struct table *t, bool has_position,
		    bool exact)
{
	const char **why = plan->reasons;

	if (plan->groups == 1 && t->n_places == 1)
		why[plan->n_reasons++] = "only one location has any of it";
	else if (plan->groups == 1)
		why[plan->n_reasons++] = "one location fills the whole order: one parcel";
	else
		why[plan->n_reasons++] =
			"no location fills the whole order: split over the fewest that do";
	if (t->n_places > 1)
		why[plan->n_reasons++] =
			has_position
				? "of equal choices the lower priority number, then the shorter way"
				: "of equal choices the lower priority number";
	if (!exact)
		why[plan->n_reasons++] =
			"too many combinations to try all: the fullest locations first";
}

/* Two lines of one item may each fit and together not, so the sum per item is what counts. */
static bool name_shortage(const struct table *t, const struct sourcing_question *q,
			  struct sourcing_plan *plan)
{
	uint64_t all = t->n_places == 64 ? ~UINT64_C(0) : (UINT64_C(1) << t->n_places) - 1;

	for (size_t l = 0; l < q->n_lines; l++) {
		size_t item = find_item(t, q->lines[l].item);
		int64_t left = sum_of(t, item, all);

		if (left < t->items[item].qty) {
			plan->short_item = q->lines[l].item;
			plan->short_left = left;
			return true;
		}
	}
	return false;
}

enum sourcing_outcome sourcing_plan(const struct sourcing_question *q, struct arena *arena,
				    struct sourcing_plan *ret)
{
	struct table t = {0};
	uint64_t set;
	bool exact;

	assert(q->n_lines > 0);
	*ret = (struct sourcing_plan){0};
	if (!collect_items(&t, q, arena) || !collect_places(&t, q, arena) ||
	    !fill_table(&t, q, arena))
		return SOURCING_NO_MEMORY;
	if (name_shortage(&t, q, ret))
		return SOURCING_SHORT;
	set = exact_set(&t);
	exact = set != 0;
	if (!exact)
		set = greedy_set(&t, arena);
	if (set == 0 || !share_out(&t, q, set, arena, ret))
		return SOURCING_NO_MEMORY;
	explain(ret, &t, q->has_position, exact);
	return SOURCING_OK;
}
