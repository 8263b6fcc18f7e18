/*
 * Whatever the carrier answers, there is a parcel with an id or an error that says what
 * to do; a label that counts as bought has a tracking code.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_job.h"
#include "workers/shipping/carrier.h"

static void read_parcel(struct flow *fl, const struct answer *a)
{
	struct carrier_parcel p = carrier_parcel(fl, a);

	MUST(p.ok || carrier_fail(fl, &p) == FLOW_FAIL);
	MUST(p.ok || fl->err != ERR_OK);
	MUST(!p.ok || p.id.n > 0);
	MUST(!p.bought || (p.ok && p.tracking_code.n > 0));
	MUST(p.n_offers <= CARRIER_OFFERS_MAX);
	for (uint32_t i = 0; i < p.n_offers; i++)
		MUST(p.offers[i].id.n > 0 && p.offers[i].price.minor >= 0 &&
		     p.offers[i].price.currency[3] == '\0');
}

static void read_refund(struct flow *fl, const struct answer *a)
{
	struct str why;
	enum carrier_refund r = carrier_refund(fl, a, &why);

	MUST(r != CARRIER_REFUND_FAILED || fl->err != ERR_OK);
	MUST(r != CARRIER_REFUND_REFUSED || why.n > 0);
}

static void read_tracker(struct flow *fl, const struct answer *a)
{
	struct carrier_tracker t = carrier_tracker(fl, a);

	MUST(t.ok || fl->err != ERR_OK);
	MUST(t.n_scans <= CARRIER_SCANS_MAX);
	for (uint32_t i = 0; i < t.n_scans; i++)
		MUST(t.scans[i].status.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	provider_answers(data, size, read_parcel);
	provider_answers(data, size, read_refund);
	provider_answers(data, size, read_tracker);
	return 0;
}
