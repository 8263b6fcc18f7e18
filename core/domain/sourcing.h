/*
 * Sourcing: which location gives how much of what.  Pure: it sees numbers, answers a plan.
 *
 * In this order: one location for the whole order if any can; else the fewest locations;
 * among equals the lower sum of priorities, then the shorter way to the customer, then
 * the lower location number, so that the same question always gets the same plan.
 *
 * The exact search over subsets is bounded (SOURCING_WORK_MAX); a larger question is
 * answered greedily: always the location next that fills most of what is missing.
 */
#ifndef ORDERD_DOMAIN_SOURCING_H
#define ORDERD_DOMAIN_SOURCING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

enum {
	SOURCING_PLACES_MAX = 64,    /* further ones are left out, worst priority first */
	SOURCING_WORK_MAX = 1000000, /* comparisons of the exact search: a few ms */
	SOURCING_REASONS_MAX = 8,
};

struct sourcing_line {
	int64_t item;
	int64_t qty; /* > 0 */
};

struct sourcing_offer {
	int64_t item;
	int32_t location;
	int32_t priority; /* low is preferred */
	int32_t latitude_e6, longitude_e6;
	int64_t available;
};

struct sourcing_question {
	const struct sourcing_line *lines;
	size_t n_lines;
	const struct sourcing_offer *offers; /* one per item and location, at most */
	size_t n_offers;
	bool has_position; /* of the customer */
	int32_t latitude_e6, longitude_e6;
};

/* What one line takes from one location. */
struct sourcing_share {
	uint32_t line; /* index into lines */
	int32_t location;
	int64_t qty;
	int16_t group;     /* from 1, one per location used, in order of preference */
	int64_t available; /* what the location had of the item before this plan */
};

struct sourcing_plan {
	struct sourcing_share *shares; /* ordered by line, then group */
	size_t n_shares;
	int16_t groups;
	const char *reasons[SOURCING_REASONS_MAX];
	size_t n_reasons;
	/* when it cannot be done: */
	int64_t short_item; /* the first item (in order of lines) there is too little of */
	int64_t short_left; /* what there is of it, over all locations considered */
};

enum sourcing_outcome { SOURCING_OK, SOURCING_SHORT, SOURCING_NO_MEMORY };

enum sourcing_outcome sourcing_plan(const struct sourcing_question *q, struct arena *arena,
				    struct sourcing_plan *ret);

#endif
