/*
 * What holds for every sourcing plan, whatever the question.
 */
#ifndef ORDERD_TESTS_SOURCING_PLAN_H
#define ORDERD_TESTS_SOURCING_PLAN_H

#include "core/domain/sourcing.h"

/* Each line gets what it asks for, by shares of at least one unit. */
void assert_lines_get_what_they_ask(const struct sourcing_question *q,
				    const struct sourcing_plan *plan);

/* Ordered by line, then group; groups are numbered from 1 without a gap, one per location. */
void assert_groups_are_in_order(const struct sourcing_plan *plan);

/* Both, and no location gives more than it has, over all lines; and there are reasons. */
void assert_good_plan(const struct sourcing_question *q, const struct sourcing_plan *plan);

#endif
