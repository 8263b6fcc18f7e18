/*
 * A lane: units waiting for one kind of connection, and who may travel next.
 *
 * Ready units stand in order of arrival; a unit put back by a lost connection returns to
 * its place.  What nobody waits for any more is dropped before it is sent, so
 * ERR_DEADLINE from here means "never sent".
 */
#include <assert.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/store/internal.h"

/*
 * A rule reads whole tables: planned each time for the tables as they are, on one processor,
 * in memory rather than in temporary files.
 */
#define AUDIT_SESSION                                                                   \
	"-c plan_cache_mode=force_custom_plan -c max_parallel_workers_per_gather=0 -c " \
	"work_mem=64MB"

/*
 * 128 units and not 512: an arrival waits for the batch before it and its own, and a
 * batch of 256 orders took 24 ms where 50 ms at the 99th percentile are allowed.
 */
static const struct lane_law laws[STORE_LANES] = {
	[STORE_LANE_ORDER] = {"order", 128, 4096, 256 * 1024, 32, false, "", NULL},
	[STORE_LANE_JOB] = {"job", 256, 4096, 256 * 1024, 1, false, "", NULL}, /* one connection */
	[STORE_LANE_READ] = {"read", 128, 4096, 256 * 1024, 16, true, "", NULL},
	[STORE_LANE_AUDIT] = {"audit", 1, 4096, 256 * 1024, 1, true, AUDIT_SESSION,
			      STORE_AUDIT_ROLE},
};

enum {
	SWEEP_MS = 100, /* how late an overdue unit may be answered while the server is away */
	JOIN_MS = 5,    /* so long few units wait at most for one connection beside another */
};

static void list_remove(struct ask_list *q, struct ask *a)
{
	*(a->prev != NULL ? &a->prev->next : &q->first) = a->next;
	*(a->next != NULL ? &a->next->prev : &q->last) = a->prev;
	a->prev = a->next = NULL;
	q->n--;
}

/* Keep the list in order of arrival; nearly always the place is one of the ends. */
static void list_insert(struct ask_list *q, struct ask *a)
{
	struct ask *after = q->last;

	if (q->first != NULL && q->first->seq > a->seq)
		after = NULL;
	while (after != NULL && after->seq > a->seq)
		after = after->prev;
	a->prev = after;
	a->next = after != NULL ? after->next : q->first;
	*(after != NULL ? &after->next : &q->first) = a;
	*(a->next != NULL ? &a->next->prev : &q->last) = a;
	q->n++;
}

static void tell_waiting(const struct lane *l)
{
	metric_set(METRIC_store_waiting, l->law->name, (int64_t)l->ready.n + l->blocked.n);
}

static void tell_up(const struct lane *l)
{
	metric_set(METRIC_store_up, l->law->name, l->unhealthy ? 0 : l->n_up);
}

static void ask_unblocked(struct ask *a)
{
	assert(a->place == ASK_BLOCKED);
	list_remove(&a->lane->blocked, a);
	a->place = ASK_READY;
	list_insert(&a->lane->ready, a);
	loop_post(a->lane->st->loop, &a->lane->st->turn);
}

/* Out of the store: list and keys. */
static void ask_leave(struct ask *a)
{
	if (a->place == ASK_READY)
		list_remove(&a->lane->ready, a);
	else if (a->place == ASK_BLOCKED)
		list_remove(&a->lane->blocked, a);
	keys_release(&a->lane->st->keys, a, ask_unblocked);
}

void ask_answer(struct ask *a, const struct answer *answer)
{
	ask_leave(a);
	op_answer(&a->op, answer);
}

void ask_fail(struct ask *a, enum errc err)
{
	ask_leave(a);
	op_fail(&a->op, err);
}

void ask_set_sent(struct ask *a, bool sent)
{
	a->sent = sent;
	a->op.late = sent ? ERR_UNKNOWN_OUTCOME : ERR_DEADLINE;
}

/* Nobody waits for it: drop it.  Something that was sent once may have been stored. */
static bool drop_overdue(struct ask *a, int64_t now_ms)
{
	if (!a->op.given_up && now_ms < a->op.deadline_ms)
		return false;
	ask_fail(a, a->sent ? ERR_UNKNOWN_OUTCOME : ERR_DEADLINE);
	return true;
}

static struct ask *first_unsent(const struct ask_list *q)
{
	struct ask *a = q->first;

	while (a != NULL && a->sent)
		a = a->next;
	return a;
}

/* One leaving may move others between the lists, so look from the head each time; few at the head
 * were sent. */
static void fail_unsent(const struct lane *l)
{
	struct ask *a;

	while ((a = first_unsent(&l->ready)) != NULL || (a = first_unsent(&l->blocked)) != NULL)
		ask_fail(a, ERR_STORE_UNAVAILABLE);
}

static void on_sweep(struct timer *t)
{
	struct lane *l = (struct lane *)((char *)t - offsetof(struct lane, sweep));
	int64_t now = clock_mono_ms();

	for (struct ask *a = l->ready.first, *next; a != NULL; a = next) {
		next = a->next;
		drop_overdue(a, now);
	}
	tell_waiting(l);
	if (l->n_up == 0 && l->ready.n + l->blocked.n > 0)
		timer_set(l->st->loop, &l->sweep, now + SWEEP_MS);
}

static bool flies(const struct lane *l)
{
	for (int i = 0; i < l->n_conns; i++)
		if (l->conns[i].state == CONN_FLYING)
			return true;
	return false;
}

