/*
 * GetShipment: one parcel, whole.
 *
 *	view --> rates --> labels --> scans --> reply
 *
 * A customer is told where the parcel is, not what carriers offered and what the shop paid.
 */
#include "server/methods.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/shipping/shipment_read.h"

enum { SHIPMENT_SCAN_MEMORY = 1024, SCANS_ORDINARY = 50 };

enum { VIEW, RATES, LABELS, SCANS, DONE };

struct getting {
	Orderd__V1__Shipment *shipment;
};

static int ask_view(struct flow *fl)
{
	const Orderd__V1__GetShipmentRequest *rq = rpc_request(fl);

	fl->subject = want_id(fl, rq->shipment_id, "shipment_id");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return ask_shipment_view(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);

	g->shipment = got_shipment_view(fl, fl->subject, a);
	if (g->shipment == NULL)
		return FLOW_FAIL;
	if (rpc_identity(fl)->customer.p == NULL)
		return RATES;
	g->shipment->rate = NULL;
	return SCANS;
}

static int ask_rates(struct flow *fl)
{
	return ask_shipment_rates(fl, fl->subject);
}

static int got_rates(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);

	return shipment_add_rates(fl, g->shipment, a) ? LABELS : rpc_fail(fl, ERR_TOO_LARGE);
}

static int ask_labels(struct flow *fl)
{
	return ask_shipment_labels(fl, fl->subject);
}

static int got_labels(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);

	return shipment_add_labels(fl, g->shipment, a) ? SCANS : rpc_fail(fl, ERR_TOO_LARGE);
}

static int ask_scans(struct flow *fl)
{
	return ask_shipment_scans(fl, fl->subject);
}

static int got_scans(struct flow *fl, const struct answer *a)
{
	Orderd__V1__GetShipmentResponse rs = ORDERD__V1__GET_SHIPMENT_RESPONSE__INIT;
	struct getting *g = rpc_state(fl);

	if (answer_rows(a) > SCANS_ORDINARY &&
	    !rpc_grow(fl, (size_t)answer_rows(a) * SHIPMENT_SCAN_MEMORY))
		return rpc_fail(fl, ERR_OVERLOADED);
	if (!shipment_add_scans(fl, g->shipment, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	rs.shipment = g->shipment;
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step get_shipment_steps[] = {
	/*           name      ask         got         ms    on error  next        */
	[VIEW]   = {"view",   ask_view,   got_view,   5000, DONE,     TO(RATES) | TO(SCANS)},
	[RATES]  = {"rates",  ask_rates,  got_rates,  5000, DONE,     TO(LABELS)},
	[LABELS] = {"labels", ask_labels, got_labels, 5000, DONE,     TO(SCANS)},
	[SCANS]  = {"scans",  ask_scans,  got_scans,  5000, DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_SHIPMENT = {
	.path = "/orderd.v1.ShippingService/GetShipment",
	.name = "get_shipment",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_shipment_request__descriptor,
	.response = &orderd__v1__get_shipment_response__descriptor,
	.steps = get_shipment_steps,
	.state_size = sizeof(struct getting),
};
