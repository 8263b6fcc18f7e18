/*
 * A request of any bytes is decoded within the memory a call may use, or refused.  One
 * that passes validation holds only text we would store, in the shape it will be stored
 * in: packed and decoded again it has the same fingerprint.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"
#include "orderd/v1/fulfillment_service.pb-c.h"
#include "orderd/v1/inventory_service.pb-c.h"
#include "orderd/v1/key_service.pb-c.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "orderd/v1/order_service.pb-c.h"
#include "orderd/v1/payment_service.pb-c.h"
#include "orderd/v1/shipping_service.pb-c.h"
#include "server/request.h"
#include "server/runtime/descriptors.h"
#include "server/runtime/rpc.h"
#include "server/runtime/validate.h"
#include "tests/fuzz/fuzz.h"

extern const unsigned char api_descriptor_set[];
extern const size_t api_descriptor_set_size;

static const ProtobufCMessageDescriptor *const requests[] = {
	&orderd__v1__place_order_request__descriptor,
	&orderd__v1__get_order_request__descriptor,
	&orderd__v1__get_order_status_request__descriptor,
	&orderd__v1__list_orders_request__descriptor,
	&orderd__v1__cancel_order_request__descriptor,
	&orderd__v1__upsert_items_request__descriptor,
	&orderd__v1__create_location_request__descriptor,
	&orderd__v1__receive_stock_request__descriptor,
	&orderd__v1__adjust_stock_request__descriptor,
	&orderd__v1__get_availability_request__descriptor,
	&grpc__health__v1__health_check_request__descriptor,
	&orderd__v1__get_label_request__descriptor,
	&orderd__v1__watch_order_request__descriptor,
	&orderd__v1__batch_get_orders_request__descriptor,
	&orderd__v1__list_stock_movements_request__descriptor,
	&orderd__v1__get_payment_request__descriptor,
	&orderd__v1__list_payments_request__descriptor,
	&orderd__v1__retry_payment_request__descriptor,
	&orderd__v1__get_shipment_request__descriptor,
	&orderd__v1__void_label_request__descriptor,
	&orderd__v1__confirm_handover_request__descriptor,
	&orderd__v1__record_tracking_event_request__descriptor,
	&orderd__v1__list_fulfillment_orders_request__descriptor,
	&orderd__v1__confirm_pick_request__descriptor,
	&orderd__v1__confirm_pack_request__descriptor,
	&orderd__v1__list_jobs_request__descriptor,
	&orderd__v1__get_job_request__descriptor,
	&orderd__v1__retry_jobs_request__descriptor,
	&orderd__v1__cancel_job_request__descriptor,
	&orderd__v1__list_queues_request__descriptor,
	&orderd__v1__pause_queue_request__descriptor,
	&orderd__v1__resume_queue_request__descriptor,
	&orderd__v1__list_stuck_orders_request__descriptor,
	&orderd__v1__list_call_records_request__descriptor,
	&orderd__v1__inspect_request__descriptor,
	&orderd__v1__create_key_request__descriptor,
	&orderd__v1__list_keys_request__descriptor,
	&orderd__v1__revoke_key_request__descriptor,
	&orderd__v1__watch_orders_request__descriptor,
	&orderd__v1__verify_call_records_request__descriptor,
};

enum { REQUESTS = sizeof(requests) / sizeof(requests[0]) };

static const struct shape *shapes[REQUESTS];
static unsigned violations;

/* ---- in place of server/runtime/rpc.c: violations are counted, their paths written ---- */

void rpc_vviolation(struct flow *fl, const char *why, const char *field_fmt, va_list ap)
{
	char path[512];

	(void)fl;
	MUST(why[0] != '\0');
	MUST(vsnprintf(path, sizeof(path), field_fmt, ap) > 0);
	violations++;
}

void rpc_order(struct flow *fl, struct id order)
{
	(void)fl, (void)order;
}

const struct identity *rpc_identity(struct flow *fl)
{
	static const struct identity nobody;

	(void)fl;
	return &nobody;
}

void rpc_violation(struct flow *fl, const char *why, const char *field_fmt, ...)
{
	va_list ap;

	va_start(ap, field_fmt);
	rpc_vviolation(fl, why, field_fmt, ap);
	va_end(ap);
}

/* ---- the contract ---- */

static bool is_known(const char *name)
{
	for (size_t i = 0; i < REQUESTS; i++)
		if (strcmp(requests[i]->name, name) == 0)
			return true;
	return strncmp(name, "grpc.reflection.", 16) == 0; /* a stream; read by its own code */
}

