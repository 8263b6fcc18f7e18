/*
 * One question of a flow that takes many calls: it is answered when the last of them
 * has been, and fails if one of them did.  Lives in the flow's arena.
 */
#ifndef ORDERD_QUEUE_SURVEY_H
#define ORDERD_QUEUE_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/flow/flow.h"

struct survey {
	struct op op;
	const void *body; /* the answer's, when all went well */
	uint32_t out;     /* calls on their way, and one while the ask is still making calls */
	bool failed;
};

/* `size` bytes of arena that begin with a survey; NULL and fl->err set when the arena is full. */
void *survey_alloc(struct flow *fl, size_t size, size_t answer_offset);

int survey_begin(struct survey *s, struct flow *fl); /* returns FLOW_WAIT for the ask */
void survey_add(struct survey *s, bool sent);        /* one more call, sent or not */
void survey_sub(struct survey *s,
		bool good); /* one call was answered, or the ask has made all its calls */

#endif
