/*
 * bench watch: `clients` threads, each watching one order of the file after the other, from its
 * first event to its end or the end of the time.
 *
 * Measured is an event that happens while its order is watched, from its own time to its reader's:
 * where the database's clock is not this machine's, the figure is off by what they differ.  Events
 * that had happened before are answered, and not measured.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

enum { DEADLINE_EXCEEDED = 4 }; /* of gRPC */

struct watching {
	struct bench *b;
	struct orderd_client *client;
	pthread_mutex_t lock; /* over *b and next */
	size_t next;
};

struct watcher {
	struct watching *all;
	pthread_t thread;
	int64_t begun_us; /* of the watch under way, since 1970 */
};

static int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool on_event(const Orderd__V1__WatchOrderResponse *m, void *arg)
{
	struct watcher *w = arg;
	struct bench *b = w->all->b;
	const Google__Protobuf__Timestamp *t = m->event != NULL ? m->event->event_time : NULL;
	int64_t at_us = t != NULL ? t->seconds * 1000000 + t->nanos / 1000 : 0;

	pthread_mutex_lock(&w->all->lock);
	b->answered++;
	if (at_us >= w->begun_us)
		histogram_add(&b->ok, wall_us() - at_us);
	pthread_mutex_unlock(&w->all->lock);
	return bench_now_us() < b->to_us;
}

static const char *next_order(struct watching *all)
{
	const char *id;

	pthread_mutex_lock(&all->lock);
	id = all->b->ids[all->next++ % all->b->n_ids];
	all->b->started++;
	pthread_mutex_unlock(&all->lock);
	return id;
}

static void failed(struct watching *all, const struct orderd_error *e)
{
	pthread_mutex_lock(&all->lock);
	all->b->failed++;
	bench_reason(all->b, e->reason[0] != '\0' ? e->reason : "no reason told")->n++;
	pthread_mutex_unlock(&all->lock);
}

static void *watch_on(void *arg)
{
	struct watcher *w = arg;
	struct watching *all = w->all;
	int64_t left_us;

	while ((left_us = all->b->to_us - bench_now_us()) > 0) {
		Orderd__V1__WatchOrderRequest rq = ORDERD__V1__WATCH_ORDER_REQUEST__INIT;
		struct orderd_error e;

		rq.order_id = orderd_text(next_order(all));
		w->begun_us = wall_us();
		if (!orderd_watch_order(all->client, &rq, on_event, w, 1 + (int)(left_us / 1000),
					&e) &&
		    (e.status != DEADLINE_EXCEEDED || bench_now_us() < all->b->to_us))
			failed(all, &e);
	}
	return NULL;
}

void bench_watch_run(struct bench *b, struct orderd_client *client)
{
	struct watching all = {.b = b, .client = client};
	struct watcher *watchers = calloc((size_t)b->opt.clients, sizeof(*watchers));
	int n = 0;

	if (watchers == NULL)
		abort(); /* out of memory */
	pthread_mutex_init(&all.lock, NULL);
	b->from_us = bench_now_us();
	b->to_us = b->from_us + b->opt.seconds_us;
	for (; n < b->opt.clients; n++) {
		watchers[n].all = &all;
		if (pthread_create(&watchers[n].thread, NULL, watch_on, &watchers[n]) != 0)
			break; /* as many as there may be */
	}
	b->opt.clients = n;
	for (int i = 0; i < n; i++)
		pthread_join(watchers[i].thread, NULL);
	pthread_mutex_destroy(&all.lock);
	free(watchers);
}
