/*
 * Tables for people, JSON for programs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "orderctl.h"
#include "table.h"

/* ---------------------------------------------------------------- JSON */

static json_t *json_of(const ProtobufCMessage *m);

/* RFC 3339, as the JSON mapping of google.protobuf.Timestamp has it. */
static json_t *json_of_time(const Google__Protobuf__Timestamp *t)
{
	time_t s = (time_t)t->seconds;
	char date[32], whole[64];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
	snprintf(whole, sizeof(whole), "%s.%06dZ", date, t->nanos / 1000);
	return json_string(whole);
}

/* The kinds of fields the contract uses; int64 are strings, as the JSON mapping wants them. */
static json_t *json_of_value(const ProtobufCFieldDescriptor *f, const void *at)
{
	char buf[32];

	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *m = *(const ProtobufCMessage *const *)at;

		if (m->descriptor == &google__protobuf__timestamp__descriptor)
			return json_of_time((const Google__Protobuf__Timestamp *)m);
		return json_of(m);
	}
	if (f->type == PROTOBUF_C_TYPE_BYTES) {
		const ProtobufCBinaryData *b = at;

		return json_stringn(b->len > 0 ? (const char *)b->data : "", b->len);
	}
	if (f->type == PROTOBUF_C_TYPE_ENUM) {
		const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
			f->descriptor, (int)*(const int32_t *)at);

		return v != NULL ? json_string(v->name) : json_integer(*(const int32_t *)at);
	}
	if (f->type == PROTOBUF_C_TYPE_INT64) {
		snprintf(buf, sizeof(buf), "%" PRId64, *(const int64_t *)at);
		return json_string(buf);
	}
	if (f->type == PROTOBUF_C_TYPE_BOOL)
		return json_boolean(*(const protobuf_c_boolean *)at);
	return json_integer(*(const int32_t *)at);
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return sizeof(ProtobufCBinaryData);
	return f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_MESSAGE ? 8 : 4;
}

/* The fields of a oneof share their place; the case says whose it is. */
static bool is_chosen(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	return (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
	       *(const uint32_t *)((const uint8_t *)m + f->quantifier_offset) == f->id;
}

static json_t *json_of(const ProtobufCMessage *m)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const uint8_t *at = (const uint8_t *)m + f->offset;

		if (!is_chosen(m, f))
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t n = *(const size_t *)((const uint8_t *)m + f->quantifier_offset);
			const uint8_t *items = *(const uint8_t *const *)at;
			json_t *list = json_array();

			for (size_t k = 0; k < n; k++)
				json_array_append_new(list,
						      json_of_value(f, items + k * size_of(f)));
			json_object_set_new(o, f->name, list);
		} else if (f->type != PROTOBUF_C_TYPE_MESSAGE || *(const void *const *)at != NULL) {
			json_object_set_new(o, f->name, json_of_value(f, at));
		}
	}
	return o;
}

void print_json(const ProtobufCMessage *m)
{
	json_t *o = json_of(m);

	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* ---------------------------------------------------------------- people */

/* Digits behind the point by ISO 4217; all others have two. */
static int places_of(const char *currency)
{
	static const char none[] =
		"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
	static const char three[] = "BHD IQD JOD KWD LYD OMR TND";

	if (strstr(none, currency) != NULL)
		return 0;
	return strstr(three, currency) != NULL ? 3 : 2;
}

void print_money(char *to, size_t room, const Orderd__V1__Money *m)
{
	char currency[4] = "";
	int places;
	int64_t unit = 1;

	if (m == NULL) {
		snprintf(to, room, "-");
		return;
	}
	if (m->currency_code.len == 3)
		memcpy(currency, m->currency_code.data, 3);
	places = currency[0] != '\0' ? places_of(currency) : 0;
	for (int i = 0; i < places; i++)
		unit *= 10;
	if (places == 0)
		snprintf(to, room, "%" PRId64 " %s", m->amount_minor, currency);
	else
		snprintf(to, room, "%" PRId64 ".%0*" PRId64 " %s", m->amount_minor / unit, places,
			 m->amount_minor % unit, currency);
}

const char *enum_name(const ProtobufCEnumDescriptor *d, int value, const char *prefix)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(d, value);

	return v != NULL ? v->name + strlen(prefix) : "?";
}

