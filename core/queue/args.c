/*
 * The arguments of one command; see args.h.
 */
#include "core/queue/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "core/base/mem.h"

enum { FIRST_ARGS = 16, FIRST_TEXT = 512, PRINTED_MAX = 128 };

void args_add(struct args *a, const char *p, size_t n)
{
	size_t used = a->n > 0 ? a->ends[a->n - 1] : 0;

	if (a->n == a->cap) {
		a->cap = a->cap > 0 ? a->cap * 2 : FIRST_ARGS;
		a->ends = mem_grow(a->ends, a->cap, sizeof(a->ends[0]));
	}
	if (used + n > a->text_cap) {
		a->text_cap = a->text_cap * 2 + n + FIRST_TEXT;
		a->text = mem_grow(a->text, a->text_cap, 1);
	}
	if (n > 0)
		memcpy(a->text + used, p, n);
	a->ends[a->n++] = used + n;
}

void args_printf(struct args *a, const char *fmt, ...)
{
	char buf[PRINTED_MAX]; /* keys and numbers; whatever is longer comes by args_add() */
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(buf))
		abort();
	args_add(a, buf, (size_t)n);
}

void args_done(struct args *a)
{
	free(a->text);
	free(a->ends);
	*a = (struct args){0};
}

char *args_encode(const struct args *a, const char *const *first, const size_t *first_lens,
		  size_t n_first, size_t *ret_n)
{
	size_t n = n_first + a->n, begin = 0;
	const char **argv = mem_grow(NULL, n, sizeof(argv[0]));
	size_t *lens = mem_grow(NULL, n, sizeof(lens[0]));
	char *text;
	int len;

	for (size_t i = 0; i < n_first; i++) {
		argv[i] = first[i];
		lens[i] = first_lens[i];
	}
	for (size_t i = 0; i < a->n; i++) {
		argv[n_first + i] = a->text + begin;
		lens[n_first + i] = a->ends[i] - begin;
		begin = a->ends[i];
	}
	len = redisFormatCommandArgv(&text, (int)n, argv, lens);
	if (len < 0)
		abort();
	free(argv);
	free(lens);
	*ret_n = (size_t)len;
	return text;
}
