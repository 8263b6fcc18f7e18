/*
 * Whatever the gateway answers, there is a verdict or an error that says what to do; an
 * authorization always has the id it can be captured by.  A page of its list is whole or none.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_job.h"
#include "workers/payment/gateway.h"

static void read_answer(struct flow *fl, const struct answer *a)
{
	struct gateway_answer g = gateway_answer(fl, a);

	if (g.verdict == GATEWAY_FAILED)
		MUST(fl->err != ERR_OK);
	if (g.verdict == GATEWAY_AUTHORIZED || g.verdict == GATEWAY_CAPTURED)
		MUST(fl->err == ERR_OK && g.id.n > 0 && http_response(a)->status == 200);
	if (http_response(a)->status >= 500)
		MUST(g.verdict == GATEWAY_FAILED && fl->err == ERR_HTTP_UNKNOWN);
}

static void read_page(struct flow *fl, const struct answer *a)
{
	struct gateway_page page;

	if (gateway_page(fl, a, &page) != ERR_OK)
		return;
	MUST(http_response(a)->status == 200 && page.n <= GATEWAY_PAGE);
	MUST(page.n > 0 || !page.more);
	for (uint32_t i = 0; i < page.n; i++) {
		const struct gateway_seen_line *l = &page.lines[i];

		MUST(l->id.n > 0 && l->status.n > 0 && l->currency.n == 3);
		MUST(l->amount_minor >= 0 && l->held_minor >= 0 && l->captured_minor >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	provider_answers(data, size, read_answer);
	provider_answers(data, size, read_page);
	return 0;
}
