/*
 * A sourcing plan gives every line exactly what it asks for, takes from no place more
 * than it has, and numbers its groups without a gap; a refusal names an item there really
 * is too little of.
 */
#include "core/domain/sourcing.h"
#include "tests/fuzz/fuzz.h"

enum { ITEMS = 5, PLACES = 7, LINES = 8 };

struct world {
	struct sourcing_line lines[LINES];
	struct sourcing_offer offers[ITEMS * PLACES];
	struct sourcing_question q;
};

static void read_world(struct input *in, struct world *w)
{
	size_t n_lines = 1 + take_u8(in) % LINES, items = 1 + take_u8(in) % ITEMS;
	size_t places = take_u8(in) % (PLACES + 1), n = 0;

	for (size_t i = 0; i < n_lines; i++)
		w->lines[i] = (struct sourcing_line){(int64_t)(take_u8(in) % items),
						     1 + take_u8(in) % 50};
	for (size_t p = 0; p < places; p++)
		for (size_t i = 0; i < items; i++)
			w->offers[n++] = (struct sourcing_offer){
				.item = (int64_t)i,
				.location = (int32_t)p * 3 + 1,
				.priority = take_u8(in) % 4,
				.latitude_e6 = (int32_t)(take_i64(in, 4) % 90000000),
				.longitude_e6 = (int32_t)(take_i64(in, 4) % 180000000),
				.available = take_u8(in) % 64,
			};
	w->q = (struct sourcing_question){.lines = w->lines,
					  .n_lines = n_lines,
					  .offers = w->offers,
					  .n_offers = n,
					  .has_position = (take_u8(in) & 1) != 0,
					  .latitude_e6 = (int32_t)(take_i64(in, 4) % 90000000),
					  .longitude_e6 = (int32_t)(take_i64(in, 4) % 180000000)};
}

static int64_t asked(const struct world *w, int64_t item)
{
	int64_t sum = 0;

	for (size_t i = 0; i < w->q.n_lines; i++)
		sum += w->lines[i].item == item ? w->lines[i].qty : 0;
	return sum;
}

static int64_t offered(const struct world *w, int64_t item)
{
	int64_t sum = 0;

	for (size_t i = 0; i < w->q.n_offers; i++)
		sum += w->offers[i].item == item ? w->offers[i].available : 0;
	return sum;
}

static void lines_get_what_they_ask(const struct world *w, const struct sourcing_plan *plan)
{
	int64_t got[LINES] = {0};
	uint64_t groups = 0;

	for (size_t i = 0; i < plan->n_shares; i++) {
		const struct sourcing_share *s = &plan->shares[i];

		MUST(s->line < w->q.n_lines && s->qty > 0 && s->group >= 1 &&
		     s->group <= plan->groups);
		got[s->line] += s->qty;
		groups |= UINT64_C(1) << s->group;
	}
	for (size_t i = 0; i < w->q.n_lines; i++)
		MUST(got[i] == w->lines[i].qty);
	MUST(plan->groups >= 1 && groups == (UINT64_C(2) << plan->groups) - 2);
}

static void places_give_what_they_have(const struct world *w, const struct sourcing_plan *plan)
{
	for (size_t o = 0; o < w->q.n_offers; o++) {
		int64_t left = w->offers[o].available;

		for (size_t i = 0; i < plan->n_shares; i++) {
			const struct sourcing_share *s = &plan->shares[i];

			if (s->location == w->offers[o].location &&
			    w->lines[s->line].item == w->offers[o].item)
				left -= s->qty;
		}
		MUST(left >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct sourcing_plan plan = {0};
	struct arena arena;
	struct world w = {0};

	arena_init(&arena, 1 << 20);
	read_world(&in, &w);
	switch (sourcing_plan(&w.q, &arena, &plan)) {
	case SOURCING_OK:
		lines_get_what_they_ask(&w, &plan);
		places_give_what_they_have(&w, &plan);
		break;
	case SOURCING_SHORT:
		MUST(asked(&w, plan.short_item) > offered(&w, plan.short_item));
		MUST(plan.short_left == offered(&w, plan.short_item));
		break;
	case SOURCING_NO_MEMORY:
		break;
	}
	arena_done(&arena);
	return 0;
}
