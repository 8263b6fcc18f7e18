/*
 * An HTTP port on the loop: libmicrohttpd without threads.  Who listens brings a handler;
 * this file brings what all ports need: connections that are bounded in number and in
 * time, answers, and an end that waits for nobody.
 *
 * A handler may suspend its connection and resume it from a later turn; MHD then calls
 * the handler again.  Loop thread only.
 */
#ifndef ORDERD_LISTEN_HTTP_LISTENER_H
#define ORDERD_LISTEN_HTTP_LISTENER_H

#include <microhttpd.h>

#include "core/flow/loop.h"

struct http_listener;

struct http_listener_options {
	const char *field;   /* the setting that named `address` */
	const char *address; /* host:port, numeric host or localhost */
	unsigned connections;
	/*
	 * Longest time from a connection's start, or its last answer, to the end of its next
	 * request; suspended time does not count.  Who sends a byte now and then is cut off.
	 */
	int64_t request_ms;
	MHD_AccessHandlerCallback on_request;
	void (*on_completed)(void *arg, void *state); /* state is no longer used; NULL: not told */
	void *arg;
};

/* Listen; exits 2 when it cannot. */
struct http_listener *http_listener_new(struct loop *l, const struct http_listener_options *opt);
const char *http_listener_address(const struct http_listener *h); /* with the real port */

/* No new connections from now on; those there are go on. */
void http_listener_deafen(struct http_listener *h);

/* Cut all connections; none may be suspended.  `h` is freed before on_closed(arg). */
void http_listener_close(struct http_listener *h, void (*on_closed)(void *arg), void *arg);

/* From inside the handler, and at most once until resumed; from outside it, respectively. */
void http_suspend(struct MHD_Connection *c);
void http_resume(struct http_listener *h, struct MHD_Connection *c);

/* What a handler returns.  `text` lives for ever. */
enum MHD_Result http_answer(struct MHD_Connection *c, unsigned status, const char *text);
/* The same with a header of its own, "Retry-After" say. */
enum MHD_Result http_answer_with(struct MHD_Connection *c, unsigned status, const char *text,
				 const char *header, const char *value);
/* body: heap, taken. */
enum MHD_Result http_answer_take(struct MHD_Connection *c, unsigned status, char *body, size_t n,
				 const char *type);

#endif
