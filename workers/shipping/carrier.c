#include "workers/shipping/carrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "workers/job.h"

/* One ounce is 28.349523125 g (international avoirdupois); the API counts in ounces. */
static const double GRAMS_PER_OUNCE = 28.349523125;

static int ask(struct flow *fl, struct worker *w, const char *method, const char *path,
	       json_t *take_body)
{
	struct http_request *rq = arena_alloc(&fl->arena, sizeof(*rq));
	const char **headers = arena_array(&fl->arena, 2, sizeof(*headers));
	char *url =
		arena_printf(&fl->arena, "%s/v2%s", w->cfg.carrier_url, path != NULL ? path : "");
	char *text = take_body != NULL ? json_dumps(take_body, JSON_COMPACT) : NULL;
	char *body = text != NULL ? arena_dup(&fl->arena, text, strlen(text)) : NULL;
	bool fits = rq != NULL && headers != NULL && url != NULL && path != NULL &&
		    (take_body == NULL || body != NULL);

	json_decref(take_body);
	free(text);
	if (!fits)
		return job_fail(fl, ERR_TOO_LARGE, "the request to the carrier does not fit");
	if (body != NULL)
		headers[0] = "Content-Type: application/json";
	*rq = (struct http_request){.method = method,
				    .url = url,
				    .headers = headers,
				    .body = str_of(body),
				    .basic_user = w->carrier_key,
				    .timeout_ms = (int)w->cfg.http_timeout_ms};
	return http_ask(fl, w->http, rq);
}

static json_t *text(struct str s)
{
	return json_stringn(s.p != NULL ? s.p : "", s.n);
}

static json_t *address_json(const struct address *a)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", text(a->name),
			 "street1", text(a->street), "city", text(a->city), "state",
			 text(a->region), "zip", text(a->postal_code), "country", text(a->country),
			 "email", text(a->email), "phone", text(a->phone));
}

int carrier_ask_create(struct flow *fl, struct worker *w, const char *reference,
		       const struct address *from, const struct address *to, int64_t weight_g)
{
	return ask(fl, w, "POST", "/shipments",
		   json_pack("{s:{s:s, s:o, s:o, s:{s:f}}}", "shipment", "reference", reference,
			     "from_address", address_json(from), "to_address", address_json(to),
			     "parcel", "weight", (double)weight_g / GRAMS_PER_OUNCE));
}

int carrier_ask_read(struct flow *fl, struct worker *w, struct str parcel_id)
{
	return ask(fl, w, "GET",
		   arena_printf(&fl->arena, "/shipments/" STR_FMT, STR_ARG(parcel_id)), NULL);
}

int carrier_ask_rerate(struct flow *fl, struct worker *w, struct str parcel_id)
{
	return ask(fl, w, "POST",
		   arena_printf(&fl->arena, "/shipments/" STR_FMT "/rerate", STR_ARG(parcel_id)),
		   json_object());
}

int carrier_ask_refund(struct flow *fl, struct worker *w, struct str parcel_id)
{
	return ask(fl, w, "POST",
		   arena_printf(&fl->arena, "/shipments/" STR_FMT "/refund", STR_ARG(parcel_id)),
		   json_object());
}

int carrier_ask_buy(struct flow *fl, struct worker *w, struct str parcel_id, struct str rate_id)
{
	return ask(fl, w, "POST",
		   arena_printf(&fl->arena, "/shipments/" STR_FMT "/buy", STR_ARG(parcel_id)),
		   json_pack("{s:{s:o}}", "rate", "id", text(rate_id)));
}

int carrier_ask_tracker(struct flow *fl, struct worker *w, struct str tracker_id,
			struct str tracking_code, struct str carrier)
{
	if (tracker_id.n > 0)
		return ask(fl, w, "GET",
			   arena_printf(&fl->arena, "/trackers/" STR_FMT, STR_ARG(tracker_id)),
			   NULL);
	return ask(fl, w, "POST", "/trackers",
		   json_pack("{s:{s:o, s:o}}", "tracker", "tracking_code", text(tracking_code),
			     "carrier", text(carrier)));
}

/* ---------------------------------------------------------------- answers */

static struct str keep(struct flow *fl, const json_t *from, const char *name)
{
	return arena_str(&fl->arena, str_of(json_string_value(json_object_get(from, name))));
}

/*
 * "7.58" -> 758: the API gives amounts as decimal strings.  `places` is how many the currency has;
 * more may be written if they are 0.  -1: not such a string.
 */
