/*
 * Binary parameters: one array per column over all units of a kind.
 *
 * The layout is array_recv()'s (PostgreSQL, src/backend/utils/adt/arrayfuncs.c):
 * dimensions, "has nulls", element type, then per dimension length and lower bound, then
 * each element as length and bytes; everything in network order.
 */
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/internal.h"

/* Type OIDs are fixed by PostgreSQL's catalogue (src/include/catalog/pg_type.dat). */
static const struct {
	uint32_t oid;
	uint32_t size; /* 0: text or bytea */
} type_table[DB_TYPES] = {
	[DB_INT2] = {21, 2},  [DB_INT4] = {23, 4},          [DB_INT8] = {20, 8},
	[DB_BOOL] = {16, 1},  [DB_UUID] = {2950, 16},       [DB_TEXT] = {25, 0},
	[DB_BYTEA] = {17, 0}, [DB_TIMESTAMPTZ] = {1184, 8},
};

enum {
	ENCODER_KEEP = 1024 * 1024, /* a buffer grown beyond this by a large unit is given back */
	ARRAY_HEAD = 20,
};

#define PG_EPOCH_US INT64_C(946684800000000) /* PostgreSQL counts from 2000-01-01 */

static void reserve(struct encoder *e, size_t n)
{
	if (e->n + n <= e->cap)
		return;
	e->cap = (e->n + n) * 2;
	e->p = mem_grow(e->p, e->cap, 1);
}

static void put(struct encoder *e, const void *p, size_t n)
{
	reserve(e, n);
	if (n > 0)
		memcpy(e->p + e->n, p, n);
	e->n += n;
}

static void put_u32(struct encoder *e, uint32_t v)
{
	v = htobe32(v);
	put(e, &v, sizeof(v));
}

static void put_i64(struct encoder *e, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);

	put_u32(e, 8);
	put(e, &be, sizeof(be));
}

static void put_null(struct encoder *e, size_t array_start)
{
	uint32_t yes = htobe32(1);

	memcpy(e->p + array_start + 4, &yes, sizeof(yes)); /* "has nulls" */
	put_u32(e, UINT32_MAX);
}

static void put_bytes(struct encoder *e, const struct str *s)
{
	assert(s->n <= INT32_MAX);
	put_u32(e, (uint32_t)s->n);
	put(e, s->p, s->n);
}

static void put_small(struct encoder *e, const void *field, uint32_t size)
{
	uint16_t v2;
	uint32_t v4;

	put_u32(e, size);
	if (size == 4) {
		memcpy(&v4, field, 4);
		put_u32(e, v4);
	} else if (size == 2) {
		memcpy(&v2, field, 2);
		v2 = htobe16(v2);
		put(e, &v2, 2);
	} else {
		put(e, *(const bool *)field ? "\1" : "\0", 1);
	}
}

static void put_value(struct encoder *e, const struct db_column *c, const void *row,
		      size_t array_start)
{
	const void *field = (const char *)row + c->offset;
	int64_t v;

	switch (c->type) {
	case DB_INT8:
	case DB_TIMESTAMPTZ:
		memcpy(&v, field, sizeof(v));
		if (c->nullable && v == DB_NULL)
			put_null(e, array_start);
		else
			put_i64(e, c->type == DB_TIMESTAMPTZ && v > INT64_MIN + PG_EPOCH_US
					   ? v - PG_EPOCH_US
					   : v);
		break;
	case DB_UUID:
		if (c->nullable && id_is_zero(*(const struct id *)field)) {
			put_null(e, array_start);
			break;
		}
		put_u32(e, sizeof(struct id));
		put(e, field, sizeof(struct id));
		break;
	case DB_TEXT:
	case DB_BYTEA:
		if (c->nullable && ((const struct str *)field)->p == NULL)
			put_null(e, array_start);
		else
			put_bytes(e, field);
		break;
	case DB_INT2:
	case DB_INT4:
	case DB_BOOL:
	case DB_TYPES:
		put_small(e, field, type_table[c->type].size);
		break;
	}
}

static void encoder_begin(struct encoder *e)
{
	e->n = 0;
	e->n_params = 0;
}

/* Returns where the array starts.  PostgreSQL writes an empty array without dimensions. */
static size_t begin_array(struct encoder *e, enum db_type type, uint32_t n)
{
	size_t start = e->n;

	assert(e->n_params < PARAMS_MAX);
	e->start[e->n_params++] = start;
	put_u32(e, n > 0 ? 1 : 0);
	put_u32(e, 0);
	put_u32(e, type_table[type].oid);
	if (n > 0) {
		put_u32(e, n);
		put_u32(e, 1);
	}
	return start;
}

static void encode_lines(struct encoder *e, const struct unit_kind *kind, struct ask *const *asks,
			 uint32_t n, uint32_t n_lines)
{
	begin_array(e, DB_INT8, n_lines);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < asks[i]->u.n_lines; k++)
			put_i64(e, (int64_t)i + 1);
	}
	for (uint32_t c = 0; c < kind->n_line; c++) {
		size_t start = begin_array(e, kind->line[c].type, n_lines);

		for (uint32_t i = 0; i < n; i++) {
			const char *line = asks[i]->u.lines;

			for (uint32_t k = 0; k < asks[i]->u.n_lines; k++, line += kind->line_size)
				put_value(e, &kind->line[c], line, start);
		}
	}
}

