/*
 * libmicrohttpd without threads: it shows one epoll descriptor, the loop watches that and
 * lets it run when it is readable or one of its timeouts is due.
 */
#include "server/ops_http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "server/address.h"

enum {
	CONNECTIONS_MAX = 64,
	IDLE_S = 10,
};

struct ops_http {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	struct timer timer;
	char *address;
	bool (*is_healthy)(void *arg);
	void *arg;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

/* ---- answers ---- */

static enum MHD_Result send_body(struct MHD_Connection *c, unsigned status, size_t n, char *body,
				 enum MHD_ResponseMemoryMode mode, const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(n, body, mode);
	enum MHD_Result sent;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	sent = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return sent;
}

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned status, const char *text)
{
	return send_body(c, status, strlen(text), (char *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT,
			 "text/plain");
}

static enum MHD_Result send_metrics(struct MHD_Connection *c)
{
	size_t n;
	char *body = metric_render(&n);

	return send_body(c, MHD_HTTP_OK, n, body, MHD_RESPMEM_MUST_FREE,
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
		return send_text(c, MHD_HTTP_NOT_FOUND, "not found\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	if (strcmp(url, "/metrics") == 0)
		return send_metrics(c);
	if (h->is_healthy(h->arg))
		return send_text(c, MHD_HTTP_OK, "ok\n");
	return send_text(c, MHD_HTTP_SERVICE_UNAVAILABLE, "not serving\n");
}

/* ---- the loop ---- */

static void run(struct ops_http *h)
{
	unsigned MHD_LONG_LONG wait_ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES)
		timer_set(h->loop, &h->timer, clock_mono_ms() + (int64_t)wait_ms);
	else
		timer_clear(h->loop, &h->timer);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status; /* an epoll descriptor does not fail */
	(void)events;
	run(poll->data);
}

static void on_due(struct timer *t)
{
	run((struct ops_http *)(void *)((char *)t - offsetof(struct ops_http, timer)));
}

/* ---- start and stop ---- */

static struct MHD_Daemon *listen_on(struct ops_http *h, const char *address)
{
	struct sockaddr_storage at;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO;

	if (!address_parse(str_of(address), &at))
		return NULL;
	if (at.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR,
				(struct sockaddr *)(void *)&at, MHD_OPTION_CONNECTION_LIMIT,
				(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned)IDLE_S, MHD_OPTION_END);
}

struct ops_http *ops_http_new(struct loop *l, const char *address, bool (*is_healthy)(void *arg),
			      void *arg)
{
	struct ops_http *h = mem_alloc(sizeof(*h));
	const union MHD_DaemonInfo *epoll, *port;
	int rc;

	h->loop = l;
	h->is_healthy = is_healthy;
	h->arg = arg;
	h->daemon = listen_on(h, address);
	if (h->daemon == NULL)
		config_refuse("http_listen", "cannot listen on %s", address);
	port = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	h->address = mem_printf("%.*s:%u", (int)(strrchr(address, ':') - address), address,
				(unsigned)port->port);
	epoll = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	rc = uv_poll_init(loop_uv(l), &h->poll, epoll->listen_fd);
	assert(rc == 0);
	h->poll.data = h;
	h->timer.on_due = on_due;
	uv_poll_start(&h->poll, UV_READABLE, on_readable);
	return h;
}

const char *ops_http_address(const struct ops_http *h)
{
	return h->address;
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct ops_http *h = handle->data;
	void (*on_closed)(void *arg) = h->on_closed;
	void *arg = h->on_closed_arg;

	free(h->address);
	free(h);
	on_closed(arg);
}

void ops_http_close(struct ops_http *h, void (*on_closed)(void *arg), void *arg)
{
	h->on_closed = on_closed;
	h->on_closed_arg = arg;
	timer_clear(h->loop, &h->timer);
	uv_poll_stop(&h->poll);
	MHD_stop_daemon(h->daemon); /* after poll_stop: never close a descriptor libuv watches */
	uv_close((uv_handle_t *)&h->poll, on_poll_closed);
}
