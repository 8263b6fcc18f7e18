/*
 * The gateway's door: who asks, which endpoint, which idempotency key; then the error
 * and parameter helpers its endpoints share.
 *
 * Keys follow Stripe's "Idempotent requests": the first answer given once execution
 * began, errors included, is given again; other parameters are an idempotency_error;
 * a key still at work is a 409; a request that failed validation leaves no trace.
 */
#include "sims/gateway.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sims/form.h"
#include "sims/gateway_part.h"
#include "sims/journal.h"

enum { KEY_MAX = 255, PAGE_DEFAULT = 10, PAGE_MAX = 100 };

#define FORM_INT_MAX INT64_C(1000000000000)

/* ---- endpoints ---- */

struct endpoint {
	const char *method;
	const char *path;
	void (*serve)(struct call *c);
	const char *params; /* root names, each between spaces */
};

#define CREATE_PARAMS                                                                        \
	" amount currency capture_method confirm confirmation_method payment_method "        \
	"payment_method_types payment_method_options automatic_payment_methods off_session " \
	"return_url error_on_requires_action setup_future_usage metadata description "       \
	"receipt_email statement_descriptor statement_descriptor_suffix shipping expand "
#define LIST_PARAMS " limit created starting_after expand "

static const struct endpoint endpoints[] = {
	{"POST", "/v1/payment_intents", intent_create, CREATE_PARAMS},
	{"GET", "/v1/payment_intents", intent_list, LIST_PARAMS},
	{"GET", "/v1/payment_intents/*", intent_get, " client_secret expand "},
	{"POST", "/v1/payment_intents/*/confirm", intent_confirm,
	 " payment_method off_session return_url error_on_requires_action expand "},
	{"POST", "/v1/payment_intents/*/capture", intent_capture,
	 " amount_to_capture final_capture metadata expand "},
	{"POST", "/v1/payment_intents/*/cancel", intent_cancel, " cancellation_reason expand "},
	{"POST", "/v1/refunds", refund_create,
	 " payment_intent charge amount reason metadata expand "},
	{"GET", "/v1/refunds", refund_list, " limit created starting_after payment_intent charge "},
	{"GET", "/v1/refunds/*", refund_get, " expand "},
	{"GET", "/v1/charges/*", charge_get, " expand "},
};

