#include "tests/unit/sourcing_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void assert_lines_get_what_they_ask(const struct sourcing_question *q,
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

void assert_groups_are_in_order(const struct sourcing_plan *plan)
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

void assert_good_plan(const struct sourcing_question *q, const struct sourcing_plan *plan)
{
	assert_lines_get_what_they_ask(q, plan);
	assert_nothing_is_taken_twice(q, plan);
	assert_groups_are_in_order(plan);
	assert_in_range(plan->n_reasons, 1, SOURCING_REASONS_MAX);
	for (size_t i = 0; i < plan->n_reasons; i++)
		assert_true(strlen(plan->reasons[i]) > 0);
}
