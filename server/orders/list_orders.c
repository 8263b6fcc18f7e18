/*
 * ListOrders: newest first, by keyset.  Ids are in order of time, so a page ends at an id,
 * and bounds on the time of placing are bounds on the id.
 *
 * A page token is the last id of the page (page_token.h).
 */
#include <stdio.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { PAGE_DEFAULT = 50, FILTER_SIZE = 64 + REQUEST_KEY_MAX };

enum { PAGE, DONE };

struct listing {
	int32_t page;
	struct str customer;
};

/* What a page of this list is of. */
static struct str filter_of(struct flow *fl, char text[FILTER_SIZE])
{
	const Orderd__V1__ListOrdersRequest *rq = rpc_request(fl);
	const struct listing *l = rpc_state(fl);
	int n = snprintf(text, FILTER_SIZE, "%lld|%lld|" STR_FMT,
			 rq->placed_after != NULL ? (long long)timestamp_us(rq->placed_after) : 0,
			 rq->placed_before != NULL ? (long long)timestamp_us(rq->placed_before) : 0,
			 STR_ARG(l->customer));

	return (struct str){text, (size_t)n};
}

static bool open_token(struct flow *fl, struct str token, struct id *ret)
{
	char text[FILTER_SIZE];
	struct str last = page_token_open(fl, "orders", filter_of(fl, text), token);

	return id_parse(last, ret);
}

static struct str make_token(struct flow *fl, struct id last)
{
	char text[FILTER_SIZE], id[ID_TEXT_SIZE];

	return page_token_make(fl, "orders", filter_of(fl, text), str_of(id_format(last, id)));
}

/* The smallest id of a millisecond. */
static struct id id_at(int64_t us)
{
	uint64_t ms = us > 0 ? (uint64_t)us / 1000 : 0;
	struct id id = {{0}};

	if (ms >= UINT64_C(1) << 48)
		ms = (UINT64_C(1) << 48) - 1;
	for (unsigned i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListOrdersRequest *rq = rpc_request(fl);
	struct listing *l = rpc_state(fl);
	struct order_list_head h;
	int64_t most = rpc_app(fl)->cfg.max_page;

	l->customer = may_customer(fl, rq->customer);
	l->page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (l->page == 0)
		l->page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	h = (struct order_list_head){.tenant = rpc_identity(fl)->tenant, .most = l->page + 1};
	if (l->customer.n > 0)
		h.customer = l->customer;
	if (rq->placed_after != NULL)
		h.from_id = id_at(timestamp_us(rq->placed_after));
	if (rq->placed_before != NULL)
		h.before = id_at(timestamp_us(rq->placed_before));
	if (!rpc_has_violations(fl) && rq->page_token.len > 0 &&
	    !open_token(fl, text_of(rq->page_token), &h.before))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store, order_list_unit(&h, NULL, 0));
}

static Orderd__V1__Order *order_from_row(struct flow *fl, const struct order_list_row *r)
{
	Orderd__V1__Order *o = arena_alloc(&fl->arena, sizeof(*o));

	if (o == NULL)
		return NULL;
	orderd__v1__order__init(o);
	o->order_id = id_text(fl, r->order_id);
	o->order_number = r->number;
	o->etag = etag_text(fl, r->version);
	o->state = order_state_message(r->state);
	o->payment_state = payment_state_message(r->payment_state);
	o->fulfillment_state = fulfillment_state_message(r->fulfillment_state);
	o->customer = keep_text(fl, r->customer);
	o->channel = keep_text(fl, r->channel);
	o->reference = keep_text(fl, r->reference);
	o->total = money_message(fl, r->currency, r->total_minor);
	o->create_time = timestamp_message(fl, r->created_at);
	o->update_time = timestamp_message(fl, r->updated_at);
	return o;
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ListOrdersResponse rs = ORDERD__V1__LIST_ORDERS_RESPONSE__INIT;
	struct listing *l = rpc_state(fl);
	uint32_t n = answer_rows(a), shown = n > (uint32_t)l->page ? (uint32_t)l->page : n;

	rs.orders = arena_array(&fl->arena, shown + 1, sizeof(*rs.orders));
	if (rs.orders == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < shown; i++) {
		struct order_list_row r = order_list_row(a, i);

		if ((rs.orders[rs.n_orders++] = order_from_row(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	if (n > shown) {
		rs.next_page_token = data_of(make_token(fl, order_list_row(a, shown - 1).order_id));
		if (rs.next_page_token.len == 0)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_orders_steps[] = {
	/*         name    ask       got       ms    on error  next    */
	[PAGE] = {"page", ask_page, got_page, 5000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_ORDERS = {
	.path = "/orderd.v1.OrderService/ListOrders",
	.name = "list_orders",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_orders_request__descriptor,
	.response = &orderd__v1__list_orders_response__descriptor,
	.steps = list_orders_steps,
	.state_size = sizeof(struct listing),
};
