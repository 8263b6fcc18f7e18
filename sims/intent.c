/*
 * Payment intents: one attempt to take money, from the card to the capture.
 *
 *	requires_payment_method --confirm--> requires_action --customer--> (as confirm)
 *	        ^   |                                  |
 *	        |   +--confirm, manual--> requires_capture --capture--> succeeded
 *	        +--declined--+                 |      +--7 days--> canceled (automatic)
 *	                                       +--cancel--> canceled
 *
 * Every change puts the intent and its charge into the journal and, where money moves,
 * a fact; and tells whoever listens.
 */
#include <string.h>

#include "sims/gateway.h"
#include "sims/gateway_part.h"
#include "sims/journal.h"
#include "sims/schedule.h"

static bool is(const json_t *pi, const char *status)
{
	return strcmp(text_in(pi, "status"), status) == 0;
}

static void fact(struct call *c, const char *kind, const json_t *pi, int64_t amount)
{
	call_fact(c,
		  json_pack("{s:I, s:s, s:s, s:I, s:s, s:s, s:s?}", "time_us",
			    (json_int_t)sim_now_us(c->sim), "kind", kind, "payment_intent",
			    text_in(pi, "id"), "amount", (json_int_t)amount, "currency",
			    text_in(pi, "currency"), "order",
			    text_in(json_object_get(pi, "metadata"), "order_id"), "key", c->key));
}

/* ---- answers ---- */

/* What is shown: the intent, with its charge in place of the charge's id when asked for. */
static json_t *shown(struct call *c, json_t *take_pi, json_t *charge, const char *expansion)
{
	json_t *view;
	json_t *loaded = NULL;

	if (!expands(c, expansion) || text_in(take_pi, "latest_charge")[0] == '\0')
		return take_pi;
	if (charge == NULL)
		charge = loaded = journal_get(c->journal, text_in(take_pi, "latest_charge"));
	view = must(json_copy(take_pi));
	json_object_set(view, "latest_charge", charge);
	json_decref(loaded);
	json_decref(take_pi);
	return view;
}

void intent_keep(struct call *c, json_t *take_pi, json_t *take_charge, const char *decision)
{
	call_put(c, take_pi);
	if (take_charge != NULL)
		call_put(c, take_charge);
	call_answer(c, 200, shown(c, take_pi, take_charge, "latest_charge"), decision);
	json_decref(take_charge);
}

static void refuse_state(struct call *c, json_t *take_pi, const char *verb)
{
	const struct gateway_error e = {.type = "invalid_request_error",
					.code = "payment_intent_unexpected_state"};

	gateway_refuse(c, 400, &e, take_pi,
		       "This PaymentIntent could not be %s because it has a status of %s.", verb,
		       text_in(take_pi, "status"));
	json_decref(take_pi);
}

/* ---- money ---- */

/* The merchant gets `amount` of what is authorized; what is left of it is released when `final`. */
static void take_money(struct call *c, json_t *pi, json_t *charge, int64_t amount, bool final)
{
	int64_t received = int_in(pi, "amount_received") + amount;
	int64_t left = int_in(pi, "amount") - received;

	set_int(pi, "amount_received", received);
	set_int(pi, "amount_capturable", final ? 0 : left);
	set_text(pi, "status", final || left == 0 ? "succeeded" : "requires_capture");
	set_int(charge, "amount_captured", received);
	json_object_set_new(charge, "captured", json_boolean(final || left == 0));
	fact(c, "capture", pi, amount);
}

static int64_t capture_before(const json_t *charge)
{
	const json_t *details = json_object_get(charge, "payment_method_details");

	return int_in(json_object_get(details, "card"), "capture_before");
}

/* Looking at an intent is what ends its authorization in time. */
static void end_in_time(struct call *c)
{
	c->journal = c->sim->gateway;
	json_decref(intent_load(c, c->id));
}

void gateway_recall(struct sim *sim, const json_t *object)
{
	if (strcmp(text_in(object, "object"), "charge") == 0 && capture_before(object) > 0 &&
	    !json_is_true(json_object_get(object, "captured")))
		schedule_at(sim->schedule, capture_before(object) * 1000000, end_in_time,
			    text_in(object, "payment_intent"));
}

static void authorize(struct call *c, json_t *take_pi, const struct card *card)
{
	json_t *charge = charge_new(c, take_pi, card);
	int64_t amount = int_in(take_pi, "amount");

	set_text(take_pi, "latest_charge", text_in(charge, "id"));
	json_object_set_new(take_pi, "last_payment_error", json_null());
	json_object_set_new(take_pi, "next_action", json_null());
	fact(c, "authorize", take_pi, amount);
	if (strcmp(text_in(take_pi, "capture_method"), "manual") == 0) {
		set_text(take_pi, "status", "requires_capture");
		set_int(take_pi, "amount_capturable", amount);
		gateway_recall(c->sim, charge);
	} else {
		take_money(c, take_pi, charge, amount, true);
	}
	gateway_event(c, "charge.succeeded", charge, false);
	gateway_event(c,
		      is(take_pi, "succeeded") ? "payment_intent.succeeded"
					       : "payment_intent.amount_capturable_updated",
		      take_pi, false);
	intent_keep(c, take_pi, charge, text_in(take_pi, "status"));
}

