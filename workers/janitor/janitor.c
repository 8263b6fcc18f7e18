/*
 * One sweep is one flow:
 *
 *	generations --> streams --+--> raise --+--> epoch --> orphans --> waiting --> backlog --+
 *	                          +------------+                                    (per role)  |
 *	depth <-- records <-- forget <-- holds <-- renewals <-- expire, freed <-- expired <-----+
 *	                                                        (per order)
 *
 * Steps that need Redis are passed over while it is away; the database's are not.  What is only
 * kept for a while is forgotten by one sweep in a minute, calls on record by one in an hour, and
 * what waits is counted by one in five seconds.
 */
#include "workers/janitor/janitor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "sql.gen.h"
#include "workers/freed.h"
#include "workers/janitor/audit.h"
#include "workers/janitor/reconcile.h"
#include "workers/janitor/round.h"
#include "workers/job.h"

enum {
	PAGE = 1000,       /* jobs looked at per sweep */
	EXPIRE_MOST = 200, /* orders ended per sweep */
	FORGET_MS = 60000,
	FORGET_MOST = 5000,        /* rows; a full page is followed by the next sweep's */
	WEBHOOKS_KEEP_S = 2592000, /* 30 days; providers try an event again for three */
	RECORDS_MS = 3600000,
	RECORDS_MOST = 5000, /* of one chain; while there are more, the next sweep goes on */
	RENEW_MOST = 200,    /* authorizations renewed per sweep */
	DEPTH_MS = 5000,     /* Prometheus looks every 15 s or so */
	DEPTH_MOST = 100000, /* rows counted: some 50 ms of the database's time at worst */
	ARENA = 1024 * 1024,
};

enum {
	GENERATIONS,
	STREAMS,
	RAISE,
	EPOCH,
	ORPHANS,
	WAITING,
	BACKLOG,
	EXPIRED,
	EXPIRE,
	FREED,
	RENEWALS,
	HOLDS,
	FORGET,
	RECORDS,
	DEPTH,
	DONE
};

struct waiting_job {
	struct id id;
	int64_t run_at_ms;
	enum queue_role role;
	uint8_t priority;
};

struct expired_order {
	int32_t tenant;
	struct id order;
	int16_t groups;
};

struct janitor {
	struct round round; /* first: the sweep at work */
	struct worker *w;
	struct audit *audit; /* NULL: off, as the next */
	struct reconciler *reconciler;

	int64_t generations[ID_SHARDS], epoch;
	struct waiting_job *waiting; /* in the sweep's arena */
	uint32_t n_waiting;
	int role; /* whose backlog is looked at */
	struct expired_order *expired;
	uint32_t n_expired, at_expired;
	int64_t after_run; /* where the next page begins; DB_NULL: at the oldest */
	struct id after_id;
	bool more; /* the page was full: sweep again at once */
	int64_t forget_at_ms, records_at_ms, depth_at_ms;
};

static struct janitor *janitor_of(struct flow *fl)
{
	return (struct janitor *)fl;
}

/* Room for a page of rows.  No question asks for more of them than the arena was made for. */
static void *page_of(struct flow *fl, uint32_t rows, size_t size)
{
	void *page = arena_array(&fl->arena, (size_t)rows + 1, size);

	assert(page != NULL);
	return page;
}

/* ---------------------------------------------------------------- what Redis has lost */

static int ask_generations(struct flow *fl)
{
	struct generations_head h = {0};

	return store_ask(fl, janitor_of(fl)->w->store, generations_unit(&h, NULL, 0));
}

static int got_generations(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct generations_row r = generations_row(a, i);
		long long shard;

		if (str_eq(r.name, STR("stock")))
			j->epoch = r.value;
		else if (r.name.n == 3 &&
			 str_to_i64((struct str){r.name.p + 1, 2}, 0, ID_SHARDS - 1, &shard))
			j->generations[shard] = r.value;
	}
	queue_know_generations(j->w->queue, j->generations);
	queue_know_epoch(j->w->queue, j->epoch);
	return queue_is_up(j->w->queue) ? STREAMS : ORPHANS;
}

