/*
 * The fulfilment role: take the goods from the shelf, put them into the parcel, and find
 * goods elsewhere that were not on the shelf.  Locations without people at a screen pick and
 * pack by themselves; at the others these jobs are parked until ConfirmPick and ConfirmPack.
 */
#ifndef ORDERD_WORKERS_FULFILLMENT_H
#define ORDERD_WORKERS_FULFILLMENT_H

#include "workers/job.h"

extern const struct job_kind JOB_FULFILLMENT_PICK;
extern const struct job_kind JOB_FULFILLMENT_PACK;
extern const struct job_kind JOB_FULFILLMENT_RESOURCE;

#endif