static const struct endpoint *endpoint_of(struct call *c)
{
	size_t i;

	for (i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (strcmp(endpoints[i].method, c->method) == 0 &&
		    path_matches(endpoints[i].path, c->path, c->id))
			return &endpoints[i];
	return NULL;
}

static bool params_known(struct call *c, const struct endpoint *e)
{
	char root[128];
	const char *name;
	json_t *value;

	json_object_foreach(strcmp(c->method, "GET") == 0 ? c->query : c->form, name, value)
	{
		snprintf(root, sizeof(root), " %.*s ", (int)strcspn(name, "["), name);
		if (strstr(e->params, root) == NULL) {
			gateway_invalid(c, "parameter_unknown", name,
					"Received unknown parameter: %s", name);
			return false;
		}
	}
	return true;
}

/* ---- who asks ---- */

/* "Bearer sk_test_x", or Basic with the key as user and no password. */
static bool authorized(const struct call *c)
{
	/* base64 of "sk_test_" without its last, shared sextets; the rest may be anything. */
	static const char basic[] = "Basic c2tfdGVzdF";

	if (c->auth == NULL)
		return false;
	return strncmp(c->auth, "Bearer sk_test_", 15) == 0 ||
	       strncmp(c->auth, "Bearer rk_test_", 15) == 0 ||
	       strncmp(c->auth, basic, sizeof(basic) - 1) == 0;
}

/* A restricted key may read here, and nothing else. */
static bool permitted(struct call *c, bool acts)
{
	const struct gateway_error e = {.type = "invalid_request_error"};

	if (!acts || strncmp(c->auth, "Bearer rk_", 10) != 0)
		return true;
	gateway_refuse(c, 403, &e, NULL, "This key does not have the permission to do this.");
	return false;
}

static void refuse_stranger(struct call *c)
{
	const struct gateway_error e = {.type = "invalid_request_error"};

	gateway_refuse(c, 401, &e, NULL,
		       c->auth == NULL ? "No API key was given; send it as a Bearer token."
				       : "This API key is not valid.");
}

/* ---- idempotency ---- */

static void replay(struct call *c, json_t *line)
{
	json_t *reply = json_object_get(line, "reply");

	if (reply == NULL)
		reply = json_array_get(json_object_get(line, "puts"), 0);
	call_answer(c, (int)int_in(line, "status"), json_incref(reply), "replayed");
	c->replayed = true;
}

static bool same_request(const struct call *c, const json_t *line)
{
	return strcmp(text_in(line, "method"), c->method) == 0 &&
	       strcmp(text_in(line, "path"), c->path) == 0 &&
	       json_equal(json_object_get(line, "params"), c->form);
}

static void refuse_key(struct call *c, int status, const char *type, const char *code,
		       const char *why)
{
	const struct gateway_error e = {.type = type, .code = code};

	gateway_refuse(c, status, &e, NULL, "%s", why);
}

/* True: this call may act, and holds its key. */
static bool key_taken(struct call *c)
{
	json_t *line;

	if (c->key == NULL)
		return true;
	if (strlen(c->key) > KEY_MAX || c->key[0] == '\0') {
		refuse_key(c, 400, "invalid_request_error", NULL,
			   "An idempotency key has 1 to 255 characters.");
		return false;
	}
	if (json_object_get(c->sim->in_flight, c->key) != NULL) {
		refuse_key(c, 409, "invalid_request_error", "idempotency_key_in_use",
			   "Another request with this idempotency key is still at work.");
		return false;
	}
	line = journal_saved(c->journal, c->key);
	if (line == NULL) {
		json_object_set_new(c->sim->in_flight, c->key, json_true());
		c->in_flight = true;
		return true;
	}
	if (same_request(c, line))
		replay(c, line);
	else
		refuse_key(c, 400, "idempotency_error", NULL,
			   "This idempotency key was used with other parameters.");
	json_decref(line);
	return false;
}

/* ---- the door ---- */

void gateway_serve(struct call *c)
{
	const struct endpoint *e = endpoint_of(c);
	const struct gateway_error unknown = {.type = "invalid_request_error"};
	bool acts = strcmp(c->method, "POST") == 0;

	if (!authorized(c)) {
		refuse_stranger(c);
		return;
	}
	if (e == NULL) {
		gateway_refuse(c, 404, &unknown, NULL, "Unrecognized request URL (%s: %s).",
			       c->method, c->path);
		return;
	}
	if (!permitted(c, acts))
		return;
	if (acts && !key_taken(c))
		return;
	if (!params_known(c, e))
		return;
	c->saved = acts && c->key != NULL; /* until a validation says otherwise */
	e->serve(c);
}

/* ---- events ---- */

/* The version of the API the objects here have the shape of, as an endpoint of that version would
 * get them. */
#define API_VERSION "2026-10-28.endive"

void gateway_event(struct call *c, const char *type, const json_t *object, bool by_itself)
{
	char id[SIM_ID_SIZE];
	json_t *event;

	if (!call_heard(c))
		return;
	call_new_id(c, "evt_", id);
	event = must(json_pack("{s:s, s:s, s:s, s:I, s:{s:o}, s:b, s:i, s:{s:s?, s:s?}, s:s}", "id",
			       id, "object", "event", "api_version", API_VERSION, "created",
			       (json_int_t)sim_now_s(c->sim), "data", "object",
			       must(json_deep_copy(object)), "livemode", 0, "pending_webhooks", 1,
			       "request", "id", by_itself ? NULL : c->request_id, "idempotency_key",
			       by_itself ? NULL : c->key, "type", type));
	call_event(c, type, event);
}

/* ---- errors ---- */

__attribute__((format(printf, 5, 0))) static void refuse_v(struct call *c, int status,
							   const struct gateway_error *e,
							   json_t *intent, const char *fmt,
							   va_list ap)
{
	char message[512];

	vsnprintf(message, sizeof(message), fmt, ap);
	call_answer(c, status,
		    json_pack("{s:{s:s, s:s*, s:s*, s:s*, s:s*, s:s, s:O*}}", "error", "type",
			      e->type, "code", e->code, "decline_code", e->decline_code, "param",
			      e->param, "charge", e->charge, "message", message, "payment_intent",
			      intent),
		    e->code != NULL ? e->code : e->type);
}

void gateway_refuse(struct call *c, int status, const struct gateway_error *e, json_t *intent,
		    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse_v(c, status, e, intent, fmt, ap);
	va_end(ap);
}

void gateway_invalid(struct call *c, const char *code, const char *param, const char *fmt, ...)
{
	const struct gateway_error e = {
		.type = "invalid_request_error", .code = code, .param = param};
	va_list ap;

	va_start(ap, fmt);
	refuse_v(c, 400, &e, NULL, fmt, ap);
	va_end(ap);
	c->saved = false;
}

/* In the path a missing object is a 404, in a parameter a 400. */
void gateway_missing(struct call *c, const char *kind, const char *id, const char *param)
{
	const struct gateway_error e = {
		.type = "invalid_request_error",
		.code = "resource_missing",
		.param = param != NULL ? param : "id",
	};

	gateway_refuse(c, param != NULL ? 400 : 404, &e, NULL, "No such %s: '%s'", kind, id);
	c->saved = false;
}

void gateway_fail(struct call *c, int status)
{
	const struct gateway_error busy = {.type = "invalid_request_error", .code = "rate_limit"};
	const struct gateway_error broken = {.type = "api_error"};

	if (status == 429) {
		gateway_refuse(c, 429, &busy, NULL, "Too many requests; come back later.");
		c->retry_after_s = 1;
		return;
	}
	gateway_refuse(c, status, &broken, NULL, "Something went wrong on the gateway's side.");
	/* A saved failure would be given again: asking once more is no use. */
	c->should_retry = c->saved ? "false" : "true";
}

/* ---- parameters ---- */

static const json_t *params_of(const struct call *c)
{
	return strcmp(c->method, "GET") == 0 ? c->query : c->form;
}

const char *form_text(const struct call *c, const char *name)
{
	return json_string_value(json_object_get(params_of(c), name));
}

bool form_flag(const struct call *c, const char *name)
{
	const char *text = form_text(c, name);

	return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

bool form_int(struct call *c, const char *name, int64_t *ret)
{
	const char *text = form_text(c, name);
	char *end;
	long long value;

	if (text == NULL)
		return true;
	value = strtoll(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > FORM_INT_MAX) {
		gateway_invalid(c, "parameter_invalid_integer", name, "Invalid integer: %.64s",
				text);
		return false;
	}
	*ret = value;
	return true;
}

/* 50 keys of 40 characters, values of 500 (Stripe API reference, "Metadata"). */
json_t *form_metadata(struct call *c)
{
	json_t *metadata = form_nested(c->form, "metadata");
	const char *name;
	json_t *value;

	if (metadata == NULL)
		return must(json_object());
	if (json_object_size(metadata) > 50) {
		gateway_invalid(c, NULL, "metadata", "Metadata holds at most 50 keys.");
		goto refused;
	}
	json_object_foreach(metadata, name, value) if (strlen(name) > 40 ||
						       !json_is_string(value) ||
						       json_string_length(value) > 500)
	{
		gateway_invalid(c, NULL, "metadata", "Metadata has a key or value too long.");
		goto refused;
	}
	return metadata;
refused:
	json_decref(metadata);
	return NULL;
}

bool expands(const struct call *c, const char *name)
{
	const char *field;
	json_t *value;

	json_object_foreach((json_t *)params_of(c), field,
			    value) if (strncmp(field, "expand[", 7) == 0 &&
				       strcmp(json_string_value(value), name) == 0) return true;
	return false;
}

/* ---- lists ---- */

struct page {
	int64_t limit;
	int64_t gt, gte, lt, lte; /* of "created" */
};

static bool page_read(struct call *c, struct page *p)
{
	*p = (struct page){PAGE_DEFAULT, -1, 0, INT64_MAX, INT64_MAX};
	if (!form_int(c, "limit", &p->limit) || !form_int(c, "created[gt]", &p->gt) ||
	    !form_int(c, "created[gte]", &p->gte) || !form_int(c, "created[lt]", &p->lt) ||
	    !form_int(c, "created[lte]", &p->lte))
		return false;
	if (p->limit >= 1 && p->limit <= PAGE_MAX)
		return true;
	gateway_invalid(c, "parameter_invalid_integer", "limit", "limit must be in 1..100");
	return false;
}

static bool within(const struct page *p, const json_t *object)
{
	int64_t created = int_in(object, "created");

	return created > p->gt && created >= p->gte && created < p->lt && created <= p->lte;
}

/* Index of the newest candidate: all, or those older than starting_after; -1 when that is unknown.
 */
static int64_t page_start(struct call *c, const json_t *ids)
{
	const char *after = form_text(c, "starting_after");
	size_t i = json_array_size(ids);

	if (after == NULL)
		return (int64_t)i;
	while (i-- > 0)
		if (strcmp(json_string_value(json_array_get(ids, i)), after) == 0)
			return (int64_t)i;
	return -1;
}

void gateway_list(struct call *c, const char *kind, const char *url,
		  json_t *(*show)(struct call *c, json_t *take_object))
{
	const json_t *ids = journal_ids(c->journal, kind);
	json_t *data;
	struct page page;
	bool more = false;
	int64_t i;

	if (!page_read(c, &page))
		return;
	i = page_start(c, ids);
	if (i < 0) {
		gateway_missing(c, kind, form_text(c, "starting_after"), "starting_after");
		return;
	}
	data = must(json_array());
	while (i-- > 0 && !more) {
		const char *id = json_string_value(json_array_get(ids, (size_t)i));
		json_t *object = journal_get(c->journal, id);

		if (within(&page, object))
			object = show(c, object);
		else {
			json_decref(object);
			continue;
		}
		if (object != NULL && json_array_size(data) == (size_t)page.limit) {
			more = true;
			json_decref(object);
		} else if (object != NULL)
			json_array_append_new(data, object);
	}
	call_answer(c, 200,
		    json_pack("{s:s, s:o, s:b, s:s}", "object", "list", "data", data, "has_more",
			      more ? 1 : 0, "url", url),
		    "listed");
}
