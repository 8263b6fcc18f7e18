/*
 * ReceiveStock, AdjustStock, GetAvailability: the stock of items at locations.
 *
 *	write --+--> [due] --> reply
 *	        +--> find  --> reply
 *
 * due hurries the orders that wait for what came; if that fails they come by themselves.
 * find is taken when the request_id was seen before: the same body is a replay, and a
 * replay of these calls answers the same empty message.
 */
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { STOCK_LINES_MAX = 1000 }; /* of one call */

enum { DUE_MOST = 100 }; /* orders per item; the others come by themselves */

enum { WRITE, DUE, FIND, DONE };

/* What both writing calls are: a request kept by its id, answered by an empty message. */
struct writing {
	int16_t method;
	struct str request_id, fingerprint;
	struct backorders_due_line *came; /* items of which there is more now */
	uint32_t n_came;
};

/* `body` is the request without its id; false: its fingerprint does not fit. */
static bool read_request_id(struct flow *fl, enum request_method method, ProtobufCBinaryData id,
			    ProtobufCMessage *body)
{
	struct writing *w = rpc_state(fl);

	*w = (struct writing){.method = (int16_t)method,
			      .request_id = want_text(fl, id, REQUEST_ID_MAX, "request_id"),
			      .fingerprint = request_fingerprint(fl, body)};
	return w->fingerprint.p != NULL;
}

static int reply(struct flow *fl)
{
	Orderd__V1__ReceiveStockResponse received = ORDERD__V1__RECEIVE_STOCK_RESPONSE__INIT;
	Orderd__V1__AdjustStockResponse adjusted = ORDERD__V1__ADJUST_STOCK_RESPONSE__INIT;
	const struct writing *w = rpc_state(fl);

	return rpc_ok(fl, w->method == REQUEST_RECEIVE_STOCK ? &received.base : &adjusted.base);
}

static int ask_find(struct flow *fl)
{
	const struct writing *w = rpc_state(fl);

	return ask_request_find(fl, w->method, w->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	const struct writing *w = rpc_state(fl);

	if (!got_request_find(fl, w->fingerprint, a, &fl->subject))
		return rpc_fail(fl, fl->err);
	return reply(fl);
}

static int ask_due(struct flow *fl)
{
	const struct writing *w = rpc_state(fl);
	struct backorders_due_head h = {.tenant = rpc_identity(fl)->tenant, .most = DUE_MOST};

	return store_ask(fl, rpc_app(fl)->store, backorders_due_unit(&h, w->came, w->n_came));
}

static int got_due(struct flow *fl, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++)
		queue_ring(rpc_app(fl)->queue,
			   &(struct ring){.job = backorders_due_row(a, i).job_id,
					  .role = ROLE_FULFILLMENT,
					  .priority = 1},
			   1);
	return DONE;
}

/* An outcome that is no success, as an error naming the field. */
static int refuse_outcome(struct flow *fl, struct str outcome, const char *sku_path, int line)
{
	if (str_eq(outcome, STR("unknown_location")))
		rpc_violation(fl, "no such location", "location");
	else if (sku_path != NULL)
		rpc_violation(fl, "no such item", "%s", sku_path);
	else
		rpc_violation(fl, "no such item", "lines[%d].sku", line);
	return rpc_fail(fl, ERR_INVALID_ARGUMENT);
}

/* ---------------------------------------------------------------- ReceiveStock */

static int ask_receive(struct flow *fl)
{
	const Orderd__V1__ReceiveStockRequest *rq = rpc_request(fl);
	Orderd__V1__ReceiveStockRequest body = *rq;
	struct writing *w = rpc_state(fl);
	struct stock_receive_head h;
	struct stock_receive_line *lines = arena_array(&fl->arena, rq->n_lines + 1, sizeof(*lines));

	if (lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	body.request_id = (ProtobufCBinaryData){0, NULL};
	if (!read_request_id(fl, REQUEST_RECEIVE_STOCK, rq->request_id, &body.base))
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = (struct stock_receive_head){
		.tenant = rpc_identity(fl)->tenant,
		.receipt_id = id_new(),
		.request_method = REQUEST_RECEIVE_STOCK,
		.request_key = w->request_id,
		.fingerprint = w->fingerprint,
		.location_code = want_text(fl, rq->location, REQUEST_CODE_MAX, "location"),
		.reference = may_text(fl, rq->reference, REQUEST_KEY_MAX, "reference"),
		.actor = rpc_identity(fl)->subject,
		.locations = rpc_identity(fl)->locations};
	want_range(fl, (int64_t)rq->n_lines, 1, STOCK_LINES_MAX, "lines");
	for (uint32_t i = 0; i < rq->n_lines && i < STOCK_LINES_MAX; i++)
		lines[i] = (struct stock_receive_line){
			.line = (int32_t)i,
			.sku = want_text(fl, rq->lines[i]->sku, REQUEST_SKU_MAX, "lines[%u].sku",
					 i),
			.qty = want_range(fl, rq->lines[i]->quantity, 1, REQUEST_QTY_MAX,
					  "lines[%u].quantity", i)};
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	fl->subject = h.receipt_id;
	return store_ask(fl, rpc_app(fl)->store,
			 stock_receive_unit(&h, lines, (uint32_t)rq->n_lines));
}

static int got_receive(struct flow *fl, const struct answer *a)
{
	struct stock_receive_row r = stock_receive_row(a, 0);
	struct writing *w = rpc_state(fl);

	if (str_eq(r.outcome, STR("seen")))
		return FIND;
	if (!str_eq(r.outcome, STR("received")))
		return refuse_outcome(fl, r.outcome, NULL, r.line);
	w->came = arena_array(&fl->arena, answer_rows(a), sizeof(*w->came));
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		int64_t item = stock_receive_row(a, i).item;

		queue_forget_stock(rpc_app(fl)->queue, rpc_identity(fl)->tenant, item);
		if (w->came != NULL)
			w->came[w->n_came++].item = item;
	}
	(void)reply(fl); /* whatever becomes of the hint */
	return w->n_came > 0 ? DUE : DONE;
}

