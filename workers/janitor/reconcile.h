/*
 * The reconciler: reads the gateway's list of payments, so that the rules of db/audit can hold
 * it against what we say (gateway_charges, gateway_attempts, gateway_once).
 *
 * It walks over what the gateway made in the last two weeks, the newest first, a page of a
 * hundred and a short pause, then again from the start after audit_s: a payment may change for as
 * long as it is held, and an authorization ends within a week.  Where it is stands in the
 * database, so another janitor goes on there.  A gateway that cannot be read makes it later.
 */
#ifndef ORDERD_WORKERS_JANITOR_RECONCILE_H
#define ORDERD_WORKERS_JANITOR_RECONCILE_H

#include "workers/worker.h"

struct reconciler *reconciler_new(struct worker *w); /* needs the gateway's address and key */
void reconciler_stop(struct reconciler *c);
bool reconciler_idle(const struct reconciler *c);
void reconciler_free(struct reconciler *c);

#endif
