/*
 * How many watches each caller has open: one caller must not take all there may be
 * (config.max_watches_each).  Where nobody is asked who they are, nobody is told from another and
 * nobody is counted.
 */
#ifndef ORDERD_SERVER_WATCH_CALLERS_H
#define ORDERD_SERVER_WATCH_CALLERS_H

#include <stdbool.h>

#include "server/watch/watch_table.h"

struct flow;
struct watch_callers;

/* Embedded in a watch; zero: not counted. */
struct watch_caller {
	struct watch_entry entry; /* first; `order` is who it is */
	bool counted;
};

struct watch_callers *watch_callers_new(int64_t most_each);
void watch_callers_free(struct watch_callers *cs); /* nobody watches any more */

/* Count the call's caller; false: there are as many of its watches as may be. */
bool watch_callers_add(struct watch_callers *cs, struct flow *fl, struct watch_caller *c);
void watch_callers_remove(struct watch_callers *cs, struct watch_caller *c);

#endif
