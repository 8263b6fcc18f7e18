/*
 * What happens by itself when its time comes: a parcel is scanned, an authorization ends.
 * One thread sleeps until the next due moment of the simulated clock.  A thing may be put
 * here more often than it happens: whoever acts looks whether there is anything to do.
 */
#ifndef ORDERD_SIMS_SCHEDULE_H
#define ORDERD_SIMS_SCHEDULE_H

#include "sims/sim.h"

struct schedule;

struct schedule *schedule_new(struct sim *sim);
void schedule_start(struct schedule *q);
void schedule_stop(struct schedule *q); /* the thread has ended on return */
void schedule_free(struct schedule *q);

/* Let `act` find `id` in its call's id when the clock reads at_us.  Under the simulator's lock. */
void schedule_at(struct schedule *q, int64_t at_us, void (*act)(struct call *c), const char *id);

void schedule_kick(struct schedule *q); /* the clock was moved */

#endif