static int ask_streams(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);

	return queue_ask_generations(fl, j->w->queue, j->generations);
}

static int got_streams(struct flow *fl, const struct answer *a)
{
	uint64_t made = queue_generations_made(a);

	(void)fl;
	if (made == 0)
		return EPOCH;
	metric_add(METRIC_queue_rebuilds, NULL, (uint64_t)__builtin_popcountll(made));
	log_warn("queue_rebuilt", "shards=%d", __builtin_popcountll(made));
	return RAISE;
}

/* Redis has lost what it knew of the stock as well: numbers of another epoch are not believed. */
static int ask_raise(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct generation_raise_head h = {.name = STR("stock"), .expected = j->epoch};

	return store_ask(fl, j->w->store, generation_raise_unit(&h, NULL, 0));
}

static int got_raise(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);

	if (answer_rows(a) > 0) {
		j->epoch = generation_raise_row(a, 0).value;
		queue_know_epoch(j->w->queue, j->epoch);
	}
	return EPOCH;
}

static int ask_epoch(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);

	return queue_ask_epoch(fl, j->w->queue, j->epoch);
}

static int got_epoch(struct flow *fl, const struct answer *a)
{
	(void)fl, (void)a;
	return ORPHANS;
}

/* ---------------------------------------------------------------- jobs nobody works on */

/* Of a paused queue nobody would take it, here and below. */
static void ring(struct janitor *j, struct id job, const struct job_kind *kind, int16_t priority)
{
	if (kind != NULL && !worker_paused(j->w, kind->role))
		queue_ring(j->w->queue,
			   &(struct ring){.job = job,
					  .role = kind->role,
					  .priority = (uint8_t)(priority & 3)},
			   1);
}

static void ring_again(struct janitor *j, struct ring r)
{
	if (worker_paused(j->w, r.role))
		return;
	metric_add(METRIC_queue_rung_again, queue_role_name(r.role), 1);
	queue_ring(j->w->queue, &r, 1);
}

static int ask_orphans(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct jobs_orphaned_head h;

	if (!queue_is_up(j->w->queue))
		return EXPIRED; /* workers take due jobs straight from the database */
	h = (struct jobs_orphaned_head){.most = PAGE};
	return store_ask(fl, j->w->store, jobs_orphaned_unit(&h, NULL, 0));
}

static int got_orphans(struct flow *fl, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct jobs_orphaned_row r = jobs_orphaned_row(a, i);
		const struct job_kind *kind = job_kind_find(r.kind);

		if (kind != NULL)
			ring_again(janitor_of(fl),
				   (struct ring){r.job_id, kind->role, r.priority & 3});
	}
	return WAITING;
}

static int ask_waiting(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct jobs_waiting_head h = {.older_ms = j->w->cfg.sweep_ms,
				      .after_run = j->after_run,
				      .after_id = j->after_id,
				      .most = PAGE};

	return store_ask(fl, j->w->store, jobs_waiting_unit(&h, NULL, 0));
}

static int got_waiting(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);
	uint32_t n = answer_rows(a);

	j->waiting = page_of(fl, n, sizeof(*j->waiting));
	j->n_waiting = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct jobs_waiting_row r = jobs_waiting_row(a, i);
		const struct job_kind *kind = job_kind_find(r.kind);

		j->after_run = r.run_at;
		j->after_id = r.job_id;
		if (kind != NULL && !worker_paused(j->w, kind->role))
			j->waiting[j->n_waiting++] =
				(struct waiting_job){.id = r.job_id,
						     .run_at_ms = r.run_at / 1000,
						     .role = kind->role,
						     .priority = r.priority & 3};
	}
	j->more = n == PAGE;
	if (!j->more)
		j->after_run = DB_NULL;
	j->role = 0;
	return j->n_waiting > 0 ? BACKLOG : EXPIRED;
}

