/*
 * Views of a loop: the flows at work on it, its timers, what their memory comes to.
 */
#include "core/base/show.h"

#include <inttypes.h>

#include "core/base/clock.h"
#include "core/flow/flow.h"

void op_show(struct show *s, const struct op *op)
{
	if (op == NULL || op->backend == NULL)
		show_nothing(s);
	else if (op->of_it == NULL)
		show_text(s, op->backend);
	else
		show_printf(s, "%s:%s", op->backend, op->of_it);
}

static void show_left(struct show *s, int64_t deadline_ms, int64_t now_ms)
{
	if (deadline_ms != 0)
		show_int(s, deadline_ms - now_ms);
	else
		show_nothing(s);
}

/* A flow at its end row waits for answers that nobody reads any more. */
static void show_flow(struct show *s, const struct flow *fl)
{
	int64_t now_us = clock_mono_us();

	show_text(s, fl->name);
	show_id(s, fl->subject);
	show_text(s, fl->steps[fl->at].name);
	show_int(s, (now_us - fl->started_us) / 1000);
	op_show(s, fl->op);
	show_left(s, fl->op != NULL ? fl->op->deadline_ms : 0, now_us / 1000);
	show_left(s, fl->deadline_ms, now_us / 1000);
	show_text(s, fl->cause != ERR_OK ? err_name(fl->cause) : NULL);
}

static void show_flows(struct show *s, const void *arg)
{
	const struct flow_list *all = arg;

	for (const struct flow *fl = all->first; fl != NULL && show_row(s); fl = fl->younger)
		show_flow(s, fl);
}

static void add_memory(struct show *s, const char *what, size_t bytes, uint32_t count)
{
	if (!show_row(s))
		return;
	show_text(s, what);
	show_int(s, (int64_t)bytes);
	show_int(s, count);
}

static void show_arenas(struct show *s, const void *arg)
{
	const struct flow_list *all = arg;
	size_t used = 0, cap = 0, largest = 0;

	for (const struct flow *fl = all->first; fl != NULL; fl = fl->younger) {
		used += fl->arena.used;
		cap += fl->arena.cap;
		if (fl->arena.used > largest)
			largest = fl->arena.used;
	}
	add_memory(s, "flow_arenas_used", used, all->n);
	add_memory(s, "flow_arenas_allowed", cap, all->n);
	add_memory(s, "flow_arena_largest", largest, all->n > 0);
}

static void show_timers(struct show *s, const void *arg)
{
	static const char *const names[] = {"now", "within_100ms", "within_1s", "within_10s",
					    "all"};
	static const int64_t within_ms[] = {0, 100, 1000, 10000, INT64_MAX};

	enum { N = sizeof(within_ms) / sizeof(within_ms[0]) };

	uint32_t counts[N];
	int64_t first_ms = loop_count_timers(arg, within_ms, counts, N);

	for (size_t i = 0; i < N && show_row(s); i++) {
		show_text(s, names[i]);
		show_int(s, counts[i]);
		show_left(s, i == N - 1 ? first_ms : 0, clock_mono_ms());
	}
}

static void show_libuv(struct show *s, const void *arg)
{
	(void)arg;
	if (!show_row(s))
		return;
	show_text(s, "libuv");
	show_text(s, uv_version_string());
}

void loop_offer(struct loop *l, struct show_board *b)
{
	const struct flow_list *all = loop_flows(l);

	show_offer(b, SHOW_timers, show_timers, l);
	show_offer(b, SHOW_flows, show_flows, all);
	show_offer(b, SHOW_memory, show_arenas, all);
	show_offer(b, SHOW_version, show_libuv, NULL);
}
