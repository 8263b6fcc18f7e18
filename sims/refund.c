/* Refunds, and reading the charges they are taken from. */
#include <string.h>

#include "sims/gateway_part.h"
#include "sims/journal.h"

/* The charge a refund is about, by intent or by charge; NULL after an answer. */
static json_t *charge_meant(struct call *c)
{
	const char *intent_id = form_text(c, "payment_intent");
	const char *charge_id = form_text(c, "charge");
	json_t *charge = NULL;
	json_t *pi;

	if (intent_id == NULL && charge_id == NULL) {
		gateway_invalid(c, "parameter_missing", "payment_intent",
				"One of payment_intent and charge is needed.");
		return NULL;
	}
	if (intent_id != NULL) {
		pi = intent_load(c, intent_id);
		charge = journal_get(c->journal, text_in(pi, "latest_charge"));
		if (pi == NULL)
			gateway_missing(c, "payment_intent", intent_id, "payment_intent");
		else if (charge == NULL)
			gateway_invalid(c, NULL, "payment_intent", "There is no charge to refund.");
		json_decref(pi);
		return charge;
	}
	charge = journal_get(c->journal, charge_id);
	if (charge == NULL || strcmp(text_in(charge, "object"), "charge") != 0) {
		gateway_missing(c, "charge", charge_id, "charge");
		json_decref(charge);
		return NULL;
	}
	return charge;
}

static bool refund_read(struct call *c, const json_t *charge, int64_t *ret_amount)
{
	static const char reasons[] = " duplicate fraudulent requested_by_customer ";
	const char *reason = form_text(c, "reason");
	int64_t left = int_in(charge, "amount_captured") - int_in(charge, "amount_refunded");

	*ret_amount = left;
	if (!form_int(c, "amount", ret_amount))
		return false;
	if (int_in(charge, "amount_captured") == 0)
		gateway_invalid(c, NULL, "payment_intent", "Nothing was captured.");
	else if (left == 0)
		gateway_invalid(c, "charge_already_refunded", NULL,
				"Charge %s is refunded already.", text_in(charge, "id"));
	else if (*ret_amount < 1 || *ret_amount > left)
		gateway_invalid(c, NULL, "amount", "%lld can be refunded.", (long long)left);
	else if (reason != NULL && strstr(reasons, reason) == NULL)
		gateway_invalid(c, NULL, "reason", "Invalid reason: must be one of%s", reasons);
	else
		return true;
	return false;
}

static void refund_fact(struct call *c, const json_t *refund, const json_t *charge)
{
	call_fact(c, json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:s?}", "time_us",
			       (json_int_t)sim_now_us(c->sim), "kind", "refund", "refund",
			       text_in(refund, "id"), "payment_intent",
			       text_in(refund, "payment_intent"), "amount",
			       (json_int_t)int_in(refund, "amount"), "currency",
			       text_in(refund, "currency"), "order",
			       text_in(json_object_get(charge, "metadata"), "order_id"), "key",
			       c->key));
}

void refund_create(struct call *c)
{
	json_t *charge = charge_meant(c);
	json_t *metadata = charge != NULL ? form_metadata(c) : NULL;
	json_t *refund;
	int64_t amount;
	int64_t refunded;

	if (charge == NULL || metadata == NULL || !refund_read(c, charge, &amount)) {
		json_decref(metadata);
		json_decref(charge);
		return;
	}
	refund = refund_new(c, charge, amount);
	json_object_set_new(refund, "metadata", metadata);
	set_text(refund, "reason", form_text(c, "reason"));
	refunded = int_in(charge, "amount_refunded") + amount;
	set_int(charge, "amount_refunded", refunded);
	json_object_set_new(charge, "refunded",
			    json_boolean(refunded == int_in(charge, "amount_captured")));
	refund_fact(c, refund, charge);
	gateway_event(c, "refund.created", refund, false);
	gateway_event(c, "charge.refunded", charge, false);
	call_put(c, refund);
	call_put(c, charge);
	call_answer(c, 200, refund, "refunded");
	json_decref(charge);
}

static void get(struct call *c, const char *kind)
{
	json_t *object = journal_get(c->journal, c->id);

	if (object != NULL && strcmp(text_in(object, "object"), kind) == 0) {
		call_answer(c, 200, object, "read");
		return;
	}
	json_decref(object);
	gateway_missing(c, kind, c->id, NULL);
}

void refund_get(struct call *c)
{
	get(c, "refund");
}

void charge_get(struct call *c)
{
	get(c, "charge");
}

static json_t *of_filter(struct call *c, json_t *take_refund)
{
	static const char *const fields[] = {"payment_intent", "charge"};
	size_t i;

	for (i = 0; i < 2; i++)
		if (form_text(c, fields[i]) != NULL &&
		    strcmp(form_text(c, fields[i]), text_in(take_refund, fields[i])) != 0) {
			json_decref(take_refund);
			return NULL;
		}
	return take_refund;
}

void refund_list(struct call *c)
{
	gateway_list(c, "refund", "/v1/refunds", of_filter);
}
