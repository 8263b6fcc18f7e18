#include "server/orders/order_read.h"

#include "core/store/store.h"
#include "server/app.h"
#include "server/orders/order_message.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

int order_not_found(struct flow *fl, struct id order)
{
	char text[ID_TEXT_SIZE];

	rpc_about(fl, "orderd.v1.Order", str_of(id_format(order, text)));
	return rpc_fail(fl, ERR_NOT_FOUND);
}

int ask_order_view(struct flow *fl, struct id order)
{
	struct order_view_head h = {.tenant = rpc_identity(fl)->tenant,
				    .order_id = order,
				    .owner = rpc_identity(fl)->customer};

	return store_ask(fl, rpc_app(fl)->store, order_view_unit(&h, NULL, 0));
}

Orderd__V1__Order *got_order_view(struct flow *fl, struct id order, const struct answer *a)
{
	Orderd__V1__Order *o;

	if (answer_rows(a) == 0) {
		order_not_found(fl, order);
		return NULL;
	}
	if (answer_rows(a) > ORDER_LINES_ORDINARY &&
	    !rpc_grow(fl, (size_t)answer_rows(a) * ORDER_LINE_MEMORY)) {
		rpc_fail(fl, ERR_OVERLOADED);
		return NULL;
	}
	o = order_from_view(fl, &rpc_app(fl)->contact_key, rpc_identity(fl)->tenant, order, a);
	if (o == NULL)
		rpc_fail(fl, ERR_TOO_LARGE);
	return o;
}

int ask_order_groups(struct flow *fl, struct id order)
{
	struct order_groups_head h = {.tenant = rpc_identity(fl)->tenant,
				      .order_id = order,
				      .owner = rpc_identity(fl)->customer};

	return store_ask(fl, rpc_app(fl)->store, order_groups_unit(&h, NULL, 0));
}

int ask_order_events(struct flow *fl, struct id order, int64_t after, int32_t most)
{
	struct order_events_head h = {.tenant = rpc_identity(fl)->tenant,
				      .order_id = order,
				      .after = after,
				      .most = most};

	return store_ask(fl, rpc_app(fl)->store, order_events_unit(&h, NULL, 0));
}

int ask_request_find(struct flow *fl, int16_t method, struct str request_id)
{
	struct request_find_head h = {.tenant = rpc_identity(fl)->tenant,
				      .request_method = method,
				      .request_key = request_id};

	return store_ask(fl, rpc_app(fl)->store, request_find_unit(&h, NULL, 0));
}

bool got_request_find(struct flow *fl, struct str fingerprint, const struct answer *a,
		      struct id *ret_resource)
{
	struct request_find_row r;

	fl->err = ERR_NOT_FOUND;
	if (answer_rows(a) == 0)
		return false;
	r = request_find_row(a, 0);
	fl->err = ERR_REQUEST_ID_REUSED;
	if (!str_eq(r.fingerprint, fingerprint))
		return false;
	fl->err = ERR_OK;
	*ret_resource = r.resource;
	return true;
}
