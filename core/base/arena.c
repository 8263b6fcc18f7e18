/*
 * Arena: a list of blocks, filled from the newest.
 *
 * Blocks grow from ARENA_BLOCK_MIN to ARENA_BLOCK_MAX by doubling, so a small flow takes
 * one page and a large one few blocks; a piece too large for that gets a block of its
 * size.  The end of a block that a new one replaces stays unused: memory taken may be
 * about twice what was handed out, never more than twice the cap and a block.
 */
#include "core/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

/* Under AddressSanitizer what is not handed out may not be touched. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum {
	ARENA_ALIGN = 16,
	ARENA_BLOCK_MIN = 4 * 1024,       /* a page, less the allocator's own words */
	ARENA_BLOCK_MAX = 64 * 1024,      /* below glibc's mmap threshold of 128 KiB */
	ARENA_KEEP_MAX = ARENA_BLOCK_MAX, /* a larger block is not kept by arena_reset() */
};

struct arena_block {
	struct arena_block *next; /* older */
	size_t size;              /* of data[] */
	size_t used;
	alignas(ARENA_ALIGN) unsigned char data[];
};

static size_t round_up(size_t size)
{
	return (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

void arena_init(struct arena *a, size_t cap)
{
	assert(cap <= SIZE_MAX / 4);
	*a = (struct arena){.cap = cap};
}

static void block_free(struct arena_block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
	free(b);
}

void arena_reset(struct arena *a)
{
	struct arena_block *kept;

	while (a->blocks != NULL && a->blocks->next != NULL) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		block_free(b);
	}
	a->used = 0;
	kept = a->blocks;
	if (kept == NULL)
		return;
	if (kept->size > ARENA_KEEP_MAX) {
		arena_done(a);
		return;
	}
	ASAN_UNPOISON_MEMORY_REGION(kept->data, kept->size);
	memset(kept->data, 0, kept->used);
	ASAN_POISON_MEMORY_REGION(kept->data, kept->size);
	kept->used = 0;
}

void arena_done(struct arena *a)
{
	while (a->blocks != NULL) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		block_free(b);
	}
	a->used = 0;
}

/* A new head with room for `size`, twice as large as the one before it if need be. */
static struct arena_block *block_push(struct arena *a, size_t size)
{
	size_t total = ARENA_BLOCK_MIN;
	struct arena_block *b;

	if (a->blocks != NULL)
		total = 2 * (a->blocks->size + sizeof(*b));
	if (total > ARENA_BLOCK_MAX)
		total = ARENA_BLOCK_MAX;
	if (total < size + sizeof(*b))
		total = size + sizeof(*b);
	b = mem_alloc(total);
	b->size = (total - sizeof(*b)) & ~(size_t)(ARENA_ALIGN - 1);
	b->next = a->blocks;
	a->blocks = b;
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	size_t rounded;
	void *p;

	assert(a->used <= a->cap);
	if (size > a->cap)
		return NULL;
	rounded = round_up(size > 0 ? size : 1);
	if (rounded > a->cap - a->used)
		return NULL;
	if (b == NULL || b->size - b->used < rounded)
		b = block_push(a, rounded);
	p = b->data + b->used;
	b->used += rounded;
	a->used += rounded;
	ASAN_UNPOISON_MEMORY_REGION(p, size > 0 ? size : 1);
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

void *arena_dup(struct arena *a, const void *data, size_t len)
{
	char *p;

	if (len >= a->cap)
		return NULL;
	p = arena_alloc(a, len + 1);
	if (p != NULL && len > 0)
		memcpy(p, data, len);
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = s.p != NULL ? arena_dup(a, s.p, s.n) : NULL;

	return (struct str){p, p != NULL ? s.n : 0};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *z;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	z = arena_alloc(a, (size_t)n + 1);
	if (z == NULL)
		return NULL;
	va_start(ap, fmt);
	n = vsnprintf(z, (size_t)n + 1, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	return z;
}
