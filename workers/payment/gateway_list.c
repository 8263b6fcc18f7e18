/*
 * A page of the gateway's list of payments (docs.stripe.com/api/payment_intents/list), as the
 * rows that are kept of it.  All of a page can be read, or none: a payment left out would be
 * one nobody looks at.
 */
#include <string.h>

#include <jansson.h>

#include "core/base/log.h"
#include "workers/payment/gateway.h"

#define MINOR_MAX   INT64_C(1000000000000000)
#define SECONDS_MAX INT64_C(253402300799) /* the year 9999 */

enum { ID_MAX = 255, STATUS_MAX = 40 };

static bool text_of(struct flow *fl, const json_t *object, const char *field, size_t most,
		    struct str *ret)
{
	struct str s = str_of(json_string_value(json_object_get(object, field)));

	if (s.p == NULL || s.n == 0 || s.n > most || !str_is_text(s))
		return false;
	*ret = arena_str(&fl->arena, s);
	return ret->p != NULL;
}

static bool number_of(const json_t *object, const char *field, int64_t most, int64_t *ret)
{
	const json_t *value = json_object_get(object, field);

	*ret = json_integer_value(value);
	return json_is_integer(value) && *ret >= 0 && *ret <= most;
}

/* Codes of currencies are upper case with us. */
static bool currency_of(struct flow *fl, const json_t *intent, struct str *ret)
{
	const char *code = json_string_value(json_object_get(intent, "currency"));
	char *upper;

	if (code == NULL || strlen(code) != 3)
		return false;
	upper = arena_printf(&fl->arena, "%s", code);
	for (size_t i = 0; upper != NULL && i < 3; i++) {
		if (upper[i] < 'a' || upper[i] > 'z')
			return false;
		upper[i] = (char)(upper[i] - 'a' + 'A');
	}
	*ret = str_of(upper);
	return upper != NULL;
}

static bool read_intent(struct flow *fl, const json_t *intent, struct gateway_seen_line *ret)
{
	const json_t *metadata = json_object_get(intent, "metadata");
	int64_t created;

	*ret = (struct gateway_seen_line){0};
	if (!text_of(fl, intent, "id", ID_MAX, &ret->id) ||
	    !text_of(fl, intent, "status", STATUS_MAX, &ret->status) ||
	    !currency_of(fl, intent, &ret->currency) ||
	    !number_of(intent, "amount", MINOR_MAX, &ret->amount_minor) ||
	    !number_of(intent, "amount_capturable", MINOR_MAX, &ret->held_minor) ||
	    !number_of(intent, "amount_received", MINOR_MAX, &ret->captured_minor) ||
	    !number_of(intent, "created", SECONDS_MAX, &created))
		return false;
	ret->created_at = created * 1000000;
	/* Whatever else stands there is no attempt of ours. */
	if (!id_parse(str_of(json_string_value(json_object_get(metadata, "attempt_id"))),
		      &ret->attempt_id))
		ret->attempt_id = (struct id){{0}};
	return true;
}

static bool read_page(struct flow *fl, const json_t *body, struct gateway_page *ret)
{
	const json_t *data = json_object_get(body, "data"),
		     *more = json_object_get(body, "has_more");
	size_t n = json_array_size(data);

	if (!json_is_array(data) || !json_is_boolean(more) || n > GATEWAY_PAGE ||
	    (n == 0 && json_is_true(more)))
		return false;
	ret->lines = arena_array(&fl->arena, n + 1, sizeof(*ret->lines));
	if (ret->lines == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!read_intent(fl, json_array_get(data, i), &ret->lines[i]))
			return false;
	ret->n = (uint32_t)n;
	ret->more = json_is_true(more);
	return true;
}

static enum errc refusal(int status, const char *code)
{
	if ((status == 400 || status == 404) && code != NULL &&
	    strcmp(code, "resource_missing") == 0)
		return ERR_NOT_FOUND;
	if (status == 429 || status == 409 || status >= 500)
		return ERR_PROVIDER_BUSY;
	return status >= 400 ? ERR_PROVIDER_REFUSED : ERR_PROVIDER_BROKEN;
}

enum errc gateway_page(struct flow *fl, const struct answer *a, struct gateway_page *ret)
{
	const struct http_response *r = http_response(a);
	json_t *body = json_loadb(r->body.p != NULL ? r->body.p : "", r->body.n,
				  JSON_REJECT_DUPLICATES, NULL);
	enum errc err = ERR_OK;

	*ret = (struct gateway_page){0};
	if (r->status != 200)
		err = refusal(r->status, json_string_value(json_object_get(
						 json_object_get(body, "error"), "code")));
	else if (!read_page(fl, body, ret))
		err = ERR_PROVIDER_BROKEN;
	json_decref(body);
	return err;
}
