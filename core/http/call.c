/*
 * One call: from the request to libcurl's settings, and from its end to an answer.
 *
 * The line between "nothing was sent" and "it may have acted" is on_request(), which
 * libcurl calls when the connection stands, TLS included, right before the first byte
 * of the request.  It also keeps libcurl from quietly sending a POST a second time when
 * a kept connection turns out to be dead: that is for the flow to decide.
 */
#include "core/http/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/metric.h"

enum {
	CONNECT_TIMEOUT_MS = 5000, /* two SYN retries of Linux fall within it */
	IDLE_MAX_S = 30, /* a kept connection older than this is not used again: peers close theirs
			    after 60 or more */
	BODY_STEP = 4096,
};

/* ---- libcurl calls back ---- */

static int on_request(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct http_call *call = arg;

	(void)peer;
	(void)local;
	(void)peer_port;
	(void)local_port;
	if (call->sent && !call->safe)
		return CURL_PREREQFUNC_ABORT; /* the second time */
	if (!call->sent && call->op.given_up)
		return CURL_PREREQFUNC_ABORT; /* nobody waits, and nothing has happened yet */
	call->sent = true;
	call->op.late = ERR_HTTP_UNKNOWN;
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
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

static void keep_header(const char *line, size_t n, const char *name, char ret[CALL_HEADER_MAX])
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
	if (n >= CALL_HEADER_MAX) /* none of them is that long; a cut one would mislead */
		return;
	memcpy(ret, line, n);
	ret[n] = '\0';
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t n = size * count;

	keep_header(data, n, "Retry-After", call->retry_after);
	keep_header(data, n, "Stripe-Should-Retry", call->should_retry);
	keep_header(data, n, "Request-Id", call->request_id);
	return n;
}

/* ---- before ---- */

/* "host:port" of a URL, whatever stands around it. */
static void read_host(const char *url, char ret[CALL_HOST_MAX])
{
	const char *p = strstr(url, "://");
	const char *at;
	size_t n;

	p = p != NULL ? p + 3 : url;
	n = strcspn(p, "/?#");
	at = memchr(p, '@', n);
	if (at != NULL) {
		n -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	(void)snprintf(ret, CALL_HOST_MAX, "%.*s", (int)(n < CALL_HOST_MAX ? n : CALL_HOST_MAX - 1),
		       p);
}

static bool add_header(struct http_call *call, const char *line)
{
	struct curl_slist *longer;

	if (strpbrk(line, "\r\n") != NULL)
		return false;
	longer = curl_slist_append(call->headers, line);
	if (longer == NULL)
		abort();
	call->headers = longer;
	return true;
}

static bool set_headers(struct http_call *call, const struct http_request *rq)
{
	size_t i;

	/* Waiting for "100 Continue" costs a second with peers that do not know it. */
	if (!add_header(call, "Expect:"))
		return false;
	for (i = 0; rq->headers != NULL && rq->headers[i] != NULL; i++)
		if (!add_header(call, rq->headers[i]))
			return false;
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return true;
}

static void set_request(struct http_call *call, const struct http_request *rq)
{
	CURL *e = call->easy;

	curl_easy_setopt(e, CURLOPT_URL, rq->url);
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
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
}

/* What holds for every call, whoever makes it. */
static void set_rules(struct http_call *call, const struct http_options *opt)
{
	CURL *e = call->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, call);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_PROXY,
			 ""); /* not the environment's: settings have one source */
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (opt->ca_file != NULL && opt->ca_file[0] != '\0') {
		curl_easy_setopt(e, CURLOPT_CAINFO, opt->ca_file);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* these and no others */
	}
	curl_easy_setopt(e, CURLOPT_USERAGENT, opt->agent);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)opt->body_cap);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
}

struct http_call *http_call_new(const struct http_options *opt, const struct http_request *rq)
{
	struct http_call *call = mem_alloc(sizeof(*call));

	call->easy = curl_easy_init();
	if (call->easy == NULL)
		abort();
	call->cap = opt->body_cap;
	call->safe = strcmp(rq->method, "GET") == 0;
	call->started_us = clock_mono_us();
	read_host(rq->url, call->host);
	set_rules(call, opt);
	set_request(call, rq);
	if (set_headers(call, rq))
		return call;
	http_call_free(call);
	return NULL;
}

void http_call_free(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	free(call->body);
	free(call);
}

/* ---- after ---- */

static enum errc verdict(const struct http_call *call, CURLcode result, int status)
{
	if (call->too_large || result == CURLE_FILESIZE_EXCEEDED)
		return ERR_HTTP_TOO_LARGE;
	if (!call->sent)
		return ERR_HTTP_UNREACHABLE;
	return result == CURLE_OK && status >= 100 && status <= 599 ? ERR_OK : ERR_HTTP_UNKNOWN;
}

static void count(const struct http_call *call, enum errc err, int status)
{
	char label[CALL_HOST_MAX + 64];

	if (err == ERR_OK)
		(void)snprintf(label, sizeof(label), "%s|%d", call->host, status);
	else
		(void)snprintf(label, sizeof(label), "%s|%s", call->host, err_name(err));
	metric_add(METRIC_http_calls, label, 1);
	metric_observe_us(METRIC_http_seconds, call->host, clock_mono_us() - call->started_us);
}

static struct str header_value(const char *text)
{
	return text[0] != '\0' ? str_of(text) : (struct str){NULL, 0};
}

void http_call_answer(struct http_call *call, CURLcode result)
{
	struct http_response response;
	struct answer a = {.body = &response};
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	a.err = verdict(call, result, (int)status);
	response = (struct http_response){
		.status = (int)status,
		.body = {call->body != NULL ? call->body : "", call->n},
		.retry_after = header_value(call->retry_after),
		.should_retry = header_value(call->should_retry),
		.request_id = header_value(call->request_id),
	};
	count(call, a.err, (int)status);
	op_answer(&call->op, &a);
}

const struct http_response *http_response(const struct answer *a)
{
	return a->body;
}
