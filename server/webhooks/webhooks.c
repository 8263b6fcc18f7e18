/*
 * One event is one notice: libmicrohttpd collects its body, then its connection is
 * suspended while a flow stores it, and resumed with the answer.
 *
 *	body --> find --> record --+--> answer
 *	           ^               |
 *	           +---------------+ moved: the job has been followed by another
 *
 * find reads whose object it is and which job waits; record is the unit that keeps the
 * event and makes that job due, under the locks of both.  Between the two the job may
 * have ended; then nothing was kept and the flow looks again.
 */
#include "server/webhooks/webhooks.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/listen/http_listener.h"
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/webhooks/webhook_event.h"
#include "server/webhooks/webhook_signature.h"
#include "sql.gen.h"

enum {
	CONNECTIONS_MAX = 256,
	NOTICES_MAX = 64,   /* bodies in memory, each at most webhook_max_kib */
	REQUEST_MS = 10000, /* to send one; providers send a few KiB at once */
	STORE_MS = 8000,    /* to store one; providers wait ten seconds and more */
	ARENA = 64 * 1024,
	LOOKS_MAX = 3,
	TELL_MS = 60000, /* between two lines about forged events: a flood of them is no flood of
			    lines */
	NOBODYS_TENANT = 1,
};

struct provider {
	const char *name, *path, *header, *field;
	webhook_check *check;
	webhook_read *read;
};

enum { GATEWAY, CARRIER, PROVIDERS };

static const struct provider providers[PROVIDERS] = {
	[GATEWAY] = {"gateway", "/webhooks/gateway", "Stripe-Signature",
		     "gateway_webhook_secret_file", webhook_check_gateway, webhook_read_gateway},
	[CARRIER] = {"carrier", "/webhooks/carrier", "X-Hmac-Signature",
		     "carrier_webhook_secret_file", webhook_check_carrier, webhook_read_carrier},
};

struct webhooks {
	struct app *app;
	struct http_listener *listener;
	struct webhook_secrets secrets[PROVIDERS];
	size_t body_max;
	unsigned notices;       /* in memory */
	unsigned working;       /* of them: being stored, or answered */
	int64_t tell_forged_ms; /* not before */
	bool draining, closing;
	struct task stop;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

struct notice {
	struct flow fl; /* first */
	struct webhooks *w;
	const struct provider *from;
	struct MHD_Connection *connection;
	char *body;
	size_t n, size; /* so far, of so many */
	bool working, stored;

	struct webhook_event event;
	int32_t tenant;
	struct id order, job; /* zero: nobody's, none */
	unsigned looks;
};

static struct notice *notice_of(struct flow *fl)
{
	return (struct notice *)fl;
}

static void count(const struct provider *from, const char *outcome)
{
	char label[80];

	snprintf(label, sizeof(label), "%s|%s", from->name, outcome);
	metric_add(METRIC_webhooks_received, label, 1);
}

/* ---------------------------------------------------------------- storing */

enum { FIND, RECORD, DONE };

static int ask_find(struct flow *fl)
{
	struct notice *d = notice_of(fl);
	struct webhook_find_head h = {.provider = str_of(d->from->name),
				      .object_id = d->event.object};

	d->looks++;
	return store_ask(fl, d->w->app->store, webhook_find_unit(&h, NULL, 0));
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct notice *d = notice_of(fl);
	struct webhook_find_row r = {.tenant = NOBODYS_TENANT};

	if (answer_rows(a) > 0)
		r = webhook_find_row(a, 0);
	d->tenant = r.tenant;
	d->order = fl->subject = r.order_id;
	d->job = r.job_id;
	return RECORD;
}

static int ask_record(struct flow *fl)
{
	struct notice *d = notice_of(fl);
	struct webhook_received_head h = {.tenant = d->tenant,
					  .order_id = d->order,
					  .job_id = d->job,
					  .provider = str_of(d->from->name),
					  .event_id = d->event.id,
					  .kind = d->event.kind,
					  .object_id = d->event.object};

	return store_ask(fl, d->w->app->store, webhook_received_unit(&h, NULL, 0));
}

/* A kind's role is its first word. */
static enum queue_role role_of(struct str kind)
{
	const char *dot = memchr(kind.p, '.', kind.n);
	struct str word = {kind.p, dot != NULL ? (size_t)(dot - kind.p) : kind.n};
	enum queue_role r = 0;

