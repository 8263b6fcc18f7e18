/*
 * From a flow's question to a thread and back, and the table of formats.
 */
#include "core/label/label.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/label/layout.h"

enum {
	OUTPUT_STEP = 32 * 1024,
	OUTPUT_MAX = 1024 * 1024, /* the largest known is a tenth of it */
};

void output_add(struct output *o, const void *bytes, size_t n)
{
	if (o->full || n > OUTPUT_MAX - o->n) {
		o->full = true;
		return;
	}
	if (o->n + n > o->room) {
		o->room = (o->n + n) * 2 + OUTPUT_STEP;
		o->p = mem_grow(o->p, o->room, 1);
	}
	memcpy(o->p + o->n, bytes, n);
	o->n += n;
}

/* ---- the work ---- */

static const struct format {
	const char *media_type, *suffix;
	enum errc (*make)(const struct layout *l, struct output *o);
} formats[LABEL_FORMATS] = {
	[LABEL_PDF] = {"application/pdf", "pdf", label_pdf},
	[LABEL_PNG] = {"image/png", "png", label_png},
	[LABEL_ZPL] = {"application/zpl", "zpl", label_zpl},
};

enum errc label_render(const struct label_text *t, enum label_format f, struct label *ret)
{
	struct layout *l = mem_alloc(sizeof(*l));
	struct output o = {0};
	enum errc err = label_layout(t, l);

	if (err == ERR_OK)
		err = formats[f].make(l, &o);
	if (err == ERR_OK && o.full)
		err = ERR_INTERNAL;
	free(l);
	if (err != ERR_OK) {
		free(o.p);
		return err;
	}
	*ret = (struct label){formats[f].media_type, formats[f].suffix, {o.p, o.n}};
	return ERR_OK;
}

/* ---- the question ---- */

struct label_job {
	struct op op;
	uv_work_t work;
	struct label_text text;
	enum label_format format;
	enum errc err;
	struct label label;
};

static int under_way; /* loop thread */

/* A thread of the pool: touches nothing but its job. */
static void on_thread(uv_work_t *work)
{
	struct label_job *job = work->data;

	job->err = label_render(&job->text, job->format, &job->label);
}

static void on_rendered(uv_work_t *work, int status)
{
	struct label_job *job = work->data;
	struct label label = job->label;
	struct answer a = {.err = job->err, .body = &label};

	assert(status == 0); /* nobody cancels */
	under_way--;
	if (job->err == ERR_INTERNAL)
		log_error("label_failed", "why=\"no font, or no memory for the picture\"");
	op_answer(&job->op, &a); /* the job may be gone after this */
	if (a.err == ERR_OK)
		free((void *)(uintptr_t)label.bytes.p);
}

int label_ask(struct flow *fl, const struct label_text *t, enum label_format f)
{
	struct label_job *job = arena_alloc(&fl->arena, sizeof(*job));
	int rc;

	fl->err = job == NULL ? ERR_TOO_LARGE : ERR_OVERLOADED;
	if (job == NULL || under_way == LABELS_AT_ONCE)
		return FLOW_FAIL;
	job->text = *t;
	job->format = f;
	job->work.data = job;
	rc = uv_queue_work(loop_uv(fl->loop), &job->work, on_thread, on_rendered);
	assert(rc == 0);
	(void)rc;
	under_way++;
	(void)op_ask(fl, &job->op);
	job->op.backend = "label";
	return FLOW_WAIT;
}

const struct label *label_answer(const struct answer *a)
{
	return a->body;
}
