#include "server/orders/order_message.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/domain/order_state.h"
#include "core/store/store.h"
#include "sql.gen.h"

typedef struct order_view_row (*view_row)(const struct answer *a, uint32_t i);
typedef struct order_groups_row (*group_row)(const struct answer *a, uint32_t i);

/* The contract's enums follow the domain's tables, one up: 0 is "unspecified" on the wire. */
_Static_assert((int)ORDERD__V1__ORDER_STATE__ORDER_STATE_EXPIRED == (int)ORDER_EXPIRED + 1,
	       "order states in step");
_Static_assert((int)ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_REQUIRES_ACTION ==
		       (int)PAYMENT_REQUIRES_ACTION + 1,
	       "payment states in step");
_Static_assert((int)ORDERD__V1__FULFILLMENT_STATE__FULFILLMENT_STATE_BACKORDERED ==
		       (int)FULFILLMENT_BACKORDERED + 1,
	       "fulfilment states in step");

Orderd__V1__OrderState order_state_message(struct str state)
{
	enum order_state s = order_state_of(state);

	return s == ORDER_STATES ? ORDERD__V1__ORDER_STATE__ORDER_STATE_UNSPECIFIED
				 : (Orderd__V1__OrderState)(s + 1);
}

Orderd__V1__PaymentState payment_state_message(struct str state)
{
	enum payment_state s = payment_state_of(state);

	return s == PAYMENT_STATES ? ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_UNSPECIFIED
				   : (Orderd__V1__PaymentState)(s + 1);
}

Orderd__V1__FulfillmentState fulfillment_state_message(struct str state)
{
	enum fulfillment_state s = fulfillment_state_of(state);

	return s == FULFILLMENT_STATES
		       ? ORDERD__V1__FULFILLMENT_STATE__FULFILLMENT_STATE_UNSPECIFIED
		       : (Orderd__V1__FulfillmentState)(s + 1);
}

static ProtobufCBinaryData keep_in(struct arena *a, struct str s)
{
	uint8_t *p = s.n > 0 ? arena_dup(a, s.p, s.n) : NULL;

	return (ProtobufCBinaryData){p != NULL ? s.n : 0, p};
}

ProtobufCBinaryData keep_text(struct flow *fl, struct str s)
{
	return keep_in(&fl->arena, s);
}

ProtobufCBinaryData id_text(struct flow *fl, struct id id)
{
	char buf[ID_TEXT_SIZE];

	return id_is_zero(id) ? (ProtobufCBinaryData){0, NULL}
			      : keep_text(fl, str_of(id_format(id, buf)));
}

ProtobufCBinaryData etag_text(struct flow *fl, int64_t version)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRId64, version);
	return keep_text(fl, str_of(buf));
}

static Google__Protobuf__Timestamp *timestamp_in(struct arena *a, int64_t us)
{
	Google__Protobuf__Timestamp *t = arena_alloc(a, sizeof(*t));

	if (t == NULL)
		return NULL;
	google__protobuf__timestamp__init(t);
	t->seconds = us / 1000000 - (us % 1000000 < 0);
	t->nanos = (int32_t)(us - t->seconds * 1000000) * 1000;
	return t;
}

Google__Protobuf__Timestamp *timestamp_message(struct flow *fl, int64_t us)
{
	return timestamp_in(&fl->arena, us);
}

int64_t timestamp_us(const Google__Protobuf__Timestamp *t)
{
	int64_t us;

	if (__builtin_mul_overflow(t->seconds, INT64_C(1000000), &us) ||
	    __builtin_add_overflow(us, t->nanos / 1000, &us))
		return t->seconds < 0 ? INT64_MIN + 1 : INT64_MAX;
	return us;
}

Orderd__V1__Money *money_message(struct flow *fl, struct str currency, int64_t minor)
{
	Orderd__V1__Money *m = arena_alloc(&fl->arena, sizeof(*m));

	if (m == NULL)
		return NULL;
	orderd__v1__money__init(m);
	m->currency_code = keep_text(fl, currency);
	m->amount_minor = minor;
	return m;
}

Orderd__V1__Address *address_message(struct flow *fl, const struct address *a)
{
	Orderd__V1__Address *m = arena_alloc(&fl->arena, sizeof(*m));

	if (m == NULL)
		return NULL;
	orderd__v1__address__init(m);
	m->name = keep_text(fl, a->name);
	m->street = keep_text(fl, a->street);
	m->city = keep_text(fl, a->city);
	m->region = keep_text(fl, a->region);
	m->postal_code = keep_text(fl, a->postal_code);
	m->country_code = keep_text(fl, a->country);
	m->email = keep_text(fl, a->email);
	m->phone = keep_text(fl, a->phone);
	return m;
}

