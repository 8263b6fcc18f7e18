/*
 * FNV-1a: for tables whose keys nobody can choose to collide, the caller's seed being nobody's to
 * guess.  Not for secrets.
 */
#ifndef ORDERD_BASE_HASH_H
#define ORDERD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Where no seed is needed (draft-eastlake-fnv). */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)

/* `h` is the seed, or what came of the bytes before. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

#endif
