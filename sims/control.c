/* Faults, the clock, webhooks, scans, the customer's side of an authentication, and the books. */
#include "sims/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/metric.h"
#include "sims/carrier.h"
#include "sims/fault.h"
#include "sims/gateway.h"
#include "sims/hook.h"
#include "sims/journal.h"
#include "sims/schedule.h"

enum { CLOCK_STEP_MAX_S = 366 * 86400 };

static void refuse(struct call *c, int status, const char *why)
{
	call_answer(c, status, json_pack("{s:{s:s}}", "error", "message", why), NULL);
}

static void health(struct call *c)
{
	call_answer(c, 200, json_literal("{'ok':true}"), NULL);
}

static void fault_add(struct call *c)
{
	const char *wrong = faults_add(c->sim->faults, c->json);

	if (wrong != NULL)
		refuse(c, 400, wrong);
	else
		call_answer(c, 200, faults_list(c->sim->faults), NULL);
}

static void fault_list(struct call *c)
{
	call_answer(c, 200, faults_list(c->sim->faults), NULL);
}

static void fault_clear(struct call *c)
{
	faults_clear(c->sim->faults);
	fault_list(c);
}

/* Forward only, and kept: an authorization that has expired stays expired after a restart. */
static void clock_advance(struct call *c)
{
	const json_t *by = json_object_get(c->json, "advance_s");

	if (!json_is_integer(by) || json_integer_value(by) < 0 ||
	    json_integer_value(by) > CLOCK_STEP_MAX_S) {
		refuse(c, 400, "advance_s must be in 0..31622400");
		return;
	}
	c->sim->clock_offset_s += json_integer_value(by);
	c->journal = c->sim->gateway;
	call_answer(c, 200,
		    json_pack("{s:s, s:s, s:I}", "id", "sim_clock", "object", "sim_clock",
			      "offset_s", (json_int_t)c->sim->clock_offset_s),
		    "clock advanced");
	call_put(c, c->reply);
	schedule_kick(c->sim->schedule);
}

static void authenticate(struct call *c)
{
	const char *outcome = json_string_value(json_object_get(c->json, "outcome"));

	snprintf(c->id, sizeof(c->id), "%s",
		 json_object_get(c->json, "payment_intent") != NULL
			 ? json_string_value(json_object_get(c->json, "payment_intent"))
			 : "");
	c->journal = c->sim->gateway;
	gateway_authenticate(c, outcome == NULL || strcmp(outcome, "fail") != 0);
}

/* Where next_action sends the customer: whoever follows the link is authenticated by that. */
static void authenticate_link(struct call *c)
{
	const char *outcome = json_string_value(json_object_get(c->query, "outcome"));

	c->journal = c->sim->gateway;
	gateway_authenticate(c, outcome == NULL || strcmp(outcome, "fail") != 0);
	c->text = must(strdup(c->status == 200 ? "You are authenticated. Back to the shop.\n"
					       : "You are not authenticated.\n"));
	c->text_type = "text/plain";
}

static void webhooks_show(struct call *c)
{
	call_answer(c, 200,
		    json_pack("{s:o, s:o}", "gateway", hook_show(c->sim->gateway_hook), "carrier",
			      hook_show(c->sim->carrier_hook)),
		    NULL);
}

static bool webhook_set(struct call *c, struct hook *h)
{
	const json_t *settings = json_object_get(c->json, hook_name(h));
	const char *wrong = settings != NULL ? hook_set(h, settings, true) : NULL;

	if (wrong == NULL)
		return true;
	call_answer(c, 400,
		    json_pack("{s:{s:o}}", "error", "message",
			      json_sprintf("%s: %s", hook_name(h), wrong)),
		    NULL);
	return false;
}

static void webhooks_set(struct call *c)
{
	if (!json_is_object(c->json))
		refuse(c, 400, "an object with gateway and carrier is wanted");
	else if (webhook_set(c, c->sim->gateway_hook) && webhook_set(c, c->sim->carrier_hook))
		webhooks_show(c);
}

static void scans_set(struct call *c)
{
	const char *wrong;

	c->journal = c->sim->carrier;
	wrong = carrier_script(c);
	if (wrong == NULL)
		return;
	c->journal = NULL; /* nothing has happened */
	refuse(c, 400, wrong);
}

static void track_show(struct call *c)
{
	c->text = carrier_track(c->sim, c->id);
	if (c->text == NULL) {
		refuse(c, 404, "no such tracker");
		return;
	}
	c->status = 200;
	c->text_type = "text/plain; charset=utf-8";
}

static void text_of(struct call *c, char *text, const char *type)
{
	c->status = 200;
	c->text = text;
	c->text_type = type;
}

static void journal_show(struct call *c)
{
	const char *part = json_string_value(json_object_get(c->query, "part"));
	size_t n;

	text_of(c,
		journal_text(part != NULL && strcmp(part, "carrier") == 0 ? c->sim->carrier
									  : c->sim->gateway,
			     &n),
		"application/x-ndjson");
}

static void charges_show(struct call *c)
{
	size_t n;

	text_of(c, facts_text(c->sim->facts, &n), "application/x-ndjson");
}

static void metrics_show(struct call *c)
{
	size_t n;

	text_of(c, metric_render(&n), "text/plain; version=0.0.4; charset=utf-8");
}

static void label_show(struct call *c)
{
	char *text = carrier_label(c->sim, c->id, &c->text_type);

	if (text == NULL)
		refuse(c, 404, "no such label");
	else
		text_of(c, text, c->text_type);
}

static const struct {
	const char *method;
	const char *path;
	void (*serve)(struct call *c);
} routes[] = {
	{"GET", "/metrics", metrics_show},
	{"GET", "/_sim/health", health},
	{"POST", "/_sim/faults", fault_add},
	{"GET", "/_sim/faults", fault_list},
	{"DELETE", "/_sim/faults", fault_clear},
	{"POST", "/_sim/clock", clock_advance},
	{"POST", "/_sim/authenticate", authenticate},
	{"GET", "/_sim/journal", journal_show},
	{"GET", "/_sim/charges", charges_show},
	{"GET", "/_sim/labels/*", label_show},
	{"GET", "/_sim/authenticate/*", authenticate_link},
	{"GET", "/_sim/track/*", track_show},
	{"POST", "/_sim/scans", scans_set},
	{"GET", "/_sim/webhooks", webhooks_show},
	{"POST", "/_sim/webhooks", webhooks_set},
};

void control_serve(struct call *c)
{
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].method, c->method) == 0 &&
		    path_matches(routes[i].path, c->path, c->id)) {
			routes[i].serve(c);
			return;
		}
	refuse(c, 404,
	       "orderd-sim knows /v1/, /v2/, /_sim/ and /metrics as sims/README.md lists them");
}
