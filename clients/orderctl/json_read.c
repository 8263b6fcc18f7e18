#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enums.h"
#include "format.h"
#include "json.h"
#include "suggest.h"

enum { INVALID_ARGUMENT = 3 };

/* Where in the document something is: "lines[3].quantity". */
struct path {
	const struct path *in;
	const char *field; /* NULL: an element of `in` */
	size_t element;
};

static size_t show_path(const struct path *p, char *to, size_t room)
{
	size_t n = p != NULL ? show_path(p->in, to, room) : 0;
	int more = 0;

	if (p == NULL || n >= room)
		return n;
	if (p->field == NULL)
		more = snprintf(to + n, room - n, "[%zu]", p->element);
	else
		more = snprintf(to + n, room - n, "%s%s", n > 0 ? "." : "", p->field);
	return n + (size_t)more < room ? n + (size_t)more : room - 1;
}

/* Always false, so that it can be returned. */
static bool wrong(struct orderd_error *e, const struct path *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool wrong(struct orderd_error *e, const struct path *at, const char *fmt, ...)
{
	struct orderd_violation *v = &e->violations[0];
	va_list ap;

	v->field[0] = '\0';
	show_path(at, v->field, sizeof(v->field));
	if (v->field[0] == '\0')
		snprintf(v->field, sizeof(v->field), "(the whole)");
	va_start(ap, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
	e->n_violations = 1;
	snprintf(e->message, sizeof(e->message), "this JSON does not fit the contract");
	return false;
}

static const char *kind_of(const json_t *v)
{
	static const char *const kinds[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",    [JSON_STRING] = "a text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};

	return kinds[json_typeof(v)];
}

/* ---------------------------------------------------------------- one value */

/* A number, a whole number written as a fraction (1e3), or either as text. */
static bool read_number(const json_t *v, int64_t least, int64_t most, int64_t *ret)
{
	const char *z = json_string_value(v);
	char *end;
	double d;

	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
	} else if (json_is_real(v)) {
		d = json_real_value(v);
		if (d != floor(d) || d < -9007199254740992.0 || d > 9007199254740992.0)
			return false;
		*ret = (int64_t)d;
	} else if (z != NULL && *z != '\0' && strspn(z, "-0123456789") == strlen(z)) {
		errno = 0;
		*ret = strtoll(z, &end, 10);
		if (errno != 0 || *end != '\0')
			return false;
	} else {
		return false;
	}
	return *ret >= least && *ret <= most;
}

static bool read_bytes(const json_t *v, const struct path *at, ProtobufCBinaryData *ret,
		       struct orderd_error *e)
{
	size_t n = json_string_length(v);

	if (!json_is_string(v))
		return wrong(e, at, "a text is wanted, not %s", kind_of(v));
	if (n == 0)
		return true;
	ret->data = malloc(n);
	if (ret->data == NULL)
		abort(); /* out of memory */
	memcpy(ret->data, json_string_value(v), n);
	ret->len = n;
	return true;
}

static bool read_enum(const ProtobufCEnumDescriptor *d, const json_t *v, const struct path *at,
		      int *ret, struct orderd_error *e)
{
	const char *z = json_string_value(v);
	char all[256] = "", word[64];
	size_t n = 0;
	int64_t value;

	if (z == NULL && read_number(v, INT32_MIN, INT32_MAX, &value) &&
	    protobuf_c_enum_descriptor_get_value(d, (int)value) != NULL) {
		*ret = (int)value;
		return true;
	}
	if (z != NULL && enum_value(d, z, ret))
		return true;
	for (unsigned i = 0; enum_word(d, i, word, sizeof(word)) && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i > 0 ? ", " : "", word);
	return wrong(e, at, "one of %s is wanted, not %s", all, z != NULL ? z : kind_of(v));
}

static ProtobufCMessage *read_message(const ProtobufCMessageDescriptor *d, const json_t *o,
				      const struct path *at, struct orderd_error *e);

static ProtobufCMessage *read_timestamp(const json_t *v, const struct path *at,
					struct orderd_error *e)
{
	Google__Protobuf__Timestamp *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort(); /* out of memory */
	google__protobuf__timestamp__init(t);
	if (json_is_string(v) && read_time(json_string_value(v), t))
		return &t->base;
	free(t);
	wrong(e, at, "a time is wanted: \"2026-01-31T12:00:00Z\"");
	return NULL;
}

static bool read_value(const ProtobufCFieldDescriptor *f, const json_t *v, const struct path *at,
		       void *to, struct orderd_error *e)
{
	int64_t n;

	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		ProtobufCMessage **m = to;

		*m = f->descriptor == &google__protobuf__timestamp__descriptor
			     ? read_timestamp(v, at, e)
			     : read_message(f->descriptor, v, at, e);
		return *m != NULL;
	}
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return read_bytes(v, at, to, e);
	if (f->type == PROTOBUF_C_TYPE_ENUM)
		return read_enum(f->descriptor, v, at, to, e);
	if (f->type == PROTOBUF_C_TYPE_BOOL) {
		*(protobuf_c_boolean *)to = json_is_true(v);
		return json_is_boolean(v) ||
		       wrong(e, at, "true or false is wanted, not %s", kind_of(v));
	}
	if (f->type == PROTOBUF_C_TYPE_INT64) {
		if (!read_number(v, INT64_MIN, INT64_MAX, to))
			return wrong(e, at, "a whole number is wanted, not %s",
				     json_is_string(v) ? json_string_value(v) : kind_of(v));
		return true;
	}
	if (!read_number(v, INT32_MIN, INT32_MAX, &n))
		return wrong(e, at, "a whole number of 32 bits is wanted, not %s",
			     json_is_string(v) ? json_string_value(v) : kind_of(v));
	*(int32_t *)to = (int32_t)n;
	return true;
}

