/*
 * VoidLabel: a label is to be given back.
 *
 *	parcel --> void --> [find] --> view --> reply
 *
 * parcel tells whose it is; void decides, in one unit.
 */
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/shipping/shipment_read.h"
#include "server/watch/watches.h"

enum { PARCEL, VOID, FIND, VIEW, DONE };

struct voiding {
	struct str request_id, fingerprint, reason;
	struct id order;
};

static int ask_parcel(struct flow *fl)
{
	const Orderd__V1__VoidLabelRequest *rq = rpc_request(fl);
	Orderd__V1__VoidLabelRequest body = *rq;
	struct voiding *v = rpc_state(fl);

	fl->subject = want_id(fl, rq->shipment_id, "shipment_id");
	v->request_id = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	v->reason = may_text(fl, rq->reason, REQUEST_NAME_MAX, "reason");
	body.request_id = (ProtobufCBinaryData){0, NULL};
	v->fingerprint = request_fingerprint(fl, &body.base);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (v->fingerprint.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	return ask_shipment_view(fl, fl->subject);
}

static int got_parcel(struct flow *fl, const struct answer *a)
{
	struct voiding *v = rpc_state(fl);

	if (answer_rows(a) == 0)
		return shipment_not_found(fl, fl->subject);
	v->order = shipment_view_row(a, 0).order_id;
	rpc_order(fl, v->order);
	return VOID;
}

static int ask_void(struct flow *fl)
{
	struct voiding *v = rpc_state(fl);
	struct label_void_begin_head h = {.tenant = rpc_identity(fl)->tenant,
					  .order_id = v->order,
					  .shipment_id = fl->subject,
					  .request_method = REQUEST_VOID_LABEL,
					  .request_key = v->request_id,
					  .fingerprint = v->fingerprint,
					  .reason = v->reason,
					  .actor = rpc_identity(fl)->subject,
					  .next_job = id_child(v->order),
					  .trace = trace_bytes(&fl->trace)};

	return store_ask(fl, rpc_app(fl)->store, label_void_begin_unit(&h, NULL, 0));
}

static int got_void(struct flow *fl, const struct answer *a)
{
	const struct voiding *v = rpc_state(fl);
	struct label_void_begin_row r = label_void_begin_row(a, 0);
	struct ring ring = {.job = r.job_id, .role = ROLE_SHIPPING, .priority = 0};

	if (str_eq(r.outcome, STR("voiding"))) {
		queue_ring(rpc_app(fl)->queue, &ring, 1);
		order_moved(rpc_app(fl), v->order);
		return VIEW;
	}
	if (str_eq(r.outcome, STR("seen")))
		return FIND;
	if (str_eq(r.outcome, STR("not_found")))
		return shipment_not_found(fl, fl->subject);
	return rpc_fail(fl, ERR_NOT_VOIDABLE);
}

static int ask_find(struct flow *fl)
{
	struct voiding *v = rpc_state(fl);

	return ask_request_find(fl, REQUEST_VOID_LABEL, v->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct voiding *v = rpc_state(fl);

	if (!got_request_find(fl, v->fingerprint, a, &fl->subject))
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	return ask_shipment_view(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	Orderd__V1__VoidLabelResponse rs = ORDERD__V1__VOID_LABEL_RESPONSE__INIT;

	rs.shipment = got_shipment_view(fl, fl->subject, a);
	return rs.shipment != NULL ? rpc_ok(fl, &rs.base) : FLOW_FAIL;
}

/* clang-format off */
static const struct flow_step void_label_steps[] = {
	/*           name      ask         got         ms      on error  next                 */
	[PARCEL] = {"parcel", ask_parcel, got_parcel, 5000,   DONE,     TO(VOID)},
	[VOID]   = {"void",   ask_void,   got_void,   600000, DONE,     TO(VIEW) | TO(FIND)},
	[FIND]   = {"find",   ask_find,   got_find,   5000,   DONE,     TO(VIEW)},
	[VIEW]   = {"view",   ask_view,   got_view,   5000,   DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_VOID_LABEL = {
	.path = "/orderd.v1.ShippingService/VoidLabel",
	.name = "void_label",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__void_label_request__descriptor,
	.response = &orderd__v1__void_label_response__descriptor,
	.steps = void_label_steps,
	.state_size = sizeof(struct voiding),
};
