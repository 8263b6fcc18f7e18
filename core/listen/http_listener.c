/*
 * libmicrohttpd shows one epoll descriptor; the loop watches that and lets it run when it
 * is readable or one of its timeouts is due.  Its own connection timeout is about silence
 * only, so each connection has a deadline here as well, looked at once a second.
 */
#include "core/listen/http_listener.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/mem.h"
#include "core/listen/address.h"

enum {
	IDLE_S = 10, /* silence on a connection */
	LOOK_MS = 1000,
};

/* One connection. */
struct peer {
	struct peer *next, *prev;
	int fd;
	int64_t deadline_ms; /* INT64_MAX while it is suspended */
};

struct http_listener {
	struct http_listener_options opt;
	struct loop *loop;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	struct timer run_timer, look_timer;
	struct peer peers; /* head of a ring */
	char *address;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

/* ---- answers ---- */

static enum MHD_Result send_response(struct MHD_Connection *c, unsigned status,
				     struct MHD_Response *r, const char *type)
{
	enum MHD_Result sent;

	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	sent = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return sent;
}

enum MHD_Result http_answer_with(struct MHD_Connection *c, unsigned status, const char *text,
				 const char *header, const char *value)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(text), (char *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	if (r == NULL)
		return MHD_NO;
	if (header != NULL)
		MHD_add_response_header(r, header, value);
	return send_response(c, status, r, "text/plain");
}

enum MHD_Result http_answer(struct MHD_Connection *c, unsigned status, const char *text)
{
	return http_answer_with(c, status, text, NULL, NULL);
}

enum MHD_Result http_answer_take(struct MHD_Connection *c, unsigned status, char *body, size_t n,
				 const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_MUST_FREE);

	if (r == NULL) {
		free(body);
		return MHD_NO;
	}
	return send_response(c, status, r, type);
}

/* ---- connections ---- */

static struct peer *peer_of(struct MHD_Connection *c)
{
	return MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http_listener *h = arg;
	struct peer *p = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		p->next->prev = p->prev;
		p->prev->next = p->next;
		free(p);
		return;
	}
	p = *context = mem_alloc(sizeof(*p));
	p->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	p->deadline_ms = clock_mono_ms() + h->opt.request_ms;
	p->next = &h->peers;
	p->prev = h->peers.prev;
	p->next->prev = p->prev->next = p;
	if (h->look_timer.slot == 0)
		timer_set(h->loop, &h->look_timer, clock_mono_ms() + LOOK_MS);
}

static void on_look(struct timer *t)
{
	struct http_listener *h = (void *)((char *)t - offsetof(struct http_listener, look_timer));
	int64_t now_ms = clock_mono_ms();

	for (struct peer *p = h->peers.next; p != &h->peers; p = p->next)
		if (p->deadline_ms <= now_ms)
			shutdown(p->fd, SHUT_RDWR); /* MHD sees its end and closes it */
	if (h->peers.next != &h->peers)
		timer_set(h->loop, &h->look_timer, now_ms + LOOK_MS);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct http_listener *h = arg;

	(void)why;
	peer_of(c)->deadline_ms = clock_mono_ms() + h->opt.request_ms;
	if (*state != NULL && h->opt.on_completed != NULL)
		h->opt.on_completed(h->opt.arg, *state);
	*state = NULL;
}

void http_suspend(struct MHD_Connection *c)
{
	peer_of(c)->deadline_ms = INT64_MAX;
	MHD_suspend_connection(c);
}

void http_resume(struct http_listener *h, struct MHD_Connection *c)
{
	peer_of(c)->deadline_ms = clock_mono_ms() + h->opt.request_ms;
	MHD_resume_connection(c);
	timer_set(h->loop, &h->run_timer, clock_mono_ms());
}

/* ---- the loop ---- */

static void run(struct http_listener *h)
{
	unsigned MHD_LONG_LONG wait_ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES)
		timer_set(h->loop, &h->run_timer, clock_mono_ms() + (int64_t)wait_ms);
	else
		timer_clear(h->loop, &h->run_timer);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status; /* an epoll descriptor does not fail */
	(void)events;
	run(poll->data);
}

static void on_due(struct timer *t)
{
	run((void *)((char *)t - offsetof(struct http_listener, run_timer)));
}

/* ---- start and stop ---- */

static struct MHD_Daemon *listen_on(struct http_listener *h)
{
	const struct http_listener_options *o = &h->opt;
	struct sockaddr_storage at;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME;

	if (!address_parse(str_of(o->address), &at))
		return NULL;
	if (at.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, o->on_request, o->arg, MHD_OPTION_SOCK_ADDR,
				(struct sockaddr *)(void *)&at, MHD_OPTION_CONNECTION_LIMIT,
				o->connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
}

struct http_listener *http_listener_new(struct loop *l, const struct http_listener_options *opt)
{
	struct http_listener *h = mem_alloc(sizeof(*h));
	const union MHD_DaemonInfo *epoll, *port;
	int rc;

	h->loop = l;
	h->opt = *opt;
	h->peers.next = h->peers.prev = &h->peers;
	h->daemon = listen_on(h);
	if (h->daemon == NULL)
		config_refuse(opt->field,
			      "cannot listen on %s: not an address of this machine, or in use",
			      opt->address);
	port = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	h->address = mem_printf("%.*s:%u", (int)(strrchr(opt->address, ':') - opt->address),
				opt->address, (unsigned)port->port);
	epoll = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	rc = uv_poll_init(loop_uv(l), &h->poll, epoll->listen_fd);
	assert(rc == 0);
	h->poll.data = h;
	h->run_timer.on_due = on_due;
	h->look_timer.on_due = on_look;
	uv_poll_start(&h->poll, UV_READABLE, on_readable);
	return h;
}

const char *http_listener_address(const struct http_listener *h)
{
	return h->address;
}

void http_listener_deafen(struct http_listener *h)
{
	MHD_socket fd = MHD_quiesce_daemon(h->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct http_listener *h = handle->data;
	void (*on_closed)(void *arg) = h->on_closed;
	void *arg = h->on_closed_arg;

	free(h->address);
	free(h);
	on_closed(arg);
}

void http_listener_close(struct http_listener *h, void (*on_closed)(void *arg), void *arg)
{
	h->on_closed = on_closed;
	h->on_closed_arg = arg;
	uv_poll_stop(&h->poll);
	MHD_stop_daemon(h->daemon); /* after poll_stop: never close a descriptor libuv watches */
	timer_clear(h->loop, &h->run_timer);
	timer_clear(h->loop, &h->look_timer);
	uv_close((uv_handle_t *)&h->poll, on_poll_closed);
}
