/*
 * The payment gateway: the part of Stripe's /v1 API that takes, captures, releases and
 * refunds card payments.  Wire facts: Stripe's public API reference and the types of its
 * Node SDK, which judges this (tests/sim).  All functions run under the simulator's lock.
 */
#ifndef ORDERD_SIMS_GATEWAY_H
#define ORDERD_SIMS_GATEWAY_H

#include "sims/sim.h"

void gateway_serve(struct call *c);
void gateway_fail(struct call *c, int status);

/* The customer has answered the challenge of the intent in the call's id. */
void gateway_authenticate(struct call *c, bool succeeds);

/* An object as it stands in the journal: what of it happens by itself later is scheduled. */
void gateway_recall(struct sim *sim, const json_t *object);

#endif
