/*
 * A provider's answer, read by a flow of no worker: the first byte picks the HTTP status,
 * the rest is the body.
 */
#ifndef ORDERD_TESTS_FUZZ_JOB_H
#define ORDERD_TESTS_FUZZ_JOB_H

#include "core/flow/flow.h"
#include "core/http/http.h"

void provider_answers(const uint8_t *data, size_t size,
		      void (*read)(struct flow *fl, const struct answer *a));

#endif
