/*
 * GetOrder: one order, whole; GetOrderStatus: where it stands, in one cheap question.
 *
 *	view --> groups --> holds --> [events] --> reply
 */
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { EVENTS_MAX = 1000 }; /* of one order in one answer: the latest */

enum { VIEW, GROUPS, HOLDS, EVENTS, DONE };

struct getting {
	Orderd__V1__Order *order;
	int64_t version;
};

static int ask_view(struct flow *fl)
{
	const Orderd__V1__GetOrderRequest *rq = rpc_request(fl);

	fl->subject = want_order(fl, rq->order_id);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return ask_order_view(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);

	g->order = got_order_view(fl, fl->subject, a);
	if (g->order == NULL)
		return FLOW_FAIL;
	g->version = order_view_row(a, 0).version;
	return GROUPS;
}

static int ask_groups(struct flow *fl)
{
	return ask_order_groups(fl, fl->subject);
}

static int reply(struct flow *fl, const struct answer *events)
{
	Orderd__V1__GetOrderResponse rs = ORDERD__V1__GET_ORDER_RESPONSE__INIT;
	struct getting *g = rpc_state(fl);

	rs.order = g->order;
	if (events != NULL && !events_message(fl, events, &rs.events, &rs.n_events))
		return rpc_fail(fl, ERR_TOO_LARGE);
	return rpc_ok(fl, &rs.base);
}

static int got_groups(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);

	return order_add_groups(fl, g->order, a) ? HOLDS : rpc_fail(fl, ERR_TOO_LARGE);
}

static int ask_holds(struct flow *fl)
{
	struct order_holds_head h = {.tenant = rpc_identity(fl)->tenant, .order_id = fl->subject};

	return store_ask(fl, rpc_app(fl)->store, order_holds_unit(&h, NULL, 0));
}

static int got_holds(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__GetOrderRequest *rq = rpc_request(fl);
	struct getting *g = rpc_state(fl);

	if (!order_add_holds(fl, g->order, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	return rq->with_events ? EVENTS : reply(fl, NULL);
}

static int ask_events(struct flow *fl)
{
	struct getting *g = rpc_state(fl);

	return ask_order_events(fl, fl->subject, g->version - EVENTS_MAX, EVENTS_MAX);
}

static int got_events(struct flow *fl, const struct answer *a)
{
	return reply(fl, a);
}

/* clang-format off */
static const struct flow_step get_order_steps[] = {
	/*           name      ask         got         ms    on error  next                 */
	[VIEW]   = {"view",   ask_view,   got_view,   5000, DONE,     TO(GROUPS)},
	[GROUPS] = {"groups", ask_groups, got_groups, 5000, DONE,     TO(HOLDS)},
	[HOLDS]  = {"holds",  ask_holds,  got_holds,  5000, DONE,     TO(EVENTS) | TO(DONE)},
	[EVENTS] = {"events", ask_events, got_events, 5000, DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_ORDER = {
	.path = "/orderd.v1.OrderService/GetOrder",
	.name = "get_order",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_order_request__descriptor,
	.response = &orderd__v1__get_order_response__descriptor,
	.steps = get_order_steps,
	.state_size = sizeof(struct getting),
	.slots = RPC_SLOTS_HOT,
};

/* ---------------------------------------------------------------- GetOrderStatus */

enum { STATUS, STATUS_DONE };

static int ask_status(struct flow *fl)
{
	const Orderd__V1__GetOrderStatusRequest *rq = rpc_request(fl);
	struct order_status_head h;

	fl->subject = want_order(fl, rq->order_id);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	h = (struct order_status_head){.tenant = rpc_identity(fl)->tenant,
				       .order_id = fl->subject,
				       .owner = rpc_identity(fl)->customer};
	return store_ask(fl, rpc_app(fl)->store, order_status_unit(&h, NULL, 0));
}

static int got_status(struct flow *fl, const struct answer *a)
{
	Orderd__V1__GetOrderStatusResponse rs = ORDERD__V1__GET_ORDER_STATUS_RESPONSE__INIT;
	struct order_status_row r;

	if (answer_rows(a) == 0)
		return order_not_found(fl, fl->subject);
	r = order_status_row(a, 0);
	rs.order_id = id_text(fl, fl->subject);
	rs.order_number = r.number;
	rs.etag = etag_text(fl, r.version);
	rs.state = order_state_message(r.state);
	rs.payment_state = payment_state_message(r.payment_state);
	rs.fulfillment_state = fulfillment_state_message(r.fulfillment_state);
	rs.update_time = timestamp_message(fl, r.updated_at);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step get_order_status_steps[] = {
	/*                name      ask         got         ms    on error     next           */
	[STATUS]      = {"status", ask_status, got_status, 5000, STATUS_DONE, TO(STATUS_DONE)},
	[STATUS_DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_ORDER_STATUS = {
	.path = "/orderd.v1.OrderService/GetOrderStatus",
	.name = "get_order_status",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_order_status_request__descriptor,
	.response = &orderd__v1__get_order_status_response__descriptor,
	.steps = get_order_status_steps,
	.slots = RPC_SLOTS_HOT,
};
