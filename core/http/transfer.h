/*
 * One transfer of libcurl's, as a question of a flow: an HTTP call (call.c) or a mail
 * (mail.c).  http.c moves it; its kind makes it, and says what its end means.
 */
#ifndef ORDERD_HTTP_TRANSFER_H
#define ORDERD_HTTP_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "core/http/http.h"

enum { TRANSFER_HOST_MAX = 128 };

struct transfer {
	struct op op;
	struct http *http;
	struct transfer *next, *prev; /* all at work */
	struct timer
		timer; /* its end; libcurl's own does not run while it waits for a connection */
	/* libcurl has done what it was asked, or it is late, or all of it closes.  To be answered
	 * with transfer_end(); only CURLE_OK may instead be followed by transfer_watch(). */
	void (*finish)(struct transfer *t, CURLcode result);
	void (*on_ready)(struct transfer *t); /* of transfer_watch() */
	struct watch *watch;

	CURL *easy;
	bool sent; /* from now on the peer may have acted */
	int64_t started_us;
	char host[TRANSFER_HOST_MAX]; /* label of the metrics */
};

/* What holds for every transfer, whoever makes it. */
void transfer_init(struct transfer *t, const struct http_options *opt, const char *url,
		   void (*finish)(struct transfer *t, CURLcode result));

/* What http_new() was told; NULL: it is closing, and nothing may start. */
const struct http_options *http_options_of(const struct http *h);

/* Start; for the ask of a step: FLOW_WAIT. */
int transfer_ask(struct flow *fl, struct http *h, struct transfer *t, int timeout_ms);

/* Its socket is the transfer's own now (CURLOPT_CONNECT_ONLY): on_ready() when it can be read, or
 * written while `writing`. */
void transfer_watch(struct transfer *t, curl_socket_t fd, bool writing);

/* It is over, its connection closed or kept by libcurl: forget it, answer the flow.  The transfer
 * itself is its kind's to free. */
void transfer_end(struct transfer *t, const struct answer *a);

/* The peer may act from now on: running late no longer means "nothing was sent". */
void transfer_sent(struct transfer *t);

/* Count how it ended, in METRIC_http_*: `status` is the peer's word when err is ERR_OK. */
void transfer_count(const struct transfer *t, enum errc err, int status);

/* Text that must stand in one line: no line break, no NUL. */
bool transfer_line_ok(struct str s);

#endif
