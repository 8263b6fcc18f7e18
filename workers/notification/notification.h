/*
 * The notification role: each event the customer is to hear of is a mail, sent at least
 * once, and told apart by its Message-ID when it comes twice.
 */
#ifndef ORDERD_WORKERS_NOTIFICATION_H
#define ORDERD_WORKERS_NOTIFICATION_H

#include "workers/job.h"

extern const struct job_kind JOB_NOTIFICATION_MAIL;

/* What the role needs, read and checked; a mistake ends the program.  False: no mails are wanted,
 * and the role has nothing to do. */
bool notification_settings(struct worker *w);

#endif
