/*
 * libcurl's multi interface on the loop: a uv_poll per socket libcurl opens, one uv
 * timer for its timeouts, answers read when either has fired.
 *
 * libcurl is never entered from inside one of its callbacks, and flows are answered
 * only after it has returned, so an answered flow may ask again at once.
 */
#include "core/http/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/base/show.h"
#include "core/http/transfer.h"

enum {
	LATE_MARGIN_MS = 50
}; /* a transfer outlives its flow's patience by this: the flow's timer speaks first */

struct http {
	struct loop *loop;
	struct http_options opt;
	CURLM *multi;
	uv_timer_t timer;
	struct transfer *transfers; /* at work */
	unsigned handles;           /* of libuv, not closed yet */
	bool closing;
	struct task closed;
	void (*on_closed)(void *arg);
	void *arg;
};

struct watch {
	uv_poll_t poll;
	struct http *http;
	curl_socket_t fd;
	struct transfer *transfer; /* whose own socket it is; NULL: libcurl's */
};

#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* ---- answers ---- */

static void finish(struct transfer *t, CURLcode result)
{
	if (result != CURLE_OK)
		log_debug("http_failed", "host=%s sent=%d why=%s", LOG_Q(t->host), t->sent,
			  LOG_Q(curl_easy_strerror(result)));
	t->finish(t, result);
}

static void read_answers(struct http *h)
{
	const CURLMsg *m;
	struct transfer *t;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		CURLcode result = m->data.result; /* the message dies with its handle's removal */

		assert(m->msg == CURLMSG_DONE);
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		finish(t, result);
	}
}

static void on_late(struct timer *timer)
{
	finish(CONTAINER_OF(timer, struct transfer, timer), CURLE_OPERATION_TIMEDOUT);
}

/* ---- the loop speaks to libcurl ---- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct watch *w = CONTAINER_OF(poll, struct watch, poll);
	struct http *h = w->http;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	int running;

	if (w->transfer != NULL) {
		w->transfer->on_ready(w->transfer);
		return;
	}
	if ((events & UV_READABLE) != 0)
		flags |= CURL_CSELECT_IN;
	if ((events & UV_WRITABLE) != 0)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(h->multi, w->fd, flags, &running); /* may close w */
	read_answers(h);
}

static void on_timeout(uv_timer_t *t)
{
	struct http *h = CONTAINER_OF(t, struct http, timer);
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	read_answers(h);
}

/* ---- libcurl speaks to the loop ---- */

static void closed_one(struct http *h)
{
	assert(h->handles > 0);
	if (--h->handles > 0 || !h->closing)
		return;
	if (h->on_closed != NULL)
		h->on_closed(h->arg);
	free(h);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *w = CONTAINER_OF(handle, struct watch, poll);
	struct http *h = w->http;

	free(w);
	closed_one(h);
}

static void on_timer_closed(uv_handle_t *handle)
{
	closed_one(CONTAINER_OF(handle, struct http, timer));
}

static struct watch *watch_open(struct http *h, curl_socket_t fd)
{
	struct watch *w = mem_alloc(sizeof(*w));

	w->http = h;
	w->fd = fd;
	if (uv_poll_init_socket(loop_uv(h->loop), &w->poll, fd) != 0)
		abort(); /* a socket libcurl has just opened can be watched, or epoll is gone */
	h->handles++;
	return w;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct http *h = arg;
	struct watch *w = of_socket;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL) {
			curl_multi_assign(h->multi, fd, NULL);
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		}
		return 0;
	}
	if (w == NULL) {
		w = watch_open(h, fd);
		curl_multi_assign(h->multi, fd, w);
	}
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	uv_poll_start(&w->poll, events, on_event);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&h->timer);
	else
		uv_timer_start(&h->timer, on_timeout, (uint64_t)ms, 0);
	return 0;
}

/* ---- for people ---- */

static bool is_first_of_its_host(const struct transfer *t)
{
	for (const struct transfer *u = t->prev; u != NULL; u = u->prev)
		if (strcmp(u->host, t->host) == 0)
			return false;
	return true;
}

static int64_t transfers_of(const struct http *h, const char *host)
{
	int64_t n = 0;

	for (const struct transfer *t = h->transfers; t != NULL; t = t->next)
		n += strcmp(t->host, host) == 0;
	return n;
}