/*
 * A batch of few units costs nearly as much as one of many, so while one is away another leaves
 * with `join` aboard or more; fewer travel when that one is back.  They do not wait for long, for
 * it may be waiting for somebody's lock.  With nothing away a single unit leaves at once.
 */
static bool is_worth_leaving(struct lane *l)
{
	if (l->ready.n >= l->law->join || l->impatient || !flies(l))
		return true;
	if (l->join.slot == 0 && l->ready.n > 0)
		timer_set(l->st->loop, &l->join, clock_mono_ms() + JOIN_MS);
	return false;
}

static void on_join(struct timer *t)
{
	struct lane *l = (struct lane *)((char *)t - offsetof(struct lane, join));

	l->impatient = true;
	lane_kick(l);
	l->impatient = false;
}

static void watch_overdue(struct lane *l)
{
	if (l->n_up == 0 && l->sweep.slot == 0 && l->ready.n + l->blocked.n > 0)
		timer_set(l->st->loop, &l->sweep, clock_mono_ms() + SWEEP_MS);
}

void lane_init(struct lane *l, struct store *st, enum store_lane id, int n_conns)
{
	*l = (struct lane){.st = st,
			   .law = &laws[id],
			   .id = id,
			   .n_conns = n_conns,
			   .sweep.on_due = on_sweep,
			   .join.on_due = on_join};
	if (n_conns > 0)
		metric_set(METRIC_store_limit, l->law->name, st->opt.lane_bound);
	l->conns = mem_array((size_t)(n_conns > 0 ? n_conns : 1), sizeof(*l->conns));
	for (int i = 0; i < n_conns; i++)
		conn_init(&l->conns[i], l);
}

void lane_ask(struct lane *l, struct ask *a)
{
	assert(l->n_conns > 0);
	if (l->down || l->ready.n + l->blocked.n >= l->st->opt.lane_bound) {
		if (!l->down)
			metric_add(METRIC_store_refused, l->law->name, 1);
		op_fail(&a->op, l->down ? ERR_STORE_UNAVAILABLE : ERR_STORE_FULL);
		return;
	}
	keys_take(&l->st->keys, a);
	a->place = a->blocked_on > 0 ? ASK_BLOCKED : ASK_READY;
	list_insert(a->blocked_on > 0 ? &l->blocked : &l->ready, a);
	tell_waiting(l);
	loop_post(l->st->loop, &l->st->turn);
	watch_overdue(l);
}

void lane_put_back(struct ask *a)
{
	assert(a->place == ASK_FLYING);
	a->place = ASK_READY;
	list_insert(&a->lane->ready, a);
}

uint32_t lane_take(struct lane *l, struct ask *members[MEMBERS_MAX])
{
	const struct lane_law *law = l->law;
	uint32_t n = 0, lines = 0, bytes = 0;
	int64_t now = clock_mono_ms();

	if (!is_worth_leaving(l))
		return 0;
	for (struct ask *a = l->ready.first, *next; a != NULL && n < law->units; a = next) {
		next = a->next;
		if (drop_overdue(a, now)) {
			/* whoever waited behind it may stand in front of `next` now: look again
			 * from the head */
			next = l->ready.first;
			continue;
		}
		if (n > 0 && (lines + a->u.n_lines > law->lines || bytes + a->bytes > law->bytes))
			break;
		lines += a->u.n_lines;
		bytes += a->bytes;
		list_remove(&l->ready, a);
		a->place = ASK_FLYING;
		members[n++] = a;
	}
	tell_waiting(l);
	return n;
}

void lane_kick(struct lane *l)
{
	for (int i = 0; i < l->n_conns && l->ready.n > 0; i++) {
		if (l->conns[i].state == CONN_IDLE)
			conn_proceed(&l->conns[i]);
	}
}

void lane_conn_up(struct lane *l)
{
	l->n_up++;
	l->down = false;
	tell_up(l);
	metric_add(METRIC_store_reconnects, l->law->name, 1);
	store_state_changed(l->st);
}

void lane_conn_lost(struct lane *l, bool was_up)
{
	if (was_up)
		l->n_up--;
	else if (l->n_up == 0 && !l->down) {
		l->down = true; /* an attempt failed and nothing else is left */
		log_warn("store_down", "lane=%s", l->law->name);
	}
	if (l->down)
		fail_unsent(l);
	tell_waiting(l);
	tell_up(l);
	watch_overdue(l);
	store_state_changed(l->st);
	loop_post(l->st->loop, &l->st->turn);
}

void lane_set_unhealthy(struct lane *l, bool unhealthy)
{
	if (l->unhealthy == unhealthy)
		return;
	l->unhealthy = unhealthy;
	tell_up(l);
	store_state_changed(l->st);
}

int lane_timeout_ms(const struct lane *l)
{
	const struct store_options *opt = &l->st->opt;

	return l->id == STORE_LANE_AUDIT ? opt->audit_timeout_ms : opt->statement_timeout_ms;
}

void lane_close(struct lane *l)
{
	while (l->ready.first != NULL || l->blocked.first != NULL) {
		struct ask *a = l->ready.first != NULL ? l->ready.first : l->blocked.first;

		ask_fail(a, a->sent ? ERR_UNKNOWN_OUTCOME : ERR_STORE_UNAVAILABLE);
	}
	timer_clear(l->st->loop, &l->sweep);
	timer_clear(l->st->loop, &l->join);
	for (int i = 0; i < l->n_conns; i++)
		conn_close(&l->conns[i]);
}