/* The next role that has waiting jobs. */
static bool next_role(struct janitor *j)
{
	for (; j->role < ROLE_COUNT; j->role++)
		for (uint32_t i = 0; i < j->n_waiting; i++)
			if ((int)j->waiting[i].role == j->role)
				return true;
	return false;
}

static int ask_backlog(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);

	if (!next_role(j))
		return EXPIRED;
	return queue_ask_streams(fl, j->w->queue, (enum queue_role)j->role);
}

/*
 * A job is rung when its stream has nothing to deliver, or has delivered something added
 * well after the job became ready: then its own ring was lost.  Else its ring is most
 * likely still in the stream, and a backlog of a million is not rung again and again.
 */
static int got_backlog(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);
	const struct stream_state *states = queue_streams(a);

	for (uint32_t i = 0; i < j->n_waiting; i++) {
		struct waiting_job *job = &j->waiting[i];
		const struct stream_state *s =
			&states[id_shard(job->id) * QUEUE_PRIORITIES + job->priority];

		if ((int)job->role != j->role)
			continue;
		if (s->waiting == 0 || job->run_at_ms + j->w->cfg.sweep_ms < s->last_delivered_ms)
			ring_again(j, (struct ring){job->id, job->role, job->priority});
	}
	j->role++;
	return BACKLOG;
}

/* ---------------------------------------------------------------- orders not paid in time */

static int ask_expired(struct flow *fl)
{
	struct orders_expired_head h = {.most = EXPIRE_MOST};

	return store_ask(fl, janitor_of(fl)->w->store, orders_expired_unit(&h, NULL, 0));
}

static int got_expired(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);

	j->n_expired = answer_rows(a);
	j->at_expired = 0;
	j->expired = page_of(fl, j->n_expired, sizeof(*j->expired));
	for (uint32_t i = 0; i < j->n_expired; i++) {
		struct orders_expired_row r = orders_expired_row(a, i);

		j->expired[i] = (struct expired_order){r.tenant, r.order_id, r.groups};
	}
	return EXPIRE;
}

static int ask_expire(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	const struct expired_order *o = &j->expired[j->at_expired];
	struct order_expire_head h;
	struct order_expire_line *voids;

	if (j->at_expired == j->n_expired)
		return RENEWALS;
	voids = arena_array(&fl->arena, (size_t)o->groups, sizeof(*voids));
	if (voids == NULL)
		return RENEWALS; /* enough for one sweep; the next one goes on */
	h = (struct order_expire_head){
		.tenant = o->tenant, .order_id = o->order, .cause = id_child(o->order)};
	for (int16_t i = 0; i < o->groups; i++)
		voids[i] = (struct order_expire_line){.group_no = (int16_t)(i + 1),
						      .job_id = id_child(o->order)};
	return store_ask(fl, j->w->store, order_expire_unit(&h, voids, (uint32_t)o->groups));
}

static int got_expire(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct id job = order_expire_row(a, i).job_id;

		if (!id_is_zero(job))
			ring(j, job, job_kind_find(STR("payment.void")), 0);
	}
	return FREED;
}

static int ask_freed(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	const struct expired_order *o = &j->expired[j->at_expired++];

	return freed_ask(fl, j->w, o->tenant, o->order);
}

static int got_freed(struct flow *fl, const struct answer *a)
{
	struct janitor *j = janitor_of(fl);

	freed_got(j->w, j->expired[j->at_expired - 1].tenant, a);
	return EXPIRE;
}

/* ------------------------------------------------- authorizations that end before the goods leave
 */

static int ask_renewals(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct payment_renewals_due_head h = {.ahead_s = j->w->cfg.renew_ahead_s,
					      .most = RENEW_MOST};

	return store_ask(fl, j->w->store, payment_renewals_due_unit(&h, NULL, 0));
}

