/*
 * fulfillment, pick, pack: the work of locations.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "orderctl.h"

/* What the service answered, printed; NULL: why not. */
static int report(struct args *a, const ProtobufCMessage *rs, Orderd__V1__FulfillmentOrder *f,
		  const struct orderd_error *e)
{
	if (rs == NULL)
		return print_error(a, e);
	if (a->json)
		print_json(rs);
	else
		print_fulfillment_orders(&f, 1);
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

/* "open", "picked", ...: as in the contract, without its prefix. */
static Orderd__V1__FulfillmentOrderState read_state(const char *z)
{
	char name[64] = "FULFILLMENT_ORDER_STATE_";
	size_t n = strlen(name);
	const ProtobufCEnumValue *v;

	for (; *z != '\0' && n + 1 < sizeof(name); z++)
		name[n++] = (char)toupper((unsigned char)*z);
	name[n] = '\0';
	v = protobuf_c_enum_descriptor_get_value_by_name(
		&orderd__v1__fulfillment_order_state__descriptor, name);
	if (v == NULL)
		usage_error("--state is open, picked, packed, closed or cancelled");
	return (Orderd__V1__FulfillmentOrderState)v->value;
}

static int run_list(struct args *a)
{
	Orderd__V1__ListFulfillmentOrdersRequest rq =
		ORDERD__V1__LIST_FULFILLMENT_ORDERS_REQUEST__INIT;
	Orderd__V1__ListFulfillmentOrdersResponse *rs;
	struct orderd_error e;

	rq.location = text(option(a, "location"));
	if (option(a, "state") != NULL)
		rq.state = read_state(option(a, "state"));
	rq.order_id = text(option(a, "order"));
	rq.page_size = small_number(option_or(a, "page-size", "0"), "--page-size");
	rq.page_token = text(option(a, "page-token"));
	rs = orderd_list_fulfillment_orders(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
	} else {
		print_fulfillment_orders(rs->fulfillment_orders, rs->n_fulfillment_orders);
		if (rs->next_page_token.len > 0)
			printf("more: --page-token %.*s\n", (int)rs->next_page_token.len,
			       rs->next_page_token.data);
	}
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return 0;
}

static int run_pick(struct args *a)
{
	Orderd__V1__ConfirmPickRequest rq = ORDERD__V1__CONFIRM_PICK_REQUEST__INIT;
	Orderd__V1__PickedLine lines[OPTIONS_MAX], *list[OPTIONS_MAX];
	Orderd__V1__ConfirmPickResponse *rs;
	struct orderd_error e;

	rq.fulfillment_order_id = text(word(a, 0, "the fulfilment order's id"));
	rq.site = text(need(a, "site"));
	rq.report_id = text(report_id(a));
	for (int i = 1; i < a->n_words; i++) {
		char *equals = strchr(a->words[i], '=');
		Orderd__V1__PickedLine *l = &lines[i];

		if (equals == NULL)
			usage_error("what was picked is LINE=QUANTITY: %s", a->words[i]);
		*equals++ = '\0';
		orderd__v1__picked_line__init(l);
		l->line = small_number(a->words[i], "the line");
		l->quantity = number(equals, "the quantity");
		list[rq.n_lines++] = l;
	}
	rq.lines = list;
	rs = orderd_confirm_pick(a->client, &rq, a->deadline_ms, &e);
	return report(a, rs != NULL ? &rs->base : NULL, rs != NULL ? rs->fulfillment_order : NULL,
		      &e);
}

static int run_pack(struct args *a)
{
	Orderd__V1__ConfirmPackRequest rq = ORDERD__V1__CONFIRM_PACK_REQUEST__INIT;
	Orderd__V1__ConfirmPackResponse *rs;
	struct orderd_error e;

	rq.fulfillment_order_id = text(word(a, 0, "the fulfilment order's id"));
	rq.site = text(need(a, "site"));
	rq.report_id = text(report_id(a));
	rq.weight_grams = number(option_or(a, "weight", "0"), "--weight");
	rs = orderd_confirm_pack(a->client, &rq, a->deadline_ms, &e);
	return report(a, rs != NULL ? &rs->base : NULL, rs != NULL ? rs->fulfillment_order : NULL,
		      &e);
}

const struct command fulfillment_commands[] = {
	{NULL, "fulfillment",
	 "[--location CODE] [--state open|picked|packed|closed|cancelled] [--order ID] "
	 "[--page-size N] [--page-token T]",
	 0, "the work of locations, oldest first", run_list},
	{NULL, "pick", "--site SITE --report ID FULFILLMENT_ORDER [LINE=QTY...]", OPTIONS_MAX,
	 "the goods are off the shelf; LINE=QTY where it was less than planned", run_pick},
	{NULL, "pack", "--site SITE --report ID [--weight GRAMS] FULFILLMENT_ORDER", 1,
	 "the goods are in the parcel", run_pack},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
