/*
 * shipments, shipment, void, handover.
 */
#include <stddef.h>
#include <stdio.h>

#include "orderctl.h"
#include "show.h"

static void show_rates(const Orderd__V1__Shipment *s)
{
	struct table *t = table_new("RATE CARRIER SERVICE PRICE> DAYS>");
	char price[MONEY_ROOM];

	for (size_t i = 0; i < s->n_rates; i++) {
		const Orderd__V1__ShippingRate *r = s->rates[i];

		print_money(price, sizeof(price), r->price);
		table_cell(t, "%s", r->chosen ? "bought" : "offered");
		table_cell(t, "%.*s", BYTES(r->carrier));
		table_cell(t, "%.*s", BYTES(r->service));
		table_cell(t, "%s", price);
		if (r->delivery_days >= 0)
			table_cell(t, "%d", r->delivery_days);
		else
			table_cell(t, "-");
	}
	table_print(t);
}

static void show_labels(const Orderd__V1__Shipment *s)
{
	struct table *t = table_new("LABEL CARRIER SERVICE PRICE> BOUGHT VOIDED");
	char price[MONEY_ROOM], bought[TIME_ROOM], voided[TIME_ROOM];

	for (size_t i = 0; i < s->n_labels; i++) {
		const Orderd__V1__ShippingLabel *l = s->labels[i];

		print_money(price, sizeof(price), l->price);
		print_time(bought, sizeof(bought), l->bought_time);
		print_time(voided, sizeof(voided), l->voided_time);
		table_cell(t, "%.*s", BYTES(l->tracking_code));
		table_cell(t, "%.*s", BYTES(l->carrier));
		table_cell(t, "%.*s", BYTES(l->service));
		table_cell(t, "%s", price);
		table_cell(t, "%s", bought);
		table_cell(t, "%s", voided);
	}
	table_print(t);
}

static void show_scans(const Orderd__V1__Shipment *s)
{
	struct table *t = table_new("SEEN STATUS DETAIL SOURCE CITY MESSAGE");
	char when[TIME_ROOM];

	for (size_t i = 0; i < s->n_scans; i++) {
		const Orderd__V1__TrackingScan *x = s->scans[i];

		print_time(when, sizeof(when), x->event_time);
		table_cell(t, "%s", when);
		table_word(t, &x->status);
		table_cell(t, "%.*s", BYTES(x->detail));
		table_cell(t, "%.*s", BYTES(x->source));
		table_cell(t, "%.*s", BYTES(x->city));
		table_cell(t, "%.*s", BYTES(x->message));
	}
	table_print(t);
}

static void show_fields(const Orderd__V1__Shipment *s)
{
	struct table *t = fields_new();

	field(t, "Shipment", "%.*s", BYTES(s->shipment_id));
	field(t, "Order", "%.*s", BYTES(s->order_id));
	field(t, "Number", "%lld", (long long)s->order_number);
	field(t, "Group", "%d", s->group);
	field(t, "Location", "%.*s", BYTES(s->location));
	field_word(t, "State", &s->state);
	field(t, "Carrier", "%.*s", BYTES(s->carrier));
	field(t, "Service", "%.*s", BYTES(s->service));
	field(t, "Tracking", "%.*s", BYTES(s->tracking_code));
	field_word(t, "Seen", &s->tracking_state);
	field(t, "Wrong", "%.*s", BYTES(s->exception));
	if (s->leg == 2)
		field(t, "Leg", "on its way back");
	field(t, "Follow at", "%.*s", BYTES(s->tracking_url));
	field(t, "SSCC", "%.*s", BYTES(s->sscc));
	if (s->weight_grams != 0)
		field(t, "Weight", "%lld g", (long long)s->weight_grams);
	table_print(t);
}

static void print_shipment(const Orderd__V1__Shipment *s)
{
	static const struct {
		size_t count; /* offset in Shipment */
		void (*show)(const Orderd__V1__Shipment *s);
	} parts[] = {
		{offsetof(Orderd__V1__Shipment, n_labels), show_labels},
		{offsetof(Orderd__V1__Shipment, n_rates), show_rates},
		{offsetof(Orderd__V1__Shipment, n_scans), show_scans},
	};

	if (s == NULL)
		return;
	show_fields(s);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (*(const size_t *)(const void *)((const char *)s + parts[i].count) == 0)
			continue;
		putchar('\n');
		parts[i].show(s);
	}
}

