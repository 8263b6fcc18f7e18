/*
 * jobs, job show, job retry, job cancel, queues, queue pause, queue resume, stuck.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "orderctl.h"
#include "table.h"

enum { TIME_SIZE = 32, ERROR_SHOWN = 60 };

static int finish(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

#define TEXT(b) (int)(b).len, (b).len > 0 ? (const char *)(b).data : ""

/* UTC, to the second; "-" when there is none. */
static const char *moment(const Google__Protobuf__Timestamp *t, char to[TIME_SIZE])
{
	time_t s = t != NULL ? (time_t)t->seconds : 0;
	struct tm tm;

	if (t == NULL)
		return "-";
	strftime(to, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&s, &tm));
	return to;
}

/* "dead" of JOB_STATE_DEAD */
static const char *short_name(const ProtobufCEnumDescriptor *d, int value, char to[TIME_SIZE])
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(d, value);
	const ProtobufCEnumValue *none = protobuf_c_enum_descriptor_get_value(d, 0);
	size_t prefix = strlen(none->name) - strlen("UNSPECIFIED"), i;

	if (v == NULL)
		return "?";
	for (i = 0; i + 1 < TIME_SIZE && v->name[prefix + i] != '\0'; i++)
		to[i] = (char)tolower((unsigned char)v->name[prefix + i]);
	to[i] = '\0';
	return to;
}

static Orderd__V1__JobState job_state(const char *z)
{
	const ProtobufCEnumDescriptor *d = &orderd__v1__job_state__descriptor;
	char name[TIME_SIZE];

	if (z == NULL)
		return ORDERD__V1__JOB_STATE__JOB_STATE_UNSPECIFIED;
	for (unsigned i = 1; i < d->n_values; i++)
		if (strcasecmp(short_name(d, d->values[i].value, name), z) == 0)
			return (Orderd__V1__JobState)d->values[i].value;
	usage_error("there is no job state %s", z);
}

static void more(ProtobufCBinaryData token)
{
	if (token.len > 0)
		printf("more: --page-token %.*s\n", TEXT(token));
}

/* ---------------------------------------------------------------- jobs */

static void print_jobs(Orderd__V1__Job *const *jobs, size_t n)
{
	struct table *t = table_new("JOB KIND STATE TRIES> DUE ORDER GROUP> ERROR");
	char buf[TIME_SIZE];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Job *j = jobs[i];
		bool cut = j->last_error.len > ERROR_SHOWN;

		table_cell(t, "%.*s", TEXT(j->job_id));
		table_cell(t, "%.*s", TEXT(j->kind));
		table_cell(t, "%s",
			   short_name(&orderd__v1__job_state__descriptor, (int)j->state, buf));
		table_cell(t, "%d", j->attempts);
		table_cell(t, "%s", moment(j->run_time, buf));
		table_cell(t, "%.*s", TEXT(j->order_id));
		table_cell(t, "%d", j->group);
		table_cell(t, "%.*s%s", cut ? ERROR_SHOWN : (int)j->last_error.len,
			   j->last_error.len > 0 ? (const char *)j->last_error.data : "",
			   cut ? "..." : "");
	}
	table_print(t);
}

static void print_job(const Orderd__V1__Job *j)
{
	char buf[TIME_SIZE];

	printf("job        %.*s\n", TEXT(j->job_id));
	printf("kind       %.*s\n", TEXT(j->kind));
	printf("state      %s\n",
	       short_name(&orderd__v1__job_state__descriptor, (int)j->state, buf));
	printf("order      %.*s, group %d\n", TEXT(j->order_id), j->group);
	printf("tries      %d, of which a worker died in %d\n", j->attempts, j->deaths);
	printf("made       %s\n", moment(j->create_time, buf));
	printf("due        %s\n", moment(j->run_time, buf));
	if (j->lease_expire_time != NULL)
		printf("leased to  %.*s until %s\n", TEXT(j->worker),
		       moment(j->lease_expire_time, buf));
	if (j->done_time != NULL)
		printf("done       %s\n", moment(j->done_time, buf));
	if (j->last_error.len > 0)
		printf("error      %.*s\n", TEXT(j->last_error));
}