static int64_t minor_of(const char *z, int places)
{
	int64_t minor = 0;
	bool digits = false;
	int behind = -1;

	for (; z != NULL && *z != '\0'; z++) {
		if (*z == '.' && behind < 0) {
			behind = 0;
			continue;
		}
		if (*z < '0' || *z > '9' || minor > INT32_MAX)
			return -1;
		digits = true;
		if (behind >= 0 && behind++ >= places) {
			if (*z != '0')
				return -1;
			continue;
		}
		minor = minor * 10 + (*z - '0');
	}
	if (!digits)
		return -1;
	for (behind = behind < 0 ? 0 : behind; behind < places; behind++)
		minor *= 10;
	return minor;
}

/* An answer that is not what was asked for: what to do about it. */
static int no_answer(struct flow *fl, int status, struct str code)
{
	int n = code.n < 80 ? (int)code.n : 80;
	const char *p = code.p != NULL ? code.p : "";

	if (status == 429 || status == 409)
		return job_fail(fl, ERR_PROVIDER_BUSY, "the carrier answered %d %.*s", status, n,
				p);
	if (status >= 500 || status < 400)
		return job_fail(fl, ERR_HTTP_UNKNOWN, "the carrier answered %d %.*s", status, n, p);
	return job_fail(fl, ERR_PROVIDER_REFUSED, "the carrier answered %d %.*s", status, n, p);
}

/* false: it has no id, or its price cannot be read. */
static bool read_offer(struct flow *fl, const json_t *rate, struct shipping_offer *o)
{
	struct str currency = str_of(json_string_value(json_object_get(rate, "currency")));
	const json_t *days = json_object_get(rate, "delivery_days");
	json_int_t n;
	int64_t minor = -1;

	if (!json_is_integer(days))
		days = json_object_get(rate, "est_delivery_days");
	n = json_is_integer(days) ? json_integer_value(days) : -1;
	*o = (struct shipping_offer){.id = keep(fl, rate, "id"),
				     .carrier = keep(fl, rate, "carrier"),
				     .service = keep(fl, rate, "service"),
				     .days = n >= 0 && n <= INT16_MAX ? (int32_t)n
								      : SHIPPING_DAYS_UNKNOWN};
	if (money_of(currency, 0, &o->price))
		minor = minor_of(json_string_value(json_object_get(rate, "rate")),
				 money_digits(o->price.currency));
	return o->id.n > 0 && money_of(currency, minor, &o->price);
}

