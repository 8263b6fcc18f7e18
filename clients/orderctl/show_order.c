/*
 * Orders for people.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "show.h"
#include "terminal.h"
#include "text.h"

enum { WHERE_ROOM = 256, WORD_ROOM = 64 };

void table_word(struct table *t, const ProtobufCBinaryData *state)
{
	char word[WORD_ROOM];

	snprintf(word, sizeof(word), "%.*s", BYTES(*state));
	table_state(t, word);
}

void field_word(struct table *t, const char *name, const ProtobufCBinaryData *state)
{
	char word[WORD_ROOM];

	snprintf(word, sizeof(word), "%.*s", BYTES(*state));
	field_state(t, name, word);
}

/* "reserved 2, shipped 1": the buckets that are not empty. */
static void show_buckets(const Orderd__V1__LineQuantities *q, char *to, size_t room)
{
	size_t n = 0;

	to[0] = '\0';
	for (unsigned f = 1; q != NULL && f < q->base.descriptor->n_fields && n < room; f++) {
		const ProtobufCFieldDescriptor *d = &q->base.descriptor->fields[f];
		int64_t units = *(const int64_t *)(const void *)((const uint8_t *)q + d->offset);

		if (units != 0)
			n += (size_t)snprintf(to + n, room - n, "%s%s %lld", n > 0 ? ", " : "",
					      d->name, (long long)units);
	}
}

static void show_lines(const Orderd__V1__Order *o)
{
	struct table *t = table_new("LINE> SKU TITLE QUANTITY> PRICE> WHERE");
	char price[MONEY_ROOM], where[WHERE_ROOM];

	for (size_t i = 0; i < o->n_lines; i++) {
		const Orderd__V1__OrderLine *l = o->lines[i];

		print_money(price, sizeof(price), l->unit_price);
		show_buckets(l->quantities, where, sizeof(where));
		table_cell(t, "%d", l->line);
		table_cell(t, "%.*s", BYTES(l->sku));
		table_cell(t, "%.*s", BYTES(l->title));
		table_cell(t, "%lld", (long long)(l->quantities ? l->quantities->ordered : 0));
		table_cell(t, "%s", price);
		table_cell(t, "%s", where);
	}
	table_print(t);
}

/* Why a group's money or parcel does not go on. */
static void show_note(struct table *t, const Orderd__V1__ShipmentGroup *g)
{
	if (g->decline_code.len > 0)
		table_cell(t, "declined: %.*s", BYTES(g->decline_code));
	else
		table_cell(t, "%.*s", BYTES(g->exception));
}

static void show_groups(const Orderd__V1__Order *o)
{
	struct table *t = table_new("GROUP> LOCATION AMOUNT> PAYMENT PARCEL CARRIER TRACKING NOTE");
	char amount[MONEY_ROOM];

	for (size_t i = 0; i < o->n_groups; i++) {
		const Orderd__V1__ShipmentGroup *g = o->groups[i];

		print_money(amount, sizeof(amount), g->amount);
		table_cell(t, "%d", g->group);
		table_cell(t, "%.*s", BYTES(g->location));
		table_cell(t, "%s", amount);
		table_state(t, payment_state((int)g->payment_state));
		table_word(t, &g->shipment_state);
		table_cell(t, "%.*s", BYTES(g->carrier));
		table_cell(t, "%.*s", BYTES(g->tracking_code));
		show_note(t, g);
	}
	table_print(t);
}

static void show_holds(const Orderd__V1__Order *o)
{
	struct table *t = table_new("HELD_FOR GROUP> SINCE DETAIL");
	char when[TIME_ROOM];

	for (size_t i = 0; i < o->n_holds; i++) {
		const Orderd__V1__Hold *h = o->holds[i];

		print_time(when, sizeof(when), h->open_time);
		table_cell(t, "%.*s", BYTES(h->reason));
		if (h->group != 0)
			table_cell(t, "%d", h->group);
		else
			table_cell(t, "-");
		table_cell(t, "%s", when);
		table_cell(t, "%.*s", BYTES(h->detail));
	}
	table_print(t);
}

static void show_address(struct table *t, const Orderd__V1__Address *a)
{
	if (a == NULL)
		return;
	field(t, "Ship to", "%.*s, %.*s, %.*s %.*s%s%.*s, %.*s", BYTES(a->name), BYTES(a->street),
	      BYTES(a->postal_code), BYTES(a->city), a->region.len > 0 ? ", " : "",
	      BYTES(a->region), BYTES(a->country_code));
	field(t, "Mail", "%.*s", BYTES(a->email));
	field(t, "Phone", "%.*s", BYTES(a->phone));
}

