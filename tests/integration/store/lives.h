/*
 * What a shop lives through, as a row of units that each need the one before: it is
 * furnished, and its orders are delivered, cancelled, declined, expired, in doubt, given
 * up.  Every write kind of db/queries has its place here (store_lives fails when one has
 * not).  How a unit is asked is the caller's: plainly, twice, or over a lost connection.
 */
#ifndef ORDERD_TESTS_STORE_LIVES_H
#define ORDERD_TESTS_STORE_LIVES_H

#include "world.h"

struct life {
	void (*ask)(struct life *l, struct unit u); /* returns when it is answered */
	struct id order, shipment, attempt;         /* the latest */
};

void life_of_a_shop(struct life *l); /* in a clean world; the same units each time */
void life_went_well(void);           /* what it must have come to, and no audit finds anything */

#endif
