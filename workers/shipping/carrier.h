/*
 * The carrier, EasyPost's wire API (docs.easypost.com): requests out, parcels in.
 * Nothing else in orderd knows a carrier's words.
 */
#ifndef ORDERD_WORKERS_SHIPPING_CARRIER_H
#define ORDERD_WORKERS_SHIPPING_CARRIER_H

#include "core/domain/address.h"
#include "core/flow/flow.h"
#include "workers/worker.h"

enum { CARRIER_SCANS_MAX = 200 }; /* of one parcel; later ones are the ones that count */

/* A parcel as the carrier knows it. */
struct carrier_parcel {
	bool ok;        /* false: fl->err says what to do, job_fail() was called */
	bool bought;    /* it has a label */
	bool buy_again; /* the carrier refused: it was bought before, look at it */
	struct str id;
	struct str rate_id; /* the cheapest offer */
	struct str carrier, service, tracking_code, tracker_id, label_url;
	int64_t rate_minor;
};

struct carrier_scan {
	int64_t at_us;
	struct str status, detail, message, city;
};

struct carrier_tracker {
	bool ok;
	struct str id, status;
	struct carrier_scan *scans;
	uint32_t n_scans;
};

int carrier_ask_create(struct flow *fl, struct worker *w, struct id reference,
		       const struct address *from, const struct address *to, int64_t weight_g);
int carrier_ask_read(struct flow *fl, struct worker *w, struct str parcel_id);
int carrier_ask_buy(struct flow *fl, struct worker *w, struct str parcel_id, struct str rate_id);
struct carrier_parcel carrier_parcel(struct flow *fl, const struct answer *a);

int carrier_ask_tracker(struct flow *fl, struct worker *w, struct str tracker_id,
			struct str tracking_code, struct str carrier);
struct carrier_tracker carrier_tracker(struct flow *fl, const struct answer *a);

#endif
