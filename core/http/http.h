/*
 * Outgoing HTTP: libcurl's multi interface on the process's loop.
 *
 * A request is one question of a flow.  "Nothing was sent" (ERR_HTTP_UNREACHABLE) and
 * "it may have acted" (ERR_HTTP_UNKNOWN) are different answers: the first may simply be
 * tried again, the second must be found out.  Any HTTP status is a good answer.
 *
 * A request of a flow that has a trace says so (traceparent, each with a span of its own).
 * Redirects are not followed, only http and https are spoken, TLS peers are verified, an
 * answer over the cap is ERR_HTTP_TOO_LARGE.  Loop thread only.
 */
#ifndef ORDERD_HTTP_HTTP_H
#define ORDERD_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/str.h"
#include "core/flow/flow.h"

struct http;
struct show_board;

struct http_options {
	const char *ca_file; /* NULL or "": the system's */
	int connections;     /* per host */
	size_t body_cap;     /* bytes of an answer */
	const char *agent;   /* User-Agent */
};

/* Whether requests can be sent there: http(s)://host, with or without port and path. */
bool http_url_ok(const char *url);

struct http *http_new(struct loop *l, const struct http_options *opt);
void http_close(struct http *h, void (*on_closed)(void *arg), void *arg);

/* Views: pools, version (core/base/show.h). */
void http_offer(const struct http *h, struct show_board *b);

struct http_request {
	const char *method; /* "GET", "POST" */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	struct str body;            /* sent when p != NULL */
	const char *basic_user;     /* HTTP basic auth (user, empty password); NULL for none */
	int timeout_ms;             /* of the call; the step's deadline should be a little longer */
};

struct http_response {
	int status; /* 100..599 */
	struct str body;
	struct str retry_after;  /* header values; absent: p == NULL */
	struct str should_retry; /* Stripe-Should-Retry */
	struct str request_id;   /* Request-Id */
};

/* Everything in `rq` must live in the flow's arena until the answer.  Returns FLOW_WAIT. */
int http_ask(struct flow *fl, struct http *h, const struct http_request *rq);
const struct http_response *http_response(const struct answer *a); /* valid inside got() */

/* Append "key=value" in application/x-www-form-urlencoded to a form; both may be any bytes.
 * Brackets stay as they are. */
struct http_form {
	struct arena *arena;
	char *p;
	size_t n, room;
	bool failed; /* the arena's cap was reached */
};

void http_form_add(struct http_form *f, const char *key, struct str value);
void http_form_add_int(struct http_form *f, const char *key, long long value);

#endif
