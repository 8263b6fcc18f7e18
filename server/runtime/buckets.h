/*
 * Token buckets: so many calls in a time, and a burst above that, for each of many keys.
 *
 * A bucket is one number, the time when it will be full again, which a call moves on by the time
 * one token takes to come (GCRA, ITU-T I.371).  So nothing ticks, and a bucket that is full is one
 * that nobody remembers: the table has a fixed size, and what is full is written over.  A key may
 * stand in BUCKETS_WAYS places; should others that are not full hold all of them, the one that
 * would be full first is forgotten, which gives its owner back a few tokens at most.
 *
 * Pure: the clock is the caller's.  Loop thread only.
 */
#ifndef ORDERD_SERVER_BUCKETS_H
#define ORDERD_SERVER_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BUCKETS_WAYS = 8,
	BUCKETS_BURST_MAX = 1000000,
};

struct rate {
	int64_t every_ns; /* a token comes; 0: no limit */
	int64_t burst;    /* tokens of a full bucket, 1 to BUCKETS_BURST_MAX */
};

/* `n` in so many nanoseconds. */
struct rate rate_of(int64_t n, int64_t in_ns, int64_t burst);

struct buckets;

/* Room for `n` buckets that are not full, about; `seed` is nobody's to guess. */
struct buckets *buckets_new(size_t n, uint64_t seed);
void buckets_free(struct buckets *b);

/* One token of `key`'s bucket.  0: taken, else the time until there is one. */
int64_t buckets_take(struct buckets *b, uint64_t key, const struct rate *r, int64_t now_ns);

struct bucket {
	uint64_t key;
	int64_t full_ns; /* when it is full again */
};

/* Up to `room` of those that are not full, the emptiest (by the time they need) first. */
size_t buckets_emptiest(const struct buckets *b, int64_t now_ns, struct bucket *ret, size_t room);

/* Tokens a bucket holds; 0 when even the next is still to come. */
int64_t bucket_tokens(const struct bucket *k, const struct rate *r, int64_t now_ns);

#endif
