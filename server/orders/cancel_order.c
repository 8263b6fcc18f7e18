/*
 * CancelOrder: free an order's stock and let its money go.
 *
 *	groups --> cancel --> view --> groups_now --> reply
 *
 * groups tells how many payments there are: each may need a job that releases it, and a
 * job's id is made here.  cancel decides, in one unit.
 */
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watches.h"
#include "sql.gen.h"

enum { GROUPS, CANCEL, FIND, VIEW, GROUPS_NOW, DONE };

struct cancelling {
	struct str request_id, fingerprint, reason;
	int64_t version; /* the etag; DB_NULL: any */
	struct order_cancel_line *voids;
	uint32_t n_voids;
	Orderd__V1__Order *order;
};

static bool read_request(struct flow *fl, struct cancelling *c)
{
	const Orderd__V1__CancelOrderRequest *rq = rpc_request(fl);
	Orderd__V1__CancelOrderRequest body = *rq;
	long long version = DB_NULL;

	fl->subject = want_order(fl, rq->order_id);
	c->request_id = want_request_id(fl, rq->request_id);
	c->reason = may_text(fl, rq->reason, REQUEST_NAME_MAX, "reason");
	if (rq->etag.len > 0 && !str_to_i64(text_of(rq->etag), 1, INT64_MAX, &version))
		rpc_violation(fl, "it is not an etag of an order", "etag");
	c->version = version;
	body.request_id = (ProtobufCBinaryData){0, NULL};
	c->fingerprint = request_fingerprint(fl, &body.base);
	return !rpc_has_violations(fl);
}

static int ask_groups(struct flow *fl)
{
	struct cancelling *c = rpc_state(fl);

	if (!read_request(fl, c))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (c->fingerprint.p == NULL || c->request_id.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	return ask_order_groups(fl, fl->subject);
}

static int got_groups(struct flow *fl, const struct answer *a)
{
	struct cancelling *c = rpc_state(fl);

	c->n_voids = answer_rows(a);
	if (c->n_voids == 0)
		return order_not_found(fl, fl->subject);
	c->voids = arena_array(&fl->arena, c->n_voids, sizeof(*c->voids));
	if (c->voids == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < c->n_voids; i++)
		c->voids[i] =
			(struct order_cancel_line){.group_no = order_groups_row(a, i).group_no,
						   .job_id = id_child(fl->subject)};
	return CANCEL;
}

static int ask_cancel(struct flow *fl)
{
	struct cancelling *c = rpc_state(fl);
	struct order_cancel_head h = {.tenant = rpc_identity(fl)->tenant,
				      .order_id = fl->subject,
				      .request_method = REQUEST_CANCEL_ORDER,
				      .request_key = c->request_id,
				      .fingerprint = c->fingerprint,
				      .cause = id_child(fl->subject),
				      .version = c->version,
				      .reason = c->reason,
				      .actor = rpc_identity(fl)->subject,
				      .trace = trace_bytes(&fl->trace),
				      .owner = rpc_identity(fl)->customer};

	return store_ask(fl, rpc_app(fl)->store, order_cancel_unit(&h, c->voids, c->n_voids));
}

static int got_cancel(struct flow *fl, const struct answer *a)
{
	struct str outcome = answer_rows(a) > 0 ? order_cancel_row(a, 0).outcome : STR("");

	if (str_eq(outcome, STR("cancelled"))) {
		order_moved(rpc_app(fl), fl->subject);
		for (uint32_t i = 0; i < answer_rows(a); i++) {
			struct ring ring = {.job = order_cancel_row(a, i).job_id,
					    .role = ROLE_PAYMENT,
					    .priority = 0};

			if (!id_is_zero(ring.job))
				queue_ring(rpc_app(fl)->queue, &ring, 1);
		}
		return VIEW;
	}
	if (str_eq(outcome, STR("seen")))
		return FIND;
	if (str_eq(outcome, STR("stale")))
		return rpc_fail(fl, ERR_ETAG_MISMATCH);
	if (str_eq(outcome, STR("not_found")))
		return order_not_found(fl, fl->subject);
	return rpc_fail(fl, ERR_NOT_CANCELLABLE);
}

static int ask_find(struct flow *fl)
{
	struct cancelling *c = rpc_state(fl);

	return ask_request_find(fl, REQUEST_CANCEL_ORDER, c->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct cancelling *c = rpc_state(fl);
	struct id order;

	if (!got_request_find(fl, c->fingerprint, a, &order))
		/* Seen, and not there: cannot be. */
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	return ask_order_view(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	struct cancelling *c = rpc_state(fl);

	c->order = got_order_view(fl, fl->subject, a);
	for (uint32_t i = 0; i < answer_rows(a); i++)
		queue_forget_stock(rpc_app(fl)->queue, rpc_identity(fl)->tenant,
				   order_view_row(a, i).item);
	return c->order != NULL ? GROUPS_NOW : FLOW_FAIL;
}

static int got_groups_now(struct flow *fl, const struct answer *a)
{
	Orderd__V1__CancelOrderResponse rs = ORDERD__V1__CANCEL_ORDER_RESPONSE__INIT;
	struct cancelling *c = rpc_state(fl);

	if (!order_add_groups(fl, c->order, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	rs.order = c->order;
	return rpc_ok(fl, &rs.base);
}

static int ask_groups_now(struct flow *fl)
{
	return ask_order_groups(fl, fl->subject);
}

/* clang-format off */
static const struct flow_step cancel_order_steps[] = {
	/*               name          ask             got             ms      on error  next                 */
	[GROUPS]     = {"groups",     ask_groups,     got_groups,     5000,   DONE,     TO(CANCEL)},
	[CANCEL]     = {"cancel",     ask_cancel,     got_cancel,     600000, DONE,     TO(VIEW) | TO(FIND)},
	[FIND]       = {"find",       ask_find,       got_find,       5000,   DONE,     TO(VIEW)},
	[VIEW]       = {"view",       ask_view,       got_view,       5000,   DONE,     TO(GROUPS_NOW)},
	[GROUPS_NOW] = {"groups_now", ask_groups_now, got_groups_now, 5000,   DONE,     TO(DONE)},
	[DONE]       = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CANCEL_ORDER = {
	.path = "/orderd.v1.OrderService/CancelOrder",
	.name = "cancel_order",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__cancel_order_request__descriptor,
	.response = &orderd__v1__cancel_order_response__descriptor,
	.steps = cancel_order_steps,
	.state_size = sizeof(struct cancelling),
};
