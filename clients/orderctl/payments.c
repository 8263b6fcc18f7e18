/*
 * payments, payment, pay.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"

static int finish(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

static int run_payments(struct args *a)
{
	Orderd__V1__ListPaymentsRequest rq = ORDERD__V1__LIST_PAYMENTS_REQUEST__INIT;
	Orderd__V1__ListPaymentsResponse *rs;
	struct orderd_error e;

	rq.order_id = text(a->n_words > 0 ? a->words[0] : NULL);
	rq.state = (Orderd__V1__PaymentState)enum_value(&orderd__v1__payment_state__descriptor,
							"PAYMENT_STATE_", "payment state",
							option(a, "state"));
	rq.page_size = small_number(option_or(a, "page-size", "0"), "--page-size");
	rq.page_token = text(option(a, "page-token"));
	if (a->n_words == 0 && option(a, "state") == NULL)
		usage_error("the order's id, or --state, is required");
	rs = orderd_list_payments(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
	} else {
		print_payments(rs->payments, rs->n_payments);
		if (rs->next_page_token.len > 0)
			printf("more: --page-token %.*s\n", (int)rs->next_page_token.len,
			       rs->next_page_token.data);
	}
	return finish(&rs->base);
}

static int run_payment(struct args *a)
{
	Orderd__V1__GetPaymentRequest rq = ORDERD__V1__GET_PAYMENT_REQUEST__INIT;
	Orderd__V1__GetPaymentResponse *rs;
	struct orderd_error e;

	rq.order_id = text(word(a, 0, "the order's id"));
	rq.group = small_number(option_or(a, "group", "1"), "--group");
	rs = orderd_get_payment(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_payments(&rs->payment, 1);
	return finish(&rs->base);
}

static int run_pay(struct args *a)
{
	Orderd__V1__RetryPaymentRequest rq = ORDERD__V1__RETRY_PAYMENT_REQUEST__INIT;
	ProtobufCBinaryData fallbacks[OPTIONS_MAX];
	Orderd__V1__RetryPaymentResponse *rs;
	struct orderd_error e;

	rq.order_id = text(word(a, 0, "the order's id"));
	rq.group = small_number(option_or(a, "group", "0"), "--group");
	rq.payment_method = text(need(a, "payment-method"));
	rq.request_id = text(request_id(a));
	rq.n_fallback_payment_methods = options(a, "fallback", fallbacks);
	rq.fallback_payment_methods = fallbacks;
	rs = orderd_retry_payment(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_payments(rs->payments, rs->n_payments);
	return finish(&rs->base);
}

const struct command payment_commands[] = {
	{NULL, "payments", "[--state STATE] [--page-size N] [--page-token T] [ORDER]", 1,
	 "an order's payments, or all in state unknown, requires_action or declined", run_payments},
	{NULL, "payment", "[--group N] ORDER", 1,
	 "the payment of one shipment group, with --json also every attempt", run_payment},
	{NULL, "pay",
	 "--payment-method TOKEN [--fallback TOKEN]... [--group N] [--request-id ID] ORDER", 1,
	 "try what was declined again with another method", run_pay},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
