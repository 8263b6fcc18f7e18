/*
 * Parcels, from stored rows to the Shipment message of the contract; and the key of a report.
 */
#ifndef ORDERD_SERVER_SHIPMENT_READ_H
#define ORDERD_SERVER_SHIPMENT_READ_H

#include <stdbool.h>

#include "core/flow/flow.h"
#include "orderd/v1/shipping_service.pb-c.h"
#include "sql.gen.h"

/*
 * A shipment without its lists; got answers NULL with fl->err set (NOT_FOUND, TOO_LARGE), to be
 * returned as FLOW_FAIL.
 */
int ask_shipment_view(struct flow *fl, struct id shipment);
Orderd__V1__Shipment *got_shipment_view(struct flow *fl, struct id shipment,
					const struct answer *a);
int shipment_not_found(struct flow *fl, struct id shipment);

/* Its lists; false: the arena is full. */
int ask_shipment_rates(struct flow *fl, struct id shipment);
bool shipment_add_rates(struct flow *fl, Orderd__V1__Shipment *s, const struct answer *a);
int ask_shipment_labels(struct flow *fl, struct id shipment);
bool shipment_add_labels(struct flow *fl, Orderd__V1__Shipment *s, const struct answer *a);
int ask_shipment_scans(struct flow *fl, struct id shipment);
bool shipment_add_scans(struct flow *fl, Orderd__V1__Shipment *s, const struct answer *a);

/*
 * What a report is known by: its number at its site.  Both are required; violations name the
 * fields. The separator is a character no text of a request may hold.
 */
struct str want_report(struct flow *fl, ProtobufCBinaryData site, ProtobufCBinaryData report_id);

#endif
