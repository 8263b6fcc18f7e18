/*
 * Whatever the gateway answers, there is a verdict or an error that says what to do; an
 * authorization always has the id it can be captured by.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	provider_answers(data, size, read_answer);
	return 0;
}