/* A row per host that is being asked: transfers are bounded by the jobs at work. */
static void show_pools(struct show *s, const void *arg)
{
	const struct http *h = arg;

	for (const struct transfer *t = h->transfers; t != NULL; t = t->next) {
		if (!is_first_of_its_host(t))
			continue;
		if (!show_row(s))
			return;
		show_text(s, "http");
		show_text(s, t->host);
		show_nothing(s);
		show_text(s, "busy");
		show_int(s, transfers_of(h, t->host));
		for (int rest = 5; rest < 11; rest++)
			show_nothing(s);
	}
}

static void show_libcurl(struct show *s, const void *arg)
{
	(void)arg;
	if (!show_row(s))
		return;
	show_text(s, "libcurl");
	show_text(s, curl_version());
}

void http_offer(const struct http *h, struct show_board *b)
{
	show_offer(b, SHOW_pools, show_pools, h);
	show_offer(b, SHOW_version, show_libcurl, h);
}

/* ---- open, ask, close ---- */

static void start_libcurl(void)
{
	static bool started;

	if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	started = true;
}

bool http_url_ok(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	bool ok;

	ok = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
	ok = ok && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return ok;
}

struct http *http_new(struct loop *l, const struct http_options *opt)
{
	struct http *h = mem_alloc(sizeof(*h));

	start_libcurl();
	h->loop = l;
	h->opt = *opt;
	h->opt.ca_file = opt->ca_file != NULL ? mem_text(opt->ca_file) : NULL;
	h->opt.agent = mem_text(opt->agent != NULL ? opt->agent : "orderd");
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		abort();
	uv_timer_init(loop_uv(l), &h->timer);
	h->handles = 1;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)opt->connections);
	/* Otherwise libcurl keeps only four times as many connections as transfers are at work. */
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)opt->connections * 4);
	return h;
}

const struct http_options *http_options_of(const struct http *h)
{
	return h->closing ? NULL : &h->opt;
}

static void tell_in_flight(const struct transfer *t, int64_t more)
{
	metric_set(METRIC_http_in_flight, t->host,
		   metric_value(METRIC_http_in_flight, t->host) + more);
}

static void remember(struct http *h, struct transfer *t)
{
	tell_in_flight(t, 1);
	t->http = h;
	t->next = h->transfers;
	if (h->transfers != NULL)
		h->transfers->prev = t;
	h->transfers = t;
}

int transfer_ask(struct flow *fl, struct http *h, struct transfer *t, int timeout_ms)
{
	int64_t end_ms = clock_mono_ms() + timeout_ms;

	op_ask(fl, &t->op);
	t->op.backend = "http";
	t->op.of_it = t->host;
	t->op.late = ERR_HTTP_UNREACHABLE;
	/* Not longer than the flow waits: nobody would hear the answer. */
	if (t->op.deadline_ms + LATE_MARGIN_MS < end_ms)
		end_ms = t->op.deadline_ms + LATE_MARGIN_MS;
	t->timer.on_due = on_late;
	timer_set(h->loop, &t->timer, end_ms);
	remember(h, t);
	if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK)
		abort(); /* libcurl refuses a handle only for a bug of ours */
	return FLOW_WAIT;
}

void transfer_watch(struct transfer *t, curl_socket_t fd, bool writing)
{
	if (t->watch == NULL) {
		t->watch = watch_open(t->http, fd);
		t->watch->transfer = t;
	}
	uv_poll_start(&t->watch->poll, UV_READABLE | (writing ? UV_WRITABLE : 0), on_event);
}

static void forget(struct transfer *t)
{
	struct http *h = t->http;

	tell_in_flight(t, -1);
	if (t->watch != NULL) /* before libcurl closes its socket */
		uv_close((uv_handle_t *)&t->watch->poll, on_watch_closed);
	timer_clear(h->loop, &t->timer);
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		h->transfers = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	curl_multi_remove_handle(h->multi, t->easy);
}

void transfer_end(struct transfer *t, const struct answer *a)
{
	forget(t);
	op_answer(&t->op, a);
}

/* Everything is answered first: a flow may still be waiting, and its op is in the transfer. */
static void close_now(struct task *t)
{
	struct http *h = CONTAINER_OF(t, struct http, closed);

	while (h->transfers != NULL)
		finish(h->transfers, CURLE_ABORTED_BY_CALLBACK);
	curl_multi_cleanup(h->multi);
	free((char *)h->opt.ca_file);
	free((char *)h->opt.agent);
	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

void http_close(struct http *h, void (*on_closed)(void *arg), void *arg)
{
	assert(!h->closing);
	h->closing = true;
	h->on_closed = on_closed;
	h->arg = arg;
	h->closed.run = close_now;
	loop_post(h->loop, &h->closed);
}
