/*
 * Messages as JSON: the JSON mapping of protobuf, with the contract's own field names.
 */
#include <inttypes.h>
#include <stdio.h>

#include "format.h"
#include "json.h"

static json_t *json_of_time(const Google__Protobuf__Timestamp *t)
{
	char whole[TIME_ROOM];

	print_time_to(whole, sizeof(whole), t, t->nanos % 1000 == 0 ? 6 : 9);
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

size_t json_element_size(const ProtobufCFieldDescriptor *f)
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

json_t *json_of(const ProtobufCMessage *m)
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
				json_array_append_new(
					list, json_of_value(f, items + k * json_element_size(f)));
			json_object_set_new(o, f->name, list);
		} else if (f->type != PROTOBUF_C_TYPE_MESSAGE || *(const void *const *)at != NULL) {
			json_object_set_new(o, f->name, json_of_value(f, at));
		}
	}
	return o;
}

void print_json_value(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

void print_json(const ProtobufCMessage *m)
{
	print_json_value(json_of(m));
}
