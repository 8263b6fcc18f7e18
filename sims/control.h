/*
 * /_sim/: what a test asks of the simulator itself; sims/README.md lists it.
 */
#ifndef ORDERD_SIMS_CONTROL_H
#define ORDERD_SIMS_CONTROL_H

#include "sims/sim.h"

void control_serve(struct call *c);

#endif
