/*
 * payments, payment, pay.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "pages.h"
#include "show.h"

static struct table *payments_table(void)
{
	return table_new("ORDER GROUP> STATE AMOUNT> METHOD HELD_UNTIL NOTE");
}

/* What somebody is to know, or to do. */
static void payment_note(struct table *t, const Orderd__V1__Payment *p)
{
	if (p->action_url.len > 0)
		table_cell(t, "confirm at %.*s", BYTES(p->action_url));
	else if (p->decline_code.len > 0)
		table_cell(t, "declined: %.*s", BYTES(p->decline_code));
	else
		table_cell(t, "-");
}

static void payments_rows(struct table *t, Orderd__V1__Payment *const *payments, size_t n)
{
	char amount[MONEY_ROOM], until[TIME_ROOM];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Payment *p = payments[i];

		print_money(amount, sizeof(amount), p->amount);
		print_time(until, sizeof(until), p->authorized_until);
		table_cell(t, "%.*s", BYTES(p->order_id));
		table_cell(t, "%d", p->group);
		table_state(t, payment_state((int)p->state));
		table_cell(t, "%s", amount);
		table_cell(t, "%.*s", BYTES(p->method));
		table_cell(t, "%s", until);
		payment_note(t, p);
	}
	table_page(t);
}

static void show_attempts(const Orderd__V1__Payment *p)
{
	struct table *t = table_new("ATTEMPT> STATE GATEWAY_ID DECLINED BEGUN CHANGED");
	char begun[TIME_ROOM], changed[TIME_ROOM];

	for (size_t i = 0; i < p->n_attempts; i++) {
		const Orderd__V1__PaymentAttempt *x = p->attempts[i];

		print_time(begun, sizeof(begun), x->create_time);
		print_time(changed, sizeof(changed), x->update_time);
		table_cell(t, "%d", x->number);
		table_word(t, &x->state);
		table_cell(t, "%.*s", BYTES(x->gateway_id));
		table_cell(t, "%.*s", BYTES(x->decline_code));
		table_cell(t, "%s", begun);
		table_cell(t, "%s", changed);
	}
	table_print(t);
}

static void show_transactions(const Orderd__V1__Payment *p)
{
	struct table *t = table_new("TRANSACTION AMOUNT> GATEWAY_ID AT");
	char amount[MONEY_ROOM], when[TIME_ROOM];

	for (size_t i = 0; i < p->n_transactions; i++) {
		const Orderd__V1__PaymentTransaction *x = p->transactions[i];

		print_money(amount, sizeof(amount), x->amount);
		print_time(when, sizeof(when), x->transaction_time);
		table_cell(t, "%.*s", BYTES(x->kind));
		table_cell(t, "%s", amount);
		table_cell(t, "%.*s", BYTES(x->gateway_ref));
		table_cell(t, "%s", when);
	}
	table_print(t);
}

static void money_field(struct table *t, const char *name, const Orderd__V1__Money *m)
{
	char amount[MONEY_ROOM];

	print_money(amount, sizeof(amount), m);
	if (m != NULL)
		field(t, name, "%s", amount);
}

static void show_payment(const Orderd__V1__Payment *p)
{
	struct table *t = fields_new();
	char until[TIME_ROOM];

	field(t, "Order", "%.*s", BYTES(p->order_id));
	field(t, "Group", "%d", p->group);
	field_state(t, "State", payment_state((int)p->state));
	money_field(t, "Amount", p->amount);
	money_field(t, "Authorized", p->authorized);
	money_field(t, "Captured", p->captured);
	field(t, "Method", "%.*s", BYTES(p->method));
	field(t, "Declined", "%.*s", BYTES(p->decline_code));
	field(t, "Confirm at", "%.*s", BYTES(p->action_url));
	print_time(until, sizeof(until), p->authorized_until);
	if (p->authorized_until != NULL)
		field(t, "Held until", "%s", until);
	table_print(t);
	if (p->n_attempts > 0) {
		putchar('\n');
		show_attempts(p);
	}
	if (p->n_transactions > 0) {
		putchar('\n');
		show_transactions(p);
	}
}

static const ProtobufCMessage *payments_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListPaymentsRequest *rq = p->request;
	Orderd__V1__ListPaymentsResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_payments(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		payments_rows(p->table, rs->payments, rs->n_payments);
	p->rows = rs->n_payments;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_payments(struct args *a)
{
	Orderd__V1__ListPaymentsRequest rq = ORDERD__V1__LIST_PAYMENTS_REQUEST__INIT;

	rq.order_id = text(a->n_words > 0 ? a->words[0] : NULL);
	rq.state = (Orderd__V1__PaymentState)enum_option(a, "state",
							 &orderd__v1__payment_state__descriptor);
	if (a->n_words == 0 && !flag(a, "state"))
		usage_error("ORDER is required, or --state");
	return list_pages(a, payments_page, &rq, payments_table());
}

static int run_payment(struct args *a)
{
	Orderd__V1__GetPaymentRequest rq = ORDERD__V1__GET_PAYMENT_REQUEST__INIT;
	Orderd__V1__GetPaymentResponse *rs;
	struct orderd_error e;

	rq.order_id = text(a->words[0]);
	rq.group = small_number(option_or(a, "group", "1"), "--group");
	rs = orderd_get_payment(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		show_payment(rs->payment);
	return done_with(&rs->base);
}

static int run_pay(struct args *a)
{
	Orderd__V1__RetryPaymentRequest rq = ORDERD__V1__RETRY_PAYMENT_REQUEST__INIT;
	ProtobufCBinaryData fallbacks[OPTIONS_MAX];
	Orderd__V1__RetryPaymentResponse *rs;
	struct orderd_error e;
	struct table *t;

	rq.order_id = text(a->words[0]);
	rq.group = small_number(option_or(a, "group", "0"), "--group");
	rq.payment_method = text(need(a, "payment-method"));
	rq.request_id = text(request_id(a));
	rq.n_fallback_payment_methods = options(a, "fallback", fallbacks);
	rq.fallback_payment_methods = fallbacks;
	rs = orderd_retry_payment(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
		return done_with(&rs->base);
	}
	t = payments_table();
	payments_rows(t, rs->payments, rs->n_payments);
	table_free(t);
	return done_with(&rs->base);
}

const struct command payment_commands[] = {
	{NULL, "payments", "[--state PAYMENT_STATE] " PAGES_USAGE " [ORDER]", 1,
	 "an order's payments, or all in state unknown, requires_action or declined", run_payments,
	 .examples = "  orderctl payments --state declined --all\n"},
	{NULL, "payment", "[--group N] ORDER", 1,
	 "the payment of one shipment group, with every attempt", run_payment},
	{NULL, "pay",
	 "--payment-method TOKEN [--fallback TOKEN]... [--group N] [--request-id ID] ORDER", 1,
	 "try what was declined again with another method", run_pay},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