static Orderd__V1__OrderLine *line_from_row(struct flow *fl, const struct order_view_row *r)
{
	Orderd__V1__OrderLine *l = arena_alloc(&fl->arena, sizeof(*l));
	Orderd__V1__LineQuantities *q = arena_alloc(&fl->arena, sizeof(*q));

	if (l == NULL || q == NULL)
		return NULL;
	orderd__v1__order_line__init(l);
	orderd__v1__line_quantities__init(q);
	l->line = r->line;
	l->sku = keep_text(fl, r->sku);
	l->title = keep_text(fl, r->title);
	l->unit_price = money_message(fl, r->currency, r->unit_minor);
	l->quantities = q;
	q->ordered = r->ordered;
	q->unassigned = r->unassigned;
	q->reserved = r->reserved;
	q->backordered = r->backordered;
	q->allocated = r->allocated;
	q->picked = r->picked;
	q->packed = r->packed;
	q->shipped = r->shipped;
	q->delivered = r->delivered;
	q->cancelled = r->cancelled;
	q->returned = r->returned;
	return l;
}

Orderd__V1__Address *address_opened(struct flow *fl, const struct seal_key *key, int32_t tenant,
				    struct id order, struct str sealed)
{
	struct address a;

	if (sealed.p == NULL ||
	    !address_unpack(seal_open(key, tenant, order, sealed, &fl->arena), &a))
		return NULL;
	return address_message(fl, &a);
}

/* Rows [from, to) of a view, each read by `row`. */
static Orderd__V1__Order *order_from_rows(struct flow *fl, const struct seal_key *key,
					  int32_t tenant, struct id order,
					  const struct answer *view, view_row row, uint32_t from,
					  uint32_t to)
{
	struct order_view_row r = row(view, from);
	Orderd__V1__Order *o = arena_alloc(&fl->arena, sizeof(*o));

	if (o == NULL)
		return NULL;
	orderd__v1__order__init(o);
	o->order_id = id_text(fl, order);
	o->order_number = r.number;
	o->etag = etag_text(fl, r.version);
	o->state = order_state_message(r.state);
	o->payment_state = payment_state_message(r.payment_state);
	o->fulfillment_state = fulfillment_state_message(r.fulfillment_state);
	o->customer = keep_text(fl, r.customer);
	o->channel = keep_text(fl, r.channel);
	o->reference = keep_text(fl, r.reference);
	o->total = money_message(fl, r.currency, r.total_minor);
	o->create_time = timestamp_message(fl, r.created_at);
	o->update_time = timestamp_message(fl, r.updated_at);
	o->expire_time = timestamp_message(fl, r.expires_at);
	o->ship_to = address_opened(fl, key, tenant, order, r.sealed);
	o->lines = arena_array(&fl->arena, to - from, sizeof(*o->lines));
	if (o->lines == NULL)
		return NULL;
	for (uint32_t i = from; i < to; i++) {
		struct order_view_row line = row(view, i);

		if ((o->lines[o->n_lines++] = line_from_row(fl, &line)) == NULL)
			return NULL;
	}
	return o;
}

Orderd__V1__Order *order_from_view(struct flow *fl, const struct seal_key *key, int32_t tenant,
				   struct id order, const struct answer *view)
{
	return order_from_rows(fl, key, tenant, order, view, order_view_row, 0, answer_rows(view));
}

/* A row of orders_view is one of order_view and the place it belongs to. */
static struct order_view_row view_row_of_many(const struct answer *a, uint32_t i)
{
	struct orders_view_row many = orders_view_row(a, i);
	struct order_view_row one;

	_Static_assert(offsetof(struct orders_view_row, place) == sizeof(one),
		       "orders_view has the columns of order_view");
	memcpy(&one, &many, sizeof(one));
	return one;
}

Orderd__V1__Order *order_from_views(struct flow *fl, const struct seal_key *key, int32_t tenant,
				    struct id order, const struct answer *views, uint32_t *at)
{
	uint32_t from = *at, to = from;
	int32_t place = orders_view_row(views, from).place;

	while (to < answer_rows(views) && orders_view_row(views, to).place == place)
		to++;
	*at = to;
	return order_from_rows(fl, key, tenant, order, views, view_row_of_many, from, to);
}

/* A group's payment has no "partially": its states are a subset of the order's. */
static Orderd__V1__ShipmentGroup *group_from_row(struct flow *fl, const struct order_groups_row *r,
						 struct str currency)
{
	Orderd__V1__ShipmentGroup *g = arena_alloc(&fl->arena, sizeof(*g));

