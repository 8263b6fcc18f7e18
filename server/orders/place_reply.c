/*
 * PlaceOrder's answer to an order just placed, from what the flow knows: nothing is read
 * back.  An order that was placed by an earlier call is read instead (server/orders/order_read.h).
 */
#include "server/app.h"
#include "server/orders/order_message.h"
#include "server/orders/placing.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

static bool lines_as_placed(struct flow *fl, const struct placing *p, Orderd__V1__Order *o)
{
	o->lines = arena_array(&fl->arena, p->n_lines, sizeof(*o->lines));
	if (o->lines == NULL)
		return false;
	for (uint32_t i = 0; i < p->n_lines; i++) {
		Orderd__V1__OrderLine *l = arena_alloc(&fl->arena, sizeof(*l));
		Orderd__V1__LineQuantities *q = arena_alloc(&fl->arena, sizeof(*q));

		if (l == NULL || q == NULL)
			return false;
		orderd__v1__order_line__init(l);
		orderd__v1__line_quantities__init(q);
		l->line = (int32_t)i + 1;
		l->sku = data_of(p->lines[i].sku);
		l->title = data_of(p->lines[i].title);
		l->unit_price = money_message(fl, str_of(p->lines[i].unit.currency),
					      p->lines[i].unit.minor);
		l->quantities = q;
		q->ordered = q->reserved = p->needs[i].qty;
		o->lines[o->n_lines++] = l;
	}
	return true;
}

static bool groups_as_placed(struct flow *fl, const struct placing *p, Orderd__V1__Order *o)
{
	o->groups = arena_array(&fl->arena, (size_t)p->plan.groups, sizeof(*o->groups));
	if (o->groups == NULL)
		return false;
	for (int16_t i = 1; i <= p->plan.groups; i++) {
		Orderd__V1__ShipmentGroup *g = arena_alloc(&fl->arena, sizeof(*g));

		if (g == NULL)
			return false;
		orderd__v1__shipment_group__init(g);
		g->group = i;
		g->location = data_of(p->group_codes[i]);
		g->amount = money_message(fl, str_of(p->total.currency), p->group_minor[i]);
		g->payment_state = ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_PENDING;
		o->groups[o->n_groups++] = g;
	}
	return true;
}

int reply_placed(struct flow *fl, const struct placing *p, const struct order_place_row *row)
{
	const Orderd__V1__PlaceOrderRequest *rq = rpc_request(fl);
	Orderd__V1__PlaceOrderResponse rs = ORDERD__V1__PLACE_ORDER_RESPONSE__INIT;
	Orderd__V1__Order o = ORDERD__V1__ORDER__INIT;
	ProtobufCBinaryData reasons[SOURCING_REASONS_MAX];

	o.state = ORDERD__V1__ORDER_STATE__ORDER_STATE_PENDING;
	o.payment_state = ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_PENDING;
	o.fulfillment_state = ORDERD__V1__FULFILLMENT_STATE__FULFILLMENT_STATE_UNFULFILLED;
	o.customer = data_of(p->customer);
	o.channel = rq->channel.len > 0 ? rq->channel : data_of(STR("api"));
	o.reference = rq->reference;
	o.ship_to = rq->ship_to;
	o.total = money_message(fl, str_of(p->total.currency), p->total.minor);
	if (!lines_as_placed(fl, p, &o) || !groups_as_placed(fl, p, &o))
		return rpc_fail(fl, ERR_TOO_LARGE);
	if (row != NULL) {
		o.order_id = id_text(fl, p->order);
		o.order_number = row->number;
		o.etag = etag_text(fl, 1);
		o.create_time = o.update_time = timestamp_message(fl, row->placed_at);
		o.expire_time = timestamp_message(
			fl, row->placed_at + rpc_app(fl)->cfg.reservation_s * 1000000);
	}
	for (size_t i = 0; i < p->plan.n_reasons; i++)
		reasons[i] = data_of(str_of(p->plan.reasons[i]));
	rs.order = &o;
	rs.sourcing_reasons = reasons;
	rs.n_sourcing_reasons = p->plan.n_reasons;
	return rpc_ok(fl, &rs.base);
}