void encode_units(struct encoder *e, const struct unit_kind *kind, struct ask *const *asks,
		  uint32_t n)
{
	uint32_t n_lines = 0;

	encoder_begin(e);
	for (uint32_t c = 0; c < kind->n_head; c++) {
		size_t start = begin_array(e, kind->head[c].type, n);

		for (uint32_t i = 0; i < n; i++)
			put_value(e, &kind->head[c], asks[i]->u.head, start);
	}
	for (uint32_t i = 0; i < n; i++)
		n_lines += asks[i]->u.n_lines;
	if (kind->n_line > 0)
		encode_lines(e, kind, asks, n, n_lines);
}

static bool id_at(const struct ask *a, uint32_t offset, struct id *ret)
{
	if (offset == UNIT_NONE)
		return false;
	memcpy(ret, (const char *)a->u.head + offset, sizeof(*ret));
	return !id_is_zero(*ret);
}

/* Zero for kinds that work across tenants. */
static int32_t tenant_of(const struct ask *a)
{
	int32_t tenant = 0;

	if (a->u.kind->tenant != UNIT_NONE)
		memcpy(&tenant, (const char *)a->u.head + a->u.kind->tenant, sizeof(tenant));
	return tenant;
}

uint32_t encode_pairs(struct encoder *e, struct ask *const *asks, uint32_t n,
		      uint32_t (*offset_of)(const struct unit_kind *))
{
	uint32_t found = 0;
	struct id id;

	for (uint32_t i = 0; i < n; i++)
		found += id_at(asks[i], offset_of(asks[i]->u.kind), &id);
	encoder_begin(e);
	begin_array(e, DB_INT4, found);
	for (uint32_t i = 0; i < n; i++) {
		int32_t tenant = tenant_of(asks[i]);

		if (id_at(asks[i], offset_of(asks[i]->u.kind), &id))
			put_small(e, &tenant, sizeof(tenant));
	}
	begin_array(e, DB_UUID, found);
	for (uint32_t i = 0; i < n; i++) {
		if (id_at(asks[i], offset_of(asks[i]->u.kind), &id)) {
			put_u32(e, sizeof(id));
			put(e, &id, sizeof(id));
		}
	}
	return found;
}

bool knows_tenants(const struct unit_kind *k)
{
	return k->tenant != UNIT_NONE || k->line_tenant != UNIT_NONE;
}

static int by_number(const void *a, const void *b)
{
	int32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Most batches have one, so what stands there already is not written again. */
static void put_tenant(struct encoder *e, int32_t tenant)
{
	if (e->n < sizeof(tenant) ||
	    memcmp(e->p + e->n - sizeof(tenant), &tenant, sizeof(tenant)) != 0)
		put(e, &tenant, sizeof(tenant));
}

static void put_tenants(struct encoder *e, const struct unit *u)
{
	const struct unit_kind *k = u->kind;
	int32_t tenant;

	if (k->tenant != UNIT_NONE) {
		memcpy(&tenant, (const char *)u->head + k->tenant, sizeof(tenant));
		put_tenant(e, tenant);
	}
	for (uint32_t i = 0; k->line_tenant != UNIT_NONE && i < u->n_lines; i++) {
		memcpy(&tenant, (const char *)u->lines + (size_t)i * k->line_size + k->line_tenant,
		       sizeof(tenant));
		put_tenant(e, tenant);
	}
}

/* The numbers are gathered and sorted in front of the text. */
void encode_tenants(struct encoder *e, struct ask *const *asks, uint32_t n)
{
	char one[16];
	int32_t tenant, last = 0;
	size_t end;

	encoder_begin(e);
	for (uint32_t i = 0; i < n; i++)
		put_tenants(e, &asks[i]->u);
	end = e->n;
	if (end > 0)
		qsort(e->p, end / sizeof(tenant), sizeof(tenant), by_number);
	e->start[e->n_params++] = end;
	put(e, "{", 1);
	for (size_t at = 0; at < end; at += sizeof(tenant)) {
		memcpy(&tenant, e->p + at, sizeof(tenant));
		if (at == 0 || tenant != last)
			put(e, one,
			    (size_t)snprintf(one, sizeof(one), "%s%d", at > 0 ? "," : "", tenant));
		last = tenant;
	}
	put(e, "}", 2); /* text parameters end in NUL */
}

void encode_text(struct encoder *e, const char *text)
{
	encoder_begin(e);
	e->start[e->n_params++] = 0;
	put(e, text, strlen(text) + 1);
}

void encoder_trim(struct encoder *e)
{
	if (e->cap <= ENCODER_KEEP)
		return;
	free(e->p);
	*e = (struct encoder){0};
}

int encoder_send(const struct encoder *e, PGconn *pg, const char *statement, bool binary)
{
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];

	assert(e->n <= INT32_MAX);
	for (int i = 0; i < e->n_params; i++) {
		size_t end = i + 1 < e->n_params ? e->start[i + 1] : e->n;

		values[i] = e->p + e->start[i];
		lengths[i] = (int)(end - e->start[i]);
		formats[i] = binary;
	}
	return PQsendQueryPrepared(pg, statement, e->n_params, values, lengths, formats, 1);
}

static uint64_t row_bytes(const struct db_column *cs, uint32_t n, const char *row)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < n; c++) {
		bool fixed = type_table[cs[c].type].size > 0;

		sum += 4 + (fixed ? type_table[cs[c].type].size
				  : ((const struct str *)(const void *)(row + cs[c].offset))->n);
	}
	return sum;
}

uint32_t unit_bytes(const struct unit *u)
{
	uint64_t sum = row_bytes(u->kind->head, u->kind->n_head, u->head);

	for (uint32_t i = 0; i < u->n_lines; i++)
		sum += row_bytes(u->kind->line, u->kind->n_line,
				 (const char *)u->lines + (size_t)i * u->kind->line_size);
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}
