#include "workers/pause.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "sql.gen.h"

enum { READ_MS = 500 };

enum { READ, DONE };

struct pauses_flow {
	struct flow fl;
	struct worker *w;
};

static int ask_read(struct flow *fl)
{
	struct queues_paused_head h = {0};

	return store_ask(fl, ((struct pauses_flow *)fl)->w->store, queues_paused_unit(&h, NULL, 0));
}

static void know(struct worker *w, unsigned paused)
{
	unsigned resumed = w->paused & ~paused;

	for (int r = 0; r < ROLE_JANITOR; r++)
		if (w->pauses_known && ((w->paused ^ paused) & (1U << r)) != 0)
			log_info((paused & (1U << r)) != 0 ? "queue_paused" : "queue_resumed",
				 "role=%s", queue_role_name((enum queue_role)r));
	w->pauses_known = true;
	w->paused = paused;
	if (resumed != 0 && w->intake != NULL)
		intake_kick(w->intake);
}

static int got_read(struct flow *fl, const struct answer *a)
{
	unsigned paused = 0;

	for (uint32_t i = 0; i < answer_rows(a); i++)
		for (int r = 0; r < ROLE_JANITOR; r++)
			if (str_eq(queues_paused_row(a, i).role,
				   str_of(queue_role_name((enum queue_role)r))))
				paused |= 1U << r;
	know(((struct pauses_flow *)fl)->w, paused);
	return DONE;
}

/* clang-format off */
static const struct flow_step read_steps[] = {
	/*         name    ask       got       ms    on error  next    */
	[READ] = {"read", ask_read, got_read, 5000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};

/* clang-format on */

static void read_ended(struct flow *fl)
{
	struct pauses_flow *p = (struct pauses_flow *)fl;
	struct worker *w = p->w;

	w->side_flows--;
	w->pauses_asked = false;
	arena_done(&fl->arena);
	free(p);
	worker_turn(w);
}

void pauses_read(struct worker *w)
{
	struct pauses_flow *p;

	if (w->pauses_asked || clock_mono_ms() < w->pauses_at_ms)
		return;
	w->pauses_asked = true;
	w->pauses_at_ms = clock_mono_ms() + READ_MS;
	p = mem_alloc(sizeof(*p));
	*p = (struct pauses_flow){.w = w};
	p->fl = (struct flow){
		.name = "queues_paused", .steps = read_steps, .loop = w->loop, .done = read_ended};
	arena_init(&p->fl.arena, 4096);
	w->side_flows++;
	flow_start(&p->fl);
}
