/*
 * jobs, job show, job retry, job cancel, queues, queue pause, queue resume, stuck.
 */
#include <inttypes.h>
#include <stdio.h>

#include "enums.h"
#include "orderctl.h"
#include "pages.h"
#include "show.h"

enum { ERROR_SHOWN = 60 };

static const char *moment(const Google__Protobuf__Timestamp *t, char to[TIME_ROOM])
{
	print_time_to(to, TIME_ROOM, t, 0);
	return to;
}

static Orderd__V1__JobState asked_state(const struct args *a)
{
	return (Orderd__V1__JobState)enum_option(a, "state", &orderd__v1__job_state__descriptor);
}

/* ---------------------------------------------------------------- jobs */

static void jobs_rows(struct table *t, Orderd__V1__Job *const *jobs, size_t n)
{
	char when[TIME_ROOM];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Job *j = jobs[i];
		bool cut = j->last_error.len > ERROR_SHOWN;

		table_cell(t, "%.*s", BYTES(j->job_id));
		table_cell(t, "%.*s", BYTES(j->kind));
		table_state(t, enum_name(&orderd__v1__job_state__descriptor, (int)j->state));
		table_cell(t, "%d", j->attempts);
		table_cell(t, "%s", moment(j->run_time, when));
		table_cell(t, "%.*s", BYTES(j->order_id));
		table_cell(t, "%d", j->group);
		table_cell(t, "%.*s%s", cut ? ERROR_SHOWN : (int)j->last_error.len,
			   (const char *)j->last_error.data, cut ? "..." : "");
	}
	table_page(t);
}

static void show_job(const Orderd__V1__Job *j)
{
	struct table *t = fields_new();
	char when[TIME_ROOM];

	field(t, "Job", "%.*s", BYTES(j->job_id));
	field(t, "Kind", "%.*s", BYTES(j->kind));
	field_state(t, "State", enum_name(&orderd__v1__job_state__descriptor, (int)j->state));
	field(t, "Order", "%.*s, group %d", BYTES(j->order_id), j->group);
	field(t, "Tries", "%d, of which a worker died in %d", j->attempts, j->deaths);
	field(t, "Made", "%s", moment(j->create_time, when));
	field(t, "Due", "%s", moment(j->run_time, when));
	if (j->lease_expire_time != NULL)
		field(t, "Leased", "to %.*s until %s", BYTES(j->worker),
		      moment(j->lease_expire_time, when));
	if (j->done_time != NULL)
		field(t, "Done", "%s", moment(j->done_time, when));
	field(t, "Error", "%.*s", BYTES(j->last_error));
	table_print(t);
}

