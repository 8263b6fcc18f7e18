/*
 * Writing: one header with the structs people use, one source with the tables the
 * store reads.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlgen.h"

static const struct {
	const char *sql, *c, *tag;
} type_table[] = {
	{"int2", "int16_t ", "DB_INT2"},      {"int4", "int32_t ", "DB_INT4"},
	{"int8", "int64_t ", "DB_INT8"},      {"bool", "bool ", "DB_BOOL"},
	{"uuid", "struct id ", "DB_UUID"},    {"text", "struct str ", "DB_TEXT"},
	{"bytea", "struct str ", "DB_BYTEA"}, {"timestamptz", "int64_t ", "DB_TIMESTAMPTZ"},
};

static size_t type_at(const char *sql)
{
	size_t i = 0;

	while (strcmp(type_table[i].sql, sql) != 0)
		i++;
	return i;
}

static const char *upper(const char *name)
{
	char *s = copy_of(name, strlen(name));

	for (char *p = s; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return s;
}

static void write_file(const char *path, const struct text *t)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(t->p, 1, t->n, f) != t->n || fclose(f) != 0)
		refuse(path, 0, "cannot be written");
}

static void add_struct(struct text *t, const char *kind, const char *what, const struct columns *cs,
		       int from)
{
	text_printf(t, "struct %s_%s {\n", kind, what);
	for (int i = from; i < cs->n; i++)
		text_printf(t, "\t%s%s;%s\n", type_table[type_at(cs->at[i].type)].c, cs->at[i].name,
			    cs->at[i].nullable ? " /* may be null */" : "");
	if (cs->n <= from)
		text_printf(t, "\tchar none; /* the answer is its ordinal alone */\n");
	text_printf(t, "};\n");
}

/* The structs of a kind are named after it; the audits share theirs, core/store/unit.h. */
static const char *structs_of(const struct kind *k)
{
	return k->audit ? "audit" : k->name;
}

static void line_type(const struct kind *k, char *ret, size_t size)
{
	if (k->line.n > 0)
		snprintf(ret, size, "struct %s_line", k->name);
	else
		snprintf(ret, size, "void");
}

static void add_kind_to_header(struct text *t, const struct kind *k)
{
	char lines[256];

	line_type(k, lines, sizeof(lines));
	text_printf(t, "\n/* db/queries/%s.sql; %s lane */\n", k->name, k->lane);
	add_struct(t, k->name, "head", &k->head, 0);
	if (k->line.n > 0)
		add_struct(t, k->name, "line", &k->line, 0);
	add_struct(t, k->name, "row", &k->answer, 1);
	text_printf(t, "extern const struct unit_kind UNIT_%s;\n", upper(k->name));
	text_printf(t,
		    "struct unit %s_unit(const struct %s_head *h, const %s *lines, uint32_t "
		    "n_lines);\n",
		    k->name, k->name, lines);
	text_printf(t, "struct %s_row %s_row(const struct answer *a, uint32_t i);\n", k->name,
		    k->name);
}

void write_header(const struct sources *src, const char *path)
{
	struct text t = {0};

	text_printf(
		&t,
		"/* Made by tools/sqlgen from db/queries. */\n#ifndef ORDERD_SQL_GEN_H\n#define "
		"ORDERD_SQL_GEN_H\n\n"
		"#include <stdbool.h>\n#include <stdint.h>\n\n#include \"core/store/store.h\"\n");
	for (int i = 0; i < src->n_kinds - src->n_audits; i++)
		add_kind_to_header(&t, src->kinds[i]);
	text_printf(&t, "\n#endif\n");
	write_file(path, &t);
}

static void add_literal(struct text *t, const char *s)
{
	text_printf(t, "\t\"");
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			text_printf(t, "\\n\"\n\t\"");
		else if (*s == '"' || *s == '\\')
			text_printf(t, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f || *s == '?')
			text_printf(t, "\\%03o", (unsigned char)*s);
		else
			text_add(t, s, 1);
	}
	text_printf(t, "\"");
}

