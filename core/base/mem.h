/*
 * Heap memory for what outlives a flow.  An exhausted heap ends the process: there is
 * nothing sensible to answer without memory, and half a state is worse than a restart.
 * Sizes that come from outside are bounded before they come here.  All of it is given
 * back with free().
 */
#ifndef ORDERD_BASE_MEM_H
#define ORDERD_BASE_MEM_H

#include <stddef.h>

/* Zeroed. */
void *mem_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_array(size_t n, size_t size) __attribute__((malloc, warn_unused_result));

/* As reallocarray(3): what is new is not zeroed, `p` may be NULL. */
void *mem_grow(void *p, size_t n, size_t size) __attribute__((warn_unused_result));

char *mem_text(const char *z) __attribute__((malloc, warn_unused_result));
char *mem_printf(const char *fmt, ...)
	__attribute__((malloc, format(printf, 1, 2), warn_unused_result));

#endif
