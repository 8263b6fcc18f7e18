/*
 * Messages as JSON and back: the JSON mapping of protobuf, with the contract's own field names.
 * By the descriptors, so it knows every message there is.
 */
#ifndef ORDERCTL_JSON_H
#define ORDERCTL_JSON_H

#include <jansson.h>

#include "orderd/client.h"

json_t *json_of(const ProtobufCMessage *m);
void print_json(const ProtobufCMessage *m); /* one line */
void print_json_value(json_t *o);           /* takes o */

/*
 * Read a message.  Field names in either spelling of the mapping (ship_to, shipTo), numbers as
 * numbers or strings, enums by name or number, times as RFC 3339; null is "not given".  A field the
 * message does not have is refused, with the nearest that it has.
 *
 * The caller frees what is answered by protobuf_c_message_free_unpacked(m, NULL).  NULL: *reterr
 * says which field and why, with the status INVALID_ARGUMENT and the reason INVALID_JSON.
 */
ProtobufCMessage *json_read(const ProtobufCMessageDescriptor *d, const char *text, size_t n,
			    struct orderd_error *reterr);

/* Bytes of one of a repeated field's elements. */
size_t json_element_size(const ProtobufCFieldDescriptor *f);

#endif
