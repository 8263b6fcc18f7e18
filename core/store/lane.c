/*
 * A lane: units waiting for one kind of connection, and who may travel next.
 *
 * Ready units stand in order of arrival; a unit put back by a lost connection returns to
 * its place.  What nobody waits for any more, or while the lane is late could not be answered
 * in time, is dropped before it is sent, so ERR_DEADLINE from here means "never sent".  A lane
 * is bounded by number and by time: while all it holds wait longer than store_options.wait_ms it
 * takes no more (core/base/late.h).
 */
#include <assert.h>
#include <stdio.h>

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
	SWEEP_MS = 100, /* how late an overdue unit may be dropped while nothing leaves */
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
	a->ready_ms = clock_mono_ms();
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

/*
 * Nobody waits for it, or nobody will in `need_ms`: drop it.  Something that was sent once may have
 * been stored, and is asked about as long as there is somebody to tell.
 */
static bool drop_vain(struct ask *a, int64_t now_ms, int64_t need_ms)
{
	bool gone = a->op.given_up;
	char label[40];

	if (!gone && now_ms + (a->sent ? 0 : need_ms) < a->op.deadline_ms)
		return false;
	(void)snprintf(label, sizeof(label), "%s|%s", a->lane->law->name,
		       gone ? "gone" : "deadline");
	metric_add(METRIC_store_dropped, label, 1);
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

/* From the last to the first: one that leaves may move those behind it to the other list. */
static void sweep(const struct ask_list *q, int64_t now)
{
	for (struct ask *a = q->last, *before; a != NULL; a = before) {
		before = a->prev;
		drop_vain(a, now, 0);
	}
}

static void watch_waiting(struct lane *l)
{
	if (l->sweep.slot == 0 && l->ready.n + l->blocked.n > 0)
		timer_set(l->st->loop, &l->sweep, clock_mono_ms() + SWEEP_MS);
}

static void on_sweep(struct timer *t)
{
	struct lane *l = (struct lane *)((char *)t - offsetof(struct lane, sweep));

	sweep(&l->blocked, clock_mono_ms());
	sweep(&l->ready, clock_mono_ms());
	tell_waiting(l);
	watch_waiting(l);
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

void lane_init(struct lane *l, struct store *st, enum store_lane id, int n_conns)
{
	*l = (struct lane){.st = st,
			   .law = &laws[id],
			   .id = id,
			   .n_conns = n_conns,
			   .sweep.on_due = on_sweep,
			   .late.budget_ms = id == STORE_LANE_AUDIT ? 0 : st->opt.wait_ms,
			   .join.on_due = on_join};
	if (n_conns > 0)
		metric_set(METRIC_store_limit, l->law->name, st->opt.lane_bound);
	l->conns = mem_array((size_t)(n_conns > 0 ? n_conns : 1), sizeof(*l->conns));
	for (int i = 0; i < n_conns; i++)
		conn_init(&l->conns[i], l);
}

static void count_refused(const struct lane *l, const char *cause)
{
	char label[40];

	(void)snprintf(label, sizeof(label), "%s|%s", l->law->name, cause);
	metric_add(METRIC_store_refused, label, 1);
}

bool lane_is_late(struct lane *l)
{
	const struct ask *oldest = l->ready.first;
	int64_t now = clock_mono_ms();

	if (!late_saw(&l->late, oldest != NULL ? now - oldest->ready_ms : 0, now))
		return false;
	count_refused(l, "late");
	return true;
}

/* Whether one more may wait. */
static enum errc room_for(struct lane *l)
{
	if (l->down)
		return ERR_STORE_UNAVAILABLE;
	if (l->ready.n + l->blocked.n >= l->st->opt.lane_bound) {
		count_refused(l, "full");
		return ERR_STORE_FULL;
	}
	return lane_is_late(l) ? ERR_STORE_LATE : ERR_OK;
}

void lane_ask(struct lane *l, struct ask *a)
{
	enum errc no = room_for(l);

	assert(l->n_conns > 0);
	if (no != ERR_OK) {
		op_fail(&a->op, no);
		return;
	}
	keys_take(&l->st->keys, a);
	a->place = a->blocked_on > 0 ? ASK_BLOCKED : ASK_READY;
	list_insert(a->blocked_on > 0 ? &l->blocked : &l->ready, a);
	tell_waiting(l);
	loop_post(l->st->loop, &l->st->turn);
	watch_waiting(l);
}

void lane_put_back(struct ask *a)
{
	assert(a->place == ASK_FLYING);
	a->place = ASK_READY;
	a->ready_ms = clock_mono_ms();
	list_insert(&a->lane->ready, a);
}

void lane_batch_took(struct lane *l, int64_t ms)
{
	l->usual_ms = (7 * l->usual_ms + ms) / 8;
}

/*
 * How much time a unit must have left to be sent.  With a queue that stands there are others whose
 * answer can still be in time.  Bounded, so that one slow hour does not shut out all who are in a
 * hurry.
 */
static int64_t need_ms(const struct lane *l)
{
	if (l->late.since_ms == 0)
		return 0;
	return l->usual_ms < l->late.budget_ms ? l->usual_ms : l->late.budget_ms;
}

/* What leaves tells how long one waits. */
static void note_leaving(struct lane *l, struct ask *const *members, uint32_t n, int64_t now)
{
	if (n == 0)
		return;
	(void)late_saw(&l->late, now - members[n - 1]->ready_ms, now);
	metric_observe_us(METRIC_store_wait_seconds, l->law->name,
			  (now - members[0]->ready_ms) * 1000);
}

uint32_t lane_take(struct lane *l, struct ask *members[MEMBERS_MAX])
{
	const struct lane_law *law = l->law;
	uint32_t n = 0, lines = 0, bytes = 0;
	bool some = l->ready.n > 0;
	int64_t now = clock_mono_ms(), need = need_ms(l);

	if (!is_worth_leaving(l))
		return 0;
	for (struct ask *a = l->ready.first, *next; a != NULL && n < law->units; a = next) {
		next = a->next;
		if (drop_vain(a, now, need)) {
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
	if (n == 0 && some)
		l->usual_ms /= 2; /* perhaps for want of time: the next may try */
	note_leaving(l, members, n, now);
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
	watch_waiting(l);
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
