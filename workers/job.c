#include "workers/job.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/flow/backoff.h"
#include "sql.gen.h"
#include "workers/job_slot.h"

/*
 * A job that killed its worker this often is buried instead of run: it may be what kills
 * them.  More than the three of a job that is clearly to blame, because whoever restarts
 * workers in a hurry, or PostgreSQL, also lets leases run out.
 */
enum { DEATHS_MAX = 5 };

static struct job_flow *slot_of(struct flow *fl)
{
	return (struct job_flow *)fl;
}

const struct job *job_of(struct flow *fl)
{
	return &slot_of(fl)->job;
}

struct worker *worker_of(struct flow *fl)
{
	return slot_of(fl)->w;
}

void *job_state(struct flow *fl)
{
	return slot_of(fl)->state;
}

void job_settled(struct flow *fl)
{
	slot_of(fl)->outcome = SETTLED;
}

void job_moot(struct flow *fl)
{
	slot_of(fl)->outcome = MOOT;
}

void job_wait(struct flow *fl, int64_t delay_ms)
{
	slot_of(fl)->outcome = WAITS;
	slot_of(fl)->wait_ms = delay_ms;
}

int job_fail(struct flow *fl, enum errc e, const char *fmt, ...)
{
	struct job_flow *s = slot_of(fl);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	fl->err = e;
	return FLOW_FAIL;
}

void job_ring(struct flow *fl, struct id next, struct str kind)
{
	const struct job_kind *k = id_is_zero(next) ? NULL : job_kind_find(kind);

	if (k != NULL)
		queue_ring(worker_of(fl)->queue,
			   &(struct ring){.job = next, .role = k->role, .priority = k->priority},
			   1);
}

/* Attempts are what we have of the past, so the last pause is what it would at most have been. */
int64_t job_backoff_ms(struct flow *fl)
{
	const struct worker *w = worker_of(fl);
	int64_t base = w->cfg.backoff_base_ms, cap = w->cfg.backoff_cap_s * 1000, last = 0;

	for (int32_t i = 1; i < job_of(fl)->attempts && last < cap; i++)
		last = last == 0 ? base : last * 2;
	return backoff_next_ms(last, base, cap);
}

/* ---------------------------------------------------------------- the pool */

static void slot_free(struct job_flow *s)
{
	struct worker *w = s->w;

	s->freed = true;
	if (s->beating)
		return; /* the beat's end comes back here */
	metric_set(METRIC_jobs_running, queue_role_name(s->role), --w->running[s->role]);
	s->busy = false;
	arena_reset(&s->fl.arena);
	s->next_idle = w->idle;
	w->idle = s;
	if (w->intake != NULL)
		intake_kick(w->intake);
	worker_turn(w);
}

static struct job_flow *slot_take(struct worker *w, enum queue_role r)
{
	struct job_flow *s = w->idle;
	struct arena arena;

	assert(s != NULL && !s->busy);
	w->idle = s->next_idle;
	arena = s->fl.arena;
	*s = (struct job_flow){.w = w, .busy = true, .role = r, .beat.arena = s->beat.arena};
	s->fl.arena = arena;
	metric_set(METRIC_jobs_running, queue_role_name(r), ++w->running[r]);
	return s;
}

bool job_pool_open(struct worker *w)
{
	uint32_t n = 0;

	for (int r = 0; r < ROLE_COUNT; r++) {
		if (!worker_has(w, (enum queue_role)r))
			continue;
		n += (uint32_t)w->cfg.concurrency;
		metric_set(METRIC_jobs_limit, queue_role_name((enum queue_role)r),
			   w->cfg.concurrency);
	}
	w->n_slots = n;
	w->slots = mem_array(n, sizeof(*w->slots));
	for (uint32_t i = 0; i < n; i++) {
		struct job_flow *s = &w->slots[i];

		s->w = w;
		arena_init(&s->fl.arena, (size_t)w->cfg.arena_kib * 1024);
		arena_init(&s->beat.arena, 4096);
		s->next_idle = w->idle;
		w->idle = s;
	}
	return n > 0;
}

void job_pool_close(struct worker *w)
{
	for (uint32_t i = 0; i < w->n_slots; i++) {
		assert(!w->slots[i].busy);
		arena_done(&w->slots[i].fl.arena);
		arena_done(&w->slots[i].beat.arena);
	}
	free(w->slots);
	w->slots = NULL;
}

static uint32_t slots_left(const struct worker *w, enum queue_role r)
{
	uint32_t most = (uint32_t)w->cfg.concurrency;

	if (w->draining || !worker_has(w, r) || w->running[r] >= most)
		return 0;
	return most - w->running[r];
}

