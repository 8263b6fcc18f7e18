/*
 * ConfirmHandover: somebody has seen the carrier take these parcels.
 *
 *	confirm --> [find] --> reply
 *
 * The hand-over itself is a job's, which checks everything once more.
 */
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/shipping/shipment_read.h"

enum { PARCELS_MAX = 200 }; /* what one truck's scanner sends at once */

enum { CONFIRM, FIND, DONE };

struct confirming {
	struct str key, fingerprint;
	struct id parcels[PARCELS_MAX];
};

static void read_parcels(struct flow *fl, const Orderd__V1__ConfirmHandoverRequest *rq,
			 struct handover_confirm_line *lines)
{
	struct confirming *c = rpc_state(fl);

	want_range(fl, (int64_t)rq->n_shipment_ids, 1, PARCELS_MAX, "shipment_ids");
	for (uint32_t i = 0; i < rq->n_shipment_ids && i < PARCELS_MAX; i++) {
		c->parcels[i] = want_id(fl, rq->shipment_ids[i], "shipment_ids[%u]", i);
		lines[i] = (struct handover_confirm_line){.line = (int32_t)i,
							  .shipment_id = c->parcels[i]};
		for (uint32_t k = 0; k < i; k++)
			if (id_eq(c->parcels[k], c->parcels[i])) {
				rpc_violation(fl, "it is in the list already", "shipment_ids[%u]",
					      i);
				break;
			}
	}
}

static int ask_confirm(struct flow *fl)
{
	const Orderd__V1__ConfirmHandoverRequest *rq = rpc_request(fl);
	Orderd__V1__ConfirmHandoverRequest body = *rq;
	struct confirming *c = rpc_state(fl);
	struct handover_confirm_line *lines = arena_array(&fl->arena, PARCELS_MAX, sizeof(*lines));
	struct handover_confirm_head h;

	if (lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	c->key = want_report(fl, rq->site, rq->report_id);
	body.report_id = (ProtobufCBinaryData){0, NULL};
	c->fingerprint = request_fingerprint(fl, &body.base);
	read_parcels(fl, rq, lines);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (c->fingerprint.p == NULL || c->key.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	fl->subject = c->parcels[0];
	h = (struct handover_confirm_head){.tenant = rpc_identity(fl)->tenant,
					   .request_method = REQUEST_CONFIRM_HANDOVER,
					   .request_key = c->key,
					   .fingerprint = c->fingerprint,
					   .resource = fl->subject,
					   .locations = rpc_identity(fl)->locations};
	return store_ask(fl, rpc_app(fl)->store,
			 handover_confirm_unit(&h, lines, (uint32_t)rq->n_shipment_ids));
}

static int reply(struct flow *fl)
{
	Orderd__V1__ConfirmHandoverResponse rs = ORDERD__V1__CONFIRM_HANDOVER_RESPONSE__INIT;

	return rpc_ok(fl, &rs.base);
}

/* The first parcel that stands in the way. */
static int refuse(struct flow *fl, struct str outcome, struct id parcel)
{
	char text[ID_TEXT_SIZE];

	if (str_eq(outcome, STR("not_found")))
		return shipment_not_found(fl, parcel);
	rpc_fact(fl, "shipment_id", "%s", id_format(parcel, text));
	return rpc_fail(fl, str_eq(outcome, STR("not_paid")) ? ERR_NOT_PAID : ERR_LABEL_NOT_BOUGHT);
}

static int got_confirm(struct flow *fl, const struct answer *a)
{
	struct confirming *c = rpc_state(fl);
	struct handover_confirm_row r = handover_confirm_row(a, 0);

	if (str_eq(r.outcome, STR("seen")))
		return FIND;
	if (!str_eq(r.outcome, STR("confirmed")))
		return refuse(fl, r.outcome, c->parcels[r.line]);
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct ring ring = {.job = handover_confirm_row(a, i).job_id,
				    .role = ROLE_SHIPPING,
				    .priority = 1};

		if (!id_is_zero(ring.job))
			queue_ring(rpc_app(fl)->queue, &ring, 1);
	}
	return reply(fl);
}

static int ask_find(struct flow *fl)
{
	struct confirming *c = rpc_state(fl);

	return ask_request_find(fl, REQUEST_CONFIRM_HANDOVER, c->key);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct confirming *c = rpc_state(fl);

	if (!got_request_find(fl, c->fingerprint, a, &fl->subject))
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return reply(fl);
}

/* clang-format off */
static const struct flow_step confirm_handover_steps[] = {
	/*            name       ask          got          ms      on error  next                 */
	[CONFIRM] = {"confirm", ask_confirm, got_confirm, 600000, DONE,     TO(FIND) | TO(DONE)},
	[FIND]    = {"find",    ask_find,    got_find,    5000,   DONE,     TO(DONE)},
	[DONE]    = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CONFIRM_HANDOVER = {
	.path = "/orderd.v1.ShippingService/ConfirmHandover",
	.name = "confirm_handover",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__confirm_handover_request__descriptor,
	.response = &orderd__v1__confirm_handover_response__descriptor,
	.steps = confirm_handover_steps,
	.state_size = sizeof(struct confirming),
};
