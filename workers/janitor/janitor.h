/*
 * The janitor: what nobody rings for.  Every sweep_ms it
 *
 *	- rebuilds what Redis has lost (streams, groups, the epoch of the stock pools);
 *	- rings jobs whose lease has ended, and ready jobs whose ring got lost or whose time
 *	  has come;
 *	- ends pending orders that were not paid in time;
 *	- gives back stock holds whose time is over.
 *
 * With audit_s it also asks the rules of db/audit (audit.h), and the gateway which payments it
 * holds (reconcile.h).
 *
 * Everything it does is safe to do twice, so any number of janitors may run.
 */
#ifndef ORDERD_WORKERS_JANITOR_H
#define ORDERD_WORKERS_JANITOR_H

#include "workers/worker.h"

struct janitor *janitor_new(struct worker *w); /* the first sweep starts at once */
void janitor_stop(struct janitor *j);          /* no sweep after the one at work */
/* No question is under way that may change something; a rule being asked is only cut off. */
bool janitor_idle(const struct janitor *j);
void janitor_free(struct janitor *j);

#endif
