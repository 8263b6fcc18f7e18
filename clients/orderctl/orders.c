/*
 * place, get, status, list, cancel.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"

enum { WATCH_MS = 7 * 24 * 3600 * 1000 }; /* an order takes days; it ends by itself */

static int finish(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

/* "SKU=3" or "SKU=3@1999 EUR" */
static void read_line(char *spec, Orderd__V1__NewOrderLine *l, Orderd__V1__Money *price)
{
	char *at = strchr(spec, '@'), *equals, *space;

	orderd__v1__new_order_line__init(l);
	if (at != NULL) {
		*at++ = '\0';
		space = strchr(at, ' ');
		if (space == NULL)
			usage_error(
				"no price, which is SKU=3@\"1999 EUR\", minor units and a "
				"currency: %s",
				at);
		*space++ = '\0';
		orderd__v1__money__init(price);
		price->amount_minor = number(at, "the price");
		price->currency_code = text(space);
		l->unit_price = price;
	}
	equals = strrchr(spec, '=');
	if (equals == NULL)
		usage_error("a line is SKU=QUANTITY: %s", spec);
	*equals++ = '\0';
	l->sku = text(spec);
	l->quantity = number(equals, "the quantity");
}

static int run_place(struct args *a)
{
	Orderd__V1__PlaceOrderRequest rq = ORDERD__V1__PLACE_ORDER_REQUEST__INIT;
	Orderd__V1__Address to = ORDERD__V1__ADDRESS__INIT;
	Orderd__V1__NewOrderLine lines[OPTIONS_MAX], *list[OPTIONS_MAX];
	Orderd__V1__Money prices[OPTIONS_MAX];
	ProtobufCBinaryData fallbacks[OPTIONS_MAX];
	Orderd__V1__PlaceOrderResponse *rs;
	struct orderd_error e;

	(void)word(a, 0, "SKU=QUANTITY");
	rq.request_id = text(request_id(a));
	rq.customer = text(need(a, "customer"));
	rq.channel = text(option(a, "channel"));
	rq.reference = text(option(a, "reference"));
	rq.payment_method = text(need(a, "payment-method"));
	rq.n_fallback_payment_methods = options(a, "fallback", fallbacks);
	rq.fallback_payment_methods = fallbacks;
	rq.wait_for_payment = flag(a, "wait-for-payment");
	rq.ship_service = text(option(a, "ship-service"));
	rq.validate_only = flag(a, "validate-only");
	to.name = text(need(a, "name"));
	to.street = text(need(a, "street"));
	to.city = text(need(a, "city"));
	to.region = text(option(a, "region"));
	to.postal_code = text(need(a, "postal-code"));
	to.country_code = text(need(a, "country"));
	to.email = text(option(a, "email"));
	to.phone = text(option(a, "phone"));
	rq.ship_to = &to;
	for (int i = 0; i < a->n_words; i++) {
		read_line(a->words[i], &lines[i], &prices[i]);
		list[i] = &lines[i];
	}
	rq.lines = list;
	rq.n_lines = (size_t)a->n_words;
	rs = orderd_place_order(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_order(rs->order);
	return finish(&rs->base);
}

static int run_get(struct args *a)
{
	Orderd__V1__GetOrderRequest rq = ORDERD__V1__GET_ORDER_REQUEST__INIT;
	Orderd__V1__GetOrderResponse *rs;
	struct orderd_error e;

	rq.order_id = text(word(a, 0, "the order's id"));
	rq.with_events = flag(a, "events");
	rs = orderd_get_order(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
	} else {
		print_order(rs->order);
		print_events(rs->events, rs->n_events);
	}
	return finish(&rs->base);
}

static int run_status(struct args *a)
{
	Orderd__V1__GetOrderStatusRequest rq = ORDERD__V1__GET_ORDER_STATUS_REQUEST__INIT;
	Orderd__V1__GetOrderStatusResponse *rs;
	struct orderd_error e;

	rq.order_id = text(word(a, 0, "the order's id"));
	rs = orderd_get_order_status(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_status(rs);
	return finish(&rs->base);
}

static int run_list(struct args *a)
{
	Orderd__V1__ListOrdersRequest rq = ORDERD__V1__LIST_ORDERS_REQUEST__INIT;
	Orderd__V1__ListOrdersResponse *rs;
	struct orderd_error e;

	rq.customer = text(option(a, "customer"));
	rq.page_size = small_number(option_or(a, "page-size", "0"), "--page-size");
	rq.page_token = text(option(a, "page-token"));
	rs = orderd_list_orders(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json) {
		print_json(&rs->base);
	} else {
		print_orders(rs->orders, rs->n_orders);
		if (rs->next_page_token.len > 0)
			printf("more: --page-token %.*s\n", (int)rs->next_page_token.len,
			       rs->next_page_token.data);
	}
	return finish(&rs->base);
}

static int run_cancel(struct args *a)
{
	Orderd__V1__CancelOrderRequest rq = ORDERD__V1__CANCEL_ORDER_REQUEST__INIT;
	Orderd__V1__CancelOrderResponse *rs;
	struct orderd_error e;

	rq.order_id = text(word(a, 0, "the order's id"));
	rq.request_id = text(request_id(a));
	rq.reason = text(option(a, "reason"));
	rq.etag = text(option(a, "etag"));
	rs = orderd_cancel_order(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_order(rs->order);
	return finish(&rs->base);
}

/* One line per event, at once: whoever reads it may be a program that waits for it. */
static bool show_event(const Orderd__V1__WatchOrderResponse *m, void *arg)
{
	const struct args *a = arg;

	if (a->json)
		print_json(&m->base);
	else
		print_events(&m->event, 1);
	return fflush(stdout) == 0; /* nobody reads any more */
}

static int run_watch(struct args *a)
{
	Orderd__V1__WatchOrderRequest rq = ORDERD__V1__WATCH_ORDER_REQUEST__INIT;
	struct orderd_error e;

	rq.order_id = text(word(a, 0, "the order's id"));
	rq.after_sequence = number(option_or(a, "after", "0"), "--after");
	if (!flag(a, "deadline"))
		a->deadline_ms = WATCH_MS;
	return orderd_watch_order(a->client, &rq, show_event, a, a->deadline_ms, &e)
		       ? 0
		       : print_error(a, &e);
}

const struct command order_commands[] = {
	{NULL, "place",
	 "--customer ID --payment-method TOKEN --name N --street S --city C --postal-code P "
	 "--country CC [--region R]\n"
	 "        [--email E] [--phone P] [--channel C] [--reference R] [--request-id ID] "
	 "[--fallback TOKEN]... [--wait-for-payment]\n"
	 "        [--ship-service cheapest|fastest|NAME] [--validate-only] SKU=QTY[@\"MINOR "
	 "CUR\"]...",
	 OPTIONS_MAX, "take an order", run_place},
	{NULL, "get", "[--events] ORDER", 1,
	 "show an order, with --events also what happened to it", run_get},
	{NULL, "status", "ORDER", 1, "where an order stands, in one line", run_status},
	{NULL, "list", "[--customer ID] [--page-size N] [--page-token T]", 0,
	 "orders, newest first", run_list},
	{NULL, "cancel", "[--reason TEXT] [--etag E] [--request-id ID] ORDER", 1,
	 "cancel an order that is not packed yet", run_cancel},
	{NULL, "watch", "[--after N] ORDER", 1,
	 "what happens to an order, as it happens, until it has ended", run_watch},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
