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

int carrier_ask_create(struct flow *fl, struct worker *w, struct id reference,
		       const struct address *from, const struct address *to, int64_t weight_g)
{
	char ref[ID_TEXT_SIZE];

	return ask(fl, w, "POST", "/shipments",
		   json_pack("{s:{s:s, s:o, s:o, s:{s:f}}}", "shipment", "reference",
			     id_format(reference, ref), "from_address", address_json(from),
			     "to_address", address_json(to), "parcel", "weight",
			     (double)weight_g / GRAMS_PER_OUNCE));
}

int carrier_ask_read(struct flow *fl, struct worker *w, struct str parcel_id)
{
	return ask(fl, w, "GET",
		   arena_printf(&fl->arena, "/shipments/" STR_FMT, STR_ARG(parcel_id)), NULL);
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
 * "7.58" -> 758; the API gives amounts as decimal strings with two places.  -1: not such a string.
 */
static int64_t minor_of(const char *z)
{
	int64_t minor = 0;
	bool digits = false;
	int places = -1;

	for (; z != NULL && *z != '\0'; z++) {
		if (*z == '.' && places < 0) {
			places = 0;
			continue;
		}
		if (*z < '0' || *z > '9' || minor > INT32_MAX)
			return -1;
		digits = true;
		if (places >= 0 && places++ >= 2) {
			if (*z != '0')
				return -1;
			continue;
		}
		minor = minor * 10 + (*z - '0');
	}
	if (!digits)
		return -1;
	return minor * (places <= 0 ? 100 : places == 1 ? 10 : 1);
}

/* A status without a body worth reading: what to do about it. */
static void no_answer(struct flow *fl, int status, const json_t *body)
{
	const json_t *error = json_object_get(body, "error");
	const char *code = json_string_value(json_object_get(error, "code"));

	code = code != NULL ? code : "";
	if (status == 429 || status == 409)
		job_fail(fl, ERR_PROVIDER_BUSY, "the carrier answered %d %.80s", status, code);
	else if (status >= 500 || status < 400)
		job_fail(fl, ERR_HTTP_UNKNOWN, "the carrier answered %d %.80s", status, code);
	else
		job_fail(fl, ERR_PROVIDER_REFUSED, "the carrier answered %d %.80s", status, code);
}

static void read_cheapest(struct flow *fl, const json_t *rates, struct carrier_parcel *p)
{
	int64_t best = -1;
	const json_t *rate;
	size_t i;

	json_array_foreach(rates, i, rate)
	{
		int64_t minor = minor_of(json_string_value(json_object_get(rate, "rate")));

		if (json_string_length(json_object_get(rate, "id")) == 0 || minor < 0 ||
		    (best >= 0 && minor >= best))
			continue;
		best = minor;
		p->rate_id = keep(fl, rate, "id");
	}
}

/* A label was bought whatever its price looks like; one that cannot be read counts as nothing. */
static int64_t price_of(const json_t *rate)
{
	int64_t minor = minor_of(json_string_value(json_object_get(rate, "rate")));

	return minor > 0 ? minor : 0;
}

struct carrier_parcel carrier_parcel(struct flow *fl, const struct answer *a)
{
	const struct http_response *r = http_response(a);
	json_t *body = json_loadb(r->body.p != NULL ? r->body.p : "", r->body.n,
				  JSON_REJECT_DUPLICATES, NULL);
	const char *code =
		json_string_value(json_object_get(json_object_get(body, "error"), "code"));
	const json_t *rate = json_object_get(body, "selected_rate");
	struct carrier_parcel p = {.id = keep(fl, body, "id")};

	p.ok = (r->status == 200 || r->status == 201) && p.id.n > 0;
	p.buy_again =
		r->status == 422 && code != NULL && strcmp(code, "SHIPMENT.POSTAGE.EXISTS") == 0;
	if (p.ok) {
		read_cheapest(fl, json_object_get(body, "rates"), &p);
		p.tracking_code = keep(fl, body, "tracking_code");
		p.bought = json_is_object(rate) &&
			   json_is_object(json_object_get(body, "postage_label")) &&
			   p.tracking_code.n > 0;
		p.carrier = keep(fl, rate, "carrier");
		p.service = keep(fl, rate, "service");
		p.rate_minor = p.bought ? price_of(rate) : 0;
		p.label_url = keep(fl, json_object_get(body, "postage_label"), "label_url");
		p.tracker_id = keep(fl, json_object_get(body, "tracker"), "id");
	} else if (!p.buy_again) {
		no_answer(fl, r->status, body);
	}
	json_decref(body);
	return p;
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
	struct carrier_tracker t = {.id = keep(fl, body, "id"), .status = keep(fl, body, "status")};

	t.scans = arena_array(&fl->arena, n - from + 1, sizeof(*t.scans));
	t.ok = (r->status == 200 || r->status == 201) && t.id.n > 0 && t.status.n > 0 &&
	       t.scans != NULL;
	for (size_t i = from; t.ok && i < n; i++) {
		struct carrier_scan s = read_scan(fl, json_array_get(details, i));

		if (s.at_us != 0 && s.status.n > 0)
			t.scans[t.n_scans++] = s;
	}
	if (!t.ok)
		no_answer(fl, r->status, body);
	json_decref(body);
	return t;
}
