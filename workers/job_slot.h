/*
 * A place in the worker's pool of jobs, for job.c, which runs it, and show.c, which shows it.
 */
#ifndef ORDERD_WORKERS_JOB_SLOT_H
#define ORDERD_WORKERS_JOB_SLOT_H

#include "workers/job.h"

enum job_outcome { FAILED, SETTLED, MOOT, WAITS };

struct job_flow {
	struct flow fl; /* first: claim, then the kind's own, then put off */
	struct worker *w;
	struct job_flow *next_idle;
	bool busy;
	bool freed; /* its work is over, a beat is still out */
	enum queue_role role;
	bool delivered; /* from a stream, so it has to be acknowledged */
	struct delivery delivery;
	struct job job;
	enum job_outcome outcome;
	bool cut;        /* by the drain: hand it back as if it had not been tried */
	bool hopeless;   /* trying again cannot help: bury it at once */
	int64_t wait_ms; /* WAITS: so long */
	char why[200];
	void *state;
	int64_t beat_at_ms;
	int64_t lease_until_ms; /* at the least, if nobody took it: as last told */
	struct flow beat;       /* extends the lease beside the work */
	bool beating;
};

#endif
