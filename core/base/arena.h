/*
 * Arena: memory that follows the work.
 *
 * Everything a flow allocates lives in its arena and dies with it, so nothing in
 * a flow calls free().  An arena is capped: a hostile request runs into the cap,
 * gets NULL and is refused, and the process does not grow.  Not thread-safe: an
 * arena belongs to one flow, a flow to one loop thread.
 */
#ifndef ORDERD_BASE_ARENA_H
#define ORDERD_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "core/base/str.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes handed out, alignment included */
	size_t cap;                 /* arena_alloc() answers NULL beyond this */
};

/* Start empty; nothing is allocated until the first arena_alloc(). */
void arena_init(struct arena *a, size_t cap);

/* Give back everything but one block, kept for the next user of a pooled arena. */
void arena_reset(struct arena *a);

/* Give back everything.  Safe on a reset or never used arena. */
void arena_done(struct arena *a);

/* 16-byte aligned, zeroed; NULL beyond the cap.  Heap exhaustion aborts. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((warn_unused_result));

/* Array of `n` elements; NULL beyond the cap or when n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((warn_unused_result));

/* Copies of bytes or text, NUL-terminated behind the last byte; NULL beyond the cap.  What
 * is absent (NULL) stays so in arena_str(). */
void *arena_dup(struct arena *a, const void *data, size_t len) __attribute__((warn_unused_result));
struct str arena_str(struct arena *a, struct str s) __attribute__((warn_unused_result));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

#endif