	while (r < ROLE_COUNT && !str_eq(word, str_of(queue_role_name(r))))
		r++;
	return r;
}

static void ring(struct webhooks *w, const struct webhook_received_row *r)
{
	struct ring ring = {.job = r->job_id,
			    .role = role_of(r->job_kind),
			    .priority = (uint8_t)(r->priority & 3)};

	if (ring.role < ROLE_COUNT)
		queue_ring(w->app->queue, &ring, 1);
}

static int got_record(struct flow *fl, const struct answer *a)
{
	struct notice *d = notice_of(fl);
	struct webhook_received_row r = webhook_received_row(a, 0);
	char outcome[32];

	if (str_eq(r.outcome, STR("moved"))) {
		if (d->looks < LOOKS_MAX)
			return FIND;
		fl->err = ERR_CLASH;
		return FLOW_FAIL;
	}
	if (r.job_kind.n > 0)
		ring(d->w, &r);
	snprintf(outcome, sizeof(outcome), STR_FMT, STR_ARG(r.outcome));
	count(d->from, outcome);
	d->stored = true;
	return DONE;
}

/* clang-format off */
static const struct flow_step webhook_steps[] = {
	/*           name      ask         got         ms    on error next                */
	[FIND]   = {"find",   ask_find,   got_find,   5000, DONE,    TO(RECORD)},
	[RECORD] = {"record", ask_record, got_record, 5000, DONE,    TO(FIND) | TO(DONE)},
	[DONE]   = {"done"},
};

/* clang-format on */

static void on_stored(struct flow *fl)
{
	struct notice *d = notice_of(fl);

	if (!d->stored)
		count(d->from, err_name(fl->cause));
	http_resume(d->w->listener, d->connection);
}

static enum MHD_Result start_storing(struct notice *d)
{
	free(d->body);
	d->body = NULL;
	d->working = true;
	d->w->working++;
	d->fl.name = "webhook";
	d->fl.steps = webhook_steps;
	d->fl.loop = d->w->app->loop;
	d->fl.done = on_stored;
	d->fl.deadline_ms = clock_mono_ms() + STORE_MS;
	http_suspend(d->connection);
	flow_start(&d->fl);
	return MHD_YES;
}

/* ---------------------------------------------------------------- answers */

static enum MHD_Result answer_stored(struct notice *d)
{
	if (d->stored)
		return http_answer(d->connection, MHD_HTTP_OK, "ok\n");
	if (err_retry(d->fl.cause) == ERR_RETRY_NEVER && d->fl.cause != ERR_CANCELLED)
		return http_answer(d->connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				   "it cannot be stored\n");
	return http_answer_with(d->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				"it cannot be stored now\n", MHD_HTTP_HEADER_RETRY_AFTER, "5");
}

static enum MHD_Result refuse(struct MHD_Connection *c, const struct provider *from,
			      const char *outcome, unsigned status, const char *text)
{
	count(from, outcome);
	return http_answer(c, status, text);
}

static enum MHD_Result refuse_draining(struct MHD_Connection *c)
{
	return http_answer_with(c, MHD_HTTP_SERVICE_UNAVAILABLE, "shutting down\n",
				MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result refuse_forged(struct notice *d)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms >= d->w->tell_forged_ms) {
		d->w->tell_forged_ms = now_ms + TELL_MS;
		log_warn("webhook_forged", "provider=%s", d->from->name);
	}
	return refuse(d->connection, d->from, "forged", MHD_HTTP_UNAUTHORIZED,
		      "the signature is not valid\n");
}

/* ---------------------------------------------------------------- bodies */

static void notice_free(void *arg, void *state)
{
	struct webhooks *w = arg;
	struct notice *d = state;

	w->notices--;
	if (d->working && --w->working == 0 && w->closing)
		loop_post(w->app->loop, &w->stop); /* MHD is on the stack */
	arena_done(&d->fl.arena);
	free(d->body);
	free(d);
}

static enum MHD_Result body_complete(struct notice *d)
{
	struct webhooks *w = d->w;
	struct str body = {d->body, d->n};
	const char *header =
		MHD_lookup_connection_value(d->connection, MHD_HEADER_KIND, d->from->header);
	const char *why;

	if (w->closing) /* the store is the next to close */
		return refuse_draining(d->connection);
	switch (d->from->check(&w->secrets[d->from - providers], str_of(header), body,
			       clock_wall_us() / 1000000)) {
	case WEBHOOK_FORGED:
		return refuse_forged(d);
	case WEBHOOK_STALE:
		return refuse(d->connection, d->from, "stale", MHD_HTTP_UNAUTHORIZED,
			      "the signature is too old or from the future\n");
	case WEBHOOK_SIGNED:
		break;
	}
	why = d->from->read(body, &d->fl.arena, &d->event);
	if (why == NULL)
		return start_storing(d);
	log_warn("webhook_invalid", "provider=%s why=%s", d->from->name, LOG_Q(why));
	return refuse(d->connection, d->from, "invalid", MHD_HTTP_BAD_REQUEST,
		      "the event cannot be read\n");
}

static enum MHD_Result more_body(struct notice *d, const char *bytes, size_t *n)
{
	if (*n == 0)
		return d->working ? answer_stored(d) : body_complete(d);
	if (*n > d->size - d->n)
		return MHD_NO;
	memcpy(d->body + d->n, bytes, *n);
	d->n += *n;
	*n = 0;
	return MHD_YES;
}

/* ---------------------------------------------------------------- requests */

static const struct provider *provider_at(const struct webhooks *w, const char *path)
{
	for (int i = 0; i < PROVIDERS; i++)
		if (w->secrets[i].n > 0 && strcmp(path, providers[i].path) == 0)
			return &providers[i];
	return NULL;
}

/* The length the sender promises; false when it does not. */
static bool content_length(struct MHD_Connection *c, long long *ret)
{
	const char *length =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length != NULL &&
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) ==
		       NULL &&
	       str_to_i64(str_of(length), 0, INT64_MAX, ret);
}