static bool read_offers(struct flow *fl, const json_t *rates, struct carrier_parcel *p)
{
	size_t n = json_array_size(rates);

	if (n > CARRIER_OFFERS_MAX)
		n = CARRIER_OFFERS_MAX;
	p->offers = arena_array(&fl->arena, n + 1, sizeof(*p->offers));
	if (p->offers == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (read_offer(fl, json_array_get(rates, i), &p->offers[p->n_offers]))
			p->n_offers++;
	return true;
}

static bool read_parcel(struct flow *fl, const json_t *body, struct carrier_parcel *p)
{
	const json_t *rate = json_object_get(body, "selected_rate");
	const json_t *tracker = json_object_get(body, "tracker");
	const json_t *label = json_object_get(body, "postage_label");

	if (!read_offers(fl, json_object_get(body, "rates"), p))
		return false;
	p->tracking_code = keep(fl, body, "tracking_code");
	p->bought = json_is_object(rate) && json_is_object(label) && p->tracking_code.n > 0;
	/*
	 * A label was bought whatever its price looks like; one that cannot be read counts as
	 * nothing.
	 */
	if (p->bought && !read_offer(fl, rate, &p->bought_offer))
		p->bought_offer.price.minor = 0;
	p->label_url = keep(fl, label, "label_url");
	p->tracker_id = keep(fl, tracker, "id");
	p->tracking_url = keep(fl, tracker, "public_url");
	return true;
}

struct carrier_parcel carrier_parcel(struct flow *fl, const struct answer *a)
{
	const struct http_response *r = http_response(a);
	json_t *body = json_loadb(r->body.p != NULL ? r->body.p : "", r->body.n,
				  JSON_REJECT_DUPLICATES, NULL);
	struct carrier_parcel p = {.id = keep(fl, body, "id"), .status = r->status};

	p.code = keep(fl, json_object_get(body, "error"), "code");
	p.ok = (r->status == 200 || r->status == 201) && p.id.n > 0 && read_parcel(fl, body, &p);
	p.buy_again = r->status == 422 && str_eq(p.code, STR("SHIPMENT.POSTAGE.EXISTS"));
	p.refused = r->status == 422 && !p.buy_again;
	p.missing = r->status == 404;
	json_decref(body);
	return p;
}

int carrier_fail(struct flow *fl, const struct carrier_parcel *p)
{
	if (p->offers == NULL && p->id.n > 0 && p->status < 400)
		return job_fail(fl, ERR_TOO_LARGE, "the carrier's parcel does not fit");
	return no_answer(fl, p->status, p->code);
}

/* submitted: it will be; not_applicable: nothing was paid for it yet. */
enum carrier_refund carrier_refund(struct flow *fl, const struct answer *a, struct str *ret_why)
{
	const struct http_response *r = http_response(a);
	json_t *body = json_loadb(r->body.p != NULL ? r->body.p : "", r->body.n,
				  JSON_REJECT_DUPLICATES, NULL);
	struct str status = keep(fl, body, "refund_status");
	struct str code = keep(fl, json_object_get(body, "error"), "code");
	enum carrier_refund done = CARRIER_REFUND_FAILED;

	*ret_why = STR("rejected");
	if (r->status == 422) {
		*ret_why = code.n > 0 ? code : *ret_why;
		done = CARRIER_REFUND_REFUSED;
	} else if (r->status != 200 && r->status != 201) {
		no_answer(fl, r->status, code);
	} else if (str_eq(status, STR("rejected"))) {
		done = CARRIER_REFUND_REFUSED;
	} else if (str_eq(status, STR("submitted")) || str_eq(status, STR("refunded")) ||
		   str_eq(status, STR("not_applicable"))) {
		done = CARRIER_REFUNDED;
	} else {
		done = CARRIER_REFUND_NONE;
	}
	json_decref(body);
	return done;
}

/* RFC 3339, to the second: "2026-01-02T03:04:05Z", "2026-01-02T04:04:05.5+01:00".  0: not such a
 * time. */
static int64_t time_of(const char *z)
{
	struct tm tm = {0};
	const char *zone = z != NULL ? strptime(z, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	const char *end;
	int64_t seconds;

	if (zone != NULL && *zone == '.')
		zone += 1 + strspn(zone + 1, "0123456789");
	end = zone != NULL ? strptime(zone, "%z", &tm) : NULL;
	if (end == NULL || *end != '\0')
		return 0;
	seconds = -(int64_t)tm.tm_gmtoff; /* timegm() overwrites it */
	seconds += (int64_t)timegm(&tm);
	return seconds > 0 ? seconds * 1000000 : 0;
}

static struct carrier_scan read_scan(struct flow *fl, const json_t *d)
{
	return (struct carrier_scan){
		.at_us = time_of(json_string_value(json_object_get(d, "datetime"))),
		.status = keep(fl, d, "status"),
		.detail = keep(fl, d, "status_detail"),
		.message = keep(fl, d, "message"),
		.city = keep(fl, json_object_get(d, "tracking_location"), "city"),
	};
}

struct carrier_tracker carrier_tracker(struct flow *fl, const struct answer *a)
{
	const struct http_response *r = http_response(a);
	json_t *body = json_loadb(r->body.p != NULL ? r->body.p : "", r->body.n,
				  JSON_REJECT_DUPLICATES, NULL);
	const json_t *details = json_object_get(body, "tracking_details");
	size_t n = json_array_size(details),
	       from = n > CARRIER_SCANS_MAX ? n - CARRIER_SCANS_MAX : 0;
	struct carrier_tracker t = {.id = keep(fl, body, "id"),
				    .status = keep(fl, body, "status"),
				    .detail = keep(fl, body, "status_detail")};

	t.scans = arena_array(&fl->arena, n - from + 1, sizeof(*t.scans));
	t.ok = (r->status == 200 || r->status == 201) && t.id.n > 0 && t.status.n > 0 &&
	       t.scans != NULL;
	for (size_t i = from; t.ok && i < n; i++) {
		struct carrier_scan s = read_scan(fl, json_array_get(details, i));

		if (s.at_us != 0 && s.status.n > 0)
			t.scans[t.n_scans++] = s;
	}
	if (!t.ok)
		no_answer(fl, r->status, keep(fl, json_object_get(body, "error"), "code"));
	json_decref(body);
	return t;
}
