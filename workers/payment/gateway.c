#include "workers/payment/gateway.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "workers/job.h"

enum { ACTION_URL_MAX = 2048 };

/*
 * Stripe's documented bound on keys is 255 bytes, on amounts 8 digits; both are checked by the
 * gateway itself.
 */

/* NULL: it does not fit. */
static struct http_request *request(struct flow *fl, struct worker *w, const char *method,
				    struct str path, struct id key, const char *verb,
				    const struct http_form *form)
{
	struct http_request *rq = arena_alloc(&fl->arena, sizeof(*rq));
	const char **headers = arena_array(&fl->arena, 4, sizeof(*headers));
	char text[ID_TEXT_SIZE];
	char *url = arena_printf(&fl->arena, "%s/v1/payment_intents" STR_FMT, w->cfg.gateway_url,
				 STR_ARG(path));

	if (rq == NULL || headers == NULL || url == NULL || (form != NULL && form->failed))
		return NULL;
	headers[0] = arena_printf(&fl->arena, "Authorization: Bearer %s", w->gateway_key);
	if (verb != NULL) {
		headers[1] = arena_printf(&fl->arena, "Idempotency-Key: %s-%s",
					  id_format(key, text), verb);
		headers[2] = "Content-Type: application/x-www-form-urlencoded";
	}
	*rq = (struct http_request){.method = method,
				    .url = url,
				    .headers = headers,
				    .timeout_ms = (int)w->cfg.http_timeout_ms};
	if (verb != NULL)
		rq->body = form != NULL ? (struct str){form->p, form->n} : STR("");
	return rq;
}

static int ask(struct flow *fl, struct worker *w, const char *method, struct str path,
	       struct id key, const char *verb, const struct http_form *form)
{
	const struct http_request *rq = request(fl, w, method, path, key, verb, form);

	if (rq == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the request to the gateway does not fit");
	return http_ask(fl, w->http, rq);
}

/*
 * A customer who is there may be sent to their bank and comes back to the return URL.  Without
 * one they could not be sent, so the gateway shall refuse instead.  Who is not there
 * (off_session) is never asked.
 */
static void add_session(struct http_form *form, const struct worker *w, bool present)
{
	if (!present)
		http_form_add(form, "off_session", STR("true"));
	else if (w->cfg.payment_return_url[0] != '\0')
		http_form_add(form, "return_url", str_of(w->cfg.payment_return_url));
	else
		http_form_add(form, "error_on_requires_action", STR("true"));
}

int gateway_ask_authorize(struct flow *fl, struct worker *w, const struct gateway_payment *p)
{
	struct http_form form = {.arena = &fl->arena};
	char order[ID_TEXT_SIZE], attempt[ID_TEXT_SIZE], currency[4] = "";

	/* A-Z only, checked when it was stored: the bit makes it lower case. */
	for (size_t i = 0; i < p->currency.n && i < 3; i++)
		currency[i] = (char)(p->currency.p[i] | 0x20);
	http_form_add_int(&form, "amount", p->amount_minor);
	http_form_add(&form, "currency", str_of(currency));
	http_form_add(&form, "payment_method", p->method_token);
	http_form_add(&form, "payment_method_types[0]", STR("card"));
	http_form_add(&form, "capture_method", STR("manual"));
	http_form_add(&form, "confirm", STR("true"));
	add_session(&form, w, p->present);
	http_form_add(&form, "expand[0]", STR("latest_charge")); /* knows how long it is good */
	http_form_add(&form, "metadata[order_id]", str_of(id_format(p->order, order)));
	http_form_add_int(&form, "metadata[group]", p->group_no);
	http_form_add(&form, "metadata[attempt_id]", str_of(id_format(p->attempt, attempt)));
	return ask(fl, w, "POST", STR(""), p->attempt, "authorize", &form);
}

int gateway_ask_capture(struct flow *fl, struct worker *w, struct id attempt, struct str gateway_id,
			int64_t amount_minor)
{
	struct http_form form = {.arena = &fl->arena};
	char *path = arena_printf(&fl->arena, "/" STR_FMT "/capture", STR_ARG(gateway_id));

	http_form_add_int(&form, "amount_to_capture", amount_minor);
	return ask(fl, w, "POST", str_of(path), attempt, "capture", &form);
}

int gateway_ask_cancel(struct flow *fl, struct worker *w, struct id attempt, struct str gateway_id)
{
	char *path = arena_printf(&fl->arena, "/" STR_FMT "/cancel", STR_ARG(gateway_id));

	return ask(fl, w, "POST", str_of(path), attempt, "void", NULL);
}

int gateway_ask_read(struct flow *fl, struct worker *w, struct str gateway_id)
{
	char *path = arena_printf(&fl->arena, "/" STR_FMT "?expand[]=latest_charge",
				  STR_ARG(gateway_id));

	return ask(fl, w, "GET", str_of(path), (struct id){{0}}, NULL, NULL);
}

int gateway_ask_list(struct flow *fl, struct worker *w, int64_t since_us, struct str after)
{
	struct http_form query = {.arena = &fl->arena};
	const struct http_request *rq;
	char *path;

	http_form_add_int(&query, "limit", GATEWAY_PAGE);
	http_form_add_int(&query, "created[gte]", since_us / 1000000);
	if (after.n > 0)
		http_form_add(&query, "starting_after", after);
	path = query.failed ? NULL : arena_printf(&fl->arena, "?%.*s", (int)query.n, query.p);
	rq = path != NULL ? request(fl, w, "GET", str_of(path), (struct id){{0}}, NULL, NULL)
			  : NULL;
	if (rq != NULL)
		return http_ask(fl, w->http, rq);
	fl->err = ERR_TOO_LARGE;
	return FLOW_FAIL;
}

/* ---------------------------------------------------------------- answers */

static struct str keep(struct flow *fl, const json_t *text)
{
	return arena_str(&fl->arena, str_of(json_string_value(text)));
}

#define NO_VERDICT(...) (job_fail(__VA_ARGS__), (struct gateway_answer){.verdict = GATEWAY_FAILED})

static enum gateway_verdict verdict_of(const char *status)
{
	static const struct {
		const char *status;
		enum gateway_verdict verdict;
	} rows[] = {
		{"requires_capture", GATEWAY_AUTHORIZED},
		{"succeeded", GATEWAY_CAPTURED},
		{"canceled", GATEWAY_CANCELED},
		{"requires_action", GATEWAY_REQUIRES_ACTION},
		{"requires_payment_method", GATEWAY_DECLINED},
		{"requires_confirmation", GATEWAY_OPEN},
		{"processing", GATEWAY_OPEN},
	};