uint32_t job_room(const struct worker *w, enum queue_role r)
{
	return worker_paused(w, r) ? 0 : slots_left(w, r);
}

/* One flow after the other in the slot: memory of the one before is not needed any more. */
static void slot_run(struct job_flow *s, const char *name, const struct flow_step *steps,
		     void (*done)(struct flow *))
{
	struct arena arena = s->fl.arena;

	arena_reset(&arena);
	s->fl = (struct flow){.name = name,
			      .steps = steps,
			      .loop = s->w->loop,
			      .arena = arena,
			      .subject = id_is_zero(s->job.order) ? s->job.id : s->job.order,
			      .trace = s->job.trace,
			      .done = done};
}

/* Settled, put off or somebody else's.  What we did to the order is committed: say so. */
static void finish(struct job_flow *s)
{
	if (s->job.kind != NULL)
		queue_hint(s->w->queue, s->job.order);
	if (s->delivered)
		queue_ack(s->w->queue, &s->delivery);
	slot_free(s);
}

/* -------------------------------------------------------------- put off: what failed or is moot */

enum { PUT_OFF, PUT_OFF_DONE };

static int ask_settle(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct job_settle_head h = {.job_id = j->id, .epoch = j->epoch};

	metric_add(METRIC_job_done, j->kind->name, 1);
	return store_ask(fl, worker_of(fl)->store, job_settle_unit(&h, NULL, 0));
}

static int ask_bury(struct flow *fl)
{
	struct job_flow *s = slot_of(fl);
	const struct job *j = &s->job;
	struct job_bury_head h = {.tenant = j->tenant,
				  .order_id = j->order,
				  .job_id = j->id,
				  .epoch = j->epoch,
				  .error = str_of(s->why)};

	metric_add(METRIC_job_dead, j->kind->name, 1);
	log_error("job_dead", "job_kind=%s order=%s attempts=%d why=%s trace=%s", j->kind->name,
		  id_format(j->order, (char[ID_TEXT_SIZE]){0}), j->attempts, LOG_Q(s->why),
		  trace_text(&j->trace, (char[TRACE_TEXT_SIZE]){0}));
	return store_ask(fl, s->w->store, job_bury_unit(&h, NULL, 0));
}

static int ask_retry(struct flow *fl)
{
	struct job_flow *s = slot_of(fl);
	int64_t delay_ms = s->outcome == WAITS ? s->wait_ms : job_backoff_ms(fl);
	struct job_retry_head h = {.job_id = s->job.id,
				   .epoch = s->job.epoch,
				   .delay_ms = s->cut ? 0 : delay_ms,
				   .error = str_of(s->why),
				   .refund = s->cut || s->outcome == WAITS};

	metric_add(METRIC_job_retried, s->job.kind->name, 1);
	return store_ask(fl, s->w->store, job_retry_unit(&h, NULL, 0));
}

static int ask_put_off(struct flow *fl)
{
	struct job_flow *s = slot_of(fl);
	bool last = s->job.attempts >= s->w->cfg.max_attempts;

	if (s->outcome == MOOT)
		return ask_settle(fl);
	if (s->outcome == FAILED && !s->cut && (last || s->hopeless))
		return ask_bury(fl);
	return ask_retry(fl);
}

static int got_put_off(struct flow *fl, const struct answer *a)
{
	(void)fl, (void)a; /* no row: somebody else has it by now */
	return PUT_OFF_DONE;
}

/* clang-format off */
static const struct flow_step put_off_steps[] = {
	/*                 name       ask          got          ms    on error      next             */
	[PUT_OFF]      = {"put_off", ask_put_off, got_put_off, 5000, PUT_OFF_DONE, TO(PUT_OFF_DONE)}, /* its lease will end */
	[PUT_OFF_DONE] = {"done"},
};

/* clang-format on */

static void put_off_ended(struct flow *fl)
{
	finish(slot_of(fl));
}

static void put_off(struct job_flow *s)
{
	slot_run(s, "job_put_off", put_off_steps, put_off_ended);
	flow_start(&s->fl);
}

/* ---------------------------------------------------------------- work: the kind's own flow */

static void work_ended(struct flow *fl)
{
	struct job_flow *s = slot_of(fl);
	enum errc cause = fl->cause;

	if (s->outcome == SETTLED) {
		metric_add(METRIC_job_done, s->job.kind->name, 1);
		finish(s);
		return;
	}
	if (s->outcome == FAILED && s->why[0] == '\0')
		snprintf(s->why, sizeof(s->why), "%s: %s", err_name(cause), err_text(cause));
	/*
	 * A definite refusal stays one; only what was not asked of the outside may be tried for
	 * ever.
	 */
	s->hopeless = s->outcome == FAILED && err_retry(cause) == ERR_RETRY_NEVER;
	put_off(s);
}