static const char *state_name(int value)
{
	return enum_name(&orderd__v1__order_state__descriptor, value, "ORDER_STATE_");
}

void print_status(const Orderd__V1__GetOrderStatusResponse *rs)
{
	printf("%" PRId64 " %s %s %s\n", rs->order_number, state_name((int)rs->state),
	       enum_name(&orderd__v1__payment_state__descriptor, (int)rs->payment_state,
			 "PAYMENT_STATE_"),
	       enum_name(&orderd__v1__fulfillment_state__descriptor, (int)rs->fulfillment_state,
			 "FULFILLMENT_STATE_"));
}

void print_time(char *to, size_t room, const Google__Protobuf__Timestamp *t)
{
	time_t s = t != NULL ? (time_t)t->seconds : 0;
	struct tm tm;
	char date[24];

	if (t == NULL) {
		snprintf(to, room, "-");
		return;
	}
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", gmtime_r(&s, &tm));
	snprintf(to, room, "%s.%03d", date, t->nanos / 1000000);
}

static void print_lines(const Orderd__V1__Order *o)
{
	char price[48];

	for (size_t i = 0; i < o->n_lines; i++) {
		const Orderd__V1__OrderLine *l = o->lines[i];
		const Orderd__V1__LineQuantities *q = l->quantities;

		print_money(price, sizeof(price), l->unit_price);
		printf("  %3d  %-16.*s %6lld x %-14s", l->line, (int)l->sku.len, l->sku.data,
		       (long long)(q != NULL ? q->ordered : 0), price);
		for (unsigned f = 1; q != NULL && f < q->base.descriptor->n_fields; f++) {
			const ProtobufCFieldDescriptor *d = &q->base.descriptor->fields[f];
			int64_t n = *(const int64_t *)((const uint8_t *)q + d->offset);

			if (n != 0)
				printf(" %s %lld", d->name, (long long)n);
		}
		putchar('\n');
	}
}

static void print_groups(const Orderd__V1__Order *o)
{
	char amount[48];

	for (size_t i = 0; i < o->n_groups; i++) {
		const Orderd__V1__ShipmentGroup *g = o->groups[i];

		print_money(amount, sizeof(amount), g->amount);
		printf("  group %d from %.*s: %s %s", g->group, (int)g->location.len,
		       g->location.data, amount,
		       enum_name(&orderd__v1__payment_state__descriptor, (int)g->payment_state,
				 "PAYMENT_STATE_"));
		if (g->decline_code.len > 0)
			printf(" (%.*s)", (int)g->decline_code.len, g->decline_code.data);
		if (g->tracking_code.len > 0)
			printf(", %.*s %.*s %.*s %.*s", (int)g->carrier.len, g->carrier.data,
			       (int)g->service.len, g->service.data, (int)g->tracking_code.len,
			       g->tracking_code.data, (int)g->tracking_state.len,
			       g->tracking_state.data);
		if (g->exception.len > 0)
			printf(" (%.*s)", (int)g->exception.len, g->exception.data);
		putchar('\n');
	}
}

static void print_holds(const Orderd__V1__Order *o)
{
	char when[40];

	for (size_t i = 0; i < o->n_holds; i++) {
		const Orderd__V1__Hold *h = o->holds[i];

		print_time(when, sizeof(when), h->open_time);
		printf("  held since %s: %.*s", when, (int)h->reason.len, h->reason.data);
		if (h->group != 0)
			printf(" of group %d", h->group);
		printf(", %.*s\n", (int)h->detail.len, h->detail.data);
	}
}

void print_order(const Orderd__V1__Order *o)
{
	char total[48], when[40];

	print_money(total, sizeof(total), o->total);
	print_time(when, sizeof(when), o->create_time);
	printf("order %lld  %.*s  %s / %s / %s\n", (long long)o->order_number, (int)o->order_id.len,
	       o->order_id.data, state_name((int)o->state),
	       enum_name(&orderd__v1__payment_state__descriptor, (int)o->payment_state,
			 "PAYMENT_STATE_"),
	       enum_name(&orderd__v1__fulfillment_state__descriptor, (int)o->fulfillment_state,
			 "FULFILLMENT_STATE_"));
	printf("  placed %s by %.*s through %.*s, total %s\n", when, (int)o->customer.len,
	       o->customer.data, (int)o->channel.len, o->channel.data, total);
	print_lines(o);
	print_groups(o);
	print_holds(o);
}