static void show_parcels(const Orderd__V1__Order *o)
{
	struct table *t = table_new(
		"GROUP> SHIPMENT LOCATION STATE CARRIER SERVICE TRACKING SEEN "
		"WRONG");

	for (size_t i = 0; i < o->n_groups; i++) {
		const Orderd__V1__ShipmentGroup *g = o->groups[i];

		table_cell(t, "%d", g->group);
		table_cell(t, "%.*s", BYTES(g->shipment_id));
		table_cell(t, "%.*s", BYTES(g->location));
		table_word(t, &g->shipment_state);
		table_cell(t, "%.*s", BYTES(g->carrier));
		table_cell(t, "%.*s", BYTES(g->service));
		table_cell(t, "%.*s", BYTES(g->tracking_code));
		table_word(t, &g->tracking_state);
		table_cell(t, "%.*s", BYTES(g->exception));
	}
	table_print(t);
}

static int run_shipments(struct args *a)
{
	Orderd__V1__GetOrderRequest rq = ORDERD__V1__GET_ORDER_REQUEST__INIT;
	Orderd__V1__GetOrderResponse *rs;
	struct orderd_error e;

	rq.order_id = text(a->words[0]);
	rs = orderd_get_order(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else if (rs->order != NULL)
		show_parcels(rs->order);
	return done_with(&rs->base);
}

static int run_shipment(struct args *a)
{
	Orderd__V1__GetShipmentRequest rq = ORDERD__V1__GET_SHIPMENT_REQUEST__INIT;
	Orderd__V1__GetShipmentResponse *rs;
	struct orderd_error e;

	rq.shipment_id = text(a->words[0]);
	rs = orderd_get_shipment(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_shipment(rs->shipment);
	return done_with(&rs->base);
}

static int run_void(struct args *a)
{
	Orderd__V1__VoidLabelRequest rq = ORDERD__V1__VOID_LABEL_REQUEST__INIT;
	Orderd__V1__VoidLabelResponse *rs;
	struct orderd_error e;

	rq.shipment_id = text(a->words[0]);
	rq.request_id = text(request_id(a));
	rq.reason = text(option(a, "reason"));
	rs = orderd_void_label(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		print_shipment(rs->shipment);
	return done_with(&rs->base);
}

static int run_handover(struct args *a)
{
	Orderd__V1__ConfirmHandoverRequest rq = ORDERD__V1__CONFIRM_HANDOVER_REQUEST__INIT;
	ProtobufCBinaryData parcels[OPTIONS_MAX];
	Orderd__V1__ConfirmHandoverResponse *rs;
	struct orderd_error e;

	rq.site = text(need(a, "site"));
	rq.report_id = text(report_id(a));
	for (int i = 0; i < a->n_words; i++)
		parcels[i] = text(a->words[i]);
	rq.shipment_ids = parcels;
	rq.n_shipment_ids = (size_t)a->n_words;
	rs = orderd_confirm_handover(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else
		printf("%d confirmed\n", a->n_words);
	return done_with(&rs->base);
}

const struct command shipping_commands[] = {
	{NULL, "shipments", "ORDER", 1, "an order's parcels, one per shipment group", run_shipments,
	 .about = "List the parcels of an order, one per shipment group. With --json the order is "
		  "printed, whose groups they are."},
	{NULL, "shipment", "SHIPMENT", 1,
	 "show a parcel: its labels, what carriers offered, where it was seen", run_shipment},
	{NULL, "void", "[--reason TEXT] [--request-id ID] SHIPMENT", 1,
	 "give a label back that the carrier has not seen, for another one", run_void},
	{NULL, "handover", "--site SITE --report ID SHIPMENT...", OPTIONS_MAX,
	 "say that the carrier has taken these parcels", run_handover},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
