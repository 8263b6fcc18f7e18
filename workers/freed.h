/*
 * An order has given stock back: what Redis knows of its items is too low now, so it is
 * forgotten and loaded again by the next hold.  One question, for two kinds of flows.
 */
#ifndef ORDERD_WORKERS_FREED_H
#define ORDERD_WORKERS_FREED_H

#include "core/flow/flow.h"
#include "workers/worker.h"

/* which items? */
int freed_ask(struct flow *fl, struct worker *w, int32_t tenant, struct id order);
void freed_got(struct worker *w, int32_t tenant, const struct answer *a);

#endif