static void show_fields(const Orderd__V1__Order *o)
{
	struct table *t = fields_new();
	char total[MONEY_ROOM], when[TIME_ROOM];

	field(t, "Order", "%.*s", BYTES(o->order_id));
	if (o->order_number != 0) /* what was only validated has none */
		field(t, "Number", "%lld", (long long)o->order_number);
	field_state(t, "State", order_state((int)o->state));
	field_state(t, "Payment", payment_state((int)o->payment_state));
	field_state(t, "Fulfillment", fulfillment_state((int)o->fulfillment_state));
	print_money(total, sizeof(total), o->total);
	field(t, "Total", "%s", total);
	field(t, "Customer", "%.*s", BYTES(o->customer));
	field(t, "Channel", "%.*s", BYTES(o->channel));
	field(t, "Reference", "%.*s", BYTES(o->reference));
	print_time(when, sizeof(when), o->create_time);
	if (o->create_time != NULL)
		field(t, "Placed", "%s", when);
	if (o->state == ORDERD__V1__ORDER_STATE__ORDER_STATE_PENDING && o->expire_time != NULL) {
		print_time(when, sizeof(when), o->expire_time);
		field(t, "Expires", "%s", when);
	}
	field(t, "Version", "%.*s", BYTES(o->etag));
	show_address(t, o->ship_to);
	table_print(t);
}

void print_order(const Orderd__V1__Order *o)
{
	if (o == NULL)
		return;
	show_fields(o);
	if (o->n_lines > 0) {
		putchar('\n');
		show_lines(o);
	}
	if (o->n_groups > 0) {
		putchar('\n');
		show_groups(o);
	}
	if (o->n_holds > 0) {
		putchar('\n');
		show_holds(o);
	}
}

struct table *orders_table(void)
{
	return table_new("NUMBER> ID STATE PAYMENT FULFILLMENT TOTAL> PLACED");
}

void orders_rows(struct table *t, Orderd__V1__Order *const *orders, size_t n)
{
	char total[MONEY_ROOM], when[TIME_ROOM];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__Order *o = orders[i];

		print_money(total, sizeof(total), o->total);
		print_time(when, sizeof(when), o->create_time);
		table_cell(t, "%lld", (long long)o->order_number);
		table_cell(t, "%.*s", BYTES(o->order_id));
		table_state(t, order_state((int)o->state));
		table_state(t, payment_state((int)o->payment_state));
		table_state(t, fulfillment_state((int)o->fulfillment_state));
		table_cell(t, "%s", total);
		table_cell(t, "%s", when);
	}
	table_page(t);
}

void print_status(const Orderd__V1__GetOrderStatusResponse *rs)
{
	const char *const states[] = {order_state((int)rs->state),
				      payment_state((int)rs->payment_state),
				      fulfillment_state((int)rs->fulfillment_state)};

	printf("%lld", (long long)rs->order_number);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		printf(" %s%s%s", color_on(state_color(states[i])), states[i],
		       color_off(state_color(states[i])));
	putchar('\n');
}

/*
 * One line per event, of fixed widths: an event that comes later stands under those that came
 * before.
 */
static void print_event(const Orderd__V1__OrderEvent *e)
{
	const char *state = order_state((int)e->to_state);
	char when[TIME_ROOM], kind[64], detail[512], group[16] = "";

	print_time(when, sizeof(when), e->event_time);
	snprintf(kind, sizeof(kind), "%.*s", BYTES(e->kind));
	snprintf(detail, sizeof(detail), "%.*s", BYTES(e->detail));
	text_clean(kind);
	text_clean(detail);
	if (e->group != 0)
		snprintf(group, sizeof(group), "  group %d", e->group);
	printf("%4lld  %s  %-23s  %s%s%s%*s%s%s%s\n", (long long)e->sequence, when, kind,
	       color_on(state_color(state)), state, color_off(state_color(state)),
	       group[0] != '\0' || detail[0] != '\0' ? 10 - (int)strlen(state) : 0, "", group,
	       detail[0] != '\0' ? "  " : "", detail);
}

void print_events(Orderd__V1__OrderEvent *const *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_event(events[i]);
}
