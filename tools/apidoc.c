/*
 * apidoc: docs/api.md, the reference of the API, from the contract itself.
 *
 *	apidoc CONTRACT.desc > docs/api.md
 *
 * CONTRACT.desc is what protoc writes of api/orderd/v1 with --include_source_info: every service,
 * message and enum with the comment before it.  A word of a comment that is a reason of
 * docs/errors.md links there.  The test docs_api compares the committed page with the output.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/err.h"
#include "google/protobuf/descriptor.pb-c.h"

typedef Google__Protobuf__FileDescriptorSet set_proto;
typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Google__Protobuf__FieldDescriptorProto field_proto;
typedef Google__Protobuf__EnumDescriptorProto enum_proto;
typedef Google__Protobuf__ServiceDescriptorProto service_proto;
typedef Google__Protobuf__MethodDescriptorProto method_proto;
typedef Google__Protobuf__SourceCodeInfo__Location location_proto;

enum {
	SET_BYTES_MAX = 4 << 20, /* the contract is 100 KiB of it */
	PATH_MAX_STEPS = 4,
	/* Field numbers of descriptor.proto, of which a comment's path is made. */
	IN_FILE_MESSAGE = 4,
	IN_FILE_ENUM = 5,
	IN_FILE_SERVICE = 6,
	IN_MESSAGE_FIELD = 2,
	IN_ENUM_VALUE = 2,
	IN_SERVICE_METHOD = 2,
};

static const char package[] = ".orderd.v1.";

/* ---- comments ---- */

/* Where a thing stands in its file: {kind, index} or {kind, index, kind, index}. */
struct place {
	const file_proto *file;
	int32_t path[PATH_MAX_STEPS];
	size_t n;
};

static struct place place_of(const file_proto *file, int32_t kind, size_t i)
{
	return (struct place){.file = file, .path = {kind, (int32_t)i}, .n = 2};
}

static struct place place_in(struct place p, int32_t kind, size_t i)
{
	p.path[p.n++] = kind;
	p.path[p.n++] = (int32_t)i;
	return p;
}

/* The comment before it; "" when there is none. */
static const char *comment_of(struct place p)
{
	for (size_t i = 0; i < p.file->source_code_info->n_location; i++) {
		const location_proto *l = p.file->source_code_info->location[i];

		if (l->n_path == p.n && memcmp(l->path, p.path, p.n * sizeof(*p.path)) == 0)
			return l->leading_comments != NULL ? l->leading_comments : "";
	}
	return "";
}

static bool is_reason(const char *word, size_t n)
{
	for (enum errc e = ERR_OK + 1; e < ERR_COUNT; e++)
		if (strlen(err_name(e)) == n && memcmp(err_name(e), word, n) == 0)
			return true;
	return false;
}

static void print_char(char c)
{
	switch (c) {
	case '<':
		(void)printf("&lt;");
		break;
	case '*':
	case '|':
		(void)printf("\\%c", c);
		break;
	default:
		(void)putchar(c);
	}
}

static size_t word_length(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && (isalnum((unsigned char)p[n]) || p[n] == '_'))
		n++;
	return n;
}

/*
 * A comment as Markdown.  Its lines begin with the space that stands behind their "//": in a cell
 * of a table that space parts them and the line's end goes, elsewhere the space goes.
 */
static void print_comment(const char *text, bool in_cell)
{
	const char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	for (const char *p = text; p < end;) {
		bool begins = p == text || (p[-1] == '\n' && !in_cell);
		size_t n = word_length(p, end);

		if (n > 0 && is_reason(p, n))
			(void)printf("[%.*s](errors.md)", (int)n, p);
		else if (n > 0)
			(void)printf("%.*s", (int)n, p);
		else if (!(*p == ' ' && begins) && !(*p == '\n' && in_cell))
			print_char(*p);
		p += n > 0 ? n : 1;
	}
}

static void print_paragraph(struct place p)
{
	if (*comment_of(p) == '\0')
		return;
	print_comment(comment_of(p), false);
	(void)printf("\n\n");
}

