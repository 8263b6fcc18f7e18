/*
 * One call: from the request to libcurl's settings, and from its end to an answer.
 *
 * The line between "nothing was sent" and "it may have acted" is on_request(), which
 * libcurl calls when the connection stands, TLS included, right before the first byte
 * of the request.  It also keeps libcurl from quietly sending a POST a second time when
 * a kept connection turns out to be dead: that is for the flow to decide.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/mem.h"
#include "core/http/transfer.h"

enum { HEADER_MAX = 128, BODY_STEP = 4096 };

struct call {
	struct transfer t; /* first */
	struct curl_slist *headers;
	bool safe; /* a GET: sending it twice does no harm */
	bool too_large;
	char *body;
	size_t n, room, cap;
	char retry_after[HEADER_MAX];
	char should_retry[HEADER_MAX];
	char request_id[HEADER_MAX];
};

/* ---- libcurl calls back ---- */

static int on_request(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct call *call = arg;

	(void)peer;
	(void)local;
	(void)peer_port;
	(void)local_port;
	if (call->t.sent && !call->safe)
		return CURL_PREREQFUNC_ABORT; /* the second time */
	if (!call->t.sent && call->t.op.given_up)
		return CURL_PREREQFUNC_ABORT; /* nobody waits, and nothing has happened yet */
	transfer_sent(&call->t);
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct call *call = arg;
	size_t n = size * count;

	if (n > call->cap - call->n) {
		call->too_large = true;
		return 0;
	}
	if (call->n + n > call->room) {
		call->room = (call->n + n) * 2 + BODY_STEP;
		call->body = mem_grow(call->body, call->room, 1);
	}
	if (n > 0)
		memcpy(call->body + call->n, data, n);
	call->n += n;
	return n;
}

static void keep_header(const char *line, size_t n, const char *name, char ret[HEADER_MAX])
{
	size_t name_n = strlen(name);

	if (n <= name_n || line[name_n] != ':' || strncasecmp(line, name, name_n) != 0)
		return;
	line += name_n + 1;
	n -= name_n + 1;
	while (n > 0 && (line[0] == ' ' || line[0] == '\t')) {
		line++;
		n--;
	}
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	if (n >= HEADER_MAX) /* none of them is that long; a cut one would mislead */
		return;
	memcpy(ret, line, n);
	ret[n] = '\0';
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct call *call = arg;
	size_t n = size * count;

	keep_header(data, n, "Retry-After", call->retry_after);
	keep_header(data, n, "Stripe-Should-Retry", call->should_retry);
	keep_header(data, n, "Request-Id", call->request_id);
	return n;
}

/* ---- before ---- */

static bool add_header(struct call *call, const char *line)
{
	struct curl_slist *longer;

	if (!transfer_line_ok(str_of(line)))
		return false;
	longer = curl_slist_append(call->headers, line);
	if (longer == NULL)
		abort();
	call->headers = longer;
	return true;
}

static bool add_trace(struct call *call, const struct trace *t)
{
	char line[sizeof("traceparent: ") + TRACE_PARENT_SIZE], parent[TRACE_PARENT_SIZE];

	if (trace_is_none(t))
		return true;
	(void)snprintf(line, sizeof(line), "traceparent: %s", trace_parent(t, parent));
	return add_header(call, line);
}

static bool set_headers(struct call *call, const struct flow *fl, const struct http_request *rq)
{
	size_t i;

	/* Waiting for "100 Continue" costs a second with peers that do not know it. */
	if (!add_header(call, "Expect:") || !add_trace(call, &fl->trace))
		return false;
	for (i = 0; rq->headers != NULL && rq->headers[i] != NULL; i++)
		if (!add_header(call, rq->headers[i]))
			return false;
	curl_easy_setopt(call->t.easy, CURLOPT_HTTPHEADER, call->headers);
	return true;
}

static void set_request(struct call *call, const struct http_request *rq)
{
	CURL *e = call->t.easy;

	if (strcmp(rq->method, "GET") != 0 || rq->body.p != NULL) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, rq->body.p != NULL ? rq->body.p : "");
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, rq->method);
	}
	if (rq->basic_user != NULL) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(e, CURLOPT_USERNAME, rq->basic_user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, "");
	}
}

/* What holds for every call, whoever makes it. */
static void set_rules(struct call *call, const struct http_options *opt)
{
	CURL *e = call->t.easy;

	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_USERAGENT, opt->agent);
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)opt->body_cap);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
}

static void call_free(struct call *call)
{
	curl_easy_cleanup(call->t.easy);
	curl_slist_free_all(call->headers);
	free(call->body);
	free(call);
}

/* ---- after ---- */

static enum errc verdict(const struct call *call, CURLcode result, int status)
{
	if (call->too_large || result == CURLE_FILESIZE_EXCEEDED)
		return ERR_HTTP_TOO_LARGE;
	if (!call->t.sent)
		return ERR_HTTP_UNREACHABLE;
	return result == CURLE_OK && status >= 100 && status <= 599 ? ERR_OK : ERR_HTTP_UNKNOWN;
}

static struct str header_value(const char *text)
{
	return text[0] != '\0' ? str_of(text) : (struct str){NULL, 0};
}

static void finish(struct transfer *t, CURLcode result)
{
	struct call *call = (struct call *)(void *)t;
	struct http_response response;
	struct answer a = {.body = &response};
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	a.err = verdict(call, result, (int)status);
	response = (struct http_response){
		.status = (int)status,
		.body = {call->body != NULL ? call->body : "", call->n},
		.retry_after = header_value(call->retry_after),
		.should_retry = header_value(call->should_retry),
		.request_id = header_value(call->request_id),
	};
	transfer_count(t, a.err, (int)status);
	transfer_end(t, &a);
	call_free(call);
}

/* ---- ask ---- */

int http_ask(struct flow *fl, struct http *h, const struct http_request *rq)
{
	const struct http_options *opt = http_options_of(h);
	struct call *call;

	if (opt == NULL) {
		fl->err = ERR_HTTP_UNREACHABLE;
		return FLOW_FAIL;
	}
	call = mem_alloc(sizeof(*call));
	transfer_init(&call->t, opt, rq->url, finish);
	call->cap = opt->body_cap;
	call->safe = strcmp(rq->method, "GET") == 0;
	set_rules(call, opt);
	set_request(call, rq);
	if (set_headers(call, fl, rq))
		return transfer_ask(fl, h, &call->t, rq->timeout_ms);
	call_free(call);
	fl->err = ERR_INTERNAL;
	return FLOW_FAIL;
}

const struct http_response *http_response(const struct answer *a)
{
	return a->body;
}