static const ProtobufCMessage *jobs_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListJobsRequest *rq = p->request;
	Orderd__V1__ListJobsResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_jobs(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		jobs_rows(p->table, rs->jobs, rs->n_jobs);
	p->rows = rs->n_jobs;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_jobs(struct args *a)
{
	Orderd__V1__ListJobsRequest rq = ORDERD__V1__LIST_JOBS_REQUEST__INIT;

	rq.order_id = text(option(a, "order"));
	rq.state = asked_state(a);
	if (rq.order_id.len == 0 && !flag(a, "state"))
		rq.state = ORDERD__V1__JOB_STATE__JOB_STATE_DEAD;
	rq.kind = text(option(a, "kind"));
	rq.role = text(option(a, "queue"));
	return list_pages(a, jobs_page, &rq,
			  table_new("JOB KIND STATE TRIES> DUE ORDER GROUP> ERROR"));
}

static int run_job_show(struct args *a)
{
	Orderd__V1__GetJobRequest rq = ORDERD__V1__GET_JOB_REQUEST__INIT;
	Orderd__V1__GetJobResponse *rs;
	struct orderd_error e;

	rq.job_id = text(word(a, 0, "the job's id"));
	rs = orderd_get_job(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		show_job(rs->job);
	return done_with(&rs->base);
}

static int run_job_cancel(struct args *a)
{
	Orderd__V1__CancelJobRequest rq = ORDERD__V1__CANCEL_JOB_REQUEST__INIT;
	Orderd__V1__CancelJobResponse *rs;
	struct orderd_error e;

	rq.job_id = text(word(a, 0, "the job's id"));
	rq.reason = text(option(a, "reason"));
	rq.request_id = text(request_id(a));
	rs = orderd_cancel_job(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		show_job(rs->job);
	return done_with(&rs->base);
}

/* ---------------------------------------------------------------- job retry */

/* One call; its count and whether there is more, or an exit code. */
static int retry_once(struct args *a, const Orderd__V1__RetryJobsRequest *rq, int64_t *ret_count,
		      bool *ret_more)
{
	Orderd__V1__RetryJobsResponse *rs;
	struct orderd_error e;

	rs = orderd_retry_jobs(a->client, rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	*ret_count = rs->count;
	*ret_more = rs->more;
	return done_with(&rs->base);
}

static int tell_retried(const struct args *a, int64_t count, bool more_left, bool only_counted)
{
	Orderd__V1__RetryJobsResponse rs = ORDERD__V1__RETRY_JOBS_RESPONSE__INIT;

	rs.count = count;
	rs.more = more_left;
	if (a->json)
		print_json(&rs.base);
	else if (only_counted)
		printf("%s%" PRId64 " jobs match; --yes retries them\n",
		       more_left ? "at least " : "", count);
	else
		printf("%" PRId64 " jobs retried%s\n", count, more_left ? ", there are more" : "");
	return 0;
}

/* As many as matched at first: those that die again meanwhile are not tried for ever. */
static int retry_all(struct args *a, Orderd__V1__RetryJobsRequest *rq)
{
	int64_t matched = 0, count = 0, total = 0;
	const char *base;
	char id[160];
	bool left = false;
	int code;

	rq->validate_only = true;
	code = retry_once(a, rq, &matched, &left);
	if (code != 0 || !flag(a, "yes"))
		return code != 0 ? code : tell_retried(a, matched, left, true);
	rq->validate_only = false;
	base = request_id(a);
	for (int call = 0; matched > 0 && total < matched; call++) {
		snprintf(id, sizeof(id), "%.128s/%d", base, call);
		rq->request_id = text(call > 0 ? id : base); /* each call is a request of its own */
		code = retry_once(a, rq, &count, &left);
		if (code != 0)
			return code;
		total += count;
		if (!left || count == 0)
			break;
	}
	return tell_retried(a, total, matched > 0 && left, false);
}

static int run_job_retry(struct args *a)
{
	Orderd__V1__RetryJobsRequest rq = ORDERD__V1__RETRY_JOBS_REQUEST__INIT;
	Orderd__V1__JobFilter filter = ORDERD__V1__JOB_FILTER__INIT;
	int64_t count = 0;
	bool left = false;
	int code;

	if (a->n_words > 0) {
		if (option(a, "state") != NULL || option(a, "kind") != NULL ||
		    option(a, "queue") != NULL || option(a, "error") != NULL)
			usage_error("either a job's id or a filter");
		rq.job_id = text(a->words[0]);
		rq.request_id = text(request_id(a));
		code = retry_once(a, &rq, &count, &left);
		return code != 0 ? code : tell_retried(a, count, left, false);
	}
	(void)need(a, "state");
	filter.state = asked_state(a);
	filter.kind = text(option(a, "kind"));
	filter.role = text(option(a, "queue"));
	filter.last_error_prefix = text(option(a, "error"));
	rq.filter = &filter;
	return retry_all(a, &rq);
}

/* ---------------------------------------------------------------- queues */

static void print_queues(Orderd__V1__Queue *const *queues, size_t n)
{
	struct table *t =
		table_new("QUEUE STATE READY> LATER> RUNNING> DEAD> RINGS> OLDEST BY REASON");
	char when[TIME_ROOM];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Queue *q = queues[i];

		table_cell(t, "%.*s", BYTES(q->role));
		table_state(t, q->paused ? "paused" : "open");
		table_cell(t, "%" PRId64 "%s", q->ready, q->at_least ? "+" : "");
		table_cell(t, "%" PRId64 "%s", q->later, q->at_least ? "+" : "");
		table_cell(t, "%" PRId64, q->running);
		table_cell(t, "%" PRId64 "%s", q->dead, q->at_least ? "+" : "");
		if (q->streams_known)
			table_cell(t, "%" PRId64, q->streams_waiting);
		else
			table_cell(t, "?");
		table_cell(t, "%s", moment(q->oldest_ready_time, when));
		table_cell(t, "%.*s", BYTES(q->changed_by));
		table_cell(t, "%.*s", BYTES(q->reason));
	}
	table_print(t);
}

static int run_queues(struct args *a)
{
	Orderd__V1__ListQueuesRequest rq = ORDERD__V1__LIST_QUEUES_REQUEST__INIT;
	Orderd__V1__ListQueuesResponse *rs;
	struct orderd_error e;

	rs = orderd_list_queues(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_queues(rs->queues, rs->n_queues);
	return done_with(&rs->base);
}

static int run_queue_pause(struct args *a)
{
	Orderd__V1__PauseQueueRequest rq = ORDERD__V1__PAUSE_QUEUE_REQUEST__INIT;
	Orderd__V1__PauseQueueResponse *rs;
	struct orderd_error e;

	rq.role = text(word(a, 0, "the queue: payment, fulfillment, shipping or notification"));
	rq.reason = text(need(a, "reason"));
	rq.request_id = text(request_id(a));
	rs = orderd_pause_queue(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_queues(&rs->queue, 1);
	return done_with(&rs->base);
}

static int run_queue_resume(struct args *a)
{
	Orderd__V1__ResumeQueueRequest rq = ORDERD__V1__RESUME_QUEUE_REQUEST__INIT;
	Orderd__V1__ResumeQueueResponse *rs;
	struct orderd_error e;

	rq.role = text(word(a, 0, "the queue: payment, fulfillment, shipping or notification"));
	rq.reason = text(option(a, "reason"));
	rq.request_id = text(request_id(a));
	rs = orderd_resume_queue(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_queues(&rs->queue, 1);
	return done_with(&rs->base);
}

/* ---------------------------------------------------------------- stuck */

static void stuck_rows(struct table *t, Orderd__V1__StuckOrder *const *orders, size_t n)
{
	char when[TIME_ROOM];

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < orders[i]->n_causes; k++) {
			const Orderd__V1__StuckOrder *o = orders[i];
			const Orderd__V1__StuckCause *c = o->causes[k];

			table_cell(t, "%" PRId64, o->order_number);
			table_cell(t, "%.*s", BYTES(o->order_id));
			table_state(t, order_state((int)o->state));
			table_cell(
				t, "%s",
				enum_name(&orderd__v1__stuck_reason__descriptor, (int)c->reason));
			table_cell(t, "%d", c->group);
			table_cell(t, "%s", moment(c->since_time, when));
			table_cell(t, "%.*s%s%.*s", BYTES(c->subject),
				   c->detail.len > 0 ? ": " : "", BYTES(c->detail));
			table_cell(t, "%.*s", BYTES(c->advice));
		}
	table_page(t);
}

static const ProtobufCMessage *stuck_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListStuckOrdersRequest *rq = p->request;
	Orderd__V1__ListStuckOrdersResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_stuck_orders(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		stuck_rows(p->table, rs->orders, rs->n_orders);
	p->rows = rs->n_orders;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_stuck(struct args *a)
{
	Orderd__V1__ListStuckOrdersRequest rq = ORDERD__V1__LIST_STUCK_ORDERS_REQUEST__INIT;

	rq.unmoved_seconds = number(option_or(a, "unmoved", "0"), "--unmoved");
	return list_pages(a, stuck_page, &rq,
			  table_new("NUMBER> ORDER STATE WHY GROUP> SINCE WHAT ADVICE"));
}

const struct command ops_commands[] = {
	{NULL, "jobs",
	 "[--state JOB_STATE] [--kind KIND] [--queue QUEUE] [--order ORDER] " PAGES_USAGE, 0,
	 "jobs that are dead, ready or running, or all of an order that are not done", run_jobs},
	{"job", "show", "JOB", 1, "one job", run_job_show},
	{"job", "retry",
	 "[--state dead|ready] [--kind KIND] [--queue QUEUE] [--error PREFIX] [--yes] "
	 "[--request-id ID] [JOB]",
	 1, "bring back one job, or count those that match and, with --yes, bring them back",
	 run_job_retry},
	{"job", "cancel", "[--reason TEXT] [--request-id ID] JOB", 1,
	 "give up a job that waits; its order is held until the job is retried", run_job_cancel},
	{NULL, "queues", "", 0, "what is in the queues, and whether they are paused", run_queues},
	{"queue", "pause", "--reason TEXT [--request-id ID] QUEUE", 1,
	 "let no worker take its jobs; orders are placed as before", run_queue_pause},
	{"queue", "resume", "[--reason TEXT] [--request-id ID] QUEUE", 1,
	 "let workers take its jobs again", run_queue_resume},
	{NULL, "stuck", "[--unmoved SECONDS] " PAGES_USAGE, 0,
	 "orders that somebody should look at, with why and what to do", run_stuck},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
