/* A heap of moments, the earliest on top, and the thread that waits for it. */
#include "sims/schedule.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct moment {
	int64_t at_us;
	void (*act)(struct call *c);
	char *id;
};

struct schedule {
	struct sim *sim; /* its lock guards all of this */
	pthread_cond_t changed;
	pthread_t thread;
	bool stopping;
	struct moment *heap;
	size_t n;
	size_t room;
};

struct schedule *schedule_new(struct sim *sim)
{
	struct schedule *q = must(calloc(1, sizeof(*q)));

	q->sim = sim;
	pthread_cond_init(&q->changed,
			  NULL); /* of the wall clock, which the simulated one follows */
	return q;
}

void schedule_free(struct schedule *q)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		free(q->heap[i].id);
	free(q->heap);
	pthread_cond_destroy(&q->changed);
	free(q);
}

void schedule_at(struct schedule *q, int64_t at_us, void (*act)(struct call *c), const char *id)
{
	struct moment m = {at_us, act, must(strdup(id))};
	size_t i = q->n++;

	if (q->n > q->room) {
		q->room = q->room * 2 + 64;
		q->heap = must(realloc(q->heap, q->room * sizeof(*q->heap)));
	}
	for (; i > 0 && q->heap[(i - 1) / 2].at_us > at_us; i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = m;
	if (i == 0)
		schedule_kick(q);
}

void schedule_kick(struct schedule *q)
{
	pthread_cond_signal(&q->changed);
}

static struct moment take(struct schedule *q)
{
	struct moment top = q->heap[0];
	struct moment last = q->heap[--q->n];
	size_t i = 0;
	size_t child;

	q->heap[q->n].id = NULL; /* moved away */
	while ((child = 2 * i + 1) < q->n) {
		if (child + 1 < q->n && q->heap[child + 1].at_us < q->heap[child].at_us)
			child++;
		if (q->heap[child].at_us >= last.at_us)
			break;
		q->heap[i] = q->heap[child];
		i = child;
	}
	if (q->n > 0)
		q->heap[i] = last;
	return top;
}

/* Until the first moment may be due, or something has changed. */
static void wait(struct schedule *q)
{
	struct timespec until;
	int64_t wall_us;

	if (q->n == 0) {
		pthread_cond_wait(&q->changed, &q->sim->lock);
		return;
	}
	wall_us = q->heap[0].at_us - q->sim->clock_offset_s * 1000000;
	until.tv_sec = (time_t)(wall_us / 1000000);
	until.tv_nsec = (long)(wall_us % 1000000) * 1000;
	pthread_cond_timedwait(&q->changed, &q->sim->lock, &until);
}

static void *run(void *arg)
{
	struct schedule *q = arg;
	struct moment m;

	pthread_mutex_lock(&q->sim->lock);
	while (!q->stopping) {
		if (q->n == 0 || q->heap[0].at_us > sim_now_us(q->sim)) {
			wait(q);
			continue;
		}
		m = take(q);
		sim_act(q->sim, m.act, m.id);
		free(m.id);
		/* Let callers in between: a clock moved by a week makes thousands due at once. */
		pthread_mutex_unlock(&q->sim->lock);
		sched_yield();
		pthread_mutex_lock(&q->sim->lock);
	}
	pthread_mutex_unlock(&q->sim->lock);
	return NULL;
}

void schedule_start(struct schedule *q)
{
	if (pthread_create(&q->thread, NULL, run, q) != 0)
		must(NULL);
}

void schedule_stop(struct schedule *q)
{
	pthread_mutex_lock(&q->sim->lock);
	q->stopping = true;
	pthread_mutex_unlock(&q->sim->lock);
	schedule_kick(q);
	pthread_join(q->thread, NULL);
}
