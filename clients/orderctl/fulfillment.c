/*
 * fulfillment, pick, pack: the work of locations.
 */
#include <stdio.h>
#include <string.h>

#include "enums.h"
#include "orderctl.h"
#include "pages.h"
#include "table.h"

static struct table *work_table(void)
{
	return table_new(
		"FULFILLMENT_ORDER STATE LOCATION ORDER> GROUP> LINE> SKU QUANTITY> "
		"PICKED> TITLE HELD_FOR");
}

/* The reasons of its holds, "inventory, payment". */
static void show_holds(struct table *t, const Orderd__V1__FulfillmentOrder *f)
{
	char holds[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < f->n_holds && n < sizeof(holds); i++)
		n += (size_t)snprintf(holds + n, sizeof(holds) - n, "%s%.*s", i > 0 ? ", " : "",
				      BYTES(f->holds[i]));
	table_cell(t, "%s", holds);
}

/* A row per line: whoever picks goes from one to the next. */
static void work_rows(struct table *t, Orderd__V1__FulfillmentOrder *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < list[i]->n_lines; k++) {
			const Orderd__V1__FulfillmentOrder *f = list[i];
			const Orderd__V1__FulfillmentLine *l = f->lines[k];

			table_cell(t, "%.*s", BYTES(f->fulfillment_order_id));
			table_state(t, enum_name(&orderd__v1__fulfillment_order_state__descriptor,
						 (int)f->state));
			table_cell(t, "%.*s", BYTES(f->location));
			table_cell(t, "%lld", (long long)f->order_number);
			table_cell(t, "%d", f->group);
			table_cell(t, "%d", l->line);
			table_cell(t, "%.*s", BYTES(l->sku));
			table_cell(t, "%lld", (long long)l->quantity);
			table_cell(t, "%lld", (long long)l->picked);
			table_cell(t, "%.*s", BYTES(l->title));
			show_holds(t, f);
		}
	table_page(t);
}

/* What the service answered, printed; NULL: why not. */
static int report(struct args *a, const ProtobufCMessage *rs, Orderd__V1__FulfillmentOrder *f,
		  const struct orderd_error *e)
{
	struct table *t = NULL;

	if (rs == NULL)
		return print_error(a, e);
	if (a->json)
		print_json(rs);
	else if (f != NULL)
		work_rows(t = work_table(), &f, 1);
	table_free(t);
	return done_with(rs);
}

static const ProtobufCMessage *work_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListFulfillmentOrdersRequest *rq = p->request;
	Orderd__V1__ListFulfillmentOrdersResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_fulfillment_orders(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		work_rows(p->table, rs->fulfillment_orders, rs->n_fulfillment_orders);
	p->rows = rs->n_fulfillment_orders;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_list(struct args *a)
{
	Orderd__V1__ListFulfillmentOrdersRequest rq =
		ORDERD__V1__LIST_FULFILLMENT_ORDERS_REQUEST__INIT;

	rq.location = text(option(a, "location"));
	rq.state = (Orderd__V1__FulfillmentOrderState)enum_option(
		a, "state", &orderd__v1__fulfillment_order_state__descriptor);
	rq.order_id = text(option(a, "order"));
	return list_pages(a, work_page, &rq, work_table());
}

static int run_pick(struct args *a)
{
	Orderd__V1__ConfirmPickRequest rq = ORDERD__V1__CONFIRM_PICK_REQUEST__INIT;
	Orderd__V1__PickedLine lines[OPTIONS_MAX], *list[OPTIONS_MAX];
	Orderd__V1__ConfirmPickResponse *rs;
	struct orderd_error e;

	rq.fulfillment_order_id = text(a->words[0]);
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

	rq.fulfillment_order_id = text(a->words[0]);
	rq.site = text(need(a, "site"));
	rq.report_id = text(report_id(a));
	rq.weight_grams = number(option_or(a, "weight", "0"), "--weight");
	rs = orderd_confirm_pack(a->client, &rq, a->deadline_ms, &e);
	return report(a, rs != NULL ? &rs->base : NULL, rs != NULL ? rs->fulfillment_order : NULL,
		      &e);
}

const struct command fulfillment_commands[] = {
	{NULL, "fulfillment",
	 "[--location CODE] [--state FULFILLMENT_ORDER_STATE] [--order ID] " PAGES_USAGE, 0,
	 "the work of locations, oldest first", run_list,
	 .examples = "  orderctl fulfillment --location BER1 --state open\n"},
	{NULL, "pick", "--site SITE --report ID FULFILLMENT_ORDER [LINE=QTY...]", OPTIONS_MAX,
	 "the goods are off the shelf; LINE=QTY where it was less than planned", run_pick,
	 .examples = "  orderctl pick --site hall --report r-17 "
		     "0190a3c2-7f3e-7cc1-a1a0-3d2f7a1b9c55 2=1\n"},
	{NULL, "pack", "--site SITE --report ID [--weight GRAMS] FULFILLMENT_ORDER", 1,
	 "the goods are in the parcel", run_pack,
	 .options = (const struct meaning[]){{"weight", "of the parcel as weighed, in grams"},
					     {NULL, NULL}},
	 .examples = "  orderctl pack --site hall --report p-17 --weight 900 "
		     "0190a3c2-7f3e-7cc1-a1a0-3d2f7a1b9c55\n"},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