/* All that can be told from the header is told before a byte of the body is kept. */
static enum MHD_Result new_notice(struct webhooks *w, struct MHD_Connection *c,
				  const struct provider *from, void **state)
{
	struct notice *d;
	long long size;

	if (w->draining)
		return refuse_draining(c);
	if (MHD_lookup_connection_value(c, MHD_HEADER_KIND, from->header) == NULL)
		return refuse(c, from, "forged", MHD_HTTP_UNAUTHORIZED, "it is not signed\n");
	if (!content_length(c, &size))
		return refuse(c, from, "invalid", MHD_HTTP_LENGTH_REQUIRED,
			      "Content-Length is required\n");
	if ((unsigned long long)size > w->body_max)
		return refuse(c, from, "too_large", MHD_HTTP_CONTENT_TOO_LARGE,
			      "the body is too large\n");
	if (w->notices == NOTICES_MAX) {
		count(from, "busy");
		return http_answer_with(c, MHD_HTTP_TOO_MANY_REQUESTS, "too many at once\n",
					MHD_HTTP_HEADER_RETRY_AFTER, "1");
	}
	w->notices++;
	d = *state = mem_alloc(sizeof(*d));
	*d = (struct notice){.w = w,
			     .from = from,
			     .connection = c,
			     .size = (size_t)size,
			     .body = mem_alloc((size_t)size + 1)};
	arena_init(&d->fl.arena, ARENA);
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *body,
				  size_t *body_size, void **state)
{
	struct webhooks *w = arg;
	const struct provider *from;

	(void)version;
	if (*state != NULL)
		return more_body(*state, body, body_size);
	from = provider_at(w, url);
	if (from == NULL)
		return http_answer(c, MHD_HTTP_NOT_FOUND, "not found\n");
	if (strcmp(method, "POST") != 0)
		return http_answer_with(c, MHD_HTTP_METHOD_NOT_ALLOWED, "POST only\n",
					MHD_HTTP_HEADER_ALLOW, "POST");
	return new_notice(w, c, from, state);
}

/* ---------------------------------------------------------------- start and stop */

static bool read_secrets(struct webhook_secrets *s, const char *field, const char *path)
{
	const char *why;

	if (path[0] == '\0')
		return false;
	why = webhook_secrets_take(s, config_secret(field, path));
	if (why != NULL)
		config_refuse(field, "%s: %s", path, why);
	return true;
}

static void on_listener_closed(void *arg)
{
	struct webhooks *w = arg;
	void (*on_closed)(void *arg) = w->on_closed;
	void *on_closed_arg = w->on_closed_arg;

	for (int i = 0; i < PROVIDERS; i++)
		webhook_secrets_wipe(&w->secrets[i]);
	free(w);
	on_closed(on_closed_arg);
}

static void stop(struct task *t)
{
	struct webhooks *w = (void *)((char *)t - offsetof(struct webhooks, stop));

	http_listener_close(w->listener, on_listener_closed, w);
}

struct webhooks *webhooks_new(struct app *app)
{
	struct webhooks *w = mem_alloc(sizeof(*w));
	struct http_listener_options opt = {.field = "webhook_listen",
					    .address = app->cfg.webhook_listen,
					    .connections = CONNECTIONS_MAX,
					    .request_ms = REQUEST_MS,
					    .on_request = on_request,
					    .on_completed = notice_free,
					    .arg = w};
	const char *const paths[PROVIDERS] = {[GATEWAY] = app->cfg.gateway_webhook_secret_file,
					      [CARRIER] = app->cfg.carrier_webhook_secret_file};
	bool any = false;

	w->app = app;
	w->body_max = (size_t)app->cfg.webhook_max_kib * 1024;
	w->stop.run = stop;
	for (int i = 0; i < PROVIDERS; i++)
		any |= read_secrets(&w->secrets[i], providers[i].field, paths[i]);
	if (!any)
		config_refuse("webhook_listen",
			      "it needs gateway_webhook_secret_file or "
			      "carrier_webhook_secret_file");
	w->listener = http_listener_new(app->loop, &opt);
	return w;
}

const char *webhooks_address(const struct webhooks *w)
{
	return http_listener_address(w->listener);
}

void webhooks_drain(struct webhooks *w)
{
	w->draining = true;
	http_listener_deafen(w->listener);
}

void webhooks_close(struct webhooks *w, void (*on_closed)(void *arg), void *arg)
{
	w->on_closed = on_closed;
	w->on_closed_arg = arg;
	w->closing = true;
	if (w->working == 0)
		loop_post(w->app->loop, &w->stop);
}
