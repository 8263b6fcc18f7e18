/*
 * The loop of a bench.
 *
 * Closed loop: whoever got an answer asks again at once.  Open loop (--rate): call k is due at
 * k/rate whether or not the others were answered, and is measured from then: a server that stalls
 * is charged for the calls that had to wait for it, too (coordinated omission).
 */
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "orderctl.h"

enum { SECOND_US = 1000000 };

/* One who asks. */
struct asker {
	struct asker *next; /* idle */
	int64_t since_us;
};

struct loop {
	struct bench *b;
	struct asker *askers, *idle;
	int64_t begun_us, end_us, next_progress_us;
	uint64_t under_way, measured;
};

int64_t bench_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* splitmix64: small, and the same everywhere. */
uint64_t bench_random(struct bench *b, uint64_t below)
{
	uint64_t z = b->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

static int64_t due_us(const struct loop *l)
{
	const struct bench *b = l->b;

	return b->opt.rate == 0 ? 0
				: l->begun_us + (int64_t)((double)b->started * SECOND_US /
							  (double)b->opt.rate);
}

static bool is_over(const struct loop *l, int64_t now)
{
	const struct bench *b = l->b;

	return b->opt.calls > 0
		       ? l->measured + l->under_way >= (uint64_t)b->opt.calls && now >= b->from_us
		       : now >= l->end_us;
}

static void start_what_is_due(struct loop *l, int64_t now)
{
	struct bench *b = l->b;

	while (l->idle != NULL && due_us(l) <= now && !is_over(l, now)) {
		struct asker *a = l->idle;

		l->idle = a->next;
		a->since_us = b->opt.rate > 0 ? due_us(l) : bench_now_us();
		l->under_way++;
		b->started++;
		b->opt.kind->start(b, a);
	}
}

/* How long nothing need be done unless an answer comes. */
static int64_t patience_us(const struct loop *l, int64_t now)
{
	int64_t until = l->next_progress_us;

	if (l->idle != NULL && due_us(l) < until && !is_over(l, now))
		until = due_us(l);
	return until > now ? until - now : 0;
}

static void take_answer(struct loop *l, const struct orderd_answer *a)
{
	struct bench *b = l->b;
	struct asker *who = a->tag;
	int64_t now = bench_now_us();
	bool well = a->status == 0 && bench_acknowledge(b, a);

	b->answered++;
	l->under_way--;
	if (!well) {
		b->failed++;
		bench_count_failure(b, a);
	} else if (now >= b->from_us && (b->to_us == 0 || now <= b->to_us)) {
		histogram_add(&b->ok, now - who->since_us);
	}
	if (now >= b->from_us)
		l->measured++;
	who->next = l->idle;
	l->idle = who;
}

static void show_progress(struct loop *l, int64_t now)
{
	if (now < l->next_progress_us)
		return;
	l->next_progress_us += SECOND_US;
	bench_progress(l->b);
}

void bench_run(struct bench *b)
{
	struct loop l = {.b = b, .begun_us = bench_now_us()};
	struct orderd_answer a;
	int64_t now = l.begun_us;

	l.askers = calloc((size_t)b->opt.clients, sizeof(*l.askers));
	if (l.askers == NULL)
		abort();
	for (int i = b->opt.clients - 1; i >= 0; i--) {
		l.askers[i].next = l.idle;
		l.idle = &l.askers[i];
	}
	b->from_us = now + b->opt.warmup_us;
	l.end_us = b->from_us + b->opt.seconds_us;
	b->to_us = b->opt.calls > 0 ? 0 : l.end_us;
	l.next_progress_us = now + SECOND_US;
	start_what_is_due(&l, now);
	while (l.under_way > 0 || !is_over(&l, now)) {
		if (orderd_calls_next(b->calls, patience_us(&l, now), &a))
			take_answer(&l, &a);
		now = bench_now_us();
		start_what_is_due(&l, now);
		show_progress(&l, now);
	}
	if (b->to_us == 0)
		b->to_us = now;
	free(l.askers);
}
