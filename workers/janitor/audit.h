/*
 * The audit: every rule of db/audit, one after the other, for as long as the worker runs.
 *
 * What it finds is a gauge per rule and a line in the log that names the first rows.  A rule
 * that could not be asked is no rule that holds: its gauge stays, and the time of its last
 * answer grows old.  It mends nothing; a person does.
 *
 * A rule reads whole tables.  It is asked on a connection of its own, for audit_timeout_s at
 * most, and the next one waits nine times as long as it took: a tenth of one processor of the
 * database, however large that is.
 */
#ifndef ORDERD_WORKERS_JANITOR_AUDIT_H
#define ORDERD_WORKERS_JANITOR_AUDIT_H

#include "workers/worker.h"

struct audit *audit_new(struct worker *w); /* the first rule is asked in the next turn */
void audit_stop(struct audit *a);          /* no rule after the one being asked */
void audit_free(struct audit *a);

#endif
