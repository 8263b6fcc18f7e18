/*
 * What fuzz targets share: taking values from the input.  A target aborts when a promise
 * is broken; the sanitizers look after the rest.  An input that ends early reads as zeros.
 */
#ifndef ORDERD_TESTS_FUZZ_H
#define ORDERD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/str.h"

#define MUST(promise)            \
	do {                     \
		if (!(promise))  \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

static inline uint8_t take_u8(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

static inline int64_t take_i64(struct input *in, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | take_u8(in);
	return (int64_t)v;
}

static inline struct str take_str(struct input *in, size_t n)
{
	struct str s = {(const char *)in->p, n < in->n ? n : in->n};

	in->p += s.n;
	in->n -= s.n;
	return s;
}

#endif
