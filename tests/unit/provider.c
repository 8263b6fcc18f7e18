#include "tests/unit/provider.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/job.h"

struct flow provider_flow;
char provider_complaint[512];
static struct http_response response;
static struct answer answer;
static char *body_block;

/* Stands for the one of workers/job.c, which needs a worker with its stores. */
int job_fail(struct flow *fl, enum errc e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(provider_complaint, sizeof(provider_complaint), fmt, ap);
	va_end(ap);
	fl->err = e;
	return FLOW_FAIL;
}

int provider_set_up(void **state)
{
	(void)state;
	provider_flow = (struct flow){0};
	arena_init(&provider_flow.arena, 1 << 18);
	return 0;
}

int provider_tear_down(void **state)
{
	(void)state;
	arena_done(&provider_flow.arena);
	free(body_block);
	body_block = NULL;
	return 0;
}

const struct answer *provider_says_bytes(int status, struct str body)
{
	free(body_block);
	body_block = malloc(body.n > 0 ? body.n : 1);
	if (body_block == NULL)
		abort();
	if (body.n > 0)
		memcpy(body_block, body.p, body.n);
	provider_flow.err = ERR_OK;
	provider_complaint[0] = '\0';
	response = (struct http_response){.status = status, .body = {body_block, body.n}};
	answer = (struct answer){.body = &response};
	return &answer;
}

const struct answer *provider_says(int status, const char *body)
{
	return provider_says_bytes(status, str_of(body));
}
