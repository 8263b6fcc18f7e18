/* What the carrier's files share. */
#ifndef ORDERD_SIMS_CARRIER_PART_H
#define ORDERD_SIMS_CARRIER_PART_H

#include "sims/sim.h"

/* {"error": {"code", "message", "errors": [{"field", "message"}]}}; field NULL: no errors inside.
 */
void carrier_refuse(struct call *c, int status, const char *code, const char *field,
		    const char *message);
void carrier_missing(struct call *c);

const char *carrier_time(int64_t at_us, char ret[32]); /* "2026-01-02T03:04:05Z" */

/* ---- shipment.c ---- */

void shipment_create(struct call *c);
void shipment_get(struct call *c);
void shipment_list(struct call *c);
void shipment_rerate(struct call *c);
void shipment_buy(struct call *c);
void shipment_refund(struct call *c);
void shipment_label(struct call *c);

/* ---- tracker.c ---- */

void tracker_create(struct call *c);
void tracker_get(struct call *c);
void tracker_list(struct call *c);

/* A tracker whose first scan is now; it is put, and shown as of now. */
json_t *tracker_new(struct call *c, const char *tracking_code, const char *carrier,
		    const json_t *shipment);

/* What a stored tracker shows as of now: status and scans so far.  Takes it; changes nothing that
 * is stored. */
json_t *tracker_now(const struct sim *s, json_t *take_tracker);

#endif
