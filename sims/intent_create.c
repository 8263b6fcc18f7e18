/*
 * Creating a payment intent: what may be asked for, and what of it is kept.  A mistake
 * found here is a validation failure: nothing is stored, and the idempotency key is free.
 */
#include <stdio.h>
#include <string.h>

#include "sims/form.h"
#include "sims/gateway_part.h"

enum {
	AMOUNT_LEAST = 50,
	AMOUNT_MOST = 99999999
}; /* minor units; Stripe: about 0.50, eight digits */

static bool currency_valid(const char *text)
{
	return strlen(text) == 3 && strspn(text, "abcdefghijklmnopqrstuvwxyz") == 3;
}

static bool amount_read(struct call *c, json_t *pi)
{
	int64_t amount = 0;

	if (form_text(c, "amount") == NULL)
		gateway_invalid(c, "parameter_missing", "amount",
				"Missing required param: amount.");
	else if (!form_int(c, "amount", &amount))
		return false;
	else if (amount < AMOUNT_LEAST)
		gateway_invalid(c, "amount_too_small", "amount", "The amount is below the least.");
	else if (amount > AMOUNT_MOST)
		gateway_invalid(c, "amount_too_large", "amount", "The amount is above the most.");
	else {
		set_int(pi, "amount", amount);
		return true;
	}
	return false;
}

static bool currency_read(struct call *c, json_t *pi)
{
	const char *currency = form_text(c, "currency");

	if (currency == NULL)
		gateway_invalid(c, "parameter_missing", "currency",
				"Missing required param: currency.");
	else if (!currency_valid(currency))
		gateway_invalid(c, NULL, "currency", "Invalid currency: %.32s", currency);
	else {
		set_text(pi, "currency", currency);
		return true;
	}
	return false;
}

/* One of a closed list of values, each between spaces; absent is fine. */
bool intent_choice(struct call *c, json_t *pi, const char *name, const char *choices)
{
	const char *value = form_text(c, name);
	char spaced[64];

	if (value == NULL)
		return true;
	snprintf(spaced, sizeof(spaced), " %s ", value);
	if (strchr(value, ' ') != NULL || strstr(choices, spaced) == NULL) {
		gateway_invalid(c, NULL, name, "Invalid %s: must be one of%s", name, choices);
		return false;
	}
	set_text(pi, name, value);
	return true;
}

/* A card stays known by its test name; the vendor would give it an id of its own. */
bool intent_attach(struct call *c, json_t *pi)
{
	const char *name = form_text(c, "payment_method");

	if (name == NULL)
		return true;
	if (card_by_name(name) == NULL) {
		gateway_missing(c, "PaymentMethod", name, "payment_method");
		return false;
	}
	set_text(pi, "payment_method", name);
	set_text(pi, "status", "requires_confirmation");
	return true;
}

/* Fields that were not given are there, and null. */
static json_t *shipping_new(json_t *given)
{
	json_t *shipping = json_literal(
		"{'address':{'city':null,'country':null,'line1':null,'line2':null,"
		"'postal_code':null,'state':null},'carrier':null,'name':null,'phone':null,"
		"'tracking_number':null}");

	json_object_update_recursive(shipping, given);
	return shipping;
}

static void texts_read(struct call *c, json_t *pi)
{
	static const char *const names[] = {"description", "receipt_email", "statement_descriptor",
					    "statement_descriptor_suffix"};
	json_t *tree = form_nested(c->form, "shipping");
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (form_text(c, names[i]) != NULL)
			set_text(pi, names[i], form_text(c, names[i]));
	if (tree != NULL)
		json_object_set_new(pi, "shipping", shipping_new(tree));
	json_decref(tree);
	if (form_text(c, "automatic_payment_methods[enabled]") == NULL)
		return;
	tree = must(json_pack("{s:b, s:s}", "enabled",
			      form_flag(c, "automatic_payment_methods[enabled]") ? 1 : 0,
			      "allow_redirects", "always"));
	if (form_text(c, "automatic_payment_methods[allow_redirects]") != NULL)
		set_text(tree, "allow_redirects",
			 form_text(c, "automatic_payment_methods[allow_redirects]"));
	json_object_set_new(pi, "automatic_payment_methods", tree);
}

static bool types_read(struct call *c)
{
	const char *type = form_text(c, "payment_method_types[0]");

	if (type == NULL || strcmp(type, "card") == 0)
		return true;
	gateway_invalid(c, NULL, "payment_method_types", "Only card payments are simulated.");
	return false;
}

/*
 * From API version 2023-08-16 an intent takes every method of the dashboard unless told
 * otherwise, and some of those redirect: confirming at once then needs a return_url
 * (docs.stripe.com/upgrades, 2023-08-16).
 */
static bool redirect_settled(struct call *c)
{
	const char *redirects = form_text(c, "automatic_payment_methods[allow_redirects]");
	const char *enabled = form_text(c, "automatic_payment_methods[enabled]");

	if (c->version == NULL || strcmp(c->version, "2023-08-16") < 0 ||
	    !form_flag(c, "confirm") || form_text(c, "return_url") != NULL ||
	    form_text(c, "payment_method_types[0]") != NULL)
		return true;
	if ((redirects != NULL && strcmp(redirects, "never") == 0) ||
	    (enabled != NULL && strcmp(enabled, "false") == 0))
		return true;
	gateway_invalid(c, NULL, "return_url",
			"Confirming needs a return_url, payment_method_types, or "
			"automatic_payment_methods[allow_redirects]=never.");
	return false;
}

static bool create_read(struct call *c, json_t *pi)
{
	json_t *metadata = form_metadata(c);

	if (metadata == NULL)
		return false;
	json_object_set_new(pi, "metadata", metadata);
	return amount_read(c, pi) && currency_read(c, pi) && types_read(c) &&
	       intent_choice(c, pi, "capture_method", " automatic automatic_async manual ") &&
	       intent_choice(c, pi, "confirmation_method", " automatic manual ") &&
	       intent_choice(c, pi, "setup_future_usage", " on_session off_session ") &&
	       redirect_settled(c) && intent_attach(c, pi);
}

/* Several captures of one intent are a feature to be asked for, and are kept with the intent. */
static void multicapture_read(struct call *c, json_t *pi)
{
	const char *wish = form_text(c, "payment_method_options[card][request_multicapture]");

	if (wish != NULL)
		set_text(json_object_get(json_object_get(pi, "payment_method_options"), "card"),
			 "request_multicapture", wish);
}

void intent_create(struct call *c)
{
	json_t *pi = intent_new(c);

	if (!create_read(c, pi)) {
		json_decref(pi);
		return;
	}
	texts_read(c, pi);
	multicapture_read(c, pi);
	if (!form_flag(c, "confirm")) {
		gateway_event(c, "payment_intent.created", pi, false);
		intent_keep(c, pi, NULL, text_in(pi, "status"));
	} else if (text_in(pi, "payment_method")[0] == '\0') {
		gateway_invalid(c, "payment_intent_unexpected_state", "payment_method",
				"A PaymentIntent without a payment method cannot be confirmed.");
		json_decref(pi);
	} else {
		gateway_event(c, "payment_intent.created", pi, false);
		intent_pay(c, pi);
	}
}