	if (g == NULL)
		return NULL;
	orderd__v1__shipment_group__init(g);
	g->group = r->group_no;
	g->location = keep_text(fl, r->location_code);
	g->amount = money_message(fl, currency, r->amount_minor);
	g->payment_state = payment_state_message(r->payment_state);
	g->decline_code = keep_text(fl, r->decline_code);
	g->shipment_id = id_text(fl, r->shipment_id);
	g->shipment_state = keep_text(fl, r->shipment_state);
	g->carrier = keep_text(fl, r->carrier);
	g->service = keep_text(fl, r->service);
	g->tracking_code = keep_text(fl, r->tracking_code);
	g->tracking_state = keep_text(fl, r->tracking_state);
	g->tracking_url = keep_text(fl, r->tracking_url);
	g->exception = keep_text(fl, r->exception);
	g->fulfillment_order_id = id_text(fl, r->fulfillment_id);
	return g;
}

static bool add_group_rows(struct flow *fl, Orderd__V1__Order *order, const struct answer *groups,
			   group_row row, uint32_t from, uint32_t to)
{
	order->groups = arena_array(&fl->arena, to - from + 1, sizeof(*order->groups));
	if (order->groups == NULL)
		return false;
	for (uint32_t i = from; i < to; i++) {
		struct order_groups_row r = row(groups, i);
		struct str currency =
			order->total != NULL
				? (struct str){(const char *)order->total->currency_code.data,
					       order->total->currency_code.len}
				: STR("");

		if ((order->groups[order->n_groups++] = group_from_row(fl, &r, currency)) == NULL)
			return false;
	}
	return true;
}

bool order_add_holds(struct flow *fl, Orderd__V1__Order *order, const struct answer *holds)
{
	uint32_t n = answer_rows(holds);

	order->holds = arena_array(&fl->arena, n + 1, sizeof(*order->holds));
	if (order->holds == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct order_holds_row r = order_holds_row(holds, i);
		Orderd__V1__Hold *h = arena_alloc(&fl->arena, sizeof(*h));

		if (h == NULL)
			return false;
		orderd__v1__hold__init(h);
		h->reason = keep_text(fl, r.reason);
		h->group = r.group_no;
		h->detail = keep_text(fl, r.detail);
		h->open_time = timestamp_message(fl, r.opened_at);
		if (r.released_at != DB_NULL)
			h->release_time = timestamp_message(fl, r.released_at);
		order->holds[order->n_holds++] = h;
	}
	return true;
}

bool order_add_groups(struct flow *fl, Orderd__V1__Order *order, const struct answer *groups)
{
	return add_group_rows(fl, order, groups, order_groups_row, 0, answer_rows(groups));
}

static struct order_groups_row group_row_of_many(const struct answer *a, uint32_t i)
{
	struct orders_groups_row many = orders_groups_row(a, i);
	struct order_groups_row one;

	_Static_assert(offsetof(struct orders_groups_row, place) == sizeof(one),
		       "orders_groups has the columns of order_groups");
	memcpy(&one, &many, sizeof(one));
	return one;
}

bool order_add_groups_of(struct flow *fl, Orderd__V1__Order *order, const struct answer *groups,
			 int32_t place, uint32_t *at)
{
	uint32_t from = *at, to;

	for (to = from; to < answer_rows(groups) && orders_groups_row(groups, to).place == place;)
		to++;
	*at = to;
	return add_group_rows(fl, order, groups, group_row_of_many, from, to);
}

Orderd__V1__OrderEvent *event_message(struct arena *a, const struct order_events_row *r)
{
	Orderd__V1__OrderEvent *e = arena_alloc(a, sizeof(*e));

	if (e == NULL)
		return NULL;
	orderd__v1__order_event__init(e);
	e->sequence = r->seq;
	e->event_time = timestamp_in(a, r->at);
	e->kind = keep_in(a, r->kind);
	e->from_state = r->from_state.p != NULL ? order_state_message(r->from_state)
						: ORDERD__V1__ORDER_STATE__ORDER_STATE_UNSPECIFIED;
	e->to_state = order_state_message(r->to_state);
	e->group = r->group_no;
	e->detail = keep_in(a, r->detail);
	e->actor = keep_in(a, r->actor);
	if (e->event_time == NULL || e->kind.len != r->kind.n || e->detail.len != r->detail.n ||
	    e->actor.len != r->actor.n)
		return NULL;
	return e;
}

bool events_message(struct flow *fl, const struct answer *events, Orderd__V1__OrderEvent ***ret,
		    size_t *ret_n)
{
	uint32_t n = answer_rows(events);
	Orderd__V1__OrderEvent **list = arena_array(&fl->arena, n + 1, sizeof(*list));

	if (list == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct order_events_row r = order_events_row(events, i);

		if ((list[i] = event_message(&fl->arena, &r)) == NULL)
			return false;
	}
	*ret = list;
	*ret_n = n;
	return true;
}
