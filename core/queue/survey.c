/*
 * One question, many calls; see survey.h.
 */
#include "core/queue/survey.h"

#include <assert.h>

void *survey_alloc(struct flow *fl, size_t size, size_t answer_offset)
{
	struct survey *s = arena_alloc(&fl->arena, size);

	if (s == NULL) {
		fl->err = ERR_TOO_LARGE;
		return NULL;
	}
	s->body = (char *)s + answer_offset;
	return s;
}

int survey_begin(struct survey *s, struct flow *fl)
{
	s->out = 1;
	(void)op_ask(fl, &s->op);
	s->op.backend = "redis";
	return FLOW_WAIT;
}

void survey_add(struct survey *s, bool sent)
{
	if (sent)
		s->out++;
	else
		s->failed = true;
}

void survey_sub(struct survey *s, bool good)
{
	assert(s->out > 0);
	if (!good)
		s->failed = true;
	if (--s->out > 0)
		return;
	if (s->failed)
		op_fail(&s->op, ERR_QUEUE_UNAVAILABLE);
	else
		op_answer(&s->op, &(struct answer){.err = ERR_OK, .body = s->body});
}
