/*
 * Where a parcel is, decided from all its scans at once.
 *
 * Scans come late, twice, out of order and from more than one source.  So nothing is decided from
 * the scan that came last: the state is a function of the set of scans, the same for every order in
 * which they were told.  It moves forward only: whatever scan is added, the parcel never comes to
 * an earlier place (docs/adr/0009).
 *
 *	leg 1, to the customer:  pre_transit < in_transit < out_for_delivery,
 *	                         available_for_pickup < delivered
 *	leg 2, back:             return_to_sender < in_transit < ... < delivered
 *
 * Leg 2 begins with the earliest return_to_sender; scans from then on belong to it.  What is wrong
 * is another axis: the newest scan says it, and a later ordinary one takes it back.
 */
#ifndef ORDERD_DOMAIN_TRACKING_H
#define ORDERD_DOMAIN_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/str.h"

struct tracking_scan {
	int64_t at_us;
	struct str status, detail;
};

enum tracking_fate { TRACKING_UNDER_WAY, TRACKING_LOST, TRACKING_DELIVERED, TRACKING_RETURNED };

struct tracking {
	const char *state;     /* NULL: no scan says anything of it */
	const char *exception; /* NULL: nothing is wrong */
	int16_t leg;           /* 1 or 2 */
	int16_t rank;          /* of the state within its leg */
	bool accepted;         /* the carrier has had it in hands */
	enum tracking_fate fate;
};

struct tracking tracking_fold(const struct tracking_scan *scans, uint32_t n);

/* The state of a shipment that has left: handed_over, lost, delivered, returned. */
const char *tracking_fate_name(enum tracking_fate fate);

/* Whether the word is one of the table's. */
bool tracking_status_known(struct str status);

#endif
