/*
 * item put, location create, stock receive, stock adjust, stock show, stock movements.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orderctl.h"
#include "pages.h"
#include "table.h"

static int report(const struct args *a, const ProtobufCMessage *rs, const char *done)
{
	if (a->json)
		print_json(rs);
	else
		puts(done);
	return done_with(rs);
}

static int run_item(struct args *a)
{
	Orderd__V1__UpsertItemsRequest rq = ORDERD__V1__UPSERT_ITEMS_REQUEST__INIT;
	Orderd__V1__Item item = ORDERD__V1__ITEM__INIT, *items[1] = {&item};
	Orderd__V1__Money price = ORDERD__V1__MONEY__INIT;
	Orderd__V1__UpsertItemsResponse *rs;
	struct orderd_error e;

	item.sku = text(a->words[0]);
	item.title = text(need(a, "title"));
	price.amount_minor = number(need(a, "price"), "--price");
	price.currency_code = text(need(a, "currency"));
	item.unit_price = &price;
	item.weight_grams = small_number(need(a, "weight"), "--weight");
	rq.items = items;
	rq.n_items = 1;
	a->outcome = true;
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

	l.code = text(a->words[0]);
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
	a->outcome = true;
	rs = orderd_create_location(a->client, &rq, a->deadline_ms, &e);
	return rs != NULL ? report(a, &rs->base, "created") : print_error(a, &e);
}

static int run_receive(struct args *a)
{
	Orderd__V1__ReceiveStockRequest rq = ORDERD__V1__RECEIVE_STOCK_REQUEST__INIT;
	Orderd__V1__StockLine lines[OPTIONS_MAX], *list[OPTIONS_MAX];
	Orderd__V1__ReceiveStockResponse *rs;
	struct orderd_error e;

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
	Orderd__V1__AdjustStockResponse *rs;
	struct orderd_error e;

	rq.request_id = text(request_id(a));
	rq.location = text(need(a, "location"));
	rq.sku = text(a->words[0]);
	rq.delta = number(need(a, "by"), "--by");
	rq.reason = text(need(a, "reason"));
	rq.kind = (Orderd__V1__AdjustmentKind)enum_option(a, "kind",
							  &orderd__v1__adjustment_kind__descriptor);
	if (!flag(a, "kind"))
		rq.kind = ORDERD__V1__ADJUSTMENT_KIND__ADJUSTMENT_KIND_COUNT;
	rs = orderd_adjust_stock(a->client, &rq, a->deadline_ms, &e);
	return rs != NULL ? report(a, &rs->base, "adjusted") : print_error(a, &e);
}

static void level(struct table *t, const Orderd__V1__LocationAvailability *l)
{
	table_cell(t, "%.*s", BYTES(l->location));
	table_cell(t, "%lld", (long long)l->on_hand);
	table_cell(t, "%lld", (long long)l->reserved);
	table_cell(t, "%lld", (long long)l->allocated);
	table_cell(t, "%lld", (long long)l->unavailable);
	table_cell(t, "%lld", (long long)l->available);
}

static void nowhere(struct table *t)
{
	table_cell(t, "nowhere");
	for (int i = 0; i < 5; i++)
		table_cell(t, "0");
}

static void print_availability(const Orderd__V1__GetAvailabilityResponse *rs)
{
	struct table *t = table_new(
		"SKU LOCATION ON_HAND> RESERVED> ALLOCATED> UNAVAILABLE> "
		"AVAILABLE>");

	for (size_t i = 0; i < rs->n_items; i++) {
		const Orderd__V1__ItemAvailability *item = rs->items[i];

		for (size_t k = 0; k < item->n_locations; k++) {
			table_cell(t, "%.*s", BYTES(item->sku));
			level(t, item->locations[k]);
		}
		if (item->n_locations == 0) {
			table_cell(t, "%.*s", BYTES(item->sku));
			nowhere(t);
		}
	}
	table_print(t);
}

static int run_show(struct args *a)
{
	Orderd__V1__GetAvailabilityRequest rq = ORDERD__V1__GET_AVAILABILITY_REQUEST__INIT;
	ProtobufCBinaryData skus[OPTIONS_MAX];
	Orderd__V1__GetAvailabilityResponse *rs;
	struct orderd_error e;

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
	return done_with(&rs->base);
}

static void movement_rows(struct table *t, Orderd__V1__StockMovement *const *list, size_t n)
{
	char when[TIME_ROOM];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__StockMovement *m = list[i];

		print_time(when, sizeof(when), m->event_time);
		table_cell(t, "%s", when);
		table_cell(t, "%.*s", BYTES(m->sku));
		table_cell(t, "%.*s", BYTES(m->location));
		table_cell(t, "%lld", (long long)m->quantity);
		table_cell(t, "%.*s", BYTES(m->from_bucket));
		table_cell(t, "%.*s", BYTES(m->to_bucket));
		table_cell(t, "%.*s", BYTES(m->order_id));
		if (m->line != 0)
			table_cell(t, "%d", m->line);
		else
			table_cell(t, "-");
		table_cell(t, "%.*s", BYTES(m->cause));
	}
	table_page(t);
}

static const ProtobufCMessage *movement_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListStockMovementsRequest *rq = p->request;
	Orderd__V1__ListStockMovementsResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_stock_movements(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		movement_rows(p->table, rs->movements, rs->n_movements);
	p->rows = rs->n_movements;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_movements(struct args *a)
{
	Orderd__V1__ListStockMovementsRequest rq = ORDERD__V1__LIST_STOCK_MOVEMENTS_REQUEST__INIT;

	if (!flag(a, "sku") && !flag(a, "location") && !flag(a, "order"))
		usage_error("one of --sku, --location and --order is required");
	rq.sku = text(option(a, "sku"));
	rq.location = text(option(a, "location"));
	rq.order_id = text(option(a, "order"));
	return list_pages(a, movement_page, &rq,
			  table_new("AT SKU LOCATION QUANTITY> FROM TO ORDER LINE> CAUSE"));
}

static const struct meaning movements_options[] = {
	{"sku", "only this item's"},
	{"location", "only at this location"},
	{"order", "only of this order"},
	{NULL, NULL},
};

static const struct meaning adjust_options[] = {
	{"by", "how many more (10) or less (-10)"},
	{"kind",
	 "count: there are more or less than the books say, the default; unavailable: take "
	 "units off sale, or with a number below 0 put them back"},
	{NULL, NULL},
};

static const struct meaning item_options[] = {
	{"price", "of one unit, in minor units: 1290 is 12.90 EUR"},
	{"title", "what people call it"},
	{"weight", "of one unit, in grams"},
	{NULL, NULL},
};

static const struct meaning location_options[] = {
	{"name", "what the location is called, the sender on its labels"},
	{"manual", "people confirm what they pick, pack and hand over"},
	{"priority", "of two equally good locations the lower one ships; by default 100"},
	{NULL, NULL},
};

const struct command stock_commands[] = {
	{"item", "put", "--title T --price MINOR --currency CUR --weight GRAMS SKU", 1,
	 "create or change an item", run_item, .options = item_options,
	 .examples = "  orderctl item put mug --title 'A mug' --price 1290 --currency EUR --weight "
		     "340\n"},
	{"location", "create",
	 "--name N --street S --city C --postal-code P --country CC [--region R] [--priority N] "
	 "[--manual] "
	 "CODE",
	 1, "create a location", run_location, .options = location_options},
	{"stock", "receive", "--location CODE [--reference R] [--request-id ID] SKU=QTY...",
	 OPTIONS_MAX, "goods have arrived", run_receive,
	 .examples =
		 "  orderctl stock receive --location BER1 --reference 'LS 9' mug=100 lamp=20\n"},
	{"stock", "adjust",
	 "--location CODE --by N --reason TEXT [--kind ADJUSTMENT_KIND] [--request-id ID] SKU", 1,
	 "a count, a loss, a quarantine", run_adjust, .options = adjust_options,
	 .examples = "  orderctl stock adjust mug --location BER1 --by -2 --reason broken\n"},
	{"stock", "show", "SKU...", OPTIONS_MAX, "what is where", run_show},
	{"stock", "movements", "[--sku SKU] [--location CODE] [--order ORDER] " PAGES_USAGE, 0,
	 "what has moved, newest first", run_movements, .options = movements_options,
	 .about = "List the ledger that stock is the sum of, newest first: of an item, at a "
		  "location, of an order, or what goes with all that are given."},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
