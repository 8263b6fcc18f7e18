/*
 * Jobs as people see them: asking for them, and from stored rows to the contract's Job.
 */
#ifndef ORDERD_SERVER_JOB_MESSAGE_H
#define ORDERD_SERVER_JOB_MESSAGE_H

#include "core/queue/queue.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "sql.gen.h"

enum {
	JOB_SCAN = 5000,   /* jobs a filter looks at per question */
	JOB_ROUNDS = 20,   /* questions of one call */
	JOB_KIND_MAX = 64, /* bytes */
};

/* "payment" of "payment", or of "payment.capture"; false: there is no such queue. */
bool queue_role_of(struct str name, enum queue_role *ret);

/* The state's name in the database; "" when it is none, or unspecified. */
struct str job_state_name(Orderd__V1__JobState state);

/* What list and retry may be asked for besides a state; violations name the fields behind `path`.
 */
void read_job_filter(struct flow *fl, ProtobufCBinaryData kind, ProtobufCBinaryData role,
		     const char *path, struct job_list_head *h);

/* Ask for one job; the got half answers false, with NOT_FOUND as the flow's answer. */
int ask_job(struct flow *fl, struct id job);
bool got_job(struct flow *fl, struct id job, const struct answer *a, struct job_list_row *ret);

/* NULL: the arena is full. */
Orderd__V1__Job *job_message(struct flow *fl, const struct job_list_row *r);

/* It is ready: tell the workers. */
void ring_job(struct flow *fl, struct id job, struct str kind, int16_t priority);

#endif
