/*
 * A result of the server with lying types, lengths, NULLs and ordinals is refused, or all
 * its rows can be read: within the result, into a struct of the generated size.
 */
#include <string.h>

#include "core/store/internal.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS_MAX = 8, UNITS = 3, LONGEST_FIELD = 16 };

static PGresult *result_of(struct input *in, const struct unit_kind *kind)
{
	static const Oid oids[DB_TYPES] = {
		[DB_INT2] = 21,   [DB_INT4] = 23, [DB_INT8] = 20,  [DB_BOOL] = 16,
		[DB_UUID] = 2950, [DB_TEXT] = 25, [DB_BYTEA] = 17, [DB_TIMESTAMPTZ] = 1184};
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	uint32_t columns = kind->n_answer;
	char name[] = "c";
	PGresAttDesc desc[64] = {{0}};
	uint8_t lie = take_u8(in);

	MUST(r != NULL && columns < 64);
	columns += lie == 1;
	columns -= lie == 2;
	for (uint32_t c = 0; c < columns; c++)
		desc[c] = (PGresAttDesc){.name = name,
					 .typid = c < kind->n_answer ? oids[kind->answer[c].type]
								     : 25,
					 .format = lie == 3 ? 0 : 1};
	if (lie == 4)
		desc[take_u8(in) % columns].typid = take_u8(in);
	MUST(columns == 0 || PQsetResultAttrs(r, (int)columns, desc));
	return r;
}

/* As long as its type says, mostly; the first column counts up, mostly. */
static void fill_field(struct input *in, const struct unit_kind *kind, PGresult *r, int row, int c)
{
	static const uint8_t sizes[DB_TYPES] = {
		[DB_INT2] = 2,  [DB_INT4] = 4, [DB_INT8] = 8,  [DB_BOOL] = 1,
		[DB_UUID] = 16, [DB_TEXT] = 5, [DB_BYTEA] = 3, [DB_TIMESTAMPTZ] = 8};
	enum db_type type = c < (int)kind->n_answer ? kind->answer[c].type : DB_TEXT;
	char bytes[256] = {0};
	uint8_t lie = take_u8(in);
	struct str s;
	int n = sizes[type];

	if (lie == 255) {
		MUST(PQsetvalue(r, row, c, NULL, -1));
		return;
	}
	if (lie == 254 || type == DB_TEXT || type == DB_BYTEA)
		n = take_u8(in);
	s = take_str(in, (size_t)n);
	if (s.n > 0)
		memcpy(bytes, s.p, s.n);
	if (c == 0 && n == 8 && lie < 128) {
		memset(bytes, 0, 8);
		bytes[7] = (char)(1 + row / 2);
	}
	MUST(PQsetvalue(r, row, c, bytes, n));
}

static size_t struct_size(const struct unit_kind *kind)
{
	size_t size = 1;

	for (uint32_t c = 1; c < kind->n_answer; c++)
		if (kind->answer[c].offset + LONGEST_FIELD > size)
			size = kind->answer[c].offset + LONGEST_FIELD;
	return size;
}

static const int sizes[DB_TYPES] = {[DB_INT2] = 2, [DB_INT4] = 4,  [DB_INT8] = 8,
				    [DB_BOOL] = 1, [DB_UUID] = 16, [DB_TIMESTAMPTZ] = 8};

/* Column c of the row just read. */
static void must_be_as_promised(const struct unit_kind *kind, const PGresult *r, int row,
				uint32_t c, const void *read)
{
	const struct db_column *col = &kind->answer[c];
	const char *value = PQgetvalue(r, row, (int)c);
	int n = PQgetlength(r, row, (int)c);
	const struct str *s;

	if (PQgetisnull(r, row, (int)c))
		MUST(col->nullable);
	else if (sizes[col->type] > 0)
		MUST(n == sizes[col->type]);
	if (col->type != DB_TEXT && col->type != DB_BYTEA)
		return;
	s = (const struct str *)(const void *)((const char *)read + col->offset);
	if (PQgetisnull(r, row, (int)c))
		MUST(s->p == NULL && s->n == 0);
	else
		MUST(s->p == value && s->n == (size_t)n);
}

static void read_rows(const struct unit_kind *kind, const PGresult *r)
{
	void *row = calloc(1, struct_size(kind));
	uint32_t from = 0;

	MUST(row != NULL);
	for (uint32_t unit = 1; unit <= UNITS; unit++) {
		uint32_t end = rows_slice(r, unit, from);
		struct unit_answer u = {kind, r, from, end - from};
		struct answer a = {.body = &u};

		(void)rows_say_again(&u);
		MUST(answer_rows(&a) == end - from);
		for (uint32_t i = 0; i < answer_rows(&a); i++) {
			unit_row_read(kind, &a, i, row);
			for (uint32_t c = 1; c < kind->n_answer; c++)
				must_be_as_promised(kind, r, (int)(from + i), c, row);
		}
		from = end;
	}
	MUST(from == (uint32_t)PQntuples(r)); /* every row belongs to a unit that was asked */
	free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const struct unit_kind *kind = SQL_CATALOGUE.kinds[take_u8(&in) % SQL_CATALOGUE.n_kinds];
	PGresult *r = result_of(&in, kind);
	int rows = take_u8(&in) % ROWS_MAX;

	for (int row = 0; row < rows && PQnfields(r) > 0; row++)
		for (int c = 0; c < PQnfields(r); c++)
			fill_field(&in, kind, r, row, c);
	if (rows_check(kind, r, UNITS) == NULL)
		read_rows(kind, r);
	PQclear(r);
	return 0;
}