/* clang-format off */
static const struct flow_step receive_stock_steps[] = {
	/*          name     ask          got          ms      on error  next                          */
	[WRITE] = {"write", ask_receive, got_receive, 600000, DONE,     TO(DUE) | TO(FIND) | TO(DONE)},
	[DUE]   = {"due",   ask_due,     got_due,     2000,   DONE,     TO(DONE)},
	[FIND]  = {"find",  ask_find,    got_find,    5000,   DONE,     TO(DONE)},
	[DONE]  = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_RECEIVE_STOCK = {
	.path = "/orderd.v1.InventoryService/ReceiveStock",
	.name = "receive_stock",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__receive_stock_request__descriptor,
	.response = &orderd__v1__receive_stock_response__descriptor,
	.steps = receive_stock_steps,
	.state_size = sizeof(struct writing),
};

/* ---------------------------------------------------------------- AdjustStock */

static int ask_adjust(struct flow *fl)
{
	const Orderd__V1__AdjustStockRequest *rq = rpc_request(fl);
	Orderd__V1__AdjustStockRequest body = *rq;
	struct writing *w = rpc_state(fl);
	struct stock_adjust_head h;

	body.request_id = (ProtobufCBinaryData){0, NULL};
	if (!read_request_id(fl, REQUEST_ADJUST_STOCK, rq->request_id, &body.base))
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = (struct stock_adjust_head){
		.tenant = rpc_identity(fl)->tenant,
		.adjustment_id = id_new(),
		.request_method = REQUEST_ADJUST_STOCK,
		.request_key = w->request_id,
		.fingerprint = w->fingerprint,
		.location_code = want_text(fl, rq->location, REQUEST_CODE_MAX, "location"),
		.sku = want_text(fl, rq->sku, REQUEST_SKU_MAX, "sku"),
		.delta = want_range(fl, rq->delta, -REQUEST_QTY_MAX, REQUEST_QTY_MAX, "delta"),
		.unavailable = rq->kind == ORDERD__V1__ADJUSTMENT_KIND__ADJUSTMENT_KIND_UNAVAILABLE,
		.reason = want_text(fl, rq->reason, REQUEST_NAME_MAX, "reason"),
		.actor = rpc_identity(fl)->subject};
	if (rq->delta == 0)
		rpc_violation(fl, "it must not be 0", "delta");
	if (rq->kind != ORDERD__V1__ADJUSTMENT_KIND__ADJUSTMENT_KIND_COUNT && !h.unavailable)
		rpc_violation(fl, "it is required", "kind");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	fl->subject = h.adjustment_id;
	return store_ask(fl, rpc_app(fl)->store, stock_adjust_unit(&h, NULL, 0));
}

static int got_adjust(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__AdjustStockRequest *rq = rpc_request(fl);
	struct stock_adjust_row r = stock_adjust_row(a, 0);
	struct writing *w = rpc_state(fl);

	if (str_eq(r.outcome, STR("seen")))
		return FIND;
	if (str_eq(r.outcome, STR("adjusted"))) {
		queue_forget_stock(rpc_app(fl)->queue, rpc_identity(fl)->tenant, r.item);
		(void)reply(fl); /* whatever becomes of the hint */
		if ((rq->kind == ORDERD__V1__ADJUSTMENT_KIND__ADJUSTMENT_KIND_COUNT) !=
		    (rq->delta > 0))
			return DONE; /* there is less */
		w->came = arena_array(&fl->arena, 1, sizeof(*w->came));
		if (w->came == NULL)
			return DONE;
		w->came[w->n_came++].item = r.item;
		return DUE;
	}
	if (!str_eq(r.outcome, STR("short")))
		return refuse_outcome(fl, r.outcome, "sku", 0);
	rpc_fact(fl, "available", "%lld", (long long)r.left_qty);
	return rpc_fail(fl, ERR_OUT_OF_STOCK);
}

/* clang-format off */
static const struct flow_step adjust_stock_steps[] = {
	/*          name     ask         got         ms      on error  next                          */
	[WRITE] = {"write", ask_adjust, got_adjust, 600000, DONE,     TO(DUE) | TO(FIND) | TO(DONE)},
	[DUE]   = {"due",   ask_due,    got_due,    2000,   DONE,     TO(DONE)},
	[FIND]  = {"find",  ask_find,   got_find,   5000,   DONE,     TO(DONE)},
	[DONE]  = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_ADJUST_STOCK = {
	.path = "/orderd.v1.InventoryService/AdjustStock",
	.name = "adjust_stock",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__adjust_stock_request__descriptor,
	.response = &orderd__v1__adjust_stock_response__descriptor,
	.steps = adjust_stock_steps,
	.state_size = sizeof(struct writing),
};

/* ---------------------------------------------------------------- GetAvailability */

enum { LOOK, LOOK_DONE };

static int ask_look(struct flow *fl)
{
	const Orderd__V1__GetAvailabilityRequest *rq = rpc_request(fl);
	struct availability_head h = {.tenant = rpc_identity(fl)->tenant,
				      .locations = rpc_identity(fl)->locations};
	struct availability_line *lines = arena_array(&fl->arena, rq->n_skus + 1, sizeof(*lines));

	if (lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	want_range(fl, (int64_t)rq->n_skus, 1, STOCK_LINES_MAX, "skus");
	for (uint32_t i = 0; i < rq->n_skus && i < STOCK_LINES_MAX; i++)
		lines[i] = (struct availability_line){
			.line = (int32_t)i,
			.sku = want_text(fl, rq->skus[i], REQUEST_SKU_MAX, "skus[%u]", i)};
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store,
			 availability_unit(&h, lines, (uint32_t)rq->n_skus));
}

static Orderd__V1__LocationAvailability *location_message(struct flow *fl,
							  const struct availability_row *r)
{
	Orderd__V1__LocationAvailability *l = arena_alloc(&fl->arena, sizeof(*l));

	if (l == NULL)
		return NULL;
	orderd__v1__location_availability__init(l);
	l->location = keep_text(fl, r->location_code);
	l->on_hand = r->on_hand;
	l->reserved = r->reserved;
	l->allocated = r->allocated;
	l->unavailable = r->unavailable;
	l->available = r->on_hand - r->reserved - r->allocated - r->unavailable;
	return l;
}

static int got_look(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__GetAvailabilityRequest *rq = rpc_request(fl);
	Orderd__V1__GetAvailabilityResponse rs = ORDERD__V1__GET_AVAILABILITY_RESPONSE__INIT;
	uint32_t n = answer_rows(a), at = 0;

	rs.items = arena_array(&fl->arena, rq->n_skus, sizeof(*rs.items));
	if (rs.items == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < rq->n_skus; i++) {
		Orderd__V1__ItemAvailability *item = arena_alloc(&fl->arena, sizeof(*item));

		if (item == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		orderd__v1__item_availability__init(item);
		item->sku = rq->skus[i];
		item->locations = arena_array(&fl->arena, n - at + 1, sizeof(*item->locations));
		if (item->locations == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		for (; at < n; at++) {
			struct availability_row r = availability_row(a, at);

			if ((uint32_t)r.line != i)
				break;
			if (r.item == 0)
				rpc_violation(fl, "no such item", "skus[%u]", i);
			if (r.item == 0 || r.location_code.n == 0)
				continue;
			item->locations[item->n_locations] = location_message(fl, &r);
			if (item->locations[item->n_locations] == NULL)
				return rpc_fail(fl, ERR_TOO_LARGE);
			item->available += item->locations[item->n_locations++]->available;
		}
		rs.items[rs.n_items++] = item;
	}
	return rpc_has_violations(fl) ? rpc_fail(fl, ERR_UNKNOWN_ITEM) : rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step get_availability_steps[] = {
	/*              name    ask       got       ms    on error   next         */
	[LOOK]      = {"look", ask_look, got_look, 5000, LOOK_DONE, TO(LOOK_DONE)},
	[LOOK_DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_AVAILABILITY = {
	.path = "/orderd.v1.InventoryService/GetAvailability",
	.name = "get_availability",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_availability_request__descriptor,
	.response = &orderd__v1__get_availability_response__descriptor,
	.steps = get_availability_steps,
	.slots = RPC_SLOTS_HOT,
};
