/*
 * What a provider's answer is to its reader: a flow, an HTTP status and a body; and what
 * the reader makes of one it cannot use.
 */
#ifndef ORDERD_TESTS_PROVIDER_H
#define ORDERD_TESTS_PROVIDER_H

#include "core/flow/flow.h"
#include "core/http/http.h"

extern struct flow provider_flow;    /* reads the answers; of no worker */
extern char provider_complaint[512]; /* what job_fail() was told last; "" before */

int provider_set_up(void **state);
int provider_tear_down(void **state);

/* An answer with this body, in memory of exactly its size; good until the next one. */
const struct answer *provider_says(int status, const char *body);
const struct answer *provider_says_bytes(int status, struct str body);

#endif
