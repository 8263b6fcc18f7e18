/*
 * GetJob and ListJobs.
 *
 * A list goes by keyset: a page ends at a time (when the job is due, its lease ends, or it was
 * made: what its state is listed by) and an id.  A filter for which there is no index looks at
 * JOB_SCAN jobs a call, so a page may be short, and its token goes on behind the last one looked
 * at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/ops/job_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

/* ---------------------------------------------------------------- GetJob */

enum { VIEW, VIEW_DONE };

static int ask_view(struct flow *fl)
{
	const Orderd__V1__GetJobRequest *rq = rpc_request(fl);

	fl->subject = want_id(fl, rq->job_id, "job_id");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return ask_job(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	Orderd__V1__GetJobResponse rs = ORDERD__V1__GET_JOB_RESPONSE__INIT;
	struct job_list_row r;

	if (!got_job(fl, fl->subject, a, &r))
		return FLOW_FAIL;
	rs.job = job_message(fl, &r);
	return rs.job != NULL ? rpc_ok(fl, &rs.base) : rpc_fail(fl, ERR_TOO_LARGE);
}

/* clang-format off */
static const struct flow_step get_job_steps[] = {
	/*              name    ask       got       ms    on error   next         */
	[VIEW]      = {"view", ask_view, got_view, 5000, VIEW_DONE, TO(VIEW_DONE)},
	[VIEW_DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_JOB = {
	.path = "/orderd.v1.OpsService/GetJob",
	.name = "get_job",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_job_request__descriptor,
	.response = &orderd__v1__get_job_response__descriptor,
	.steps = get_job_steps,
};

/* ---------------------------------------------------------------- ListJobs */

enum {
	PAGE_DEFAULT = 50,
	JOBS_ORDINARY = 40, /* so many fit an ordinary flow's arena */
	JOB_MEMORY = 2048,  /* one on its way: its message and the answer */
	FILTER_SIZE = 2 * JOB_KIND_MAX + ID_TEXT_SIZE + 16
};

_Static_assert((int)FILTER_SIZE <= (int)PAGE_FILTER_MAX, "a token is of this filter");

enum { PAGE, PAGE_DONE };

struct listing {
	struct job_list_head head;
	int32_t page;
};

static struct str filter_of(struct flow *fl, char text[FILTER_SIZE])
{
	const struct job_list_head *h = &((struct listing *)rpc_state(fl))->head;
	char id[ID_TEXT_SIZE];
	int n = snprintf(text, FILTER_SIZE, STR_FMT "|" STR_FMT "|" STR_FMT "|%s",
			 STR_ARG(h->state), STR_ARG(h->kind), STR_ARG(h->role),
			 id_format(h->order_id, id));

	return (struct str){text, (size_t)n};
}

/* "<microseconds>.<job>" */
static bool open_token(struct flow *fl, struct str token, struct job_list_head *h)
{
	char text[FILTER_SIZE];
	struct str place = page_token_open(fl, "jobs", filter_of(fl, text), token);
	const char *dot = place.p != NULL ? memchr(place.p, '.', place.n) : NULL;
	size_t at = dot != NULL ? (size_t)(dot - place.p) : 0;
	long long us;

	if (dot == NULL || !str_to_i64((struct str){place.p, at}, INT64_MIN + 1, INT64_MAX, &us) ||
	    !id_parse((struct str){dot + 1, place.n - at - 1}, &h->after_id))
		return false;
	h->after_at = us;
	return true;
}

static struct str make_token(struct flow *fl, const struct job_list_row *last)
{
	char filter[FILTER_SIZE], place[PAGE_PLACE_MAX], id[ID_TEXT_SIZE];
	int n = snprintf(place, sizeof(place), "%" PRId64 ".%s", last->at,
			 id_format(last->job_id, id));

	return page_token_make(fl, "jobs", filter_of(fl, filter), (struct str){place, (size_t)n});
}

static void read_state(struct flow *fl, const Orderd__V1__ListJobsRequest *rq,
		       struct job_list_head *h)
{
	bool of_order = rq->order_id.len > 0;

	if (of_order)
		h->order_id = want_id(fl, rq->order_id, "order_id");
	if (rq->state != ORDERD__V1__JOB_STATE__JOB_STATE_UNSPECIFIED)
		h->state = job_state_name(rq->state);
	if (rq->state == ORDERD__V1__JOB_STATE__JOB_STATE_DONE)
		rpc_violation(fl, "jobs that are done are not listed", "state");
	else if (!of_order && rq->state == ORDERD__V1__JOB_STATE__JOB_STATE_PARKED)
		rpc_violation(fl, "parked jobs are listed with an order_id", "state");
	else if (!of_order && h->state.n == 0)
		rpc_violation(fl, "it, or an order_id, is required", "state");
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListJobsRequest *rq = rpc_request(fl);
	int64_t most = rpc_app(fl)->cfg.max_page;
	struct listing *l = rpc_state(fl);
	struct job_list_head *h = &l->head;

	*h = (struct job_list_head){.tenant = rpc_identity(fl)->tenant,
				    .made_from = DB_NULL,
				    .made_before = DB_NULL,
				    .after_at = DB_NULL};
	read_state(fl, rq, h);
	read_job_filter(fl, rq->kind, rq->role, "", h);
	l->page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (l->page == 0)
		l->page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	if (!rpc_has_violations(fl) && rq->page_token.len > 0 &&
	    !open_token(fl, text_of(rq->page_token), h))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	h->most = l->page + 1;
	h->scan = h->kind.n > 0 || h->role.n > 0 ? JOB_SCAN : h->most;
	return store_ask(fl, rpc_app(fl)->store, job_list_unit(h, NULL, 0));
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ListJobsResponse rs = ORDERD__V1__LIST_JOBS_RESPONSE__INIT;
	struct listing *l = rpc_state(fl);
	uint32_t n = answer_rows(a), i;
	struct job_list_row r, last = {0};
	bool more = false;

	if (n > JOBS_ORDINARY && !rpc_grow(fl, (size_t)n * JOB_MEMORY))
		return rpc_fail(fl, ERR_OVERLOADED);
	rs.jobs = arena_array(&fl->arena, (size_t)l->page + 1, sizeof(*rs.jobs));
	if (rs.jobs == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (i = 0; i < n && !more; i++) {
		r = job_list_row(a, i);
		more = r.hit && rs.n_jobs == (size_t)l->page;
		if (!more)
			last = r;
		if (r.hit && !more && (rs.jobs[rs.n_jobs++] = job_message(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	if (more || (n > 0 && last.full)) {
		rs.next_page_token = data_of(make_token(fl, &last));
		if (rs.next_page_token.len == 0)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_jobs_steps[] = {
	/*              name    ask       got       ms    on error   next         */
	[PAGE]      = {"page", ask_page, got_page, 5000, PAGE_DONE, TO(PAGE_DONE)},
	[PAGE_DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_JOBS = {
	.path = "/orderd.v1.OpsService/ListJobs",
	.name = "list_jobs",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_jobs_request__descriptor,
	.response = &orderd__v1__list_jobs_response__descriptor,
	.steps = list_jobs_steps,
	.state_size = sizeof(struct listing),
};
