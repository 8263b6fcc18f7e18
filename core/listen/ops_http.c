#include "core/listen/ops_http.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/base/show.h"
#include "core/listen/http_listener.h"

enum {
	CONNECTIONS_MAX = 64,
	REQUEST_MS = 30000,
};

struct ops_http {
	struct http_listener *listener;
	const struct show_board *board; /* NULL: no views */
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

/* ---- views ---- */

static const char show_path[] = "/show";

/* "/show" or "/show/VIEW": what stands behind the slash; NULL: another path. */
static const char *view_of(const struct ops_http *h, const char *url)
{
	size_t n = strlen(show_path);

	if (h->board == NULL || strncmp(url, show_path, n) != 0)
		return NULL;
	if (url[n] == '\0')
		return "";
	return url[n] == '/' && url[n + 1] != '\0' ? url + n + 1 : NULL;
}

static bool wants_json(struct MHD_Connection *c)
{
	const char *format = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "format");
	const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept");

	if (format != NULL)
		return strcmp(format, "json") == 0;
	return accept != NULL && strstr(accept, "application/json") != NULL;
}

/* The name asked for is not said again: it may be anything. */
static enum MHD_Result no_such_view(struct MHD_Connection *c, const struct show_board *b)
{
	char *names = show_names(b), *text = mem_printf("no such view; there are: %s\n", names);

	free(names);
	return http_answer_take(c, MHD_HTTP_NOT_FOUND, text, strlen(text),
				"text/plain; charset=utf-8");
}

static enum MHD_Result send_view(struct MHD_Connection *c, const struct show_board *b,
				 const char *name)
{
	bool json = wants_json(c);
	enum show_view view;
	struct show *s;
	char *body;
	size_t n;

	if (!show_find(b, str_of(name), &view))
		return no_such_view(c, b);
	s = show_look(b, view);
	body = json ? show_render_json(s, &n) : show_render_text(s, &n);
	show_free(s);
	return http_answer_take(c, MHD_HTTP_OK, body, n,
				json ? "application/json" : "text/plain; charset=utf-8");
}

static void show_microhttpd(struct show *s, const void *arg)
{
	(void)arg;
	if (!show_row(s))
		return;
	show_text(s, "libmicrohttpd");
	show_text(s, MHD_get_version());
}

void ops_http_show(struct ops_http *h, const struct show_board *b)
{
	h->board = b;
}

void ops_http_offer(struct show_board *b)
{
	show_offer(b, SHOW_version, show_microhttpd, NULL);
}

/* ---- requests ---- */

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_size, void **state)
{
	struct ops_http *h = arg;
	const char *view = view_of(h, url);

	(void)version;
	(void)body;
	(void)state;
	if (*body_size > 0)
		return MHD_NO; /* nobody sends us bodies: close the connection */
	if (view == NULL && strcmp(url, "/metrics") != 0 && strcmp(url, "/healthz") != 0)
		return http_answer(c, MHD_HTTP_NOT_FOUND, "not found\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return http_answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	if (view != NULL)
		return send_view(c, h->board, view);
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
