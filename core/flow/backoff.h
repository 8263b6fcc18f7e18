/*
 * Decorrelated jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015):
 * the next pause lies between base and three times the last one, never above the cap, so
 * clients that failed together do not come back together.
 */
#ifndef ORDERD_FLOW_BACKOFF_H
#define ORDERD_FLOW_BACKOFF_H

#include <stdint.h>

int64_t backoff_next_ms(int64_t last_ms, int64_t base_ms,
			int64_t cap_ms); /* last_ms 0: the first pause */

#endif
