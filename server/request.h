/*
 * What the RPCs share when they read a request: required texts, ids, money, addresses,
 * and the fingerprint that tells one body from another.  Every check that fails adds a
 * violation naming the field; the caller asks rpc_has_violations() once, at the end.
 */
#ifndef ORDERD_SERVER_REQUEST_H
#define ORDERD_SERVER_REQUEST_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "core/base/id.h"
#include "core/base/seal.h"
#include "core/base/str.h"
#include "core/domain/address.h"
#include "core/domain/money.h"
#include "core/flow/flow.h"
#include "orderd/v1/fulfillment_service.pb-c.h"
#include "orderd/v1/inventory_service.pb-c.h"
#include "orderd/v1/order_service.pb-c.h"

/* Numbers in request.method; never reused for another method. */
enum request_method {
	REQUEST_PLACE_ORDER = 1,
	REQUEST_CANCEL_ORDER,
	REQUEST_RECEIVE_STOCK,
	REQUEST_ADJUST_STOCK,
	REQUEST_CONFIRM_PICK = 5,
	REQUEST_CONFIRM_PACK = 6,
	REQUEST_RETRY_PAYMENT = 7,
	REQUEST_CONFIRM_HANDOVER = 8,
	REQUEST_VOID_LABEL = 9,
	REQUEST_TRACKING_EVENT = 10,
	REQUEST_RETRY_JOBS = 11,
	REQUEST_CANCEL_JOB = 12,
	REQUEST_PAUSE_QUEUE = 13,
	REQUEST_RESUME_QUEUE = 14
};

enum {
	REQUEST_ID_MAX = 128,   /* bytes */
	REQUEST_NAME_MAX = 200, /* names, streets, titles, reasons */
	REQUEST_KEY_MAX = 128,  /* the callers' own ids */
	REQUEST_SKU_MAX = 64,
	REQUEST_CODE_MAX = 32, /* location codes, postal codes, channels */
	REQUEST_QTY_MAX = 1000000000,
	REQUEST_FALLBACKS_MAX = 4,
};

static inline struct str text_of(ProtobufCBinaryData b)
{
	return (struct str){(const char *)b.data, b.len};
}

static inline ProtobufCBinaryData data_of(struct str s)
{
	return (ProtobufCBinaryData){s.n, (uint8_t *)(uintptr_t)s.p};
}

/* The last arguments name the field: "lines[%u].sku", i; unformatted while all is well. */
#define FIELD_PATH(at) __attribute__((format(printf, (at), (at) + 1)))
struct str want_text(struct flow *fl, ProtobufCBinaryData value, size_t most, const char *field,
		     ...) FIELD_PATH(4);
struct str may_text(struct flow *fl, ProtobufCBinaryData value, size_t most, const char *field, ...)
	FIELD_PATH(4);
struct id want_id(struct flow *fl, ProtobufCBinaryData value, const char *field, ...) FIELD_PATH(3);

/*
 * A request_id as it is kept.  Those of a caller bound to a customer are apart from all others, so
 * that nobody's id is taken by, or tells of, somebody else's order.
 */
struct str want_request_id(struct flow *fl, ProtobufCBinaryData value);

/* The customer a request is for.  A caller bound to one names that one or none, and gets it. */
struct str may_customer(struct flow *fl, ProtobufCBinaryData value);

struct id want_order(struct flow *fl, ProtobufCBinaryData order_id); /* what the call is about */
int64_t want_range(struct flow *fl, int64_t value, int64_t least, int64_t most, const char *field,
		   ...) FIELD_PATH(5);

/* Both are required; NULL is a violation. */
struct money want_money(struct flow *fl, const Orderd__V1__Money *m, const char *field, ...)
	FIELD_PATH(3);
struct address want_address(struct flow *fl, const Orderd__V1__Address *a, const char *field);

/* Tokens of payment methods to fall back on, joined by newlines; at most
 * REQUEST_FALLBACKS_MAX. */
struct str may_methods(struct flow *fl, const ProtobufCBinaryData *tokens, size_t n,
		       const char *field);

/* `p` may be NULL; says whether there is one. */
bool want_position(struct flow *fl, const Orderd__V1__Position *p, const char *field);

/* SHA-256 of the request without its request_id: `body` is a copy whose request_id was cleared. */
struct str request_fingerprint(struct flow *fl, ProtobufCMessage *body);

#endif