static void print_fulfillment_order(const Orderd__V1__FulfillmentOrder *f)
{
	printf("%.*s  %-9s %.*s  order %lld group %d", (int)f->fulfillment_order_id.len,
	       f->fulfillment_order_id.data,
	       enum_name(&orderd__v1__fulfillment_order_state__descriptor, (int)f->state,
			 "FULFILLMENT_ORDER_STATE_"),
	       (int)f->location.len, f->location.data, (long long)f->order_number, f->group);
	for (size_t i = 0; i < f->n_holds; i++)
		printf(" held:%.*s", (int)f->holds[i].len, f->holds[i].data);
	putchar('\n');
	for (size_t i = 0; i < f->n_lines; i++) {
		const Orderd__V1__FulfillmentLine *l = f->lines[i];

		printf("  %3d  %-16.*s %6lld  %.*s\n", l->line, (int)l->sku.len, l->sku.data,
		       (long long)l->quantity, (int)l->title.len, l->title.data);
	}
}

void print_fulfillment_orders(Orderd__V1__FulfillmentOrder *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_fulfillment_order(list[i]);
}

void print_events(Orderd__V1__OrderEvent *const *events, size_t n)
{
	char when[40];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__OrderEvent *e = events[i];

		print_time(when, sizeof(when), e->event_time);
		printf("  %3lld  %s  %-18.*s %-11s", (long long)e->sequence, when, (int)e->kind.len,
		       e->kind.data, state_name((int)e->to_state));
		if (e->group != 0)
			printf(" group %d", e->group);
		if (e->detail.len > 0)
			printf(" %.*s", (int)e->detail.len, e->detail.data);
		putchar('\n');
	}
}

void print_orders(Orderd__V1__Order *const *orders, size_t n)
{
	struct table *t = table_new("NUMBER> ID STATE PAYMENT FULFILLMENT TOTAL> PLACED");
	char total[48], when[40];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Order *o = orders[i];

		print_money(total, sizeof(total), o->total);
		print_time(when, sizeof(when), o->create_time);
		table_cell(t, "%lld", (long long)o->order_number);
		table_cell(t, "%.*s", (int)o->order_id.len, o->order_id.data);
		table_cell(t, "%s", state_name((int)o->state));
		table_cell(t, "%s",
			   enum_name(&orderd__v1__payment_state__descriptor, (int)o->payment_state,
				     "PAYMENT_STATE_"));
		table_cell(t, "%s",
			   enum_name(&orderd__v1__fulfillment_state__descriptor,
				     (int)o->fulfillment_state, "FULFILLMENT_STATE_"));
		table_cell(t, "%s", total);
		table_cell(t, "%s", when);
	}
	table_print(t);
}

static void print_rates(const Orderd__V1__Shipment *s)
{
	char price[48];

	for (size_t i = 0; i < s->n_rates; i++) {
		const Orderd__V1__ShippingRate *r = s->rates[i];

		print_money(price, sizeof(price), r->price);
		printf("  %s %.*s %.*s  %s", r->chosen ? "bought " : "offered", (int)r->carrier.len,
		       r->carrier.data, (int)r->service.len, r->service.data, price);
		if (r->delivery_days >= 0)
			printf("  %d days", r->delivery_days);
		putchar('\n');
	}
}

static void print_labels(const Orderd__V1__Shipment *s)
{
	char price[48], when[40];

	for (size_t i = 0; i < s->n_labels; i++) {
		const Orderd__V1__ShippingLabel *l = s->labels[i];

		print_money(price, sizeof(price), l->price);
		print_time(when, sizeof(when), l->bought_time);
		printf("  label %.*s  %.*s %.*s  %s  bought %s", (int)l->tracking_code.len,
		       l->tracking_code.data, (int)l->carrier.len, l->carrier.data,
		       (int)l->service.len, l->service.data, price, when);
		if (l->voided_time != NULL) {
			print_time(when, sizeof(when), l->voided_time);
			printf("  voided %s", when);
		}
		putchar('\n');
	}
}