static int got_renewals(struct flow *fl, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++)
		ring(janitor_of(fl), payment_renewals_due_row(a, i).job_id,
		     job_kind_find(STR("payment.renew")), 1);
	return HOLDS;
}

/* ---------------------------------------------------------------- holds */

static int ask_holds(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);

	return queue_is_up(j->w->queue) ? queue_ask_expire_holds(fl, j->w->queue) : FORGET;
}

static int got_holds(struct flow *fl, const struct answer *a)
{
	(void)fl, (void)a;
	return FORGET;
}

/* ---------------------------------------------------------------- what is kept for a while */

static int ask_forget(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct webhooks_forget_head h = {.keep_s = WEBHOOKS_KEEP_S, .most = FORGET_MOST};

	if (clock_mono_ms() < j->forget_at_ms)
		return RECORDS;
	j->forget_at_ms = clock_mono_ms() + FORGET_MS;
	return store_ask(fl, j->w->store, webhooks_forget_unit(&h, NULL, 0));
}

static int got_forget(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0 && webhooks_forget_row(a, 0).forgotten >= FORGET_MOST)
		janitor_of(fl)->forget_at_ms = 0;
	return RECORDS;
}

/* Of one chain a sweep, as long as there is one with rows older than they are kept. */
static int ask_records(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct call_record_cut_head h = {.keep_days = (int32_t)j->w->cfg.call_record_days,
					 .most = RECORDS_MOST};

	if (h.keep_days == 0 || clock_mono_ms() < j->records_at_ms)
		return DEPTH;
	j->records_at_ms = clock_mono_ms() + RECORDS_MS;
	return store_ask(fl, j->w->store, call_record_cut_unit(&h, NULL, 0));
}

static int got_records(struct flow *fl, const struct answer *a)
{
	int64_t gone = answer_rows(a) > 0 ? call_record_cut_row(a, 0).gone : 0;

	if (gone > 0) {
		janitor_of(fl)->records_at_ms = 0;
		log_info("call_records_removed", "rows=%" PRId64, gone);
	}
	return DEPTH;
}

/* ---------------------------------------------------------------- how much there is to do */

static int ask_depth(struct flow *fl)
{
	struct janitor *j = janitor_of(fl);
	struct work_depth_head h = {.most = DEPTH_MOST};

	if (clock_mono_ms() < j->depth_at_ms)
		return DONE;
	j->depth_at_ms = clock_mono_ms() + DEPTH_MS;
	return store_ask(fl, j->w->store, work_depth_unit(&h, NULL, 0));
}

/* What there is none of has no row: it is 0. */
static void forget_depth(void)
{
	static const char *const reasons[] = {"payment", "inventory", "returned", "shipping"};

	for (int r = 0; r < ROLE_JANITOR; r++) {
		const char *role = queue_role_name((enum queue_role)r);

		metric_set(METRIC_queue_ready, role, 0);
		metric_set(METRIC_queue_oldest_seconds, role, 0);
		metric_set(METRIC_queue_dead, role, 0);
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		metric_set(METRIC_order_holds, reasons[i], 0);
}

static int got_depth(struct flow *fl, const struct answer *a)
{
	(void)fl;
	forget_depth();
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct work_depth_row r = work_depth_row(a, i);
		char name[32];

		(void)snprintf(name, sizeof(name), STR_FMT, STR_ARG(r.name));
		if (str_eq(r.what, STR("hold"))) {
			metric_set(METRIC_order_holds, name, r.number);
		} else if (str_eq(r.what, STR("dead"))) {
			metric_set(METRIC_queue_dead, name, r.number);
		} else {
			metric_set(METRIC_queue_ready, name, r.number);
			metric_set(METRIC_queue_oldest_seconds, name, r.oldest_ms / 1000);
		}
	}
	return DONE;
}

