/*
 * Checks that hold for every message, made from its descriptor: text is valid UTF-8
 * without control characters (str_is_text) and at most TEXT_BYTES_MAX long, an enum is
 * one of its values.  What fails becomes a violation with the field's path, as in
 * "lines[3].sku".  What a field may hold beyond that is its RPC's business.
 */
#ifndef ORDERD_SERVER_VALIDATE_H
#define ORDERD_SERVER_VALIDATE_H

#include <protobuf-c/protobuf-c.h>

#include "core/flow/flow.h"

enum {
	TEXT_BYTES_MAX = 1024,
	/* protobuf-c recurses as deep as the schema does; recursive requests are not served */
	MESSAGE_DEPTH_MAX = 16,
};

struct descriptors;
struct validator; /* owns the shapes */
struct shape;     /* a message type: which of its fields need a look */

struct validator *validator_new(const struct descriptors *d);
void validator_free(struct validator *v);
const struct shape *validator_shape(struct validator *v, const ProtobufCMessageDescriptor *type);

/* Adds rpc_violation()s to the call of `fl`. */
void validate(struct flow *fl, const struct shape *shape, const ProtobufCMessage *m);

#endif
