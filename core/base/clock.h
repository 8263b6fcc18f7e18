/*
 * The one place time comes from.  Wall time is for people and records; everything that
 * waits uses the monotonic clock, which no administrator can set back.  Tests replace
 * both with clock_fake().
 */
#ifndef ORDERD_BASE_CLOCK_H
#define ORDERD_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC, milliseconds */
int64_t clock_mono_us(void); /* the same in microseconds, for measuring */
int64_t clock_wall_us(void); /* CLOCK_REALTIME, microseconds since 1970 */

/* Tests only: from now on time stands still at these values.  Negative: real time again. */
void clock_fake(int64_t mono_us, int64_t wall_us);

#endif
