#include "tests/fuzz/fuzz_job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "workers/job.h"

/* Stands for the one of workers/job.c, which needs a worker with its stores. */
int job_fail(struct flow *fl, enum errc e, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	MUST(vsnprintf(text, sizeof(text), fmt, ap) >= 0);
	va_end(ap);
	MUST(e != ERR_OK);
	fl->err = e;
	return FLOW_FAIL;
}

void provider_answers(const uint8_t *data, size_t size,
		      void (*read)(struct flow *fl, const struct answer *a))
{
	static const int statuses[] = {200, 201, 400, 402, 404, 409, 422, 429, 500, 503};
	struct input in = {data, size};
	struct http_response r = {
		.status = statuses[take_u8(&in) % (sizeof(statuses) / sizeof(statuses[0]))]};
	struct flow fl = {0};
	char *copy = malloc(in.n + 1);

	MUST(copy != NULL);
	if (in.n > 0)
		memcpy(copy, in.p, in.n);
	r.body = (struct str){copy, in.n};
	arena_init(&fl.arena, 1 << 18);
	read(&fl, &(struct answer){.body = &r});
	arena_done(&fl.arena);
	free(copy);
}
