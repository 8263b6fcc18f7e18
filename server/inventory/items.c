/*
 * UpsertItems and CreateLocation: what can be sold, and from where.  One unit each.
 */
#include <stdlib.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { ITEMS_MAX = 1000 }; /* of one call */

enum { WRITE, DONE };

/* ---------------------------------------------------------------- UpsertItems */

static int by_sku(const void *a, const void *b)
{
	const struct item_upsert_line *x = a, *y = b;
	size_t n = x->sku.n < y->sku.n ? x->sku.n : y->sku.n;
	int order = n > 0 ? memcmp(x->sku.p, y->sku.p, n) : 0;

	return order != 0 ? order : (x->sku.n > y->sku.n) - (x->sku.n < y->sku.n);
}

static struct item_upsert_line read_item(struct flow *fl, const Orderd__V1__Item *item, uint32_t i)
{
	struct item_upsert_line l = {.line = (int32_t)i};
	struct money price = want_money(fl, item->unit_price, "items[%u].unit_price", i);

	l.sku = want_text(fl, item->sku, REQUEST_SKU_MAX, "items[%u].sku", i);
	l.title = want_text(fl, item->title, REQUEST_NAME_MAX, "items[%u].title", i);
	l.weight_g = (int32_t)want_range(fl, item->weight_grams, 1, REQUEST_QTY_MAX,
					 "items[%u].weight_grams", i);
	l.unit_minor = price.minor;
	if (item->unit_price != NULL)
		l.currency = text_of(item->unit_price->currency_code);
	return l;
}

static int ask_items(struct flow *fl)
{
	const Orderd__V1__UpsertItemsRequest *rq = rpc_request(fl);
	struct item_upsert_head h = {.tenant = rpc_identity(fl)->tenant};
	struct item_upsert_line *lines = arena_array(&fl->arena, rq->n_items + 1, sizeof(*lines));

	if (lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	want_range(fl, (int64_t)rq->n_items, 1, ITEMS_MAX, "items");
	for (uint32_t i = 0; i < rq->n_items && i < ITEMS_MAX; i++)
		lines[i] = read_item(fl, rq->items[i], i);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	qsort(lines, rq->n_items, sizeof(*lines), by_sku);
	for (size_t i = 1; i < rq->n_items; i++)
		if (str_eq(lines[i - 1].sku, lines[i].sku))
			rpc_violation(fl, "an SKU may occur once", "items[%d].sku", lines[i].line);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store,
			 item_upsert_unit(&h, lines, (uint32_t)rq->n_items));
}

static int got_items(struct flow *fl, const struct answer *a)
{
	Orderd__V1__UpsertItemsResponse rs = ORDERD__V1__UPSERT_ITEMS_RESPONSE__INIT;

	rs.items = (int32_t)answer_rows(a);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step upsert_items_steps[] = {
	/*          name     ask        got        ms     on error  next    */
	[WRITE] = {"write", ask_items, got_items, 600000, DONE,     TO(DONE)},
	[DONE]  = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_UPSERT_ITEMS = {
	.path = "/orderd.v1.InventoryService/UpsertItems",
	.name = "upsert_items",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__upsert_items_request__descriptor,
	.response = &orderd__v1__upsert_items_response__descriptor,
	.steps = upsert_items_steps,
};

/* ---------------------------------------------------------------- CreateLocation */

static int ask_location(struct flow *fl)
{
	const Orderd__V1__Location *l =
		((const Orderd__V1__CreateLocationRequest *)rpc_request(fl))->location;
	struct location_create_head h;
	struct address at;

	if (l == NULL) {
		rpc_violation(fl, "it is required", "location");
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	}
	at = want_address(fl, l->address, "location.address");
	h = (struct location_create_head){
		.tenant = rpc_identity(fl)->tenant,
		.code = want_text(fl, l->code, REQUEST_CODE_MAX, "location.code"),
		.name = at.name,
		.priority = (int32_t)want_range(fl, l->priority, 0, 1000000, "location.priority"),
		.street = at.street,
		.city = at.city,
		.region = at.region,
		.postal_code = at.postal_code,
		.country = at.country,
		.fulfillment =
			l->fulfillment_mode == ORDERD__V1__FULFILLMENT_MODE__FULFILLMENT_MODE_MANUAL
				? STR("manual")
				: STR("automatic")};
	if (l->address != NULL &&
	    want_position(fl, l->address->position, "location.address.position")) {
		h.latitude_e6 = l->address->position->latitude_e6;
		h.longitude_e6 = l->address->position->longitude_e6;
	}
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store, location_create_unit(&h, NULL, 0));
}

static int got_location(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__CreateLocationRequest *rq = rpc_request(fl);
	Orderd__V1__CreateLocationResponse rs = ORDERD__V1__CREATE_LOCATION_RESPONSE__INIT;
	Orderd__V1__Location location = *rq->location;

	/* "created" also answers the same location asked for again. */
	if (answer_rows(a) == 0 || !str_eq(location_create_row(a, 0).outcome, STR("created"))) {
		rpc_about(fl, "orderd.v1.Location", text_of(rq->location->code));
		return rpc_fail(fl, ERR_ALREADY_EXISTS);
	}
	if (location.fulfillment_mode == ORDERD__V1__FULFILLMENT_MODE__FULFILLMENT_MODE_UNSPECIFIED)
		location.fulfillment_mode =
			ORDERD__V1__FULFILLMENT_MODE__FULFILLMENT_MODE_AUTOMATIC;
	rs.location = &location;
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step create_location_steps[] = {
	/*          name     ask           got           ms     on error  next    */
	[WRITE] = {"write", ask_location, got_location, 600000, DONE,     TO(DONE)},
	[DONE]  = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CREATE_LOCATION = {
	.path = "/orderd.v1.InventoryService/CreateLocation",
	.name = "create_location",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__create_location_request__descriptor,
	.response = &orderd__v1__create_location_response__descriptor,
	.steps = create_location_steps,
};
