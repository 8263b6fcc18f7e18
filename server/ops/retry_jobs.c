/*
 * RetryJobs: bring back what is dead, or what was put off.
 *
 *	look --+--> look				so many looked at, not enough found
 *	       +--> reply				only to be counted
 *	       +--> retry --+--> reply
 *	                    +--> find --> action --> reply	this request_id was here before
 *
 * look finds candidates without a lock, at most JOB_ROUNDS questions of JOB_SCAN jobs; retry
 * decides again under lock, in one unit, and leaves out what somebody is at work on.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/ops/job_message.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watches.h"

enum { LOOK, RETRY, FIND, ACTION, DONE };

enum { RETRY_MOST = 500 /* jobs per call: one statement, and their orders' locks */ };

struct retrying {
	struct job_list_head look;
	struct str request_id, fingerprint, subject;
	struct jobs_retry_line lines[RETRY_MOST];
	struct id action;
	uint32_t n_lines;
	int rounds;
	int64_t matched; /* validate_only */
	bool count_only, one;
	bool fit; /* the one was dead or put off when it was looked at */
	bool more;
};

static int reply(struct flow *fl, int64_t count, bool more)
{
	Orderd__V1__RetryJobsResponse rs = ORDERD__V1__RETRY_JOBS_RESPONSE__INIT;

	rs.count = count;
	rs.more = more;
	return rpc_ok(fl, &rs.base);
}

/* ---------------------------------------------------------------- the request */

static void read_filter(struct flow *fl, struct retrying *t, const Orderd__V1__JobFilter *f)
{
	struct job_list_head *h = &t->look;
	char *subject;

	if (f->state != ORDERD__V1__JOB_STATE__JOB_STATE_DEAD &&
	    f->state != ORDERD__V1__JOB_STATE__JOB_STATE_READY)
		rpc_violation(fl, "it is DEAD, or READY", "filter.state");
	h->state = job_state_name(f->state);
	h->later = f->state == ORDERD__V1__JOB_STATE__JOB_STATE_READY;
	read_job_filter(fl, f->kind, f->role, "filter.", h);
	h->error = may_text(fl, f->last_error_prefix, REQUEST_NAME_MAX, "filter.last_error_prefix");
	if (f->created_after != NULL)
		h->made_from = timestamp_us(f->created_after);
	if (f->created_before != NULL)
		h->made_before = timestamp_us(f->created_before);
	subject = arena_printf(&fl->arena,
			       STR_FMT " kind=" STR_FMT " role=" STR_FMT " error=" STR_FMT
				       " after=%" PRId64 " before=%" PRId64,
			       STR_ARG(h->state), STR_ARG(h->kind), STR_ARG(h->role),
			       STR_ARG(h->error), h->made_from != DB_NULL ? h->made_from : 0,
			       h->made_before != DB_NULL ? h->made_before : 0);
	t->subject = str_of(subject != NULL ? subject : "");
}

static bool read_request(struct flow *fl, struct retrying *t)
{
	const Orderd__V1__RetryJobsRequest *rq = rpc_request(fl);
	Orderd__V1__RetryJobsRequest body = *rq;

	t->look = (struct job_list_head){.tenant = rpc_identity(fl)->tenant,
					 .made_from = DB_NULL,
					 .made_before = DB_NULL,
					 .after_at = DB_NULL,
					 .scan = JOB_SCAN};
	t->one = rq->job_id.len > 0;
	t->count_only = rq->validate_only;
	if (t->one == (rq->filter != NULL))
		rpc_violation(fl, "either it or filter is required", "job_id");
	else if (t->one)
		t->look.job_id = fl->subject = want_id(fl, rq->job_id, "job_id");
	else
		read_filter(fl, t, rq->filter);
	if (t->one)
		t->subject = text_of(rq->job_id);
	if (!t->count_only)
		t->request_id = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	body.request_id = (ProtobufCBinaryData){0, NULL};
	t->fingerprint = request_fingerprint(fl, &body.base);
	t->action = id_new();
	return !rpc_has_violations(fl);
}

/* ---------------------------------------------------------------- look */