	for (size_t i = 0; status != NULL && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(status, rows[i].status) == 0)
			return rows[i].verdict;
	return GATEWAY_FAILED;
}

/*
 * Unix seconds -> microseconds; 0, "not told", for what is no time of our calendar (to the year
 * 9999).
 */
static int64_t time_of(int64_t seconds)
{
	return seconds > 0 && seconds <= INT64_C(253402300799) ? seconds * 1000000 : 0;
}

/* Only a web address is handed to a customer's browser. */
static struct str read_action_url(struct flow *fl, const json_t *intent)
{
	const json_t *next = json_object_get(intent, "next_action");
	const char *url =
		json_string_value(json_object_get(json_object_get(next, "redirect_to_url"), "url"));

	if (url == NULL || strlen(url) > ACTION_URL_MAX ||
	    (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
		return STR("");
	return arena_str(&fl->arena, str_of(url));
}

static struct gateway_answer read_intent(struct flow *fl, const json_t *intent)
{
	const char *status = json_string_value(json_object_get(intent, "status"));
	const json_t *error = json_object_get(intent, "last_payment_error");
	const json_t *charge = json_object_get(intent, "latest_charge");
	struct gateway_answer g = {.verdict = verdict_of(status),
				   .id = keep(fl, json_object_get(intent, "id"))};

	if (g.verdict == GATEWAY_FAILED || g.id.n == 0)
		return NO_VERDICT(fl, ERR_PROVIDER_BROKEN,
				  "the gateway answered with a payment in state %.40s",
				  status != NULL ? status : "(none)");
	g.amount_received = json_integer_value(json_object_get(intent, "amount_received"));
	g.code = keep(fl, json_object_get(error, "decline_code"));
	if (g.code.n == 0)
		g.code = keep(fl, json_object_get(error, "code"));
	charge = json_object_get(
		json_object_get(json_object_get(charge, "payment_method_details"), "card"),
		"capture_before");
	g.authorized_until_us = time_of(json_integer_value(charge));
	if (g.verdict == GATEWAY_REQUIRES_ACTION)
		g.action_url = read_action_url(fl, intent);
	return g;
}

/* 402: the card was refused.  The intent it names is kept, so that it can be looked at later. */
static struct gateway_answer read_decline(struct flow *fl, const json_t *error)
{
	struct gateway_answer g = {.verdict = GATEWAY_DECLINED};

	g.id = keep(fl, json_object_get(json_object_get(error, "payment_intent"), "id"));
	g.code = keep(fl, json_object_get(error, "decline_code"));
	if (g.code.n == 0)
		g.code = keep(fl, json_object_get(error, "code"));
	if (g.code.n == 0)
		g.code = STR("card_declined");
	return g;
}

/*
 * An error by its HTTP status.  After 5xx, and after a status that is no error, the request
 * may have acted, so it has to be found out; 409 and 429 say that it has not.  Other 4xx:
 * asked like this, never.
 */
static struct gateway_answer read_error(struct flow *fl, int status, const json_t *error)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *text = json_string_value(json_object_get(error, "message"));

	code = code != NULL ? code : "";
	if (status == 402)
		return read_decline(fl, error);
	if (status == 404 && strcmp(code, "resource_missing") == 0)
		return (struct gateway_answer){.verdict = GATEWAY_ABSENT};
	if (status == 400 && (strcmp(code, "payment_intent_unexpected_state") == 0 ||
			      strcmp(code, "charge_already_captured") == 0 ||
			      strcmp(code, "charge_expired_for_capture") == 0))
		return (struct gateway_answer){.verdict = GATEWAY_UNEXPECTED};
	if (status == 409 || status == 429)
		return NO_VERDICT(fl, ERR_PROVIDER_BUSY, "the gateway answered %d %.60s", status,
				  code);
	if (status >= 500 || status < 400)
		return NO_VERDICT(fl, ERR_HTTP_UNKNOWN, "the gateway answered %d %.60s", status,
				  code);
	return NO_VERDICT(fl, ERR_PROVIDER_REFUSED, "the gateway answered %d: %.120s", status,
			  text != NULL ? text : code);
}

struct gateway_answer gateway_answer(struct flow *fl, const struct answer *a)
{
	const struct http_response *r = http_response(a);
	json_t *body = json_loadb(r->body.p != NULL ? r->body.p : "", r->body.n,
				  JSON_REJECT_DUPLICATES, NULL);
	struct gateway_answer g;

	if (r->status == 200 && json_is_object(body))
		g = read_intent(fl, body);
	else if (r->status == 200)
		g = NO_VERDICT(fl, ERR_PROVIDER_BROKEN,
			       "the gateway answered 200 and no JSON object");
	else
		g = read_error(fl, r->status, json_object_get(body, "error"));
	json_decref(body);
	return g;
}
