/*
 * item put, location create, stock receive, stock adjust, stock show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orderctl.h"

static int finish(const ProtobufCMessage *rs)
{
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

static int report(const struct args *a, const ProtobufCMessage *rs, const char *done)
{
	if (a->json)
		print_json(rs);
	else
		puts(done);
	return finish(rs);
}

static int run_item(struct args *a)
{
	Orderd__V1__UpsertItemsRequest rq = ORDERD__V1__UPSERT_ITEMS_REQUEST__INIT;
	Orderd__V1__Item item = ORDERD__V1__ITEM__INIT, *items[1] = {&item};
	Orderd__V1__Money price = ORDERD__V1__MONEY__INIT;
	Orderd__V1__UpsertItemsResponse *rs;
	struct orderd_error e;

	item.sku = text(word(a, 0, "the SKU"));
	item.title = text(need(a, "title"));
	price.amount_minor = number(need(a, "price"), "--price");
	price.currency_code = text(need(a, "currency"));
	item.unit_price = &price;
	item.weight_grams = small_number(need(a, "weight"), "--weight");
	rq.items = items;
	rq.n_items = 1;
	a->changes = true;
	rs = orderd_upsert_items(a->client, &rq, a->deadline_ms, &e);
	return rs != NULL ? report(a, &rs->base, "written") : print_error(a, &e);
}

static int run_location(struct args *a)
{
	Orderd__V1__CreateLocationRequest rq = ORDERD__V1__CREATE_LOCATION_REQUEST__INIT;
	Orderd__V1__Location l = ORDERD__V1__LOCATION__INIT;
	Orderd__V1__Address at = ORDERD__V1__ADDRESS__INIT;
	Orderd__V1__CreateLocationResponse *rs;
	struct orderd_error e;

	l.code = text(word(a, 0, "the location's code"));
	l.priority = small_number(option_or(a, "priority", "100"), "--priority");
	at.name = text(need(a, "name"));
	at.street = text(need(a, "street"));
	at.city = text(need(a, "city"));
	at.region = text(option(a, "region"));
	at.postal_code = text(need(a, "postal-code"));
	at.country_code = text(need(a, "country"));
	l.address = &at;
	l.fulfillment_mode = flag(a, "manual")
				     ? ORDERD__V1__FULFILLMENT_MODE__FULFILLMENT_MODE_MANUAL
				     : ORDERD__V1__FULFILLMENT_MODE__FULFILLMENT_MODE_AUTOMATIC;
	rq.location = &l;
	a->changes = true;
	rs = orderd_create_location(a->client, &rq, a->deadline_ms, &e);
	return rs != NULL ? report(a, &rs->base, "created") : print_error(a, &e);
}

static int run_receive(struct args *a)
{
	Orderd__V1__ReceiveStockRequest rq = ORDERD__V1__RECEIVE_STOCK_REQUEST__INIT;
	Orderd__V1__StockLine lines[OPTIONS_MAX], *list[OPTIONS_MAX];
	Orderd__V1__ReceiveStockResponse *rs;
	struct orderd_error e;

	(void)word(a, 0, "SKU=QUANTITY");
	rq.request_id = text(request_id(a));
	rq.location = text(need(a, "location"));
	rq.reference = text(option(a, "reference"));
	for (int i = 0; i < a->n_words; i++) {
		const char *equals = strrchr(a->words[i], '=');

		if (equals == NULL)
			usage_error("a line is SKU=QUANTITY: %s", a->words[i]);
		orderd__v1__stock_line__init(&lines[i]);
		lines[i].sku = (ProtobufCBinaryData){(size_t)(equals - a->words[i]),
						     (uint8_t *)(uintptr_t)a->words[i]};
		lines[i].quantity = number(equals + 1, "the quantity");
		list[i] = &lines[i];
	}
	rq.lines = list;
	rq.n_lines = (size_t)a->n_words;
	rs = orderd_receive_stock(a->client, &rq, a->deadline_ms, &e);
	return rs != NULL ? report(a, &rs->base, "received") : print_error(a, &e);
}

static int run_adjust(struct args *a)
{
	Orderd__V1__AdjustStockRequest rq = ORDERD__V1__ADJUST_STOCK_REQUEST__INIT;
	const char *kind = option_or(a, "kind", "count");
	Orderd__V1__AdjustStockResponse *rs;
	struct orderd_error e;

	rq.request_id = text(request_id(a));
	rq.location = text(need(a, "location"));
	rq.sku = text(word(a, 0, "the SKU"));
	rq.delta = number(need(a, "by"), "--by");
	rq.reason = text(need(a, "reason"));
	if (strcmp(kind, "count") == 0)
		rq.kind = ORDERD__V1__ADJUSTMENT_KIND__ADJUSTMENT_KIND_COUNT;
	else if (strcmp(kind, "unavailable") == 0)
		rq.kind = ORDERD__V1__ADJUSTMENT_KIND__ADJUSTMENT_KIND_UNAVAILABLE;
	else
		usage_error("--kind is count or unavailable: %s", kind);
	rs = orderd_adjust_stock(a->client, &rq, a->deadline_ms, &e);
	return rs != NULL ? report(a, &rs->base, "adjusted") : print_error(a, &e);
}

static void print_availability(const Orderd__V1__GetAvailabilityResponse *rs)
{
	printf("%-20s %-10s %10s %10s %10s %12s %10s\n", "SKU", "LOCATION", "ON HAND", "RESERVED",
	       "ALLOCATED", "UNAVAILABLE", "AVAILABLE");
	for (size_t i = 0; i < rs->n_items; i++) {
		const Orderd__V1__ItemAvailability *item = rs->items[i];

		for (size_t k = 0; k < item->n_locations; k++) {
			const Orderd__V1__LocationAvailability *l = item->locations[k];

			printf("%-20.*s %-10.*s %10lld %10lld %10lld %12lld %10lld\n",
			       (int)item->sku.len, item->sku.data, (int)l->location.len,
			       l->location.data, (long long)l->on_hand, (long long)l->reserved,
			       (long long)l->allocated, (long long)l->unavailable,
			       (long long)l->available);
		}
		if (item->n_locations == 0)
			printf("%-20.*s %-10s\n", (int)item->sku.len, item->sku.data, "nowhere");
	}
}

static int run_show(struct args *a)
{
	Orderd__V1__GetAvailabilityRequest rq = ORDERD__V1__GET_AVAILABILITY_REQUEST__INIT;
	ProtobufCBinaryData skus[OPTIONS_MAX];
	Orderd__V1__GetAvailabilityResponse *rs;
	struct orderd_error e;

	(void)word(a, 0, "an SKU");
	for (int i = 0; i < a->n_words; i++)
		skus[i] = text(a->words[i]);
	rq.skus = skus;
	rq.n_skus = (size_t)a->n_words;
	rs = orderd_get_availability(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_availability(rs);
	return finish(&rs->base);
}

const struct command stock_commands[] = {
	{"item", "put", "--title T --price MINOR --currency CUR --weight GRAMS SKU", 1,
	 "create or change an item", run_item},
	{"location", "create",
	 "--name N --street S --city C --postal-code P --country CC [--region R] [--priority N] "
	 "[--manual] "
	 "CODE",
	 1, "create a location", run_location},
	{"stock", "receive", "--location CODE [--reference R] [--request-id ID] SKU=QTY...",
	 OPTIONS_MAX, "goods have arrived", run_receive},
	{"stock", "adjust",
	 "--location CODE --by N --reason TEXT [--kind count|unavailable] [--request-id ID] SKU", 1,
	 "a count, a loss, a quarantine", run_adjust},
	{"stock", "show", "SKU...", OPTIONS_MAX, "what is where", run_show},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