void print_shipment(const Orderd__V1__Shipment *s)
{
	char when[40];

	printf("shipment %.*s  %.*s  order %lld group %d from %.*s\n", (int)s->shipment_id.len,
	       s->shipment_id.data, (int)s->state.len, s->state.data, (long long)s->order_number,
	       s->group, (int)s->location.len, s->location.data);
	if (s->sscc.len > 0)
		printf("  SSCC %.*s\n", (int)s->sscc.len, s->sscc.data);
	if (s->tracking_state.len > 0 || s->exception.len > 0)
		printf("  %s leg: %.*s%s%.*s\n", s->leg == 2 ? "second" : "first",
		       (int)s->tracking_state.len, s->tracking_state.data,
		       s->exception.len > 0 ? ", wrong: " : "", (int)s->exception.len,
		       s->exception.data);
	if (s->tracking_url.len > 0)
		printf("  %.*s\n", (int)s->tracking_url.len, s->tracking_url.data);
	print_rates(s);
	print_labels(s);
	for (size_t i = 0; i < s->n_scans; i++) {
		const Orderd__V1__TrackingScan *e = s->scans[i];

		print_time(when, sizeof(when), e->event_time);
		printf("  %s  %-20.*s %-22.*s %-8.*s %.*s %.*s\n", when, (int)e->status.len,
		       e->status.data, (int)e->detail.len, e->detail.data, (int)e->source.len,
		       e->source.data, (int)e->city.len, e->city.data, (int)e->message.len,
		       e->message.data);
	}
}

/* ---------------------------------------------------------------- errors */

/* gRPC statuses after which a write may have happened (grpc/status.h). */
static bool outcome_is_unknown(int status)
{
	return status == 4 || status == 14 || status == 1 || status == 2;
}

static json_t *json_of_error(const struct orderd_error *e)
{
	json_t *list = json_array(), *facts = json_object();

	for (size_t i = 0; i < e->n_violations; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "field", e->violations[i].field,
						      "why", e->violations[i].why));
	for (size_t i = 0; i < e->n_facts; i++)
		json_object_set_new(facts, e->facts[i].key, json_string(e->facts[i].value));
	return json_pack("{s:{s:i, s:s, s:s, s:o, s:o}}", "error", "status", e->status, "reason",
			 e->reason, "message", e->message, "violations", list, "facts", facts);
}

int print_error(const struct args *a, const struct orderd_error *e)
{
	bool unknown = outcome_is_unknown(e->status);

	if (a->json) {
		json_t *o = json_of_error(e);

		if (a->request_id != NULL)
			json_object_set_new(json_object_get(o, "error"), "request_id",
					    json_string(a->request_id));
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		fprintf(stderr, "orderctl: %s: %s\n", e->reason[0] != '\0' ? e->reason : "failed",
			e->message);
		for (size_t i = 0; i < e->n_violations; i++)
			fprintf(stderr, "  %s: %s\n", e->violations[i].field, e->violations[i].why);
		for (size_t i = 0; i < e->n_facts; i++)
			fprintf(stderr, "  %s = %s\n", e->facts[i].key, e->facts[i].value);
		if (unknown && a->request_id != NULL)
			fprintf(stderr, "  it may have happened: repeat it with --%s %s\n",
				a->request_option, a->request_id);
	}
	return unknown ? EXIT_UNKNOWN : EXIT_REFUSED;
}

void print_payments(Orderd__V1__Payment *const *payments, size_t n)
{
	char amount[48], until[40];

	printf("%-36s %5s %-15s %16s  %s\n", "ORDER", "GROUP", "STATE", "AMOUNT", "METHOD");
	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Payment *p = payments[i];

		print_money(amount, sizeof(amount), p->amount);
		printf("%.*s %5d %-15s %16s  %.*s", (int)p->order_id.len, p->order_id.data,
		       p->group,
		       enum_name(&orderd__v1__payment_state__descriptor, (int)p->state,
				 "PAYMENT_STATE_"),
		       amount, (int)p->method.len, p->method.data);
		if (p->decline_code.len > 0)
			printf(" declined: %.*s", (int)p->decline_code.len, p->decline_code.data);
		if (p->action_url.len > 0)
			printf(" confirm at %.*s", (int)p->action_url.len, p->action_url.data);
		if (p->authorized_until != NULL) {
			print_time(until, sizeof(until), p->authorized_until);
			printf(" held until %s", until);
		}
		putchar('\n');
	}
}
