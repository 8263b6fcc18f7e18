/*
 * What the janitor does again and again: a flow, a pause, the same flow.
 */
#ifndef ORDERD_WORKERS_JANITOR_ROUND_H
#define ORDERD_WORKERS_JANITOR_ROUND_H

#include "core/flow/flow.h"
#include "workers/worker.h"

struct round {
	struct flow fl; /* first: its steps find the round by it */
	struct worker *w;
	const char *name;
	const struct flow_step *steps;
	int64_t (*pause_ms)(struct round *r); /* the flow has ended: how long until the next one */
	struct timer timer;
	bool running, stopped;
};

/* The first flow starts in the loop's next turn; `r` is zero but for w, name, steps and pause_ms.
 */
void round_begin(struct round *r, size_t arena);
void round_stop(struct round *r); /* none after the one at work */
bool round_idle(const struct round *r);
void round_done(struct round *r);

#endif
