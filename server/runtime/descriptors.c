#include "server/runtime/descriptors.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "google/protobuf/descriptor.pb-c.h"

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Google__Protobuf__ServiceDescriptorProto service_proto;
typedef Google__Protobuf__EnumDescriptorProto enum_proto;

struct symbol {
	char *name; /* full */
	size_t file;
	const message_proto *message; /* NULL: something else */
};

struct descriptors {
	Google__Protobuf__FileDescriptorSet *set;
	struct str *raw;        /* one per file, as in the set */
	struct symbol *symbols; /* by name */
	size_t n_symbols, room;
};

/* ---- building ---- */

static uint64_t read_varint(const unsigned char **p, const unsigned char *end)
{
	uint64_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		assert(*p < end && shift < 64);
		v |= (uint64_t)(**p & 0x7f) << shift;
		if ((*(*p)++ & 0x80) == 0)
			return v;
	}
}

/* Each file's own bytes: field 1 of the set, repeated (protobuf.dev, "Encoding"). */
static void cut_files(struct descriptors *d, const unsigned char *p, size_t size)
{
	const unsigned char *end = p + size;

	d->raw = mem_array(d->set->n_file, sizeof(*d->raw));
	for (size_t i = 0; i < d->set->n_file; i++) {
		uint64_t tag = read_varint(&p, end), n = read_varint(&p, end);

		assert(tag == (1 << 3 | 2) && n <= (uint64_t)(end - p));
		d->raw[i] = (struct str){(const char *)p, (size_t)n};
		p += n;
	}
	assert(p == end);
}

static char *join(const char *scope, const char *name)
{
	size_t n = strlen(scope) + strlen(name) + 2;
	char *full = mem_alloc(n);

	snprintf(full, n, "%s%s%s", scope, *scope != '\0' ? "." : "", name);
	return full;
}

/* Returns the full name, owned by the index. */
static const char *add(struct descriptors *d, size_t file, const char *scope, const char *name,
		       const message_proto *m)
{
	if (d->n_symbols == d->room) {
		d->room = d->room * 2 + 64;
		d->symbols = mem_grow(d->symbols, d->room, sizeof(*d->symbols));
	}
	d->symbols[d->n_symbols] =
		(struct symbol){.name = join(scope, name), .file = file, .message = m};
	return d->symbols[d->n_symbols++].name;
}

static void add_enum(struct descriptors *d, size_t file, const char *scope, const enum_proto *e)
{
	add(d, file, scope, e->name, NULL);
	for (size_t i = 0; i < e->n_value; i++) /* values are siblings of their enum */
		add(d, file, scope, e->value[i]->name, NULL);
}

static void add_message(struct descriptors *d, size_t file, const char *scope,
			const message_proto *m)
{
	const char *full = add(d, file, scope, m->name, m);

	for (size_t i = 0; i < m->n_field; i++)
		add(d, file, full, m->field[i]->name, NULL);
	for (size_t i = 0; i < m->n_enum_type; i++)
		add_enum(d, file, full, m->enum_type[i]);
	for (size_t i = 0; i < m->n_nested_type; i++)
		add_message(d, file, full, m->nested_type[i]);
}

static void add_service(struct descriptors *d, size_t file, const char *scope,
			const service_proto *s)
{
	const char *full = add(d, file, scope, s->name, NULL);

	for (size_t i = 0; i < s->n_method; i++)
		add(d, file, full, s->method[i]->name, NULL);
}

static void add_file(struct descriptors *d, size_t file)
{
	const file_proto *f = d->set->file[file];
	const char *package = f->package != NULL ? f->package : "";

	for (size_t i = 0; i < f->n_message_type; i++)
		add_message(d, file, package, f->message_type[i]);
	for (size_t i = 0; i < f->n_enum_type; i++)
		add_enum(d, file, package, f->enum_type[i]);
	for (size_t i = 0; i < f->n_service; i++)
		add_service(d, file, package, f->service[i]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

struct descriptors *descriptors_new(const unsigned char *set, size_t size)
{
	struct descriptors *d = mem_alloc(sizeof(*d));

	d->set = google__protobuf__file_descriptor_set__unpack(NULL, size, set);
	assert(d->set != NULL && d->set->n_file > 0);
	cut_files(d, set, size);
	for (size_t i = 0; i < d->set->n_file; i++)
		add_file(d, i);
	qsort(d->symbols, d->n_symbols, sizeof(*d->symbols), by_name);
	return d;
}

void descriptors_free(struct descriptors *d)
{
	for (size_t i = 0; i < d->n_symbols; i++)
		free(d->symbols[i].name);
	free(d->symbols);
	free(d->raw);
	google__protobuf__file_descriptor_set__free_unpacked(d->set, NULL);
	free(d);
}

/* ---- asking ---- */

static const struct symbol *find(const struct descriptors *d, struct str name)
{
	size_t low = 0, high = d->n_symbols;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct str here = str_of(d->symbols[mid].name);
		int c = memcmp(here.p, name.p, here.n < name.n ? here.n : name.n);

		if (c == 0 && here.n == name.n)
			return &d->symbols[mid];
		if (c < 0 || (c == 0 && here.n < name.n))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct str descriptors_file(const struct descriptors *d, struct str filename)
{
	for (size_t i = 0; i < d->set->n_file; i++)
		if (str_eq(str_of(d->set->file[i]->name), filename))
			return d->raw[i];
	return (struct str){0};
}

struct str descriptors_file_of(const struct descriptors *d, struct str symbol)
{
	const struct symbol *s = symbol.n > 0 ? find(d, symbol) : NULL;

	return s != NULL ? d->raw[s->file] : (struct str){0};
}

bool descriptors_has_message(const struct descriptors *d, struct str name)
{
	const struct symbol *s = name.n > 0 ? find(d, name) : NULL;

	return s != NULL && s->message != NULL;
}

bool descriptors_is_text(const struct descriptors *d, const char *message, uint32_t field)
{
	const struct symbol *s = find(d, str_of(message));

	assert(s != NULL && s->message != NULL);
	for (size_t i = 0; i < s->message->n_field; i++)
		if ((uint32_t)s->message->field[i]->number == field)
			return s->message->field[i]->type ==
			       GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING;
	abort(); /* set and code are made from the same files */
}

bool descriptors_method(const struct descriptors *d, size_t i, struct descriptors_method *ret)
{
	for (size_t f = 0; f < d->set->n_file; f++)
		for (size_t v = 0; v < d->set->file[f]->n_service; v++) {
			const service_proto *s = d->set->file[f]->service[v];
			const Google__Protobuf__MethodDescriptorProto *m;

			if (i >= s->n_method) {
				i -= s->n_method;
				continue;
			}
			m = s->method[i];
			snprintf(ret->path, sizeof(ret->path), "/%s.%s/%s",
				 d->set->file[f]->package, s->name, m->name);
			ret->request = m->input_type + 1; /* ".package.Message" */
			ret->response = m->output_type + 1;
			ret->client_streams = m->client_streaming != 0;
			ret->server_streams = m->server_streaming != 0;
			return true;
		}
	return false;
}