/* The intent goes back to its start, remembers why, and stands inside the error.  No charge: it
 * did not get as far as the card's bank. */
static void decline(struct call *c, json_t *take_pi, const struct card *card, json_t *take_charge)
{
	struct gateway_error e = {"card_error", card->code, card->decline_code, NULL, NULL};

	if (take_charge != NULL) {
		e.charge = text_in(take_charge, "id");
		set_text(take_pi, "latest_charge", e.charge);
	}
	set_text(take_pi, "status", "requires_payment_method");
	set_text(take_pi, "payment_method", NULL);
	json_object_set_new(take_pi, "next_action", json_null());
	json_object_set_new(take_pi, "last_payment_error",
			    json_pack("{s:s, s:s, s:s*, s:s*, s:s}", "type", e.type, "code", e.code,
				      "decline_code", e.decline_code, "charge", e.charge, "message",
				      card->message));
	fact(c, "decline", take_pi, int_in(take_pi, "amount"));
	call_put(c, take_pi);
	if (take_charge != NULL) {
		call_put(c, take_charge);
		gateway_event(c, "charge.failed", take_charge, false);
	}
	gateway_event(c, "payment_intent.payment_failed", take_pi, false);
	gateway_refuse(c, 402, &e, take_pi, "%s", card->message);
	json_decref(take_charge);
	json_decref(take_pi);
}

/* ---- confirm ---- */

/* A link even without a return_url, where the vendor would leave it to its own client library: the
 * link leads to this simulator, and following it is the customer's answer. */
static void challenge(struct call *c, json_t *take_pi)
{
	json_t *next = json_pack("{s:s, s:{s:s?, s:o}}", "type", "redirect_to_url",
				 "redirect_to_url", "return_url", form_text(c, "return_url"), "url",
				 must(json_sprintf("http://%s/_sim/authenticate/%s",
						   c->host != NULL ? c->host : "127.0.0.1",
						   text_in(take_pi, "id"))));

	set_text(take_pi, "status", "requires_action");
	json_object_set_new(take_pi, "next_action", must(next));
	gateway_event(c, "payment_intent.requires_action", take_pi, false);
	intent_keep(c, take_pi, NULL, "requires_action");
}

void intent_pay(struct call *c, json_t *take_pi)
{
	const struct card refused = {"",
				     "visa",
				     "3184",
				     "authentication_required",
				     "authentication_required",
				     "The customer must authenticate.",
				     false};
	const struct card *card = card_by_name(text_in(take_pi, "payment_method"));

	if (card->code != NULL)
		decline(c, take_pi, card, charge_new(c, take_pi, card));
	else if (!card->challenge)
		authorize(c, take_pi, card);
	else if (form_flag(c, "off_session") || form_flag(c, "error_on_requires_action"))
		decline(c, take_pi, &refused, charge_new(c, take_pi, &refused));
	else
		challenge(c, take_pi);
}

void intent_confirm(struct call *c)
{
	json_t *pi = intent_load(c, c->id);

	if (pi == NULL) {
		gateway_missing(c, "payment_intent", c->id, NULL);
		return;
	}
	if (!is(pi, "requires_payment_method") && !is(pi, "requires_confirmation") &&
	    !is(pi, "requires_action")) {
		refuse_state(c, pi, "confirmed");
		return;
	}
	if (!intent_attach(c, pi)) {
		json_decref(pi);
		return;
	}
	if (text_in(pi, "payment_method")[0] == '\0') {
		refuse_state(c, pi, "confirmed");
		return;
	}
	intent_pay(c, pi);
}

/* The customer's answer to a challenge, which no API of the vendor's carries. */
void gateway_authenticate(struct call *c, bool succeeds)
{
	const struct card failed = {"",     "visa",
				    "3184", "payment_intent_authentication_failure",
				    NULL,   "The customer could not be authenticated.",
				    false};
	json_t *pi = intent_load(c, c->id);

	if (pi == NULL)
		gateway_missing(c, "payment_intent", c->id, NULL);
	else if (!is(pi, "requires_action"))
		refuse_state(c, pi, "authenticated");
	else if (succeeds)
		authorize(c, pi, card_by_name(text_in(pi, "payment_method")));
	else
		decline(c, pi, &failed, NULL);
}

/* ---- read ---- */