/* clang-format off */
static const struct flow_step sweep_steps[] = {
	/*                name           ask              got              ms     on error  next                       */
	[GENERATIONS] = {"generations", ask_generations, got_generations, 10000, DONE,     TO(STREAMS) | TO(ORPHANS)},
	[STREAMS]     = {"streams",     ask_streams,     got_streams,     2000,  ORPHANS,  TO(RAISE) | TO(EPOCH)},
	[RAISE]       = {"raise",       ask_raise,       got_raise,       10000, ORPHANS,  TO(EPOCH)},
	[EPOCH]       = {"epoch",       ask_epoch,       got_epoch,       2000,  ORPHANS,  TO(ORPHANS)},
	[ORPHANS]     = {"orphans",     ask_orphans,     got_orphans,     10000, EXPIRED,  TO(WAITING) | TO(EXPIRED)},
	[WAITING]     = {"waiting",     ask_waiting,     got_waiting,     10000, EXPIRED,  TO(BACKLOG) | TO(EXPIRED)},
	[BACKLOG]     = {"backlog",     ask_backlog,     got_backlog,     2000,  EXPIRED,  TO(BACKLOG) | TO(EXPIRED)},
	[EXPIRED]     = {"expired",     ask_expired,     got_expired,     10000, RENEWALS, TO(EXPIRE)},
	[EXPIRE]      = {"expire",      ask_expire,      got_expire,      30000, RENEWALS, TO(FREED) | TO(RENEWALS)},
	[FREED]       = {"freed",       ask_freed,       got_freed,       10000, EXPIRE,   TO(EXPIRE)},
	[RENEWALS]    = {"renewals",    ask_renewals,    got_renewals,    30000, HOLDS,    TO(HOLDS)},
	[HOLDS]       = {"holds",       ask_holds,       got_holds,       2000,  FORGET,   TO(FORGET)},
	[FORGET]      = {"forget",      ask_forget,      got_forget,      10000, RECORDS,  TO(RECORDS)},
	[RECORDS]     = {"records",     ask_records,     got_records,     10000, DEPTH,    TO(DEPTH)},
	[DEPTH]       = {"depth",       ask_depth,       got_depth,       10000, DONE,     TO(DONE)},
	[DONE]        = {"done"},
};

/* clang-format on */

static int64_t sweep_pause_ms(struct round *r)
{
	struct janitor *j = (struct janitor *)r;

	if (r->fl.cause == ERR_OK)
		metric_set(METRIC_sweep_timestamp_seconds, NULL, clock_wall_us() / 1000000);
	return j->more && r->fl.cause == ERR_OK ? 50 : j->w->cfg.sweep_ms;
}

struct janitor *janitor_new(struct worker *w)
{
	struct janitor *j = mem_alloc(sizeof(*j));

	j->w = w;
	j->after_run = DB_NULL;
	j->forget_at_ms = clock_mono_ms() + FORGET_MS;
	j->round = (struct round){
		.w = w, .name = "sweep", .steps = sweep_steps, .pause_ms = sweep_pause_ms};
	round_begin(&j->round, ARENA);
	if (w->cfg.audit_s > 0)
		j->audit = audit_new(w);
	if (w->cfg.audit_s > 0 && w->gateway_key != NULL)
		j->reconciler = reconciler_new(w);
	return j;
}

void janitor_stop(struct janitor *j)
{
	round_stop(&j->round);
	if (j->audit != NULL)
		audit_stop(j->audit);
	if (j->reconciler != NULL)
		reconciler_stop(j->reconciler);
}

bool janitor_idle(const struct janitor *j)
{
	return round_idle(&j->round) && (j->reconciler == NULL || reconciler_idle(j->reconciler));
}

void janitor_free(struct janitor *j)
{
	if (j->audit != NULL)
		audit_free(j->audit);
	if (j->reconciler != NULL)
		reconciler_free(j->reconciler);
	round_done(&j->round);
	free(j);
}
