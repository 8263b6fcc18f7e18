#include "server/orders/customer_view.h"

#include "orderd/v1/order_service.pb-c.h"
#include "orderd/v1/payment_service.pb-c.h"
#include "orderd/v1/shipping_service.pb-c.h"
#include "server/message_walk.h"
#include "server/orders/customer_table.h"
#include "server/request.h"

enum told { OTHER, NOTHING, DETAIL, CODE };

struct word {
	const char *text;
	enum told detail;
};

#define X(text, detail) {text, detail},
static const struct word events[] = {CUSTOMER_EVENT_TABLE(X)};
static const struct word holds[] = {CUSTOMER_HOLD_TABLE(X)};
#undef X
#define X(text) {text, DETAIL},
static const struct word codes[] = {CUSTOMER_CODE_TABLE(X)};
#undef X

#define TOLD_OF(table, word) told_of(table, sizeof(table) / sizeof((table)[0]), word)

static enum told told_of(const struct word *table, size_t n, ProtobufCBinaryData word)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(text_of(word), str_of(table[i].text)))
			return table[i].detail;
	return OTHER;
}

static void cut_code(ProtobufCBinaryData *code)
{
	if (code->len > 0 && TOLD_OF(codes, *code) == OTHER)
		*code = data_of(STR(CUSTOMER_CODE_OTHER));
}

static void cut_detail(ProtobufCBinaryData *detail, enum told told)
{
	if (told == CODE)
		cut_code(detail);
	else if (told != DETAIL)
		*detail = (ProtobufCBinaryData){0, NULL};
}

/* ---- the messages that have something of the kind ---- */

static void cut_event(void *m)
{
	Orderd__V1__OrderEvent *e = m;
	enum told told = TOLD_OF(events, e->kind);

	e->actor = (ProtobufCBinaryData){0, NULL};
	cut_detail(&e->detail, told);
	if (told == OTHER)
		e->kind = data_of(STR(CUSTOMER_EVENT_OTHER));
}

static void cut_holds(void *m)
{
	Orderd__V1__Order *o = m;
	size_t n = 0;

	for (size_t i = 0; i < o->n_holds; i++) {
		Orderd__V1__Hold *h = o->holds[i];
		enum told told = TOLD_OF(holds, h->reason);

		if (told == OTHER)
			continue;
		cut_detail(&h->detail, told);
		o->holds[n++] = h;
	}
	o->n_holds = n;
}

static void cut_group(void *m)
{
	cut_code(&((Orderd__V1__ShipmentGroup *)m)->decline_code);
}

static void cut_payment(void *m)
{
	cut_code(&((Orderd__V1__Payment *)m)->decline_code);
}

static void cut_attempt(void *m)
{
	cut_code(&((Orderd__V1__PaymentAttempt *)m)->decline_code);
}

static void cut_scan(void *m)
{
	((Orderd__V1__TrackingScan *)m)->source = (ProtobufCBinaryData){0, NULL};
}

static void cut_reasons(void *m)
{
	((Orderd__V1__PlaceOrderResponse *)m)->n_sourcing_reasons = 0;
}

static const struct {
	const ProtobufCMessageDescriptor *of;
	void (*cut)(void *m);
} cuts[] = {
	{&orderd__v1__order_event__descriptor, cut_event},
	{&orderd__v1__order__descriptor, cut_holds},
	{&orderd__v1__shipment_group__descriptor, cut_group},
	{&orderd__v1__payment__descriptor, cut_payment},
	{&orderd__v1__payment_attempt__descriptor, cut_attempt},
	{&orderd__v1__tracking_scan__descriptor, cut_scan},
	{&orderd__v1__place_order_response__descriptor, cut_reasons},
};

static void cut(ProtobufCMessage *m)
{
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		if (m->descriptor == cuts[i].of)
			cuts[i].cut(m);
}

void customer_view(ProtobufCMessage *m)
{
	message_walk(m, cut);
}
