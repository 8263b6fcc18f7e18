/*
 * The payment role: authorize at placement, capture before hand-over, void on cancel.
 * One payment per shipment group; the gateway is asked with a key that is a function of
 * the attempt, never of the try.
 */
#ifndef ORDERD_WORKERS_PAYMENT_H
#define ORDERD_WORKERS_PAYMENT_H

#include "workers/job.h"

extern const struct job_kind JOB_PAYMENT_AUTHORIZE;
extern const struct job_kind JOB_PAYMENT_CAPTURE;
extern const struct job_kind JOB_PAYMENT_VOID;

#endif
