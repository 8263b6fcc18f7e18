/*
 * Checked allocation.  See mem.h.
 */
#include "core/base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (p == NULL) {
		static const char sentence[] = "out of memory\n";

		(void)fwrite(sentence, 1, sizeof(sentence) - 1, stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size > 0 ? size : 1));
}

void *mem_array(size_t n, size_t size)
{
	assert(size > 0);
	return checked(calloc(n > 0 ? n : 1, size));
}

void *mem_grow(void *p, size_t n, size_t size)
{
	assert(n > 0 && size > 0);
	return checked(reallocarray(p, n, size));
}

char *mem_text(const char *z)
{
	return checked(strdup(z));
}

char *mem_printf(const char *fmt, ...)
{
	char *z = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&z, fmt, ap) < 0)
		z = NULL;
	va_end(ap);
	return checked(z);
}