static int run_jobs(struct args *a)
{
	Orderd__V1__ListJobsRequest rq = ORDERD__V1__LIST_JOBS_REQUEST__INIT;
	Orderd__V1__ListJobsResponse *rs;
	struct orderd_error e;

	rq.order_id = text(option(a, "order"));
	rq.state = job_state(option_or(a, "state", rq.order_id.len > 0 ? NULL : "dead"));
	rq.kind = text(option(a, "kind"));
	rq.role = text(option(a, "queue"));
	rq.page_size = small_number(option_or(a, "page-size", "0"), "--page-size");
	rq.page_token = text(option(a, "page-token"));
	rs = orderd_list_jobs(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
	} else {
		print_jobs(rs->jobs, rs->n_jobs);
		more(rs->next_page_token);
	}
	return finish(&rs->base);
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
		print_job(rs->job);
	return finish(&rs->base);
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
		print_job(rs->job);
	return finish(&rs->base);
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
	return finish(&rs->base);
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
	filter.state = job_state(need(a, "state"));
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
	char buf[TIME_SIZE];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Queue *q = queues[i];

		table_cell(t, "%.*s", TEXT(q->role));
		table_cell(t, "%s", q->paused ? "paused" : "open");
		table_cell(t, "%" PRId64 "%s", q->ready, q->at_least ? "+" : "");
		table_cell(t, "%" PRId64 "%s", q->later, q->at_least ? "+" : "");
		table_cell(t, "%" PRId64, q->running);
		table_cell(t, "%" PRId64 "%s", q->dead, q->at_least ? "+" : "");
		if (q->streams_known)
			table_cell(t, "%" PRId64, q->streams_waiting);
		else
			table_cell(t, "?");
		table_cell(t, "%s", moment(q->oldest_ready_time, buf));
		table_cell(t, "%.*s", TEXT(q->changed_by));
		table_cell(t, "%.*s", TEXT(q->reason));
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
	return finish(&rs->base);
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
	return finish(&rs->base);
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
	return finish(&rs->base);
}

/* ---------------------------------------------------------------- stuck */

static void print_stuck(Orderd__V1__StuckOrder *const *orders, size_t n)
{
	struct table *t = table_new("NUMBER> ORDER STATE WHY GROUP> SINCE WHAT ADVICE");
	char buf[TIME_SIZE];

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < orders[i]->n_causes; k++) {
			const Orderd__V1__StuckOrder *o = orders[i];
			const Orderd__V1__StuckCause *c = o->causes[k];

			table_cell(t, "%" PRId64, o->order_number);
			table_cell(t, "%.*s", TEXT(o->order_id));
			table_cell(t, "%s",
				   short_name(&orderd__v1__order_state__descriptor, (int)o->state,
					      buf));
			table_cell(t, "%s",
				   short_name(&orderd__v1__stuck_reason__descriptor, (int)c->reason,
					      buf));
			table_cell(t, "%d", c->group);
			table_cell(t, "%s", moment(c->since_time, buf));
			table_cell(t, "%.*s%s%.*s", TEXT(c->subject), c->detail.len > 0 ? ": " : "",
				   TEXT(c->detail));
			table_cell(t, "%.*s", TEXT(c->advice));
		}
	table_print(t);
}

static int run_stuck(struct args *a)
{
	Orderd__V1__ListStuckOrdersRequest rq = ORDERD__V1__LIST_STUCK_ORDERS_REQUEST__INIT;
	Orderd__V1__ListStuckOrdersResponse *rs;
	struct orderd_error e;

	rq.unmoved_seconds = number(option_or(a, "unmoved", "0"), "--unmoved");
	rq.page_size = small_number(option_or(a, "page-size", "0"), "--page-size");
	rq.page_token = text(option(a, "page-token"));
	rs = orderd_list_stuck_orders(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
	} else {
		print_stuck(rs->orders, rs->n_orders);
		more(rs->next_page_token);
	}
	return finish(&rs->base);
}

const struct command ops_commands[] = {
	{NULL, "jobs",
	 "[--state JOB_STATE] [--kind KIND] [--queue QUEUE] [--order ORDER] [--page-size N] "
	 "[--page-token T]",
	 0, "jobs that are dead, ready or running, or all of an order that are not done", run_jobs},
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
	{NULL, "stuck", "[--unmoved SECONDS] [--page-size N] [--page-token T]", 0,
	 "orders that somebody should look at, with why and what to do", run_stuck},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