static void read_contract(void)
{
	static struct descriptors *d;
	static struct validator *v;
	struct descriptors_method m;

	if (d != NULL)
		return;
	d = descriptors_new(api_descriptor_set, api_descriptor_set_size);
	v = validator_new(d);
	for (size_t i = 0; i < REQUESTS; i++)
		shapes[i] = validator_shape(v, requests[i]);
	for (size_t i = 0; descriptors_method(d, i, &m); i++)
		MUST(is_known(m.request));
}

/* ---- decoding, as server/runtime/rpc_call.c does it ---- */

struct decoding {
	struct arena *arena;
	bool full;
};

static void *decode_alloc(void *data, size_t size)
{
	struct decoding *d = data;
	void *p = arena_alloc(d->arena, size > 0 ? size : 1);

	d->full |= p == NULL;
	return p;
}

static void decode_free(void *data, void *p)
{
	(void)data, (void)p;
}

static ProtobufCMessage *decode(struct flow *fl, size_t which, struct str bytes, bool *ret_full)
{
	struct decoding d = {.arena = &fl->arena};
	ProtobufCAllocator alloc = {decode_alloc, decode_free, &d};
	ProtobufCMessage *m = protobuf_c_message_unpack(requests[which], &alloc, bytes.n,
							(const uint8_t *)bytes.p);

	*ret_full = d.full;
	return m;
}

static void fingerprint(struct flow *fl, ProtobufCMessage *m, uint8_t ret[DIGEST_BYTES])
{
	struct str s = request_fingerprint(fl, m);

	MUST(s.n == DIGEST_BYTES);
	memcpy(ret, s.p, DIGEST_BYTES);
}

static void same_again(struct flow *fl, size_t which, ProtobufCMessage *m)
{
	uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
	uint8_t *packed;
	struct str bytes;
	bool full;

	arena_init(&fl->arena, 64 << 20);
	fingerprint(fl, m, before);
	bytes.n = protobuf_c_message_get_packed_size(m);
	bytes.p = (char *)(packed = arena_alloc(&fl->arena, bytes.n + 1));
	MUST(protobuf_c_message_pack(m, packed) == bytes.n);
	m = decode(fl, which, bytes, &full);
	MUST(m != NULL);
	violations = 0;
	validate(fl, shapes[which], m);
	MUST(violations == 0);
	fingerprint(fl, m, after);
	MUST(memcmp(before, after, DIGEST_BYTES) == 0);
	arena_done(&fl->arena);
}

static void must_be_text(ProtobufCBinaryData b)
{
	MUST(b.len <= TEXT_BYTES_MAX && str_is_text(text_of(b)));
}

/* Of a request that was validated. */
static void texts_are_text(const Orderd__V1__PlaceOrderRequest *rq)
{
	must_be_text(rq->request_id);
	must_be_text(rq->customer);
	must_be_text(rq->payment_method);
	for (size_t i = 0; i < rq->n_lines; i++)
		must_be_text(rq->lines[i]->sku);
	if (rq->ship_to != NULL)
		must_be_text(rq->ship_to->street);
}

/* What PlaceOrder reads of a request with helpers that others share. */
static void read_fields(struct flow *fl, const Orderd__V1__PlaceOrderRequest *rq)
{
	struct money total;
	struct address to;

	violations = 0;
	to = want_address(fl, rq->ship_to, "ship_to");
	MUST(violations > 0 || (to.country.n == 2 && to.name.n > 0));
	violations = 0;
	total = want_money(fl, rq->expected_total, "expected_total");
	MUST(violations > 0 || (total.minor >= 0 && total.currency[3] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	size_t which = take_u8(&in) % REQUESTS;
	struct flow fl = {0}, again = {0};
	ProtobufCMessage *m;
	bool full;

	read_contract();
	arena_init(&fl.arena, (1 << 16) + RPC_LARGE_FACTOR * in.n);
	m = decode(&fl, which, (struct str){(const char *)in.p, in.n}, &full);
	MUST(!full); /* the factor covers the worst message */
	if (m != NULL) {
		violations = 0;
		validate(&fl, shapes[which], m);
		if (violations == 0 && which == 0)
			texts_are_text((const Orderd__V1__PlaceOrderRequest *)m);
		if (violations == 0)
			same_again(&again, which, m);
		if (which == 0)
			read_fields(&fl, (const Orderd__V1__PlaceOrderRequest *)m);
	}
	arena_done(&fl.arena);
	return 0;
}
