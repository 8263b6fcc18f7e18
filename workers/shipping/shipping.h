/*
 * The shipping role: a label, bought once, or given back; the hand-over; and the parcel's way to
 * the door.
 */
#ifndef ORDERD_WORKERS_SHIPPING_H
#define ORDERD_WORKERS_SHIPPING_H

#include "workers/job.h"

extern const struct job_kind JOB_SHIPPING_LABEL;
extern const struct job_kind JOB_SHIPPING_VOID;
extern const struct job_kind JOB_SHIPPING_HANDOVER;
extern const struct job_kind JOB_SHIPPING_TRACK;

/* The parcel of the job's group: shipment_find_row(), or no row.  For the jobs above alone. */
int shipping_ask_find(struct flow *fl);

#endif
