#include "core/listen/ops_http.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/listen/http_listener.h"

enum {
	CONNECTIONS_MAX = 64,
	REQUEST_MS = 30000,
};

struct ops_http {
	struct http_listener *listener;
	bool (*is_healthy)(void *arg);
	void *arg;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

static enum MHD_Result send_metrics(struct MHD_Connection *c)
{
	size_t n;
	char *body = metric_render(&n);

	return http_answer_take(c, MHD_HTTP_OK, body, n,
				"text/plain; version=0.0.4; charset=utf-8");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_size, void **state)
{
	struct ops_http *h = arg;

	(void)version;
	(void)body;
	(void)state;
	if (*body_size > 0)
		return MHD_NO; /* nobody sends us bodies: close the connection */
	if (strcmp(url, "/metrics") != 0 && strcmp(url, "/healthz") != 0)
		return http_answer(c, MHD_HTTP_NOT_FOUND, "not found\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return http_answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	if (strcmp(url, "/metrics") == 0)
		return send_metrics(c);
	if (h->is_healthy(h->arg))
		return http_answer(c, MHD_HTTP_OK, "ok\n");
	return http_answer(c, MHD_HTTP_SERVICE_UNAVAILABLE, "not serving\n");
}

struct ops_http *ops_http_new(struct loop *l, const char *field, const char *address,
			      bool (*is_healthy)(void *arg), void *arg)
{
	struct ops_http *h = mem_alloc(sizeof(*h));
	struct http_listener_options opt = {.field = field,
					    .address = address,
					    .connections = CONNECTIONS_MAX,
					    .request_ms = REQUEST_MS,
					    .on_request = on_request,
					    .arg = h};

	h->is_healthy = is_healthy;
	h->arg = arg;
	h->listener = http_listener_new(l, &opt);
	return h;
}

const char *ops_http_address(const struct ops_http *h)
{
	return http_listener_address(h->listener);
}

static void on_listener_closed(void *arg)
{
	struct ops_http *h = arg;
	void (*on_closed)(void *arg) = h->on_closed;
	void *on_closed_arg = h->on_closed_arg;

	free(h);
	on_closed(on_closed_arg);
}

void ops_http_close(struct ops_http *h, void (*on_closed)(void *arg), void *arg)
{
	h->on_closed = on_closed;
	h->on_closed_arg = arg;
	http_listener_close(h->listener, on_listener_closed, h);
}
