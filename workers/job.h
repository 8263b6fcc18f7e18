/*
 * A job at work: claim it, do its kind's flow, settle it or put it off.
 *
 *	delivery --> claim --> the kind's own flow --> ack
 *	                |             |
 *	                |             +--> put off: retry, bury or settle --> ack
 *	                +--> somebody else's: ack
 *
 * Each arrow's work is a flow of its own in the same slot.  A kind writes its business
 * steps only and says how it ended: job_settled() after the unit that completed it,
 * job_moot() when there is nothing to do any more; anything else is a failure, and the
 * error's retry class (core/base/err_table.h) says what becomes of the job.
 */
#ifndef ORDERD_WORKERS_JOB_H
#define ORDERD_WORKERS_JOB_H

#include "core/flow/flow.h"
#include "core/queue/queue.h"
#include "workers/worker.h"

struct show_board;

/* What claiming answered. */
struct job {
	struct id id;
	int32_t tenant;
	struct id order;
	int16_t group_no;
	int16_t groups;
	int64_t epoch; /* of this claim: completing needs it */
	int32_t attempts;
	struct trace trace; /* of the call that made it, else the order's; may be none */
	int32_t deaths;     /* claims of it that were never heard of again */
	const struct job_kind *kind;
};

struct job_kind {
	const char *name; /* "payment.authorize", as in the job row */
	enum queue_role role;
	uint8_t priority;
	const struct flow_step *steps;
	size_t state_size; /* job_state(), zeroed */
};

/* ---- for the flows of a kind ---- */

const struct job *job_of(struct flow *fl);
struct worker *worker_of(struct flow *fl);
void *job_state(struct flow *fl);

/* The unit just answered completed the job, or put it off itself. */
void job_settled(struct flow *fl);

/* There is nothing to do: complete it without effect. */
void job_moot(struct flow *fl);

/*
 * Something else must happen first: the job comes back after `delay_ms`, as often as it takes, as
 * if it had not been tried.  The flow goes on to its end.
 */
void job_wait(struct flow *fl, int64_t delay_ms);

/* FLOW_FAIL, with a sentence for last_error. */
int job_fail(struct flow *fl, enum errc e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A next job was committed; zero id: none. */
void job_ring(struct flow *fl, struct id next, struct str kind);

/* The pause before this job's next attempt. */
int64_t job_backoff_ms(struct flow *fl);

/* ---- for the worker ---- */

const struct job_kind *job_kind_find(struct str name);

bool job_pool_open(struct worker *w);
void job_pool_close(struct worker *w);

/* How many more jobs of this role may start; none while its queue is paused. */
uint32_t job_room(const struct worker *w, enum queue_role r);

/* Start what was delivered; there must be room. */
void job_start(struct worker *w, const struct delivery *d);

/* Claim straight from PostgreSQL: Redis is away. */
void job_start_due(struct worker *w, enum queue_role r);

/* Views: jobs (core/base/show.h). */
void job_pool_offer(const struct worker *w, struct show_board *b);

/* Extend the leases of jobs that take long. */
void job_beat(struct worker *w);

/* The drain is over: hand running jobs back. */
void job_cut(struct worker *w);

#endif
