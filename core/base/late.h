/*
 * A queue that is bounded by how long things wait in it, after CoDel (RFC 8289).
 *
 * A length says little: a hundred things wait a moment behind a quick server and for ever behind
 * a stopped one.  So what is looked at is how long the one just seen has waited.  One that waited
 * longer than the budget is a burst, which queues are there for; when LATE_INTERVAL_MS have gone
 * by and everything seen meanwhile waited so long, the queue stands, and who comes is refused
 * until one is seen that did not wait so long.
 *
 * A budget of 0 is none: such a queue is never late.  Pure; the clock is the caller's.
 */
#ifndef ORDERD_BASE_LATE_H
#define ORDERD_BASE_LATE_H

#include <stdbool.h>
#include <stdint.h>

enum { LATE_INTERVAL_MS = 100 }; /* RFC 8289: a few round trips of what is behind the queue */

struct late {
	int64_t budget_ms;
	int64_t since_ms; /* all that was seen since then waited too long; 0: the last did not */
};

/* Something that has waited for `waited_ms` was seen; returns whether the queue stands. */
static inline bool late_saw(struct late *l, int64_t waited_ms, int64_t now_ms)
{
	if (l->budget_ms == 0 || waited_ms <= l->budget_ms)
		l->since_ms = 0;
	else if (l->since_ms == 0)
		l->since_ms = now_ms;
	return l->since_ms != 0 && now_ms - l->since_ms >= LATE_INTERVAL_MS;
}

#endif
