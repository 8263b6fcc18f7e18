#include "workers/janitor/round.h"

#include "core/base/clock.h"

static void ended(struct flow *fl)
{
	struct round *r = (struct round *)fl;
	int64_t pause_ms = r->pause_ms(r);

	arena_reset(&fl->arena);
	r->running = false;
	if (!r->stopped)
		timer_set(r->w->loop, &r->timer, clock_mono_ms() + pause_ms);
	worker_turn(r->w);
}

static void start(struct timer *t)
{
	struct round *r = (struct round *)((char *)t - offsetof(struct round, timer));
	struct arena arena = r->fl.arena;

	r->running = true;
	r->fl = (struct flow){.name = r->name,
			      .steps = r->steps,
			      .loop = r->w->loop,
			      .arena = arena,
			      .done = ended};
	flow_start(&r->fl);
}

void round_begin(struct round *r, size_t arena)
{
	arena_init(&r->fl.arena, arena);
	r->timer.on_due = start;
	timer_set(r->w->loop, &r->timer, clock_mono_ms());
}

void round_stop(struct round *r)
{
	r->stopped = true;
	timer_clear(r->w->loop, &r->timer);
}

bool round_idle(const struct round *r)
{
	return !r->running;
}

void round_done(struct round *r)
{
	arena_done(&r->fl.arena);
}
