/*
 * Random numbers from the kernel (getrandom(2)), a buffer of them per thread.  Good
 * enough for secrets; a forked child does not repeat its parent's.  Any thread.
 */
#ifndef ORDERD_BASE_RANDOM_H
#define ORDERD_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *buf, size_t n);
uint64_t random_u64(void);
uint64_t random_below(uint64_t n); /* 0..n-1, evenly; n > 0 */

#endif
