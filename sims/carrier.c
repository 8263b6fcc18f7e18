/* The carrier's door: who asks, which endpoint, and errors in the vendor's words. */
#include "sims/carrier.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sims/carrier_part.h"

static const struct {
	const char *method;
	const char *path;
	void (*serve)(struct call *c);
} endpoints[] = {
	{"POST", "/v2/shipments", shipment_create},
	{"GET", "/v2/shipments", shipment_list},
	{"GET", "/v2/shipments/*", shipment_get},
	{"POST", "/v2/shipments/*/rerate", shipment_rerate},
	{"POST", "/v2/shipments/*/buy", shipment_buy},
	{"POST", "/v2/shipments/*/refund", shipment_refund},
	{"GET", "/v2/shipments/*/label", shipment_label},
	{"POST", "/v2/trackers", tracker_create},
	{"GET", "/v2/trackers", tracker_list},
	{"GET", "/v2/trackers/*", tracker_get},
};

void carrier_serve(struct call *c)
{
	size_t i;

	/* HTTP basic auth with the key as user: any key that is not empty (":" is "Og=="). */
	if (c->auth == NULL || strncmp(c->auth, "Basic ", 6) != 0 ||
	    strcmp(c->auth, "Basic Og==") == 0) {
		carrier_refuse(c, 401, "UNAUTHORIZED", NULL,
			       "The API key is missing or not active.");
		return;
	}
	for (i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (strcmp(endpoints[i].method, c->method) == 0 &&
		    path_matches(endpoints[i].path, c->path, c->id)) {
			endpoints[i].serve(c);
			return;
		}
	carrier_missing(c);
}

void carrier_fail(struct call *c, int status)
{
	if (status == 429) {
		carrier_refuse(c, 429, "RATE_LIMITED", NULL, "Too many requests; come back later.");
		c->retry_after_s = 1;
	} else {
		carrier_refuse(c, status, "INTERNAL_SERVER_ERROR", NULL,
			       "Something went wrong on the carrier's side.");
	}
}

void carrier_refuse(struct call *c, int status, const char *code, const char *field,
		    const char *message)
{
	json_t *errors = must(json_array());

	if (field != NULL)
		json_array_append_new(
			errors, must(json_pack("{s:s, s:s}", "field", field, "message", message)));
	call_answer(c, status,
		    json_pack("{s:{s:s, s:s, s:o}}", "error", "code", code, "message", message,
			      "errors", errors),
		    code);
}

void carrier_missing(struct call *c)
{
	carrier_refuse(c, 404, "NOT_FOUND", NULL, "The requested resource could not be found.");
}

const char *carrier_time(int64_t at_us, char ret[32])
{
	time_t at = (time_t)(at_us / 1000000);
	struct tm tm;

	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	return ret;
}

int64_t carrier_time_s(const char *text)
{
	struct tm tm = {0};

	strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return timegm(&tm);
}