static void work_start(struct job_flow *s)
{
	const struct job_kind *k = s->job.kind;

	if (s->job.deaths >= DEATHS_MAX) {
		snprintf(s->why, sizeof(s->why), "its worker died or hung %d times", s->job.deaths);
		s->hopeless = true;
		put_off(s);
		return;
	}
	metric_add(METRIC_job_claimed, k->name, 1);
	slot_run(s, k->name, k->steps, work_ended);
	s->fl.deadline_ms = clock_mono_ms() + s->w->cfg.job_deadline_s * 1000;
	s->beat_at_ms = clock_mono_ms() + s->w->cfg.lease_s * 1000 / 2;
	s->lease_until_ms = clock_mono_ms() + s->w->cfg.lease_s * 1000;
	s->state = arena_alloc(&s->fl.arena, k->state_size + 1);
	assert(s->state != NULL);
	flow_start(&s->fl);
}

/* ---------------------------------------------------------------- claim */

enum { CLAIM, CLAIM_DONE };

static int ask_claim(struct flow *fl)
{
	struct job_flow *s = slot_of(fl);
	struct job_claim_head h = {.job_id = s->job.id,
				   .worker = s->w->incarnation,
				   .lease_s = (int32_t)s->w->cfg.lease_s};

	return store_ask(fl, s->w->store, job_claim_unit(&h, NULL, 0));
}

static int got_claim(struct flow *fl, const struct answer *a)
{
	struct job_flow *s = slot_of(fl);
	struct job_claim_row r;

	if (answer_rows(a) == 0)
		return CLAIM_DONE; /* somebody else's, or done: only the entry is left */
	r = job_claim_row(a, 0);
	metric_observe_us(METRIC_job_wait_seconds, queue_role_name(s->role), r.waited_ms * 1000);
	s->job = (struct job){.id = s->job.id,
			      .tenant = r.tenant,
			      .order = r.order_id,
			      .group_no = r.group_no,
			      .groups = r.groups,
			      .epoch = r.epoch,
			      .attempts = r.attempts,
			      .deaths = r.deaths,
			      .trace = trace_stored(r.trace),
			      .kind = job_kind_find(r.kind)};
	return CLAIM_DONE;
}

/* clang-format off */
static const struct flow_step claim_steps[] = {
	/*               name     ask        got        ms    on error    next           */
	[CLAIM]      = {"claim", ask_claim, got_claim, 5000, CLAIM_DONE, TO(CLAIM_DONE)}, /* it is rung or swept again */
	[CLAIM_DONE] = {"done"},
};

/* clang-format on */

static void claim_ended(struct flow *fl)
{
	struct job_flow *s = slot_of(fl);

	if (s->job.kind != NULL) {
		work_start(s);
		return;
	}
	if (fl->cause != ERR_OK) {
		slot_free(s); /* not acknowledged: another reader takes it over */
		return;
	}
	metric_add(METRIC_job_stale, queue_role_name(s->role), 1);
	finish(s);
}

void job_start(struct worker *w, const struct delivery *d)
{
	struct job_flow *s = slot_take(w, d->role);

	s->delivered = true;
	s->delivery = *d;
	s->job.id = d->job;
	slot_run(s, "job_claim", claim_steps, claim_ended);
	flow_start(&s->fl);
}

/* ------------------------------------------------- due: without Redis, straight from PostgreSQL */

enum { DUE, DUE_DONE };

struct due_flow {
	struct flow fl;
	struct worker *w;
	enum queue_role role;
};

enum { DUE_MOST = 64 };

static int ask_due(struct flow *fl)
{
	struct due_flow *d = (struct due_flow *)fl;
	uint32_t room = job_room(d->w, d->role);
	struct job_claim_due_head h = {.role = str_of(queue_role_name(d->role)),
				       .worker = d->w->incarnation,
				       .lease_s = (int32_t)d->w->cfg.lease_s,
				       .most = (int32_t)(room < DUE_MOST ? room : DUE_MOST)};

	return store_ask(fl, d->w->store, job_claim_due_unit(&h, NULL, 0));
}

