/* Faults, the clock, the customer's side of an authentication, and the books, for tests. */
#include "sims/control.h"

#include <stdlib.h>
#include <string.h>

#include "sims/carrier.h"
#include "sims/fault.h"
#include "sims/gateway.h"
#include "sims/journal.h"

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
}

static void authenticate(struct call *c)
{
	c->journal = c->sim->gateway;
	gateway_authenticate(c);
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
	{"GET", "/_sim/health", health},        {"POST", "/_sim/faults", fault_add},
	{"GET", "/_sim/faults", fault_list},    {"DELETE", "/_sim/faults", fault_clear},
	{"POST", "/_sim/clock", clock_advance}, {"POST", "/_sim/authenticate", authenticate},
	{"GET", "/_sim/journal", journal_show}, {"GET", "/_sim/charges", charges_show},
	{"GET", "/_sim/labels/*", label_show},
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
	refuse(c, 404, "orderd-sim knows /v1/, /v2/ and /_sim/ as sims/README.md lists them");
}