static void end_intent(json_t *pi, const char *reason, int64_t now_s)
{
	set_text(pi, "status", "canceled");
	set_text(pi, "cancellation_reason", reason);
	set_int(pi, "canceled_at", now_s);
	set_int(pi, "amount_capturable", 0);
	json_object_set_new(pi, "next_action", json_null());
}

/* An authorization nobody captured in time is gone; whoever looks first finds out. */
static void expire(struct call *c, json_t *pi)
{
	json_t *charge;
	int64_t now_s = sim_now_s(c->sim);

	if (!is(pi, "requires_capture"))
		return;
	charge = journal_get(c->journal, text_in(pi, "latest_charge"));
	if (now_s >= capture_before(charge)) {
		fact(c, "expire", pi, int_in(pi, "amount_capturable"));
		end_intent(pi, "automatic", now_s);
		call_put(c, pi);
		gateway_event(c, "charge.expired", charge, true);
		gateway_event(c, "payment_intent.canceled", pi, true);
	}
	json_decref(charge);
}

json_t *intent_load(struct call *c, const char *id)
{
	json_t *pi = journal_get(c->journal, id);

	if (pi != NULL && strcmp(text_in(pi, "object"), "payment_intent") != 0) {
		json_decref(pi);
		return NULL;
	}
	if (pi != NULL)
		expire(c, pi);
	return pi;
}

void intent_get(struct call *c)
{
	json_t *pi = intent_load(c, c->id);

	if (pi == NULL)
		gateway_missing(c, "payment_intent", c->id, NULL);
	else
		call_answer(c, 200, shown(c, pi, NULL, "latest_charge"), "read");
}

static json_t *in_list(struct call *c, json_t *take_pi)
{
	expire(c, take_pi);
	return shown(c, take_pi, NULL, "data.latest_charge");
}

void intent_list(struct call *c)
{
	gateway_list(c, "payment_intent", "/v1/payment_intents", in_list);
}

/* ---- capture and cancel ---- */

static bool multicapture(const json_t *pi)
{
	const json_t *options = json_object_get(pi, "payment_method_options");

	return strcmp(text_in(json_object_get(options, "card"), "request_multicapture"),
		      "if_available") == 0;
}

/* How much, and is it the last; false after an answer. */
static bool capture_read(struct call *c, const json_t *pi, int64_t *ret_amount, bool *ret_final)
{
	const char *final = form_text(c, "final_capture");

	*ret_amount = int_in(pi, "amount_capturable");
	*ret_final = final == NULL || strcmp(final, "false") != 0;
	if (!form_int(c, "amount_to_capture", ret_amount))
		return false;
	if (*ret_amount < 1 || *ret_amount > int_in(pi, "amount_capturable")) {
		gateway_invalid(c, *ret_amount < 1 ? "amount_too_small" : "amount_too_large",
				"amount_to_capture", "The capturable amount is %lld.",
				(long long)int_in(pi, "amount_capturable"));
		return false;
	}
	if (!*ret_final && !multicapture(pi)) {
		gateway_invalid(c, NULL, "final_capture",
				"This PaymentIntent does not allow more than one capture.");
		return false;
	}
	return true;
}

void intent_capture(struct call *c)
{
	json_t *pi = intent_load(c, c->id);
	json_t *charge;
	int64_t amount;
	bool final;

	if (pi == NULL) {
		gateway_missing(c, "payment_intent", c->id, NULL);
		return;
	}
	if (!is(pi, "requires_capture")) {
		refuse_state(c, pi, "captured");
		return;
	}
	if (!capture_read(c, pi, &amount, &final)) {
		json_decref(pi);
		return;
	}
	charge = journal_get(c->journal, text_in(pi, "latest_charge"));
	take_money(c, pi, charge, amount, final);
	gateway_event(c, "charge.captured", charge, false);
	gateway_event(c,
		      is(pi, "succeeded") ? "payment_intent.succeeded"
					  : "payment_intent.amount_capturable_updated",
		      pi, false);
	intent_keep(c, pi, charge, "captured");
}

void intent_cancel(struct call *c)
{
	json_t *pi = intent_load(c, c->id);

	if (pi == NULL) {
		gateway_missing(c, "payment_intent", c->id, NULL);
		return;
	}
	if (is(pi, "succeeded") || is(pi, "canceled")) {
		refuse_state(c, pi, "canceled");
		return;
	}
	if (!intent_choice(c, pi, "cancellation_reason",
			   " abandoned duplicate fraudulent requested_by_customer ")) {
		json_decref(pi);
		return;
	}
	fact(c, "cancel", pi, int_in(pi, "amount_capturable"));
	end_intent(pi, form_text(c, "cancellation_reason"), sim_now_s(c->sim));
	gateway_event(c, "payment_intent.canceled", pi, false);
	intent_keep(c, pi, NULL, "canceled");
}
