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
int64_t carrier_time_s(const char *text);              /* and back */

/* ---- rate.c ---- */

void shipment_rate(struct call *c, json_t *shipment);        /* new rates in place of the old */
json_t *rate_chosen(const json_t *shipment, const char *id); /* borrowed; NULL: no such */
bool rate_expired(const struct sim *s, const json_t *rate);

/* ---- scan.c ---- */

/* All scans of a stored tracker in the order they show; new reference.  How many of them show by
 * now, at least one.  When one shows ("after_ms") or says it happened ("at_ms"). */
json_t *scans_of(const struct sim *s, const json_t *tracker);
size_t scans_seen(const struct sim *s, const json_t *tracker, const json_t *scans);
int64_t scan_time_us(const json_t *tracker, const json_t *scan, const char *field);

/* Choose the script of a new tracker by its recipient; give one under way another. */
void scans_choose(struct call *c, json_t *tracker, const json_t *to);
void scans_follow(struct sim *s, json_t *tracker, const json_t *more);

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
json_t *tracker_now(struct sim *s, json_t *take_tracker);

void tracker_script(struct call *c, const char *code, const json_t *scans); /* answers */
void tracker_cancel(struct call *c, const char *id); /* the parcel will not be sent */

#endif
