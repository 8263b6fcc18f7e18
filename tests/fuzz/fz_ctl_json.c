/*
 * Whatever bytes are read as a message: it is refused with a field and a reason, or what was read
 * is a message that packs, and that written as JSON and read again is the same.
 */
#include <string.h>

#include "clients/orderctl/json.h"
#include "tests/fuzz/fuzz.h"

static const ProtobufCMessageDescriptor *const kinds[] = {
	&orderd__v1__place_order_request__descriptor,
	&orderd__v1__get_order_response__descriptor,
	&orderd__v1__watch_order_response__descriptor,
	&orderd__v1__list_payments_response__descriptor,
	&orderd__v1__get_shipment_response__descriptor,
	&orderd__v1__list_orders_request__descriptor,
};

static uint8_t *packed(const ProtobufCMessage *m, size_t *n)
{
	uint8_t *p;

	*n = protobuf_c_message_get_packed_size(m);
	p = malloc(*n + 1);
	MUST(p != NULL);
	MUST(protobuf_c_message_pack(m, p) == *n);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const ProtobufCMessageDescriptor *d =
		kinds[take_u8(&in) % (sizeof(kinds) / sizeof(kinds[0]))];
	struct orderd_error e;
	ProtobufCMessage *m = json_read(d, (const char *)in.p, in.n, &e), *again;
	uint8_t *one, *two;
	size_t n, n_again;
	json_t *o;
	char *z;

	if (m == NULL) {
		MUST(e.message[0] != '\0' && strlen(e.message) < sizeof(e.message));
		MUST(e.n_violations <= 1);
		MUST(e.n_violations == 0 || e.violations[0].field[0] != '\0');
		return 0;
	}
	one = packed(m, &n);
	o = json_of(m);
	z = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	MUST(z != NULL);
	again = json_read(d, z, strlen(z), &e);
	MUST(again != NULL);
	two = packed(again, &n_again);
	MUST(n == n_again && memcmp(one, two, n) == 0);
	free(z);
	free(one);
	free(two);
	protobuf_c_message_free_unpacked(m, NULL);
	protobuf_c_message_free_unpacked(again, NULL);
	return 0;
}
