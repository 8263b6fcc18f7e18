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

/* POST /_sim/authenticate {"payment_intent": id, "outcome": "succeed" or "fail"}: the customer has
 * answered. */
void gateway_authenticate(struct call *c);

#endif
