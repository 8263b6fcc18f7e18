/*
 * libmicrohttpd to `struct call` and back.  Each connection has a thread of its own, so
 * a slow answer is a sleep and a sync is a wait; the number of connections is bounded.
 */
#include "sims/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "sims/form.h"

enum { IDLE_TIMEOUT_S = 120 };

struct web {
	struct sim *sim;
	struct MHD_Daemon *daemon;
};

struct request {
	struct call call;
	char *body;
	size_t n;
	bool too_large;
};

/* ---- what came ---- */

static enum MHD_Result take_query(void *arg, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	(void)kind;
	if (value == NULL)
		value = "";
	form_add(arg, name, strlen(name), value, strlen(value));
	return MHD_YES;
}

static struct request *request_new(struct web *w, struct MHD_Connection *conn, const char *url,
				   const char *method)
{
	struct request *rq = must(calloc(1, sizeof(*rq)));
	struct call *c = &rq->call;

	call_open(c, w->sim);
	c->method = must(strdup(method));
	c->path = must(strdup(url));
	c->host = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Host");
	c->auth = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Authorization");
	c->key = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Idempotency-Key");
	c->trace = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "traceparent");
	c->version = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Stripe-Version");
	MHD_get_connection_values(conn, MHD_GET_ARGUMENT_KIND, take_query, c->query);
	return rq;
}

static void request_free(struct request *rq)
{
	struct call *c = &rq->call;

	sim_served(c);
	free((char *)c->method);
	free((char *)c->path);
	call_close(c);
	free(rq->body);
	free(rq);
}

static void take_body(struct request *rq, const char *data, size_t n)
{
	if (rq->n + n > SIM_BODY_MAX) {
		rq->too_large = true;
		return;
	}
	rq->body = must(realloc(rq->body, rq->n + n + 1));
	memcpy(rq->body + rq->n, data, n);
	rq->n += n;
	rq->body[rq->n] = '\0';
}

/* A body that starts like JSON is JSON; everything else is tried as a form. */
static void read_body(struct request *rq)
{
	struct call *c = &rq->call;

	c->body = rq->body != NULL ? rq->body : "";
	c->body_n = rq->n;
	if (c->body_n > 0 && (c->body[0] == '{' || c->body[0] == '['))
		c->json = json_loadb(c->body, c->body_n, JSON_REJECT_DUPLICATES, NULL);
	else
		c->form = form_parse(c->body, c->body_n);
	if (c->form == NULL)
		c->form = must(json_object());
}

/* ---- the answer ---- */

static void header(struct MHD_Response *r, const char *name, const char *value)
{
	if (value != NULL)
		MHD_add_response_header(r, name, value);
}

static void headers(struct MHD_Response *r, const struct call *c)
{
	char text[48];

	header(r, "Content-Type", c->text != NULL ? c->text_type : "application/json");
	if (c->journal == NULL)
		return;
	header(r, "Request-Id", c->request_id);
	header(r, "Stripe-Version", c->version);
	header(r, "Idempotency-Key", c->key);
	header(r, "Idempotent-Replayed", c->replayed ? "true" : NULL);
	header(r, "Stripe-Should-Retry", c->should_retry);
	if (c->retry_after_s > 0) {
		snprintf(text, sizeof(text), "%lld", (long long)c->retry_after_s);
		header(r, "Retry-After", text);
	}
}

static enum MHD_Result answer(struct MHD_Connection *conn, struct call *c)
{
	struct MHD_Response *r;
	enum MHD_Result queued;
	char *text = c->text != NULL ? c->text : must(json_dumps(c->reply, 0));

	r = must(MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE));
	headers(r, c);
	c->text = NULL; /* the response's now */
	queued = MHD_queue_response(conn, (unsigned)c->status, r);
	MHD_destroy_response(r);
	return queued;
}

static void wait_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, (ms % 1000) * 1000000};

	while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static enum MHD_Result serve(struct MHD_Connection *conn, struct request *rq)
{
	struct call *c = &rq->call;

	read_body(rq);
	if (rq->too_large)
		call_answer(c, 413, json_literal("{'error':{'message':'body too large'}}"), NULL);
	else
		sim_serve(c);
	wait_ms(c->wait_ms);
	if (c->hang_up)
		return MHD_NO;
	sim_served(c); /* before the answer: its reader may ask again at once */
	return answer(conn, c);
}

/* MHD calls this first with the head, then per piece of body, then without data: complete. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_n, void **state)
{
	(void)version;
	if (*state == NULL) {
		*state = request_new(arg, conn, url, method);
		return MHD_YES;
	}
	if (*data_n > 0) {
		take_body(*state, data, *data_n);
		*data_n = 0;
		return MHD_YES;
	}
	return serve(conn, *state);
}

static void on_done(void *arg, struct MHD_Connection *conn, void **state,
		    enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)conn;
	(void)why;
	if (*state != NULL)
		request_free(*state);
	*state = NULL;
}

struct web *web_open(struct sim *sim, const char *address, int port, int *ret_port)
{
	struct web *w = must(calloc(1, sizeof(*w)));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	w->sim = sim;
	if (inet_pton(AF_INET, address, &at.sin_addr) == 1)
		w->daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
				MHD_USE_THREAD_PER_CONNECTION,
			(uint16_t)port, NULL, NULL, on_request, w, MHD_OPTION_SOCK_ADDR, &at,
			MHD_OPTION_CONNECTION_LIMIT, (unsigned)SIM_CONNECTIONS_MAX,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
			MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_NOTIFY_COMPLETED,
			on_done, w, MHD_OPTION_END);
	else
		errno = EINVAL;
	if (w->daemon == NULL) {
		free(w);
		return NULL;
	}
	*ret_port = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	return w;
}

void web_close(struct web *w)
{
	MHD_stop_daemon(w->daemon);
	free(w);
}
