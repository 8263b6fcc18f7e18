/*
 * One turn of the loop, in this order:
 *
 *	events of the network (libuv) --> due timers --> ready queue --> turn end
 *
 * The last three run from one uv_check handle, so whatever the events of this turn asked
 * for is complete when the turn ends and batches are sent.  A turn runs a bounded number
 * of timers and tasks; what is left keeps an idle handle going, so the next turn comes
 * at once, after a look at the network.
 *
 * All timers share one uv_timer, set to the earliest of a binary heap.  It only wakes the
 * loop: whether a timer is due is decided by clock_mono_ms(), which tests may fake.
 */
#include "core/flow/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"

enum {
	TURN_MAX = 4096,          /* timers, and tasks, run in one turn */
	TIMERS_MAX = 1 << 20,     /* set at once; several per flow, flows are bounded far below */
	TURN_END_MAX = 8,         /* listeners: a store, a queue, an HTTP client */
	ALARM_MAX_MS = 60 * 1000, /* the longest sleep; a wrong one is mended then */
};

struct loop {
	uv_loop_t uv;
	uv_timer_t alarm; /* wakes the loop for heap[0] */
	uv_idle_t busy;   /* on while the ready queue is not empty */
	uv_check_t turn;
	uv_signal_t signals[2], hangup;
	bool stopping;

	struct timer **heap;
	uint32_t n_timers, room;
	int64_t alarm_at_ms; /* 0: not set */

	struct task *ready;
	struct task **ready_tail;

	struct {
		void (*on_turn_end)(void *arg);
		void *arg;
	} listeners[TURN_END_MAX];

	int n_listeners;

	struct flow_list flows;

	void (*on_drain)(void *arg);
	void *drain_arg;
	bool draining;

	void (*on_hangup)(void *arg);
	void *hangup_arg;
};

/* ---- timers: a binary heap, each timer knowing its place ---- */

static void heap_put(struct loop *l, uint32_t i, struct timer *t)
{
	l->heap[i] = t;
	t->slot = i + 1;
}

static void heap_up(struct loop *l, uint32_t i, struct timer *t)
{
	while (i > 0 && l->heap[(i - 1) / 2]->at_ms > t->at_ms) {
		heap_put(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_put(l, i, t);
}

static void heap_down(struct loop *l, uint32_t i, struct timer *t)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= l->n_timers)
			break;
		if (child + 1 < l->n_timers && l->heap[child + 1]->at_ms < l->heap[child]->at_ms)
			child++;
		if (l->heap[child]->at_ms >= t->at_ms)
			break;
		heap_put(l, i, l->heap[child]);
		i = child;
	}
	heap_put(l, i, t);
}

static void on_busy(uv_idle_t *busy)
{
	(void)busy; /* its being active is what keeps libuv from sleeping */
}

static void on_alarm(uv_timer_t *alarm)
{
	struct loop *l = alarm->data;

	/* libuv runs timers before it polls: without this it would sleep over the due ones. */
	l->alarm_at_ms = 0;
	(void)uv_idle_start(&l->busy, on_busy);
}

/* Set the alarm to the earliest timer.  One that rings too early does no harm. */
static void set_alarm(struct loop *l)
{
	int64_t wait_ms;

	if (l->n_timers == 0 || (l->alarm_at_ms != 0 && l->alarm_at_ms <= l->heap[0]->at_ms))
		return;
	wait_ms = l->heap[0]->at_ms - clock_mono_ms();
	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > ALARM_MAX_MS)
		wait_ms = ALARM_MAX_MS;
	l->alarm_at_ms = l->heap[0]->at_ms;
	uv_update_time(&l->uv);
	(void)uv_timer_start(&l->alarm, on_alarm, (uint64_t)wait_ms, 0);
}

static void heap_remove(struct loop *l, struct timer *t)
{
	uint32_t i = t->slot - 1;
	struct timer *last;

	assert(i < l->n_timers && l->heap[i] == t);
	last = l->heap[--l->n_timers];
	t->slot = 0;
	if (last == t)
		return;
	if (last->at_ms < t->at_ms)
		heap_up(l, i, last);
	else
		heap_down(l, i, last);
}

void timer_set(struct loop *l, struct timer *t, int64_t at_ms)
{
	assert(t->on_due != NULL);
	timer_clear(l, t);
	assert(l->n_timers < TIMERS_MAX);
	if (l->n_timers == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 64;
		l->heap = mem_grow(l->heap, l->room, sizeof(struct timer *));
	}
	t->at_ms = at_ms;
	heap_up(l, l->n_timers++, t);
	if (t->slot == 1)
		set_alarm(l);
}

void timer_clear(struct loop *l, struct timer *t)
{
	if (t->slot != 0)
		heap_remove(l, t);
}

int64_t loop_count_timers(const struct loop *l, const int64_t *within_ms, uint32_t *ret_counts,
			  size_t n)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t k = 0; k < n; k++)
		ret_counts[k] = 0;
	for (uint32_t i = 0; i < l->n_timers; i++)
		for (size_t k = 0; k < n; k++)
			ret_counts[k] += l->heap[i]->at_ms - now_ms <= within_ms[k];
	return l->n_timers > 0 ? l->heap[0]->at_ms : 0;
}

static void run_timers(struct loop *l)
{
	int64_t now_ms = clock_mono_ms();

	for (int n = 0; n < TURN_MAX && l->n_timers > 0; n++) {
		struct timer *t = l->heap[0];

		if (t->at_ms > now_ms)
			break;
		heap_remove(l, t);
		t->on_due(t);
	}
}

/* ---- ready queue ---- */

void loop_post(struct loop *l, struct task *t)
{
	assert(t->run != NULL);
	if (t->posted)
		return;
	t->posted = true;
	t->next = NULL;
	*l->ready_tail = t;
	l->ready_tail = &t->next;
	(void)uv_idle_start(&l->busy, on_busy);
}

