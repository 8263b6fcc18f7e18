#include "server/runtime/validate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"
#include "server/runtime/descriptors.h"
#include "server/runtime/rpc.h"

enum check { CHECK_NOTHING, CHECK_TEXT, CHECK_ENUM, CHECK_MESSAGE };

struct field_shape {
	enum check check;
	const struct shape *message; /* CHECK_MESSAGE */
};

struct shape {
	const ProtobufCMessageDescriptor *type;
	struct shape *next;
	struct field_shape fields[]; /* as in type->fields */
};

struct validator {
	const struct descriptors *descriptors;
	struct shape *shapes;
};

/* ---- shapes, at start ---- */

static const struct shape *shape_of(struct validator *v, const ProtobufCMessageDescriptor *type,
				    int depth);

static enum check check_of(struct validator *v, const ProtobufCMessageDescriptor *type,
			   const ProtobufCFieldDescriptor *f)
{
	switch ((int)f->type) {
	case PROTOBUF_C_TYPE_BYTES:
		return descriptors_is_text(v->descriptors, type->name, f->id) ? CHECK_TEXT
									      : CHECK_NOTHING;
	case PROTOBUF_C_TYPE_STRING:
		/* cmake/Proto.cmake makes them bytes: one that is not has lost its length */
		abort();
	case PROTOBUF_C_TYPE_ENUM:
		return CHECK_ENUM;
	case PROTOBUF_C_TYPE_MESSAGE:
		return CHECK_MESSAGE;
	default:
		return CHECK_NOTHING;
	}
}

static const struct shape *shape_of(struct validator *v, const ProtobufCMessageDescriptor *type,
				    int depth)
{
	struct shape *s;

	assert(depth < MESSAGE_DEPTH_MAX);
	for (s = v->shapes; s != NULL; s = s->next)
		if (s->type == type)
			return s;
	s = mem_alloc(sizeof(*s) + type->n_fields * sizeof(s->fields[0]));
	s->type = type;
	for (unsigned i = 0; i < type->n_fields; i++) {
		s->fields[i].check = check_of(v, type, &type->fields[i]);
		if (s->fields[i].check == CHECK_MESSAGE)
			s->fields[i].message = shape_of(v, type->fields[i].descriptor, depth + 1);
	}
	/* listed when complete, so that recursion runs into the assertion above */
	s->next = v->shapes;
	v->shapes = s;
	return s;
}

struct validator *validator_new(const struct descriptors *d)
{
	struct validator *v = mem_alloc(sizeof(*v));

	v->descriptors = d;
	return v;
}

const struct shape *validator_shape(struct validator *v, const ProtobufCMessageDescriptor *type)
{
	return shape_of(v, type, 0);
}

void validator_free(struct validator *v)
{
	while (v->shapes != NULL) {
		struct shape *s = v->shapes;

		v->shapes = s->next;
		free(s);
	}
	free(v);
}

/* ---- one message ---- */

/* Where we are, from the inside out; turned into text only when there is a violation to report. */
struct place {
	const struct place *outer;
	const char *field;
	size_t index;
	bool repeated;
};

static size_t path_of(const struct place *p, char *buf, size_t size)
{
	size_t n = p->outer != NULL ? path_of(p->outer, buf, size) : 0;
	const char *dot = p->outer != NULL ? "." : "";
	int w;

	if (n >= size)
		return n;
	if (p->repeated)
		w = snprintf(buf + n, size - n, "%s%s[%zu]", dot, p->field, p->index);
	else
		w = snprintf(buf + n, size - n, "%s%s", dot, p->field);
	return n + (size_t)w;
}

static void complain(struct flow *fl, const struct place *p, const char *why)
{
	char path[256];

	path_of(p, path, sizeof(path));
	rpc_violation(fl, why, "%s", path);
}

static void check_text(struct flow *fl, const struct place *p, const ProtobufCBinaryData *b)
{
	if (b->len > TEXT_BYTES_MAX)
		complain(fl, p, "it is longer than 1024 bytes");
	else if (b->len > 0 && !str_is_text((struct str){(const char *)b->data, b->len}))
		complain(fl, p, "it is not UTF-8 text, or holds a control character");
}

static void check_enum(struct flow *fl, const struct place *p, const ProtobufCFieldDescriptor *f,
		       int value)
{
	if (protobuf_c_enum_descriptor_get_value(f->descriptor, value) == NULL)
		complain(fl, p, "it is not a value of this enum");
}

static void walk(struct flow *fl, const struct shape *shape, const ProtobufCMessage *m,
		 const struct place *outer);

/* One value, whether it stands alone, in a list or in a oneof. */
static void check_value(struct flow *fl, const struct field_shape *fs,
			const ProtobufCFieldDescriptor *f, const struct place *p, const void *value)
{
	if (fs->check == CHECK_TEXT)
		check_text(fl, p, value);
	else if (fs->check == CHECK_ENUM)
		check_enum(fl, p, f, *(const int *)value);
	else if (*(ProtobufCMessage *const *)value != NULL)
		walk(fl, fs->message, *(ProtobufCMessage *const *)value, p);
}

static size_t value_size(enum check c)
{
	if (c == CHECK_TEXT)
		return sizeof(ProtobufCBinaryData);
	return c == CHECK_ENUM ? sizeof(int) : sizeof(void *);
}

static void walk(struct flow *fl, const struct shape *shape, const ProtobufCMessage *m,
		 const struct place *outer)
{
	for (unsigned i = 0; i < shape->type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &shape->type->fields[i];
		const struct field_shape *fs = &shape->fields[i];
		const char *at = (const char *)m + f->offset;
		struct place p = {.outer = outer,
				  .field = f->name,
				  .repeated = f->label == PROTOBUF_C_LABEL_REPEATED};

		if (fs->check == CHECK_NOTHING)
			continue;
		if (p.repeated) {
			size_t n = *(const size_t *)(const void *)((const char *)m +
								   f->quantifier_offset);

			at = *(const char *const *)(const void *)at;
			for (p.index = 0; p.index < n; p.index++)
				check_value(fl, fs, f, &p, at + p.index * value_size(fs->check));
		} else if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
			   *(const uint32_t *)(const void *)((const char *)m +
							     f->quantifier_offset) == f->id) {
			check_value(fl, fs, f, &p, at);
		}
	}
}

void validate(struct flow *fl, const struct shape *shape, const ProtobufCMessage *m)
{
	walk(fl, shape, m, NULL);
}
