#include "server/message_walk.h"

#include <stdbool.h>

static void *member_of(ProtobufCMessage *m, unsigned offset)
{
	return (char *)m + offset;
}

static bool is_another_case(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	return (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
	       *(uint32_t *)member_of(m, f->quantifier_offset) != f->id;
}

static void walk_field(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
		       void (*visit)(ProtobufCMessage *m))
{
	void *value = member_of(m, f->offset);

	if (f->type != PROTOBUF_C_TYPE_MESSAGE || is_another_case(m, f))
		return;
	if (f->label != PROTOBUF_C_LABEL_REPEATED) {
		if (*(ProtobufCMessage **)value != NULL)
			message_walk(*(ProtobufCMessage **)value, visit);
		return;
	}
	for (size_t i = 0; i < *(size_t *)member_of(m, f->quantifier_offset); i++)
		message_walk((*(ProtobufCMessage ***)value)[i], visit);
}

void message_walk(ProtobufCMessage *m, void (*visit)(ProtobufCMessage *m))
{
	visit(m);
	for (unsigned i = 0; i < m->descriptor->n_fields; i++)
		walk_field(m, &m->descriptor->fields[i], visit);
}
