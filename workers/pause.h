/*
 * Paused queues, as a worker knows them.
 *
 * That a paused queue's jobs are not taken is decided where they are claimed, in PostgreSQL
 * (queries/job_claim.sql, job_claim_due.sql), so nothing depends on how fresh this is.  What a
 * worker knows keeps it from asking in vain: it leaves the streams unread, and the sweep does
 * not ring.
 */
#ifndef ORDERD_WORKERS_PAUSE_H
#define ORDERD_WORKERS_PAUSE_H

#include "workers/worker.h"

/* Read them again if it is time: twice a second.  What cannot be read stays as it was known. */
void pauses_read(struct worker *w);

#endif
