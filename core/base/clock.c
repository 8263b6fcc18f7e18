/*
 * Time, and the seam where tests put theirs.  See clock.h.
 */
#include "core/base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

/* Negative: real time.  Atomic because other threads read the clock while a test sets it. */
static _Atomic int64_t fake_mono_us = -1;
static _Atomic int64_t fake_wall_us = -1;

static int64_t read_us(clockid_t which)
{
	struct timespec ts;
	int rc = clock_gettime(which, &ts);

	assert(rc == 0);
	(void)rc;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	int64_t fake = atomic_load_explicit(&fake_mono_us, memory_order_relaxed);

	return fake >= 0 ? fake : read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_wall_us(void)
{
	int64_t fake = atomic_load_explicit(&fake_wall_us, memory_order_relaxed);

	return fake >= 0 ? fake : read_us(CLOCK_REALTIME);
}

void clock_fake(int64_t mono_us, int64_t wall_us)
{
	atomic_store(&fake_mono_us, mono_us);
	atomic_store(&fake_wall_us, wall_us);
}
