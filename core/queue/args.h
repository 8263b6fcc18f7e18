/*
 * The arguments of one command, collected before it is sent.  One growing text, so that
 * a hold of 5,000 lines is a handful of allocations.
 */
#ifndef ORDERD_QUEUE_ARGS_H
#define ORDERD_QUEUE_ARGS_H

#include <stddef.h>
#include <stdint.h>

struct args {
	char *text;
	size_t *ends; /* of each argument in `text` */
	size_t n, cap;
	size_t text_cap;
};

void args_add(struct args *a, const char *p, size_t n);
void args_printf(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void args_done(struct args *a);

/* The command in Redis's protocol, made by hiredis: `first[n_first]` and then the arguments.  Give
 * back with redisFreeCommand(). */
char *args_encode(const struct args *a, const char *const *first, const size_t *first_lens,
		  size_t n_first, size_t *ret_n);

#endif
