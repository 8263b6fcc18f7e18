/*
 * BatchGetOrders: many orders, whole, with two questions whatever their number.
 *
 *	views --> groups --> reply
 */
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum {
	BATCH_MAX = 100,
	BATCH_LINES_MAX = 10000, /* of all orders together: what one large call has memory for */
};

enum { VIEWS, GROUPS, DONE };

struct batch {
	uint32_t n;
	struct id *ids;
	Orderd__V1__Order **orders; /* by place; NULL: there is none */
};

static int ask_views(struct flow *fl)
{
	const Orderd__V1__BatchGetOrdersRequest *rq = rpc_request(fl);
	struct orders_view_head h = {.tenant = rpc_identity(fl)->tenant,
				     .most = BATCH_LINES_MAX,
				     .owner = rpc_identity(fl)->customer};
	struct orders_view_line *lines;
	struct batch *b = rpc_state(fl);

	b->n = (uint32_t)want_range(fl, (int64_t)rq->n_order_ids, 1, BATCH_MAX, "order_ids");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	b->ids = arena_array(&fl->arena, b->n, sizeof(*b->ids));
	b->orders = arena_array(&fl->arena, b->n, sizeof(*b->orders));
	lines = arena_array(&fl->arena, b->n, sizeof(*lines));
	if (b->ids == NULL || b->orders == NULL || lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < b->n; i++) {
		b->ids[i] = want_id(fl, rq->order_ids[i], "order_ids[%u]", i);
		lines[i] = (struct orders_view_line){.place = (int32_t)i, .order_id = b->ids[i]};
	}
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store, orders_view_unit(&h, lines, b->n));
}

static int got_views(struct flow *fl, const struct answer *a)
{
	struct batch *b = rpc_state(fl);

	if (answer_rows(a) > 0 && orders_view_row(a, 0).cut)
		return rpc_fail_text(fl, ERR_TOO_LARGE,
				     "these orders have more than %d lines together; ask for fewer",
				     BATCH_LINES_MAX);
	/* a row is a line of an order; besides its lines an order takes about as much as two */
	if (answer_rows(a) + 2 * b->n > ORDER_LINES_ORDINARY &&
	    !rpc_grow(fl, (size_t)(answer_rows(a) + 2 * b->n) * ORDER_LINE_MEMORY))
		return rpc_fail(fl, ERR_OVERLOADED);
	for (uint32_t at = 0; at < answer_rows(a);) {
		int32_t place = orders_view_row(a, at).place;

		b->orders[place] =
			order_from_views(fl, &rpc_app(fl)->contact_key, rpc_identity(fl)->tenant,
					 b->ids[place], a, &at);
		if (b->orders[place] == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	return GROUPS;
}

static int ask_groups(struct flow *fl)
{
	struct orders_groups_head h = {.tenant = rpc_identity(fl)->tenant};
	struct orders_groups_line *lines;
	struct batch *b = rpc_state(fl);

	lines = arena_array(&fl->arena, b->n, sizeof(*lines));
	if (lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < b->n; i++)
		lines[i] = (struct orders_groups_line){.place = (int32_t)i, .order_id = b->ids[i]};
	return store_ask(fl, rpc_app(fl)->store, orders_groups_unit(&h, lines, b->n));
}

static int reply(struct flow *fl)
{
	Orderd__V1__BatchGetOrdersResponse rs = ORDERD__V1__BATCH_GET_ORDERS_RESPONSE__INIT;
	struct batch *b = rpc_state(fl);

	rs.orders = arena_array(&fl->arena, b->n, sizeof(*rs.orders));
	rs.not_found = arena_array(&fl->arena, b->n, sizeof(*rs.not_found));
	if (rs.orders == NULL || rs.not_found == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->orders[i] != NULL)
			rs.orders[rs.n_orders++] = b->orders[i];
		else
			rs.not_found[rs.n_not_found++] = id_text(fl, b->ids[i]);
	}
	return rpc_ok(fl, &rs.base);
}

static int got_groups(struct flow *fl, const struct answer *a)
{
	struct batch *b = rpc_state(fl);
	uint32_t at = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		/* Placed between the two questions: not found is still true. */
		while (b->orders[i] == NULL && at < answer_rows(a) &&
		       orders_groups_row(a, at).place == (int32_t)i)
			at++;
		if (b->orders[i] != NULL &&
		    !order_add_groups_of(fl, b->orders[i], a, (int32_t)i, &at))
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	return reply(fl);
}

/* clang-format off */
static const struct flow_step batch_get_orders_steps[] = {
	/*           name      ask         got         ms    on error  next      */
	[VIEWS]  = {"views",  ask_views,  got_views,  5000, DONE,     TO(GROUPS)},
	[GROUPS] = {"groups", ask_groups, got_groups, 5000, DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_BATCH_GET_ORDERS = {
	.path = "/orderd.v1.OrderService/BatchGetOrders",
	.name = "batch_get_orders",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__batch_get_orders_request__descriptor,
	.response = &orderd__v1__batch_get_orders_response__descriptor,
	.steps = batch_get_orders_steps,
	.state_size = sizeof(struct batch),
};
