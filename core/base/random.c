/*
 * Random numbers, fetched 512 bytes at a time.  See random.h.
 */
#include "core/base/random.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* random(7): up to 256 bytes are never interrupted or cut short once the pool is ready. */
enum { FETCH = 256, BUFFER = 2 * FETCH };

static _Thread_local struct {
	unsigned char bytes[BUFFER];
	size_t left;
} pool;

static void forget_after_fork(void)
{
	pool.left = 0;
}

static void watch_forks(void)
{
	if (pthread_atfork(NULL, NULL, forget_after_fork) != 0)
		abort();
}

static void fetch(unsigned char *to)
{
	ssize_t n;

	do {
		n = getrandom(to, FETCH, 0);
	} while (n < 0 && errno == EINTR);
	if (n != FETCH) {
		perror("getrandom");
		abort(); /* ids and keys without randomness would be worse than no process */
	}
}

static void refill(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int rc = pthread_once(&once, watch_forks);

	assert(rc == 0);
	(void)rc;
	for (size_t at = 0; at < BUFFER; at += FETCH)
		fetch(pool.bytes + at);
	pool.left = BUFFER;
}

void random_bytes(void *buf, size_t n)
{
	unsigned char *to = buf;

	while (n > 0) {
		size_t take;

		if (pool.left == 0)
			refill();
		take = n < pool.left ? n : pool.left;
		pool.left -= take;
		memcpy(to, pool.bytes + pool.left, take);
		explicit_bzero(pool.bytes + pool.left, take); /* given out once */
		to += take;
		n -= take;
	}
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

uint64_t random_below(uint64_t n)
{
	uint64_t fair, v;

	assert(n > 0);
	fair = UINT64_MAX - UINT64_MAX % n; /* above it the low results would come more often */
	do {
		v = random_u64();
	} while (v >= fair);
	return v % n;
}
