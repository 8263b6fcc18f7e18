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

	MUST(p.ok || p.buy_again || fl->err != ERR_OK);
	MUST(!p.ok || p.id.n > 0);
	MUST(!p.bought || (p.ok && p.tracking_code.n > 0));
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
	provider_answers(data, size, read_tracker);
	return 0;
}
