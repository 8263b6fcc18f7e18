#include "server/shipping/shipment_read.h"

#include "core/store/store.h"
#include "server/app.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

int shipment_not_found(struct flow *fl, struct id shipment)
{
	char text[ID_TEXT_SIZE];

	rpc_about(fl, "orderd.v1.Shipment", str_of(id_format(shipment, text)));
	return rpc_fail(fl, ERR_NOT_FOUND);
}

int ask_shipment_view(struct flow *fl, struct id shipment)
{
	struct shipment_view_head h = {.tenant = rpc_identity(fl)->tenant,
				       .shipment_id = shipment,
				       .owner = rpc_identity(fl)->customer,
				       .locations = rpc_identity(fl)->locations};

	return store_ask(fl, rpc_app(fl)->store, shipment_view_unit(&h, NULL, 0));
}

static Orderd__V1__Shipment *shipment_message(struct flow *fl, struct id id,
					      const struct shipment_view_row *r)
{
	Orderd__V1__Shipment *s = arena_alloc(&fl->arena, sizeof(*s));

	if (s == NULL)
		return NULL;
	orderd__v1__shipment__init(s);
	s->shipment_id = id_text(fl, id);
	s->order_id = id_text(fl, r->order_id);
	s->order_number = r->order_number;
	s->group = r->group_no;
	s->location = keep_text(fl, r->location_code);
	s->state = keep_text(fl, r->state);
	s->carrier = keep_text(fl, r->carrier);
	s->service = keep_text(fl, r->service);
	s->tracking_code = keep_text(fl, r->tracking_code);
	s->tracking_url = keep_text(fl, r->tracking_url);
	s->tracking_state = keep_text(fl, r->tracking_state);
	s->exception = keep_text(fl, r->exception);
	s->leg = r->leg;
	s->sscc = keep_text(fl, r->sscc);
	s->weight_grams = r->weight_g;
	if (r->rate_minor != DB_NULL)
		s->rate = money_message(fl, r->currency, r->rate_minor);
	s->create_time = timestamp_message(fl, r->created_at);
	s->update_time = timestamp_message(fl, r->updated_at);
	return s;
}

Orderd__V1__Shipment *got_shipment_view(struct flow *fl, struct id shipment, const struct answer *a)
{
	struct shipment_view_row r;
	Orderd__V1__Shipment *s;

	if (answer_rows(a) == 0) {
		shipment_not_found(fl, shipment);
		return NULL;
	}
	r = shipment_view_row(a, 0);
	rpc_order(fl, r.order_id);
	s = shipment_message(fl, shipment, &r);
	if (s == NULL)
		rpc_fail(fl, ERR_TOO_LARGE);
	return s;
}

int ask_shipment_rates(struct flow *fl, struct id shipment)
{
	struct shipment_rates_head h = {.tenant = rpc_identity(fl)->tenant,
					.shipment_id = shipment};

	return store_ask(fl, rpc_app(fl)->store, shipment_rates_unit(&h, NULL, 0));
}

bool shipment_add_rates(struct flow *fl, Orderd__V1__Shipment *s, const struct answer *a)
{
	uint32_t n = answer_rows(a);

	s->rates = arena_array(&fl->arena, n + 1, sizeof(*s->rates));
	for (uint32_t i = 0; s->rates != NULL && i < n; i++) {
		struct shipment_rates_row r = shipment_rates_row(a, i);
		Orderd__V1__ShippingRate *m = arena_alloc(&fl->arena, sizeof(*m));

		if (m == NULL)
			return false;
		orderd__v1__shipping_rate__init(m);
		m->carrier = keep_text(fl, r.carrier);
		m->service = keep_text(fl, r.service);
		m->price = money_message(fl, r.currency, r.rate_minor);
		m->delivery_days = r.delivery_days == DB_NULL ? -1 : (int32_t)r.delivery_days;
		m->chosen = r.chosen;
		s->rates[s->n_rates++] = m;
	}
	return s->rates != NULL;
}

int ask_shipment_labels(struct flow *fl, struct id shipment)
{
	struct shipment_labels_head h = {.tenant = rpc_identity(fl)->tenant,
					 .shipment_id = shipment};

	return store_ask(fl, rpc_app(fl)->store, shipment_labels_unit(&h, NULL, 0));
}

bool shipment_add_labels(struct flow *fl, Orderd__V1__Shipment *s, const struct answer *a)
{
	uint32_t n = answer_rows(a);

	s->labels = arena_array(&fl->arena, n + 1, sizeof(*s->labels));
	for (uint32_t i = 0; s->labels != NULL && i < n; i++) {
		struct shipment_labels_row r = shipment_labels_row(a, i);
		Orderd__V1__ShippingLabel *m = arena_alloc(&fl->arena, sizeof(*m));

		if (m == NULL)
			return false;
		orderd__v1__shipping_label__init(m);
		m->carrier = keep_text(fl, r.carrier);
		m->service = keep_text(fl, r.service);
		m->tracking_code = keep_text(fl, r.tracking_code);
		m->price = money_message(fl, r.currency, r.rate_minor);
		m->bought_time = timestamp_message(fl, r.bought_at);
		if (r.voided_at != DB_NULL)
			m->voided_time = timestamp_message(fl, r.voided_at);
		s->labels[s->n_labels++] = m;
	}
	return s->labels != NULL;
}

int ask_shipment_scans(struct flow *fl, struct id shipment)
{
	struct shipment_scans_head h = {.tenant = rpc_identity(fl)->tenant,
					.shipment_id = shipment};

	return store_ask(fl, rpc_app(fl)->store, shipment_scans_unit(&h, NULL, 0));
}

bool shipment_add_scans(struct flow *fl, Orderd__V1__Shipment *s, const struct answer *a)
{
	uint32_t n = answer_rows(a);

	s->scans = arena_array(&fl->arena, n + 1, sizeof(*s->scans));
	for (uint32_t i = 0; s->scans != NULL && i < n; i++) {
		struct shipment_scans_row r = shipment_scans_row(a, i);
		Orderd__V1__TrackingScan *m = arena_alloc(&fl->arena, sizeof(*m));

		if (m == NULL)
			return false;
		orderd__v1__tracking_scan__init(m);
		m->event_time = timestamp_message(fl, r.at);
		m->status = keep_text(fl, r.status);
		m->detail = keep_text(fl, r.detail);
		m->message = keep_text(fl, r.message);
		m->city = keep_text(fl, r.city);
		m->source = keep_text(fl, r.source);
		s->scans[s->n_scans++] = m;
	}
	return s->scans != NULL;
}

struct str want_report(struct flow *fl, ProtobufCBinaryData site, ProtobufCBinaryData report_id)
{
	struct str at = want_text(fl, site, REQUEST_CODE_MAX, "site");
	struct str id = want_text(fl, report_id, REQUEST_ID_MAX, "report_id");
	char *key = arena_printf(&fl->arena, STR_FMT "\x1f" STR_FMT, STR_ARG(at), STR_ARG(id));

	return str_of(key);
}
