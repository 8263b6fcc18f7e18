/* One HTTP call as libcurl sees it; shared by http.c (the loop's side) and call.c. */
#ifndef ORDERD_HTTP_CALL_H
#define ORDERD_HTTP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "core/http/http.h"

enum { CALL_HEADER_MAX = 128, CALL_HOST_MAX = 128 };

struct http_call {
	struct op op;
	struct http *http;
	struct http_call *next, *prev; /* all calls at work */
	struct timer
		timer; /* its end; libcurl's own does not run while a call waits for a connection */

	CURL *easy;
	struct curl_slist *headers;
	bool safe; /* a GET: sending it twice does no harm */
	bool sent; /* from now on the peer may have acted */
	bool too_large;
	int64_t started_us;
	char host[CALL_HOST_MAX]; /* label of the metrics */

	char *body;
	size_t n, room, cap;
	char retry_after[CALL_HEADER_MAX];
	char should_retry[CALL_HEADER_MAX];
	char request_id[CALL_HEADER_MAX];
};

/* Prepare a call; NULL when a header holds a line break, which is never a peer's fault.  Its op
 * must be asked before it is started. */
struct http_call *http_call_new(const struct http_options *opt, const struct http_request *rq);
void http_call_free(struct http_call *call);

/* libcurl is done with it: answer the flow, count it. */
void http_call_answer(struct http_call *call, CURLcode result);

#endif
