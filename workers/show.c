/*
 * What the worker shows of itself: the jobs at work.
 */
#include "core/base/show.h"

#include "core/base/clock.h"
#include "workers/job_slot.h"

/* One whose claim has not been answered has no kind yet; its work over, it may wait for a beat. */
static void show_job(struct show *s, const struct job_flow *j)
{
	const struct flow *fl = &j->fl;
	int64_t now_us = clock_mono_us();

	show_text(s, j->job.kind != NULL ? j->job.kind->name : NULL);
	show_id(s, j->job.id);
	show_id(s, j->job.order);
	show_int(s, j->job.group_no);
	show_int(s, j->job.attempts);
	show_printf(s, "%s.%s", fl->name, fl->steps[fl->at].name);
	show_int(s, (now_us - fl->started_us) / 1000);
	if (j->lease_until_ms != 0)
		show_int(s, j->lease_until_ms - now_us / 1000);
	else
		show_nothing(s);
	op_show(s, fl->op);
}

static void show_jobs(struct show *s, const void *arg)
{
	const struct worker *w = arg;

	for (uint32_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].busy) {
			if (!show_row(s))
				return;
			show_job(s, &w->slots[i]);
		}
}

void job_pool_offer(const struct worker *w, struct show_board *b)
{
	show_offer(b, SHOW_jobs, show_jobs, w);
}