static int got_due(struct flow *fl, const struct answer *a)
{
	struct due_flow *d = (struct due_flow *)fl;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct job_claim_due_row r = job_claim_due_row(a, i);
		const struct job_kind *kind = job_kind_find(r.kind);
		struct job_flow *s;

		/* Claimed before a pause, it is worked on: given back, it would count as a death.
		 */
		if (kind == NULL || slots_left(d->w, d->role) == 0)
			continue; /* its lease will end */
		s = slot_take(d->w, d->role);
		metric_observe_us(METRIC_job_wait_seconds, queue_role_name(d->role),
				  r.waited_ms * 1000);
		s->job = (struct job){.id = r.job_id,
				      .tenant = r.tenant,
				      .order = r.order_id,
				      .group_no = r.group_no,
				      .groups = r.groups,
				      .epoch = r.epoch,
				      .attempts = r.attempts,
				      .deaths = r.deaths,
				      .trace = trace_stored(r.trace),
				      .kind = kind};
		work_start(s);
	}
	return DUE_DONE;
}

/* clang-format off */
static const struct flow_step due_steps[] = {
	/*             name   ask      got      ms    on error  next         */
	[DUE]      = {"due", ask_due, got_due, 5000, DUE_DONE, TO(DUE_DONE)},
	[DUE_DONE] = {"done"},
};

/* clang-format on */

static void due_ended(struct flow *fl)
{
	struct due_flow *d = (struct due_flow *)fl;
	struct worker *w = d->w;

	w->side_flows--;
	w->due_running &= ~(1U << d->role);
	arena_done(&fl->arena);
	free(d);
	worker_turn(w);
}

void job_start_due(struct worker *w, enum queue_role r)
{
	struct due_flow *d;

	if (job_room(w, r) == 0 || (w->due_running & (1U << r)) != 0)
		return;
	d = mem_alloc(sizeof(*d));
	*d = (struct due_flow){.w = w, .role = r};
	d->fl = (struct flow){
		.name = "jobs_due", .steps = due_steps, .loop = w->loop, .done = due_ended};
	arena_init(&d->fl.arena, 65536);
	w->due_running |= 1U << r;
	w->side_flows++;
	flow_start(&d->fl);
}

/* -------------------------------------------------- beats: jobs that take long keep their lease */

enum { BEAT, BEAT_DONE };

static struct job_flow *slot_of_beat(struct flow *fl)
{
	return (struct job_flow *)((char *)fl - offsetof(struct job_flow, beat));
}

static int ask_beat(struct flow *fl)
{
	struct job_flow *s = slot_of_beat(fl);
	struct job_extend_head h = {
		.job_id = s->job.id, .epoch = s->job.epoch, .lease_s = (int32_t)s->w->cfg.lease_s};

	return store_ask(fl, s->w->store, job_extend_unit(&h, NULL, 0));
}

static int got_beat(struct flow *fl, const struct answer *a)
{
	struct job_flow *s = slot_of_beat(fl);

	if (answer_rows(a) > 0) /* asked for when the next beat was set, half a lease before it */
		s->lease_until_ms = s->beat_at_ms + s->w->cfg.lease_s * 1000 / 2;
	return BEAT_DONE;
}

/* clang-format off */
static const struct flow_step beat_steps[] = {
	/*              name    ask       got       ms    on error   next          */
	[BEAT]      = {"beat", ask_beat, got_beat, 5000, BEAT_DONE, TO(BEAT_DONE)},
	[BEAT_DONE] = {"done"},
};

/* clang-format on */

static void beat_ended(struct flow *fl)
{
	struct job_flow *s = slot_of_beat(fl);

	arena_reset(&s->beat.arena);
	s->beating = false;
	if (s->freed)
		slot_free(s);
}

void job_beat(struct worker *w)
{
	int64_t now = clock_mono_ms();

	for (uint32_t i = 0; i < w->n_slots; i++) {
		struct job_flow *s = &w->slots[i];
		struct arena arena = s->beat.arena;

		if (!s->busy || s->freed || s->beating || s->job.kind == NULL ||
		    now < s->beat_at_ms)
			continue;
		s->beat_at_ms = now + w->cfg.lease_s * 1000 / 2;
		if (s->delivered)
			queue_beat(w->queue, &s->delivery);
		s->beating = true;
		s->beat = (struct flow){.name = "job_beat",
					.steps = beat_steps,
					.loop = w->loop,
					.arena = arena,
					.subject = s->job.id,
					.done = beat_ended};
		flow_start(&s->beat);
	}
}

void job_cut(struct worker *w)
{
	for (uint32_t i = 0; i < w->n_slots; i++) {
		struct job_flow *s = &w->slots[i];

		if (!s->busy || s->freed || s->cut)
			continue;
		s->cut = true;
		flow_cancel(&s->fl, ERR_DRAINING);
	}
}
