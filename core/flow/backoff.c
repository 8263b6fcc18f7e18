/*
 * Pauses between attempts.  See backoff.h.
 */
#include "core/flow/backoff.h"

#include <assert.h>

#include "core/base/random.h"

int64_t backoff_next_ms(int64_t last_ms, int64_t base_ms, int64_t cap_ms)
{
	int64_t top;

	assert(base_ms > 0 && last_ms >= 0);
	if (base_ms >= cap_ms)
		return cap_ms;
	top = last_ms > cap_ms / 3 ? cap_ms : last_ms * 3;
	if (top <= base_ms)
		return base_ms;
	return base_ms + (int64_t)random_below((uint64_t)(top - base_ms) + 1);
}
