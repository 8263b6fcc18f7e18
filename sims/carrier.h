/*
 * The carrier: the part of EasyPost's /v2 API that rates a parcel, sells its label,
 * takes it back and tells where the parcel is.  Wire facts: EasyPost's public API
 * reference and its Node SDK, which judges this (tests/sim).  Under the simulator's lock.
 *
 * As at the vendor there are no idempotency keys: `reference`, chosen by the caller, may
 * stand for the id in a path, and buying twice is an error.
 */
#ifndef ORDERD_SIMS_CARRIER_H
#define ORDERD_SIMS_CARRIER_H

#include "sims/sim.h"

void carrier_serve(struct call *c);
void carrier_fail(struct call *c, int status);

/* The label "shp_....zpl" or "shp_....pdf" of a bought shipment; heap, NULL when there is none. */
char *carrier_label(struct sim *sim, const char *name, const char **ret_type);

/* The scans of a tracker as lines of text; heap, NULL when there is none. */
char *carrier_track(struct sim *sim, const char *id);

/* POST /_sim/scans: answers, or returns what is wrong. */
const char *carrier_script(struct call *c);

/* An object as it stands in the journal: what of it happens by itself later is scheduled. */
void carrier_recall(struct sim *sim, const json_t *object);

#endif