static void add_columns(struct text *t, const struct kind *k, const char *what,
			const struct columns *cs, bool answer)
{
	if (cs->n == 0)
		return;
	text_printf(t, "static const struct db_column %s_%s_columns[] = {\n", k->name, what);
	for (int i = 0; i < cs->n; i++) {
		const struct column *c = &cs->at[i];

		text_printf(t, "\t{\"%s\", %s, %s, ", c->name, type_table[type_at(c->type)].tag,
			    c->nullable ? "true" : "false");
		if (answer && i == 0)
			text_printf(t, "0},\n");
		else
			text_printf(t, "offsetof(struct %s_%s, %s)},\n", structs_of(k), what,
				    c->name);
	}
	text_printf(t, "};\n");
}

static void add_columns_field(struct text *t, const struct kind *k, const char *what,
			      const struct columns *cs)
{
	if (cs->n > 0)
		text_printf(t, "\t.%s = %s_%s_columns, .n_%s = %d,\n",
			    strcmp(what, "row") == 0 ? "answer" : what, k->name, what,
			    strcmp(what, "row") == 0 ? "answer" : what, cs->n);
}

static void add_offset(struct text *t, const struct kind *k, const char *field, const char *column)
{
	if (column == NULL)
		text_printf(t, "\t.%s = UNIT_NONE,\n", field);
	else
		text_printf(t, "\t.%s = offsetof(struct %s_head, %s),\n", field, k->name, column);
}

/* A kind whose head names no tenant may have it in its lines. */
static void add_line_tenant(struct text *t, const struct kind *k)
{
	if (column_find(&k->head, "tenant") != NULL || column_find(&k->line, "tenant") == NULL)
		text_printf(t, "\t.line_tenant = UNIT_NONE,\n");
	else
		text_printf(t, "\t.line_tenant = offsetof(struct %s_line, tenant),\n", k->name);
}

static void add_again(struct text *t, const struct kind *k)
{
	if (k->again == NULL)
		text_printf(t, "\t.again = UNIT_NONE,\n");
	else
		text_printf(t, "\t.again = %d,\n",
			    (int)(column_find(&k->answer, k->again) - k->answer.at));
}

static void add_table(struct text *t, const struct kind *k, int index)
{
	text_printf(t, "const struct unit_kind UNIT_%s = {\n\t.name = \"%s\",\n\t.sql =\n",
		    upper(k->name), k->name);
	add_literal(t, k->sql);
	text_printf(t, ",\n\t.lane = STORE_LANE_%s, .rank = %d, .index = %d,\n", upper(k->lane),
		    k->rank, index);
	add_columns_field(t, k, "head", &k->head);
	add_columns_field(t, k, "line", &k->line);
	add_columns_field(t, k, "row", &k->answer);
	text_printf(t, "\t.head_size = sizeof(struct %s_head),\n", structs_of(k));
	if (k->line.n > 0)
		text_printf(t, "\t.line_size = sizeof(struct %s_line),\n", k->name);
	add_offset(t, k, "tenant", column_find(&k->head, "tenant") != NULL ? "tenant" : NULL);
	add_line_tenant(t, k);
	add_offset(t, k, "order_id", k->lock_orders ? "order_id" : NULL);
	add_offset(t, k, "job_id", k->lock_jobs ? "job_id" : NULL);
	add_offset(t, k, "cause", k->stock);
	add_again(t, k);
	text_printf(t, "};\n");
}

static void add_key(struct text *t, const struct key_rule *r, int i)
{
	if (strcmp(r->maker, "id") == 0)
		text_printf(t, "\tu.keys[%d] = key_of_id(h->%s);\n", i, r->args[0]);
	else
		text_printf(t, "\tu.keys[%d] = key_of_request(h->%s, %s%s, h->%s);\n", i,
			    r->args[0], isdigit((unsigned char)*r->args[1]) ? "" : "h->",
			    r->args[1], r->args[2]);
}

