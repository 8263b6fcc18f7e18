/*
 * ListFulfillmentOrders: the work of locations, oldest first, by keyset.  A page ends at an
 * id, and where its fulfilment orders would have more lines together than an answer holds.
 */
#include <stdio.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/fulfillment/fulfillment_read.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum {
	PAGE_DEFAULT = 50,
	PAGE_LINES_MAX = 2000, /* of one page, unless a single fulfilment order has more */
	FILTER_SIZE = REQUEST_CODE_MAX + ID_TEXT_SIZE + 16,
};

static const char list[] = "fulfillment_orders";

enum { PAGE, DONE };

/* What a page of this list is of. */
static struct str filter_of(struct flow *fl, char text[FILTER_SIZE])
{
	const Orderd__V1__ListFulfillmentOrdersRequest *rq = rpc_request(fl);
	int n = snprintf(text, FILTER_SIZE, "%d|" STR_FMT "|" STR_FMT, (int)rq->state,
			 STR_ARG(text_of(rq->order_id)), STR_ARG(text_of(rq->location)));

	return (struct str){text, (size_t)n};
}

static bool open_token(struct flow *fl, struct str token, struct id *ret)
{
	char text[FILTER_SIZE];
	struct str place = page_token_open(fl, list, filter_of(fl, text), token);

	return place.p != NULL && id_parse(place, ret);
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListFulfillmentOrdersRequest *rq = rpc_request(fl);
	struct fulfillment_list_head h = {.tenant = rpc_identity(fl)->tenant,
					  .most_lines = PAGE_LINES_MAX,
					  .locations = rpc_identity(fl)->locations};
	const char *state = fulfillment_order_state_name(rq->state);
	int64_t most = rpc_app(fl)->cfg.max_page;

	h.most = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (h.most == 0)
		h.most = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	may_text(fl, rq->location, REQUEST_CODE_MAX, "location");
	if (rq->location.len > 0)
		h.location_code = text_of(rq->location);
	if (state != NULL)
		h.state = str_of(state);
	if (rq->order_id.len > 0)
		h.order_id = want_id(fl, rq->order_id, "order_id");
	if (!rpc_has_violations(fl) && rq->page_token.len > 0 &&
	    !open_token(fl, text_of(rq->page_token), &h.after))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store, fulfillment_list_unit(&h, NULL, 0));
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ListFulfillmentOrdersResponse rs =
		ORDERD__V1__LIST_FULFILLMENT_ORDERS_RESPONSE__INIT;
	uint32_t n = answer_rows(a), at = 0;
	char text[FILTER_SIZE];

	if (!fulfillment_room(fl, n))
		return FLOW_FAIL;
	rs.fulfillment_orders = arena_array(&fl->arena, n + 1, sizeof(*rs.fulfillment_orders));
	if (rs.fulfillment_orders == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	while (at < n) {
		Orderd__V1__FulfillmentOrder *f = fulfillment_message(fl, a, &at);

		if (f == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		rs.fulfillment_orders[rs.n_fulfillment_orders++] = f;
	}
	if (n > 0 && fulfillment_list_row(a, n - 1).more) {
		ProtobufCBinaryData last =
			rs.fulfillment_orders[rs.n_fulfillment_orders - 1]->fulfillment_order_id;
		struct str token = page_token_make(fl, list, filter_of(fl, text), text_of(last));

		if (token.p == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		rs.next_page_token = data_of(token);
	}
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_fulfillment_orders_steps[] = {
	/*         name    ask       got       ms    on error  next    */
	[PAGE] = {"page", ask_page, got_page, 5000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_FULFILLMENT_ORDERS = {
	.path = "/orderd.v1.FulfillmentService/ListFulfillmentOrders",
	.name = "list_fulfillment_orders",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_fulfillment_orders_request__descriptor,
	.response = &orderd__v1__list_fulfillment_orders_response__descriptor,
	.steps = list_fulfillment_orders_steps,
};