static int ask_look(struct flow *fl)
{
	struct retrying *t = rpc_state(fl);

	if (t->rounds == 0 && !read_request(fl, t))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (t->fingerprint.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	t->rounds++;
	if (t->one)
		return ask_job(fl, t->look.job_id);
	t->look.most = t->count_only ? 0 : (int32_t)(RETRY_MOST + 1 - t->n_lines);
	return store_ask(fl, rpc_app(fl)->store, job_list_unit(&t->look, NULL, 0));
}

/* One that is not there is told at once; whether it is retried is decided under its lock. */
static int got_one(struct flow *fl, struct retrying *t, const struct answer *a)
{
	struct job_list_row r;

	if (!got_job(fl, t->look.job_id, a, &r))
		return FLOW_FAIL;
	t->fit = str_eq(r.state, STR("dead")) ||
		 (str_eq(r.state, STR("ready")) && r.run_at > clock_wall_us());
	if (t->count_only)
		return reply(fl, t->fit ? 1 : 0, false);
	t->lines[t->n_lines++].job_id = r.job_id;
	return RETRY;
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct retrying *t = rpc_state(fl);
	uint32_t n = answer_rows(a);
	struct job_list_row r = {0};

	if (t->one)
		return got_one(fl, t, a);
	for (uint32_t i = 0; i < n; i++) {
		r = job_list_row(a, i);
		if (!r.hit || t->count_only)
			continue;
		if (t->n_lines == RETRY_MOST) {
			t->more = true;
			return RETRY;
		}
		t->lines[t->n_lines++].job_id = r.job_id;
	}
	t->matched += r.hits;
	t->more = n > 0 && r.full;
	if (t->more && t->rounds < JOB_ROUNDS) {
		t->look.after_at = r.at;
		t->look.after_id = r.job_id;
		return LOOK;
	}
	return t->count_only ? reply(fl, t->matched, t->more) : RETRY;
}

/* ---------------------------------------------------------------- retry */

static int ask_retry(struct flow *fl)
{
	struct retrying *t = rpc_state(fl);
	struct jobs_retry_head h = {.tenant = rpc_identity(fl)->tenant,
				    .request_method = REQUEST_RETRY_JOBS,
				    .request_key = t->request_id,
				    .fingerprint = t->fingerprint,
				    .action_id = t->action,
				    .subject = t->subject,
				    .actor = rpc_identity(fl)->subject,
				    .more = t->more};

	return store_ask(fl, rpc_app(fl)->store, jobs_retry_unit(&h, t->lines, t->n_lines));
}

static int got_retry(struct flow *fl, const struct answer *a)
{
	struct retrying *t = rpc_state(fl);
	int64_t retried = 0;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct jobs_retry_row r = jobs_retry_row(a, i);

		if (str_eq(r.outcome, STR("seen")))
			return FIND;
		if (!str_eq(r.outcome, STR("retried")))
			continue;
		ring_job(fl, r.job_id, r.kind, r.priority);
		order_moved(rpc_app(fl), r.order_id);
		retried++;
	}
	if (t->one && retried == 0)
		return rpc_fail(fl, t->fit ? ERR_CLASH : ERR_JOB_NOT_RETRYABLE);
	return reply(fl, retried, t->more || retried < (int64_t)t->n_lines);
}

/* ---------------------------------------------------------------- here before */

static int ask_find(struct flow *fl)
{
	struct retrying *t = rpc_state(fl);

	return ask_request_find(fl, REQUEST_RETRY_JOBS, t->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct retrying *t = rpc_state(fl);

	if (!got_request_find(fl, t->fingerprint, a, &t->action))
		/* Seen, and not there: cannot be. */
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return ACTION;
}

static int ask_action(struct flow *fl)
{
	struct retrying *t = rpc_state(fl);
	struct operator_action_find_head h = {.tenant = rpc_identity(fl)->tenant,
					      .action_id = t->action};

	return store_ask(fl, rpc_app(fl)->store, operator_action_find_unit(&h, NULL, 0));
}

static int got_action(struct flow *fl, const struct answer *a)
{
	struct operator_action_find_row r;

	if (answer_rows(a) == 0)
		return rpc_fail(fl, ERR_INTERNAL);
	r = operator_action_find_row(a, 0);
	return reply(fl, r.jobs, r.more);
}

/* clang-format off */
static const struct flow_step retry_jobs_steps[] = {
	/*           name      ask         got         ms      on error  next                            */
	[LOOK]   = {"look",   ask_look,   got_look,   5000,   DONE,     TO(LOOK) | TO(RETRY) | TO(DONE)},
	[RETRY]  = {"retry",  ask_retry,  got_retry,  600000, DONE,     TO(FIND) | TO(DONE)},
	[FIND]   = {"find",   ask_find,   got_find,   5000,   DONE,     TO(ACTION)},
	[ACTION] = {"action", ask_action, got_action, 5000,   DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_RETRY_JOBS = {
	.path = "/orderd.v1.OpsService/RetryJobs",
	.name = "retry_jobs",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__retry_jobs_request__descriptor,
	.response = &orderd__v1__retry_jobs_response__descriptor,
	.steps = retry_jobs_steps,
	.state_size = sizeof(struct retrying),
};
