/*
 * Full objects as the SDK's types want them, every field of the vendor's present.  The
 * compiler of those types checks what this file makes (tests/sim/shape.test.js).
 */
#include <stdio.h>
#include <string.h>

#include "sims/gateway_part.h"

static const char intent_template[] =
	"{'id':null,'object':'payment_intent','allowed_payment_method_types':null,'amount':0,"
	"'amount_capturable':0,'amount_details':{'tip':{}},'amount_received':0,"
	"'application':null,'application_fee_amount':null,'automatic_payment_methods':null,"
	"'canceled_at':null,'cancellation_reason':null,'capture_method':'automatic_async',"
	"'client_secret':null,'confirmation_method':'automatic','created':0,'currency':null,"
	"'customer':null,'customer_account':null,'description':null,"
	"'excluded_payment_method_types':null,'last_payment_error':null,'latest_charge':null,"
	"'livemode':false,'managed_payments':null,'metadata':{},'next_action':null,"
	"'on_behalf_of':null,'payment_method':null,'payment_method_configuration_details':null,"
	"'payment_method_options':{'card':{'installments':null,'mandate_options':null,"
	"'network':null,'request_three_d_secure':'automatic'}},'payment_method_types':['card'],"
	"'payment_record':null,'processing':null,'receipt_email':null,'review':null,"
	"'setup_future_usage':null,'shipping':null,'source':null,'statement_descriptor':null,"
	"'statement_descriptor_suffix':null,'status':'requires_payment_method',"
	"'transfer_data':null,'transfer_group':null}";

static const char charge_template[] =
	"{'id':null,'object':'charge','amount':0,'amount_captured':0,'amount_refunded':0,"
	"'application':null,'application_fee':null,'application_fee_amount':null,"
	"'balance_transaction':null,'billing_details':{'address':null,'email':null,'name':null,"
	"'phone':null,'tax_id':null},'calculated_statement_descriptor':'ORDERD SIM',"
	"'captured':false,'created':0,'currency':null,'customer':null,'description':null,"
	"'disputed':false,'failure_balance_transaction':null,'failure_code':null,"
	"'failure_message':null,'fraud_details':{},'livemode':false,'metadata':{},"
	"'on_behalf_of':null,'outcome':{'advice_code':null,'network_advice_code':null,"
	"'network_decline_code':null,'network_status':'approved_by_network','reason':null,"
	"'risk_level':'normal','risk_score':1,'seller_message':'Payment complete.',"
	"'type':'authorized'},'paid':true,'payment_intent':null,'payment_method':null,"
	"'payment_method_details':{'type':'card','card':{'amount_authorized':null,"
	"'authorization_code':null,'brand':null,'checks':{'address_line1_check':null,"
	"'address_postal_code_check':null,'cvc_check':'pass'},'country':'US',"
	"'electronic_commerce_indicator':null,'exp_month':12,'exp_year':2034,"
	"'fingerprint':null,'funding':'credit','installments':null,'last4':null,"
	"'mandate':null,'network':null,'network_transaction_id':null,'regulated_status':null,"
	"'three_d_secure':null,'transaction_link_id':null,'wallet':null}},"
	"'receipt_email':null,'receipt_number':null,'receipt_url':null,'refunded':false,"
	"'review':null,'shipping':null,'source':null,'source_transfer':null,"
	"'statement_descriptor':null,'statement_descriptor_suffix':null,'status':'succeeded',"
	"'transfer_data':null,'transfer_group':null}";

static const char refund_template[] =
	"{'id':null,'object':'refund','amount':0,'balance_transaction':null,'charge':null,"
	"'created':0,'currency':null,'customer':null,'customer_account':null,"
	"'destination_details':{'card':{'type':'refund'},'type':'card'},'metadata':{},"
	"'payment_intent':null,'payment_method':null,'reason':null,'receipt_number':null,"
	"'source_transfer_reversal':null,'status':'succeeded','transfer_reversal':null}";

static json_t *object_new(struct call *c, const char *template, const char *prefix)
{
	json_t *object = json_literal(template);
	char id[SIM_ID_SIZE];

	call_new_id(c, prefix, id);
	set_text(object, "id", id);
	set_int(object, "created", sim_now_s(c->sim));
	return object;
}

json_t *intent_new(struct call *c)
{
	json_t *pi = object_new(c, intent_template, "pi_");
	char secret[SIM_ID_SIZE];

	call_new_id(c, "", secret);
	json_object_set_new(pi, "client_secret",
			    must(json_sprintf("%s_secret_%s", text_in(pi, "id"), secret)));
	return pi;
}

static void copy(json_t *to, const json_t *from, const char *field)
{
	json_object_set_new(to, field, must(json_deep_copy(json_object_get(from, field))));
}

static void charge_failed(json_t *charge, const struct card *card)
{
	json_t *outcome = json_object_get(charge, "outcome");

	json_object_set_new(charge, "paid", json_false());
	set_text(charge, "status", "failed");
	set_text(charge, "failure_code", card->code);
	set_text(charge, "failure_message", card->message);
	set_text(outcome, "network_status", "declined_by_network");
	set_text(outcome, "reason", card->decline_code);
	set_text(outcome, "seller_message", card->message);
	set_text(outcome, "type", "issuer_declined");
}

json_t *charge_new(struct call *c, const json_t *intent, const struct card *card)
{
	json_t *charge = object_new(c, charge_template, "ch_");
	json_t *details =
		json_object_get(json_object_get(charge, "payment_method_details"), "card");
	static const char *const same[] = {"amount",
					   "currency",
					   "description",
					   "metadata",
					   "payment_method",
					   "receipt_email",
					   "shipping",
					   "statement_descriptor",
					   "statement_descriptor_suffix"};
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		copy(charge, intent, same[i]);
	set_text(charge, "payment_intent", text_in(intent, "id"));
	set_text(details, "brand", card->brand);
	set_text(details, "network", card->brand);
	set_text(details, "last4", card->last4);
	if (card->code != NULL) {
		charge_failed(charge, card);
		return charge;
	}
	set_int(details, "amount_authorized", int_in(intent, "amount"));
	if (strcmp(text_in(intent, "capture_method"), "manual") == 0)
		set_int(details, "capture_before", int_in(charge, "created") + c->sim->auth_life_s);
	return charge;
}

json_t *refund_new(struct call *c, const json_t *charge, int64_t amount)
{
	json_t *refund = object_new(c, refund_template, "re_");

	set_int(refund, "amount", amount);
	set_text(refund, "charge", text_in(charge, "id"));
	copy(refund, charge, "currency");
	copy(refund, charge, "payment_intent");
	copy(refund, charge, "payment_method");
	return refund;
}

/* ---- fields ---- */

const char *text_in(const json_t *object, const char *field)
{
	const char *text = json_string_value(json_object_get(object, field));

	return text != NULL ? text : "";
}

int64_t int_in(const json_t *object, const char *field)
{
	return json_integer_value(json_object_get(object, field));
}

void set_text(json_t *object, const char *field, const char *text)
{
	json_object_set_new(object, field, text != NULL ? must(json_string(text)) : json_null());
}

void set_int(json_t *object, const char *field, int64_t value)
{
	json_object_set_new(object, field, must(json_integer(value)));
}