void loop_unpost(struct loop *l, struct task *t)
{
	struct task **at = &l->ready;

	if (!t->posted)
		return;
	while (*at != t) {
		assert(*at != NULL); /* posted to another loop */
		at = &(*at)->next;
	}
	*at = t->next;
	if (l->ready_tail == &t->next)
		l->ready_tail = at;
	t->posted = false;
}

static void run_ready(struct loop *l)
{
	for (int n = 0; n < TURN_MAX && l->ready != NULL; n++) {
		struct task *t = l->ready;

		l->ready = t->next;
		if (l->ready == NULL)
			l->ready_tail = &l->ready;
		t->posted = false;
		t->run(t); /* it may post itself again, or be freed */
	}
}

/* ---- the turn ---- */

static void on_turn(uv_check_t *turn)
{
	struct loop *l = turn->data;
	bool more;

	run_timers(l);
	run_ready(l);
	for (int i = 0; i < l->n_listeners; i++)
		l->listeners[i].on_turn_end(l->listeners[i].arg);
	set_alarm(l);
	more = l->ready != NULL || (l->n_timers > 0 && l->heap[0]->at_ms <= clock_mono_ms());
	if (more)
		(void)uv_idle_start(&l->busy, on_busy);
	else
		(void)uv_idle_stop(&l->busy);
}

void loop_on_turn_end(struct loop *l, void (*on_turn_end)(void *arg), void *arg)
{
	assert(l->n_listeners < TURN_END_MAX);
	l->listeners[l->n_listeners].on_turn_end = on_turn_end;
	l->listeners[l->n_listeners].arg = arg;
	l->n_listeners++;
}

void loop_off_turn_end(struct loop *l, void (*on_turn_end)(void *arg), void *arg)
{
	int i = 0;

	while (l->listeners[i].on_turn_end != on_turn_end || l->listeners[i].arg != arg) {
		i++;
		assert(i < l->n_listeners);
	}
	for (l->n_listeners--; i < l->n_listeners; i++)
		l->listeners[i] = l->listeners[i + 1];
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *signal, int number)
{
	struct loop *l = signal->data;

	if (l->draining) {
		log_warn("signal_again", "signal=%d", number);
		_exit(1);
	}
	l->draining = true;
	l->on_drain(l->drain_arg);
}

static void listen_for(uv_signal_t *signal, void (*on_one)(uv_signal_t *signal, int number),
		       int number)
{
	sigset_t set;
	int rc = uv_signal_start(signal, on_one, number);

	assert(rc == 0);
	sigemptyset(&set);
	sigaddset(&set, number);
	rc = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	assert(rc == 0);
	(void)rc;
}

void loop_on_drain(struct loop *l, void (*on_drain)(void *arg), void *arg)
{
	assert(l->on_drain == NULL);
	l->on_drain = on_drain;
	l->drain_arg = arg;
	listen_for(&l->signals[0], on_signal, SIGTERM);
	listen_for(&l->signals[1], on_signal, SIGINT);
}

static void on_hangup_signal(uv_signal_t *signal, int number)
{
	struct loop *l = signal->data;

	(void)number;
	l->on_hangup(l->hangup_arg);
}

void loop_on_hangup(struct loop *l, void (*on_hangup)(void *arg), void *arg)
{
	assert(l->on_hangup == NULL);
	l->on_hangup = on_hangup;
	l->hangup_arg = arg;
	listen_for(&l->hangup, on_hangup_signal, SIGHUP);
}

/* ---- life ---- */

struct loop *loop_new(void)
{
	struct loop *l = mem_alloc(sizeof(*l));
	int rc = uv_loop_init(&l->uv);

	if (rc != 0) {
		log_error("loop_failed", "why=%s", LOG_Q(uv_strerror(rc)));
		abort(); /* no epoll descriptor to be had: nothing can work */
	}
	l->ready_tail = &l->ready;
	(void)uv_timer_init(&l->uv, &l->alarm);
	(void)uv_idle_init(&l->uv, &l->busy);
	(void)uv_check_init(&l->uv, &l->turn);
	(void)uv_signal_init(&l->uv, &l->signals[0]);
	(void)uv_signal_init(&l->uv, &l->signals[1]);
	(void)uv_signal_init(&l->uv, &l->hangup);
	l->alarm.data = l->busy.data = l->turn.data = l;
	l->signals[0].data = l->signals[1].data = l->hangup.data = l;
	(void)uv_check_start(&l->turn, on_turn);
	return l;
}

uv_loop_t *loop_uv(struct loop *l)
{
	return &l->uv;
}

struct flow_list *loop_flows(struct loop *l)
{
	return &l->flows;
}

void loop_run(struct loop *l)
{
	l->stopping = false;
	while (!l->stopping)
		(void)uv_run(&l->uv, UV_RUN_ONCE);
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
	(void)uv_idle_start(&l->busy, on_busy); /* not another sleep */
}

void loop_free(struct loop *l)
{
	int rc;

	assert(l->n_timers == 0 && l->ready == NULL && l->n_listeners == 0);
	uv_close((uv_handle_t *)&l->alarm, NULL);
	uv_close((uv_handle_t *)&l->busy, NULL);
	uv_close((uv_handle_t *)&l->turn, NULL);
	uv_close((uv_handle_t *)&l->signals[0], NULL);
	uv_close((uv_handle_t *)&l->signals[1], NULL);
	uv_close((uv_handle_t *)&l->hangup, NULL);
	(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	rc = uv_loop_close(&l->uv);
	assert(rc == 0); /* UV_EBUSY: somebody's handle is still open */
	(void)rc;
	free(l->heap);
	free(l);
}
