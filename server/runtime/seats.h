/*
 * Who is at work here, counted: how many calls of each tenant, and of each caller within it.
 *
 * A call takes a seat with both or is refused, and gives it back when our work for it is over.
 * What nobody holds is forgotten, so there are never more entries than twice the calls at work.
 * Loop thread only.
 */
#ifndef ORDERD_SERVER_SEATS_H
#define ORDERD_SERVER_SEATS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

struct seats;
struct seat;

/* Of one call; zero: it has none. */
struct seated {
	struct seat *tenant, *caller;
};

enum seats_said { SEATS_TAKEN, SEATS_TENANT_FULL, SEATS_CALLER_FULL };

/* `most` calls may hold seats at a time: how large the table is made. */
struct seats *seats_new(size_t most, uint32_t of_tenant, uint32_t of_caller);
void seats_free(struct seats *s); /* nobody may be seated */

/* *ret_full: what there was none of; it exists until the last of it has been given back. */
enum seats_said seats_take(struct seats *s, int32_t tenant, struct str caller, struct seated *ret,
			   const struct seat **ret_full);
void seats_leave(struct seats *s, struct seated *x); /* one without a seat: nothing happens */

/* For people: everybody seated, in no order. */
struct seats_row {
	int32_t tenant;
	struct str caller; /* p == NULL: the tenant as a whole; lives until the seat is left */
	uint32_t n, most;
};

size_t seats_count(const struct seats *s);
void seats_list(const struct seats *s, struct seats_row *ret); /* seats_count() of them */

#endif