/* ---------------------------------------------------------------- a message */

static bool read_list(const ProtobufCFieldDescriptor *f, const json_t *v, const struct path *at,
		      ProtobufCMessage *m, struct orderd_error *e)
{
	size_t *n = (size_t *)(void *)((uint8_t *)m + f->quantifier_offset);
	size_t size = json_element_size(f), most = json_array_size(v);
	uint8_t *items;

	if (!json_is_array(v))
		return wrong(e, at, "a list is wanted, not %s", kind_of(v));
	if (most == 0)
		return true;
	items = calloc(most, size);
	if (items == NULL)
		abort(); /* out of memory */
	*(void **)(void *)((uint8_t *)m + f->offset) = items;
	for (size_t i = 0; i < most; i++) {
		struct path element = {at, NULL, i};

		*n = i + 1; /* what a half-read message frees; an element begins as zeros */
		if (!read_value(f, json_array_get(v, i), &element, items + i * size, e))
			return false;
	}
	return true;
}

/* Protobuf's other spelling of a field's name: shipTo is ship_to. */
static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessageDescriptor *d,
						   const char *name)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(d, name);
	char snake[64];
	size_t n = 0;

	for (const char *p = name; f == NULL && *p != '\0'; p++) {
		if (n + 2 >= sizeof(snake))
			return NULL;
		if (isupper((unsigned char)*p))
			snake[n++] = '_';
		snake[n++] = (char)tolower((unsigned char)*p);
	}
	snake[n] = '\0';
	return f != NULL ? f : protobuf_c_message_descriptor_get_field_by_name(d, snake);
}

static bool unknown_field(const ProtobufCMessageDescriptor *d, const char *name,
			  const struct path *at, struct orderd_error *e)
{
	struct suggestion s = suggest(name);

	for (unsigned i = 0; i < d->n_fields; i++)
		suggest_offer(&s, d->fields[i].name);
	if (s.best[0] != '\0')
		return wrong(e, at, "there is no such field; did you mean %s?", s.best);
	return wrong(e, at, "there is no such field in %s", d->short_name);
}

/* Who is it that a oneof holds, or whether an optional field is there. */
static bool claim(const ProtobufCFieldDescriptor *f, ProtobufCMessage *m)
{
	uint32_t *who = (uint32_t *)(void *)((uint8_t *)m + f->quantifier_offset);

	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
		if (*who != 0)
			return false;
		*who = f->id;
	} else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_MESSAGE) {
		*who = 1;
	}
	return true;
}

/* `given` has a bit for each field that was read. */
static bool read_field(const ProtobufCMessageDescriptor *d, const char *name, const json_t *v,
		       const struct path *in, ProtobufCMessage *m, uint64_t *given,
		       struct orderd_error *e)
{
	const ProtobufCFieldDescriptor *f = field_named(d, name);
	struct path at = {in, f != NULL ? f->name : name, 0};

	if (f == NULL)
		return unknown_field(d, name, &at, e);
	if (json_is_null(v))
		return true;
	if ((*given & UINT64_C(1) << (f - d->fields)) != 0)
		return wrong(e, &at, "it is given twice, in two spellings");
	*given |= UINT64_C(1) << (f - d->fields);
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return read_list(f, v, &at, m, e);
	if (!claim(f, m))
		return wrong(e, &at, "another one of its kind is given already");
	return read_value(f, v, &at, (uint8_t *)m + f->offset, e);
}

static ProtobufCMessage *read_message(const ProtobufCMessageDescriptor *d, const json_t *o,
				      const struct path *at, struct orderd_error *e)
{
	ProtobufCMessage *m;
	uint64_t given = 0;
	const char *name;
	json_t *v;

	assert(d->n_fields <= 64);
	if (!json_is_object(o)) {
		wrong(e, at, "an object is wanted, not %s", kind_of(o));
		return NULL;
	}
	m = calloc(1, d->sizeof_message);
	if (m == NULL)
		abort(); /* out of memory */
	d->message_init(m);
	json_object_foreach((json_t *)(uintptr_t)o, name, v)
	{
		if (read_field(d, name, v, at, m, &given, e))
			continue;
		protobuf_c_message_free_unpacked(m, NULL);
		return NULL;
	}
	return m;
}

ProtobufCMessage *json_read(const ProtobufCMessageDescriptor *d, const char *text, size_t n,
			    struct orderd_error *reterr)
{
	ProtobufCMessage *m = NULL;
	json_error_t problem;
	json_t *o;

	*reterr = (struct orderd_error){.status = INVALID_ARGUMENT, .reason = "INVALID_JSON"};
	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &problem);
	if (o != NULL)
		m = read_message(d, o, NULL, reterr);
	else if (memchr(text, '\n', n) == NULL)
		snprintf(reterr->message, sizeof(reterr->message), "column %d: %s", problem.column,
			 problem.text);
	else
		snprintf(reterr->message, sizeof(reterr->message), "line %d, column %d: %s",
			 problem.line, problem.column, problem.text);
	json_decref(o);
	return m;
}