static void add_functions(struct text *t, const struct kind *k)
{
	char lines[256];

	line_type(k, lines, sizeof(lines));
	text_printf(t,
		    "struct unit %s_unit(const struct %s_head *h, const %s *lines, uint32_t "
		    "n_lines)\n{\n",
		    k->name, k->name, lines);
	text_printf(t,
		    "\tstruct unit u = {.kind = &UNIT_%s, .head = h, .lines = lines, .n_lines = "
		    "n_lines};\n\n",
		    upper(k->name));
	for (int i = 0; i < k->n_keys; i++)
		add_key(t, &k->keys[i], i);
	text_printf(t, "\treturn u;\n}\n\n");
	text_printf(t,
		    "struct %s_row %s_row(const struct answer *a, uint32_t i)\n{\n\tstruct %s_row "
		    "row;\n\n",
		    k->name, k->name, k->name);
	text_printf(t, "\tunit_row_read(&UNIT_%s, a, i, &row);\n\treturn row;\n}\n\n",
		    upper(k->name));
}

static void add_shared_table(struct text *t, const struct kind *k)
{
	text_printf(t,
		    "static const struct shared_statement shared_%s = {\n\t.name = "
		    "\"batch_%s\",\n\t.sql =\n",
		    k->name, k->name);
	add_literal(t, k->sql);
	text_printf(t, ",\n};\n\n");
}

static void add_migrations(struct text *t, const struct sources *src)
{
	text_printf(t, "static const struct migration migrations[] = {\n");
	for (int i = 0; i < src->n_migrations; i++) {
		const struct migration_file *m = &src->migrations[i];

		text_printf(t, "\t{%d, \"%s\",\n", m->version, m->name);
		add_literal(t, m->sql);
		text_printf(t, ",\n\t\"%s\"},\n", m->sha256);
	}
	text_printf(t, "\t{0, NULL, NULL, NULL}\n};\n\n");
}

static void add_catalogue(struct text *t, const struct sources *src)
{
	text_printf(t, "static const struct unit_kind *const kinds[] = {\n");
	for (int i = 0; i < src->n_kinds; i++)
		text_printf(t, "\t&UNIT_%s,\n", upper(src->kinds[i]->name));
	text_printf(t,
		    "\tNULL\n};\n\nconst struct sql_catalogue SQL_CATALOGUE = {\n\t.kinds = kinds, "
		    ".n_kinds = %d,\n",
		    src->n_kinds);
	for (int i = 0; i < src->n_shared; i++)
		text_printf(t, "\t.%s = &shared_%s,\n", src->shared[i]->name, src->shared[i]->name);
	text_printf(t, "\t.audits = kinds + %d, .n_audits = %d,\n", src->n_kinds - src->n_audits,
		    src->n_audits);
	text_printf(t, "\t.migrations = migrations, .n_migrations = %d,\n};\n", src->n_migrations);
}

void write_source(const struct sources *src, const char *path, const char *header_name)
{
	struct text t = {0};

	text_printf(
		&t,
		"/* Made by tools/sqlgen from db/queries, db/audit and db/migrations. */\n#include "
		"\"%s\"\n\n#include <stddef.h>\n\n"
		"#include \"core/store/unit.h\"\n\n",
		header_name);
	for (int i = 0; i < src->n_shared; i++)
		add_shared_table(&t, src->shared[i]);
	for (int i = 0; i < src->n_kinds; i++) {
		const struct kind *k = src->kinds[i];

		add_columns(&t, k, "head", &k->head, false);
		add_columns(&t, k, "line", &k->line, false);
		add_columns(&t, k, "row", &k->answer, true);
		add_table(&t, k, i);
		if (!k->audit)
			add_functions(&t, k);
	}
	add_migrations(&t, src);
	add_catalogue(&t, src);
	write_file(path, &t);
}
