#include "server/runtime/buckets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

struct buckets {
	struct bucket *slots; /* sets of BUCKETS_WAYS */
	size_t n_sets;        /* a power of two */
	uint64_t seed;
};

struct rate rate_of(int64_t n, int64_t in_ns, int64_t burst)
{
	assert(n > 0 && in_ns >= n && burst > 0 && burst <= BUCKETS_BURST_MAX);
	return (struct rate){.every_ns = in_ns / n, .burst = burst};
}

struct buckets *buckets_new(size_t n, uint64_t seed)
{
	struct buckets *b = mem_alloc(sizeof(*b));

	b->n_sets = 1;
	while (b->n_sets * BUCKETS_WAYS < n)
		b->n_sets *= 2;
	b->slots = mem_array(b->n_sets * BUCKETS_WAYS, sizeof(*b->slots));
	b->seed = seed;
	return b;
}

void buckets_free(struct buckets *b)
{
	if (b == NULL)
		return;
	free(b->slots);
	free(b);
}

/* The finalizer of MurmurHash3: every bit of the key moves every bit of the place. */
static uint64_t mixed(uint64_t k)
{
	k ^= k >> 33;
	k *= UINT64_C(0xff51afd7ed558ccd);
	k ^= k >> 33;
	k *= UINT64_C(0xc4ceb9fe1a85ec53);
	return k ^ k >> 33;
}

/* The key's own slot, or the one of its set that is, or will be, full first. */
static struct bucket *slot_of(const struct buckets *b, uint64_t key)
{
	struct bucket *set = &b->slots[(mixed(key ^ b->seed) & (b->n_sets - 1)) * BUCKETS_WAYS];
	struct bucket *first = &set[0];

	for (int i = 0; i < BUCKETS_WAYS; i++) {
		if (set[i].key == key && set[i].full_ns != 0)
			return &set[i];
		if (set[i].full_ns < first->full_ns)
			first = &set[i];
	}
	return first;
}

int64_t buckets_take(struct buckets *b, uint64_t key, const struct rate *r, int64_t now_ns)
{
	struct bucket *slot = slot_of(b, key);
	int64_t most = r->burst * r->every_ns, lacks = 0;

	if (r->every_ns == 0)
		return 0;
	if (slot->key == key && slot->full_ns > now_ns)
		lacks = slot->full_ns - now_ns;
	if (lacks > most) { /* emptied under another rate */
		lacks = most;
		slot->full_ns = now_ns + most;
	}
	if (lacks + r->every_ns > most)
		return lacks + r->every_ns - most;
	*slot = (struct bucket){.key = key, .full_ns = now_ns + lacks + r->every_ns};
	return 0;
}

int64_t bucket_tokens(const struct bucket *k, const struct rate *r, int64_t now_ns)
{
	int64_t lacks = k->full_ns > now_ns ? k->full_ns - now_ns : 0;
	int64_t most = r->burst * r->every_ns;

	if (r->every_ns == 0 || lacks >= most)
		return 0;
	return (most - lacks) / r->every_ns;
}

static int by_need(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;

	return (x->full_ns < y->full_ns) - (x->full_ns > y->full_ns);
}

size_t buckets_emptiest(const struct buckets *b, int64_t now_ns, struct bucket *ret, size_t room)
{
	struct bucket *all = mem_array(b->n_sets * BUCKETS_WAYS, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < b->n_sets * BUCKETS_WAYS; i++)
		if (b->slots[i].full_ns > now_ns)
			all[n++] = b->slots[i];
	qsort(all, n, sizeof(*all), by_need);
	if (n > room)
		n = room;
	memcpy(ret, all, n * sizeof(*all));
	free(all);
	return n;
}
