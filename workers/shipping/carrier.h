/*
 * The carrier, EasyPost's wire API (docs.easypost.com): requests out, parcels in.
 * Nothing else in orderd knows a carrier's words.
 */
#ifndef ORDERD_WORKERS_SHIPPING_CARRIER_H
#define ORDERD_WORKERS_SHIPPING_CARRIER_H

#include "core/domain/address.h"
#include "core/domain/shipping_choice.h"
#include "core/flow/flow.h"
#include "workers/worker.h"

enum {
	CARRIER_SCANS_MAX = 200,  /* of one parcel; later ones are the ones that count */
	CARRIER_OFFERS_MAX = 100, /* of one parcel; the first ones */
};

/* A parcel as the carrier knows it. */
struct carrier_parcel {
	bool ok;
	bool bought;    /* it has a label */
	bool buy_again; /* the carrier refused: it was bought before, look at it */
	bool refused;   /* the carrier does not sell, or no longer, what was asked for */
	bool missing;   /* there is no such parcel */
	int status;
	struct str code; /* of the carrier's error */
	struct str id;
	struct shipping_offer *offers; /* those with an id, a price and a currency */
	uint32_t n_offers;
	struct shipping_offer bought_offer; /* what the label cost */
	struct str tracking_code, tracking_url, tracker_id, label_url;
};

enum carrier_refund {
	CARRIER_REFUND_FAILED,
	CARRIER_REFUND_NONE, /* nobody has asked for it */
	CARRIER_REFUND_REFUSED,
	CARRIER_REFUNDED /* or it will be */
};

struct carrier_scan {
	int64_t at_us;
	struct str status, detail, message, city;
};

struct carrier_tracker {
	bool ok;
	struct str id, status, detail;
	struct carrier_scan *scans;
	uint32_t n_scans;
};

int carrier_ask_create(struct flow *fl, struct worker *w, const char *reference,
		       const struct address *from, const struct address *to, int64_t weight_g);
/* By the carrier's id, or by the reference it was created with. */
int carrier_ask_read(struct flow *fl, struct worker *w, struct str parcel_id);
int carrier_ask_rerate(struct flow *fl, struct worker *w, struct str parcel_id);
int carrier_ask_buy(struct flow *fl, struct worker *w, struct str parcel_id, struct str rate_id);
int carrier_ask_refund(struct flow *fl, struct worker *w, struct str parcel_id);

/* Of create, read, rerate and buy. */
struct carrier_parcel carrier_parcel(struct flow *fl, const struct answer *a);
/* Of one that is not ok: FLOW_FAIL, fl->err says what to do, job_fail() was called. */
int carrier_fail(struct flow *fl, const struct carrier_parcel *p);

/*
 * Of refund, which may be asked any number of times, and of read.  REFUSED: *ret_why is the
 * carrier's word for it.  FAILED: fl->err says what to do, job_fail() was called.
 */
enum carrier_refund carrier_refund(struct flow *fl, const struct answer *a, struct str *ret_why);

int carrier_ask_tracker(struct flow *fl, struct worker *w, struct str tracker_id,
			struct str tracking_code, struct str carrier);
struct carrier_tracker carrier_tracker(struct flow *fl, const struct answer *a);

#endif
