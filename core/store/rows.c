/*
 * Answers: binary rows -> generated structs.
 *
 * A result is checked once, whole, before any unit is answered: columns, types, lengths,
 * NULLs and ordinals are what the kind's header says.  After that a row can be read
 * without a way to fail, whatever the server sent.
 */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "core/store/internal.h"

static const struct {
	Oid oid;
	int size; /* -1: any */
} type_table[DB_TYPES] = {
	[DB_INT2] = {21, 2},   [DB_INT4] = {23, 4},          [DB_INT8] = {20, 8},
	[DB_BOOL] = {16, 1},   [DB_UUID] = {2950, 16},       [DB_TEXT] = {25, -1},
	[DB_BYTEA] = {17, -1}, [DB_TIMESTAMPTZ] = {1184, 8},
};

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */

static int64_t read_i64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return (int64_t)be64toh(v);
}

static const char *columns_check(const struct unit_kind *kind, const PGresult *r)
{
	if (PQnfields(r) != (int)kind->n_answer)
		return "number of columns";
	for (uint32_t c = 0; c < kind->n_answer; c++) {
		if (PQftype(r, (int)c) != type_table[kind->answer[c].type].oid ||
		    PQfformat(r, (int)c) != 1)
			return kind->answer[c].name;
	}
	return NULL;
}

static const char *row_check(const struct unit_kind *kind, const PGresult *r, int row)
{
	for (uint32_t c = 0; c < kind->n_answer; c++) {
		const struct db_column *col = &kind->answer[c];
		int size = type_table[col->type].size;

		if (PQgetisnull(r, row, (int)c) ? !col->nullable
						: size >= 0 && PQgetlength(r, row, (int)c) != size)
			return col->name;
	}
	return NULL;
}

const char *rows_check(const struct unit_kind *kind, const PGresult *r, uint32_t n_units)
{
	const char *bad = columns_check(kind, r);
	int64_t before = 1;

	for (int row = 0; bad == NULL && row < PQntuples(r); row++) {
		int64_t ordinal;

		bad = row_check(kind, r, row);
		if (bad != NULL)
			break;
		ordinal = read_i64(PQgetvalue(r, row, 0));
		if (ordinal < before || ordinal > (int64_t)n_units)
			return "ordinal";
		before = ordinal;
	}
	return bad;
}

uint32_t rows_slice(const PGresult *r, uint32_t ordinal, uint32_t from)
{
	uint32_t n = (uint32_t)PQntuples(r);

	while (from < n && read_i64(PQgetvalue(r, (int)from, 0)) == (int64_t)ordinal)
		from++;
	return from;
}

bool rows_say_again(const struct unit_answer *a)
{
	int c = (int)a->kind->again;

	if (a->kind->again == UNIT_NONE || a->n == 0)
		return false;
	return PQgetlength(a->result, (int)a->first, c) == 5 &&
	       memcmp(PQgetvalue(a->result, (int)a->first, c), "again", 5) == 0;
}

uint32_t answer_rows(const struct answer *a)
{
	const struct unit_answer *u = a->body;

	return u != NULL ? u->n : 0;
}

static void read_null(const struct db_column *c, char *field)
{
	int64_t none = DB_NULL;

	if (c->type == DB_INT8 || c->type == DB_TIMESTAMPTZ)
		memcpy(field, &none, sizeof(none));
	else if (c->type == DB_UUID)
		memset(field, 0, sizeof(struct id));
	else
		memset(field, 0, sizeof(struct str));
}

static int64_t from_pg_time(int64_t v)
{
	return v > INT64_MAX - PG_EPOCH_US
		       ? INT64_MAX
		       : v + PG_EPOCH_US; /* "infinity" is the largest there, too */
}

static void read_value(const struct db_column *c, const char *p, int len, char *field)
{
	int64_t v8;
	uint32_t v4;
	uint16_t v2;
	bool yes;

	switch (c->type) {
	case DB_INT8:
	case DB_TIMESTAMPTZ:
		v8 = c->type == DB_INT8 ? read_i64(p) : from_pg_time(read_i64(p));
		memcpy(field, &v8, sizeof(v8));
		break;
	case DB_INT4:
		memcpy(&v4, p, sizeof(v4));
		v4 = be32toh(v4);
		memcpy(field, &v4, sizeof(v4));
		break;
	case DB_INT2:
		memcpy(&v2, p, sizeof(v2));
		v2 = be16toh(v2);
		memcpy(field, &v2, sizeof(v2));
		break;
	case DB_BOOL:
		yes = *p != 0;
		memcpy(field, &yes, sizeof(yes));
		break;
	case DB_UUID:
		memcpy(field, p, sizeof(struct id));
		break;
	case DB_TEXT:
	case DB_BYTEA:
	case DB_TYPES:
		*(struct str *)(void *)field = (struct str){p, (size_t)len};
		break;
	}
}

void unit_row_read(const struct unit_kind *kind, const struct answer *a, uint32_t i, void *ret_row)
{
	const struct unit_answer *u = a->body;
	int row;

	assert(u != NULL && u->kind == kind && i < u->n);
	row = (int)(u->first + i);
	for (uint32_t c = 1; c < kind->n_answer; c++) {
		char *field = (char *)ret_row + kind->answer[c].offset;

		if (PQgetisnull(u->result, row, (int)c))
			read_null(&kind->answer[c], field);
		else
			read_value(&kind->answer[c], PQgetvalue(u->result, row, (int)c),
				   PQgetlength(u->result, row, (int)c), field);
	}
}
