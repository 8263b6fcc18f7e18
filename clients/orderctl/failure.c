/*
 * What went wrong, said as advice: what happened, which field or option, what to do next.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "text.h"
#include "vocabulary.h"

/* gRPC's status codes (grpc/statuscode.md). */
enum {
	CANCELLED = 1,
	FAILED = 2,
	DEADLINE_EXCEEDED = 4,
	NOT_FOUND = 5,
	PERMISSION_DENIED = 7,
	RESOURCE_EXHAUSTED = 8,
	ABORTED = 10,
	UNIMPLEMENTED = 12,
	INTERNAL = 13,
	UNAVAILABLE = 14,
	DATA_LOSS = 15,
	UNAUTHENTICATED = 16,
};

/* How the program ends; what is not in here is a refusal.  A change whose answer was lost may have
 * happened; a question may be asked again. */
static const struct {
	int status;
	enum exit_code asked, changed;
} causes[] = {
	{CANCELLED, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{FAILED, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{DEADLINE_EXCEEDED, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{NOT_FOUND, EXIT_NOT_FOUND, EXIT_NOT_FOUND},
	{PERMISSION_DENIED, EXIT_NOT_PERMITTED, EXIT_NOT_PERMITTED},
	{RESOURCE_EXHAUSTED, EXIT_UNAVAILABLE, EXIT_UNAVAILABLE},
	{ABORTED, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{UNIMPLEMENTED, EXIT_UNAVAILABLE, EXIT_UNAVAILABLE},
	{INTERNAL, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{UNAVAILABLE, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{DATA_LOSS, EXIT_UNAVAILABLE, EXIT_UNKNOWN},
	{UNAUTHENTICATED, EXIT_NOT_PERMITTED, EXIT_NOT_PERMITTED},
};

/* What to do about it, by the service's own reason (docs/errors.md). */
static const struct meaning next_steps[] = {
	{"ETAG_MISMATCH", "it has changed meanwhile; orderctl get ORDER shows it as it is now"},
	{"KEYS_NOT_TAKEN", "api_key_pepper_file is not set where orderd runs"},
	{"LABEL_NOT_BOUGHT", "orderctl shipment SHIPMENT tells how far it is"},
	{"NOT_CANCELLABLE", "orderctl get ORDER tells how far it is"},
	{"NOT_OPERATOR", "queues and views are for the tenant that operator_tenant names"},
	{"NOT_PACKABLE", "orderctl fulfillment tells what is to be packed"},
	{"NOT_PICKABLE", "orderctl fulfillment tells what is to be picked"},
	{"NOT_VOIDABLE", "orderctl shipment SHIPMENT tells how far it is"},
	{"OUT_OF_STOCK", "orderctl stock show SKU tells what is where"},
	{"OVERLOADED", "the server has too much to do; try again in a moment"},
	{"PAYMENT_NOT_DECLINED", "orderctl payments ORDER tells what became of the money"},
	{"REQUEST_ID_REUSED",
	 "this id belongs to another request; only the very same one is repeated with it"},
	{"SCOPE_MISSING", "use a key whose scopes name it; orderctl keys list shows them"},
	{"TWO_LIVE_KEYS", "orderctl keys list shows both; orderctl keys revoke KEY ends one"},
	{"UNKNOWN_ITEM", "orderctl item put creates an item"},
	{NULL, NULL},
};

/* Fields of the contract whose option is not called like them. */
static const struct meaning options_of_fields[] = {
	{"amount_minor", "price"},
	{"country_code", "country"},
	{"currency_code", "currency"},
	{"delta", "by"},
	{"fallback_payment_methods", "fallback"},
	{"report_id", "report"},
	{"valid_days", "days"},
	{"weight_grams", "weight"},
	{NULL, NULL},
};

static const char *found(const struct meaning *list, const char *name)
{
	for (; list->name != NULL; list++)
		if (strcmp(list->name, name) == 0)
			return list->help;
	return NULL;
}

enum exit_code exit_code_of(const struct orderd_error *e, bool outcome)
{
	if (strcmp(e->reason, "ETAG_MISMATCH") == 0 || strcmp(e->reason, "TOO_LARGE") == 0)
		return EXIT_REFUSED;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].status == e->status)
			return outcome ? causes[i].changed : causes[i].asked;
	return EXIT_REFUSED;
}

/* The option that gave "ship_to.country_code"; NULL when none did. */
static const char *option_of(const struct args *a, const char *field)
{
	const char *dot = strrchr(field, '.'), *other;
	char name[USAGE_NAME_MAX];
	size_t n;

	field = dot != NULL ? dot + 1 : field;
	n = strcspn(field, "[");
	if (n >= sizeof(name))
		return NULL;
	memcpy(name, field, n);
	name[n] = '\0';
	other = found(options_of_fields, name);
	for (char *p = name; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	for (int i = 0; i < a->usage.n_options; i++)
		if (strcmp(a->usage.options[i].name, other != NULL ? other : name) == 0 &&
		    (a->usage.options[i].forms & 1U << a->form) != 0)
			return a->usage.options[i].name;
	return NULL;
}

/* Text that came from somewhere else, fit for a terminal. */
static const char *clean(const char *z)
{
	static char copy[sizeof(((struct orderd_error *)0)->message)];

	snprintf(copy, sizeof(copy), "%s", z);
	text_clean(copy);
	return copy;
}

static void print_violations(const struct args *a, const struct orderd_error *e)
{
	for (size_t i = 0; i < e->n_violations; i++) {
		const char *option_name = option_of(a, e->violations[i].field);

		fprintf(stderr, "  %s: ", clean(e->violations[i].field));
		fputs(clean(e->violations[i].why), stderr);
		if (option_name != NULL)
			fprintf(stderr, " (--%s)", option_name);
		fputc('\n', stderr);
	}
	for (size_t i = 0; i < e->n_facts; i++) {
		fprintf(stderr, "  %s = ", clean(e->facts[i].key));
		fprintf(stderr, "%s\n", clean(e->facts[i].value));
	}
}

static void print_server(const struct args *a)
{
	fprintf(stderr, "  tried: %s, from %s; is orderd up there?\n", a->server, a->server_from);
}

/* The first word of this command that is somebody's id. */
static void print_where_to_find(const struct args *a)
{
	const char *help;

	for (int i = 0; i < a->usage.n_words; i++) {
		help = meaning_of_word(a->usage.words[i].name);
		if (help == NULL)
			continue;
		fprintf(stderr, "  %s is %s\n", a->usage.words[i].name, help);
		return;
	}
}

static void print_next_step(const struct args *a, const struct orderd_error *e, enum exit_code code)
{
	const char *step = found(next_steps, e->reason);

	if (e->status == UNAVAILABLE)
		print_server(a);
	if (e->status == DEADLINE_EXCEEDED)
		fprintf(stderr, "  no answer within %d ms from %s; --deadline MS waits longer\n",
			a->deadline_ms, a->server);
	if (code == EXIT_NOT_FOUND)
		print_where_to_find(a);
	if (code == EXIT_NOT_PERMITTED)
		fprintf(stderr, "  %s does not permit it to this caller\n", a->server);
	if (step != NULL)
		fprintf(stderr, "  %s\n", step);
	if (code == EXIT_UNKNOWN && a->request_id != NULL)
		fprintf(stderr, "  what came of it is not known: repeat it with --%s %s\n",
			a->request_option, a->request_id);
	else if (code == EXIT_UNKNOWN)
		fputs("  what came of it is not known: repeat the same command\n", stderr);
}

json_t *json_of_error(const struct args *a, const struct orderd_error *e)
{
	json_t *list = json_array(), *facts = json_object(), *o;

	for (size_t i = 0; i < e->n_violations; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "field", e->violations[i].field,
						      "why", e->violations[i].why));
	for (size_t i = 0; i < e->n_facts; i++)
		json_object_set_new(facts, e->facts[i].key, json_string(e->facts[i].value));
	o = json_pack("{s:i, s:s, s:s, s:o, s:o, s:i}", "status", e->status, "reason", e->reason,
		      "message", e->message, "violations", list, "facts", facts, "exit_code",
		      (int)exit_code_of(e, a->outcome));
	if (a->request_id != NULL)
		json_object_set_new(o,
				    strcmp(a->request_option, "request-id") == 0
					    ? "request_id"
					    : a->request_option,
				    json_string(a->request_id));
	return o;
}

int print_error(const struct args *a, const struct orderd_error *e)
{
	enum exit_code code = exit_code_of(e, a->outcome);

	if (a->json) {
		print_json_value(json_pack("{s:o}", "error", json_of_error(a, e)));
		return (int)code;
	}
	fflush(stdout); /* what was found before stands before */
	fprintf(stderr, "orderctl: %s: %s\n", e->reason[0] != '\0' ? e->reason : "failed",
		clean(e->message));
	print_violations(a, e);
	print_next_step(a, e, code);
	return (int)code;
}