/* ---- messages ---- */

/* "Order" of ".orderd.v1.Order"; NULL when it is not of this contract. */
static const char *own_name(const char *type)
{
	return strncmp(type, package, strlen(package)) == 0 ? type + strlen(package) : NULL;
}

static void print_link(const char *type)
{
	const char *own = own_name(type);

	if (own == NULL) {
		(void)printf("%s", type + 1);
		return;
	}
	(void)printf("[%s](#", own);
	for (const char *p = own; *p != '\0'; p++)
		(void)putchar(tolower((unsigned char)*p));
	(void)printf(")");
}

static const char *scalar_name(const field_proto *f)
{
	static const char *const names[] = {"",         "double",   "float",   "int64",  "uint64",
					    "int32",    "fixed64",  "fixed32", "bool",   "string",
					    "group",    "",         "bytes",   "uint32", "",
					    "sfixed32", "sfixed64", "sint32",  "sint64"};

	return (size_t)f->type < sizeof(names) / sizeof(names[0]) ? names[f->type] : "";
}

static void print_field(const message_proto *m, const field_proto *f, struct place p)
{
	(void)printf("| `%s` | ", f->name);
	if (f->type_name != NULL)
		print_link(f->type_name);
	else
		(void)printf("%s", scalar_name(f));
	if (f->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
		(void)printf(", many");
	(void)printf(" | %d | ", (int)f->number);
	if (f->has_oneof_index)
		(void)printf("One of `%s`. ", m->oneof_decl[f->oneof_index]->name);
	print_comment(comment_of(p), true);
	(void)printf(" |\n");
}

static void print_message(const file_proto *file, size_t i, const char *heading)
{
	const message_proto *m = file->message_type[i];
	struct place p = place_of(file, IN_FILE_MESSAGE, i);

	(void)printf("%s %s\n\n", heading, m->name);
	print_paragraph(p);
	if (m->n_field == 0) {
		(void)printf("No fields.\n\n");
		return;
	}
	(void)printf("| field | type | no. | |\n|---|---|---|---|\n");
	for (size_t f = 0; f < m->n_field; f++)
		print_field(m, m->field[f], place_in(p, IN_MESSAGE_FIELD, f));
	(void)printf("\n");
}

static void print_message_named(const set_proto *set, const char *type)
{
	for (size_t f = 0; f < set->n_file; f++)
		for (size_t i = 0; i < set->file[f]->n_message_type; i++)
			if (own_name(type) != NULL &&
			    strcmp(set->file[f]->message_type[i]->name, own_name(type)) == 0)
				print_message(set->file[f], i, "####");
}

static void print_enum(const file_proto *file, size_t i)
{
	const enum_proto *e = file->enum_type[i];
	struct place p = place_of(file, IN_FILE_ENUM, i);

	(void)printf("### %s\n\n", e->name);
	print_paragraph(p);
	(void)printf("| value | no. | |\n|---|---|---|\n");
	for (size_t v = 0; v < e->n_value; v++) {
		(void)printf("| `%s` | %d | ", e->value[v]->name, (int)e->value[v]->number);
		print_comment(comment_of(place_in(p, IN_ENUM_VALUE, v)), true);
		(void)printf(" |\n");
	}
	(void)printf("\n");
}

/* ---- services ---- */

static void print_method(const set_proto *set, const method_proto *m, struct place p)
{
	(void)printf("### %s\n\n", m->name);
	print_link(m->input_type);
	(void)printf(" → %s", m->server_streaming ? "stream of " : "");
	print_link(m->output_type);
	(void)printf("\n\n");
	print_paragraph(p);
	print_message_named(set, m->input_type);
	print_message_named(set, m->output_type);
}

static void print_service(const set_proto *set, const file_proto *file, size_t i)
{
	const service_proto *s = file->service[i];
	struct place p = place_of(file, IN_FILE_SERVICE, i);

	(void)printf("## %s\n\n`orderd.v1.%s`, `api/%s`\n\n", s->name, s->name, file->name);
	print_paragraph(p);
	for (size_t m = 0; m < s->n_method; m++)
		print_method(set, s->method[m], place_in(p, IN_SERVICE_METHOD, m));
}

/* Whether it was shown with the method it is the request or the response of. */
static bool is_of_a_method(const set_proto *set, const char *name)
{
	for (size_t f = 0; f < set->n_file; f++)
		for (size_t s = 0; s < set->file[f]->n_service; s++)
			for (size_t m = 0; m < set->file[f]->service[s]->n_method; m++) {
				const method_proto *x = set->file[f]->service[s]->method[m];

				if (strcmp(x->input_type + strlen(package), name) == 0 ||
				    strcmp(x->output_type + strlen(package), name) == 0)
					return true;
			}
	return false;
}

/* ---- the page ---- */

static void print_head(const set_proto *set)
{
	(void)printf(
		"# API\n"
		"\n"
		"Made from `api/orderd/v1/*.proto` by `apidoc`; a test keeps them equal. What "
		"holds "
		"for all of it\n"
		"(versions, what may change): [api/README.md](../api/README.md). Reasons of "
		"errors: "
		"[errors.md](errors.md).\n"
		"How to call it from a phone or any other client: [mobile.md](mobile.md).\n"
		"\n");
	for (size_t f = 0; f < set->n_file; f++)
		for (size_t s = 0; s < set->file[f]->n_service; s++) {
			const service_proto *x = set->file[f]->service[s];

			(void)printf("- %s:", x->name);
			for (size_t m = 0; m < x->n_method; m++) {
				(void)printf("%s[%s](#", m > 0 ? ", " : " ", x->method[m]->name);
				for (const char *p = x->method[m]->name; *p != '\0'; p++)
					(void)putchar(tolower((unsigned char)*p));
				(void)printf(")");
			}
			(void)printf("\n");
		}
	(void)printf("\n");
}

static void print_page(const set_proto *set)
{
	print_head(set);
	for (size_t f = 0; f < set->n_file; f++)
		for (size_t s = 0; s < set->file[f]->n_service; s++)
			print_service(set, set->file[f], s);
	(void)printf("## Messages\n\n");
	for (size_t f = 0; f < set->n_file; f++)
		for (size_t m = 0; m < set->file[f]->n_message_type; m++)
			if (!is_of_a_method(set, set->file[f]->message_type[m]->name))
				print_message(set->file[f], m, "###");
	(void)printf("## Enums\n\n");
	for (size_t f = 0; f < set->n_file; f++)
		for (size_t e = 0; e < set->file[f]->n_enum_type; e++)
			print_enum(set->file[f], e);
}

static set_proto *read_set(const char *path)
{
	uint8_t *bytes = malloc(SET_BYTES_MAX);
	FILE *f = fopen(path, "rb");
	set_proto *set = NULL;
	size_t n;

	if (f != NULL && bytes != NULL) {
		n = fread(bytes, 1, SET_BYTES_MAX, f);
		if (ferror(f) == 0 && n < SET_BYTES_MAX)
			set = google__protobuf__file_descriptor_set__unpack(NULL, n, bytes);
	}
	if (f != NULL)
		(void)fclose(f);
	free(bytes);
	return set;
}

int main(int argc, char **argv)
{
	set_proto *set = argc == 2 ? read_set(argv[1]) : NULL;

	if (set == NULL) {
		(void)fprintf(stderr, "usage: apidoc CONTRACT.desc, a descriptor set of protoc\n");
		return 2;
	}
	for (size_t f = 0; f < set->n_file; f++)
		if (set->file[f]->source_code_info == NULL) {
			(void)fprintf(stderr, "apidoc: %s has no comments: --include_source_info\n",
				      set->file[f]->name);
			return 2;
		}
	print_page(set);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
	return fflush(stdout) == 0 ? 0 : 1;
}
