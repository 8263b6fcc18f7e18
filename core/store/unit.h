/*
 * What the SQL generator (tools/sqlgen) tells the store about db/.
 *
 * Only generated code fills these tables and only core/store reads them: arity, order
 * and types of every parameter and every answer column come from the block headers in
 * db/queries and from nowhere else.  One program is linked with one SQL_CATALOGUE.
 */
#ifndef ORDERD_STORE_UNIT_H
#define ORDERD_STORE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

enum store_lane {
	STORE_LANE_ORDER,
	STORE_LANE_JOB,
	STORE_LANE_READ,
	STORE_LANE_AUDIT,
	STORE_LANES
};

enum db_type {
	DB_INT2,
	DB_INT4,
	DB_INT8,
	DB_BOOL,
	DB_UUID,
	DB_TEXT,
	DB_BYTEA,
	DB_TIMESTAMPTZ,
	DB_TYPES
};

/* One field of a head, line or row struct and the column it travels in. */
struct db_column {
	const char *name;
	enum db_type type;
	bool nullable;
	uint32_t offset; /* in the C struct; unused for the ordinal */
};

#define UNIT_NONE UINT32_MAX

struct unit_kind {
	const char *name;
	const char *sql; /* parameters: head columns, then the lines' ordinal and columns */
	enum store_lane lane;
	int rank;                                     /* order of the kinds in a batch, low first */
	uint32_t index;                               /* place in the catalogue */
	const struct db_column *head, *line, *answer; /* answer[0] is the ordinal */
	uint32_t n_head, n_line, n_answer;
	uint32_t head_size, line_size; /* bytes of the C structs */
	uint32_t tenant;      /* offset in the head, or UNIT_NONE: every line has its own ... */
	uint32_t line_tenant; /* ... at this offset; neither: the kind works across tenants */
	uint32_t order_id;    /* offset in the head when order rows are locked, else UNIT_NONE */
	uint32_t job_id;      /* the same for job rows */
	uint32_t cause;       /* offset of the stock movements' cause, or UNIT_NONE */
	uint32_t again;       /* answer column that may say "again", or UNIT_NONE */
};

/* Every rule of db/audit is a kind of the audit lane, with this head and this answer of one row. */
struct audit_head {
	int64_t keys; /* rows named in `first` */
};

struct audit_row {
	int64_t found; /* rows that break the rule */
	struct str first;
};

/* A statement that runs once for all units of a batch, over (tenant int4, id uuid) pairs. */
struct shared_statement {
	const char *name;
	const char *sql;
};

struct migration {
	int version;
	const char *name; /* file name */
	const char *sql;
	const char *sha256; /* of the file, hex */
};

struct sql_catalogue {
	const struct unit_kind *const *kinds; /* by rank, then name */
	uint32_t n_kinds;
	const struct unit_kind *const *audits; /* part of `kinds`, by name */
	uint32_t n_audits;
	const struct shared_statement *lock_orders, *lock_jobs, *stock_lock,
		*stock_apply;               /* NULL: no kind needs it */
	const struct migration *migrations; /* by version */
	uint32_t n_migrations;
};

extern const struct sql_catalogue SQL_CATALOGUE;

/* Copy row `i` of a unit's answer into its generated struct; called by the generated X_row() alone.
 */
void unit_row_read(const struct unit_kind *kind, const struct answer *a, uint32_t i, void *ret_row);

#endif
