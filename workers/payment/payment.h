/*
 * The payment role: authorize at placement, renew what ends before the goods leave, capture
 * before hand-over, void on cancel.
 * One payment per shipment group; the gateway is asked with a key that is a function of
 * the attempt, never of the try.
 */
#ifndef ORDERD_WORKERS_PAYMENT_H
#define ORDERD_WORKERS_PAYMENT_H

#include "workers/job.h"

extern const struct job_kind JOB_PAYMENT_AUTHORIZE;
extern const struct job_kind JOB_PAYMENT_CAPTURE;
extern const struct job_kind JOB_PAYMENT_VOID;
extern const struct job_kind JOB_PAYMENT_RENEW;

/* The payment of the job's group: payment_find_row(), or no row. */
int payment_ask_find(struct flow *fl);

/*
 * The gateway does not hold the money of this attempt any more: it is to be authorized anew.
 * The job is done, or, with a `back_ms` that is not DB_NULL, comes back after so long.
 */
int payment_ask_lapsed(struct flow *fl, struct id attempt, struct str gateway_ref, int64_t back_ms);
void payment_got_lapsed(struct flow *fl, const struct answer *a);

#endif
