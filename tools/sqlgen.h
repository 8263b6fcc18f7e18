/*
 * sqlgen: unit kinds, audits and migrations in SQL -> C.  The block format is db/README.md.
 *
 *	load (sqlgen_load.c) --> expand (sqlgen_expand.c) --> write (sqlgen_write.c)
 *
 * A build tool: a mistake in the SQL ends it with `file:line: why`; memory is never
 * given back, the process is short.
 */
#ifndef ORDERD_TOOLS_SQLGEN_H
#define ORDERD_TOOLS_SQLGEN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	COLUMNS_MAX = 64,
	KEYS_MAX = 2,
	KEY_ARGS_MAX = 3,
	KINDS_MAX = 512,
	MIGRATIONS_MAX = 512,
	ARGS_MAX = 16,
};

struct column {
	char *name;
	char *type; /* as in SQL: int4, uuid, ... */
	bool nullable;
};

struct columns {
	struct column at[COLUMNS_MAX];
	int n;
};

struct key_rule {
	char *maker; /* "id" or "request" */
	char *args[KEY_ARGS_MAX];
	int n_args;
};

struct kind {
	const char *file;
	char *name;
	char *lane;
	int rank;
	bool shared; /* a batch statement, not a unit kind */
	bool audit;  /* a rule of db/audit, made a unit kind: struct audit_head, audit_row */
	struct columns head, line, answer;
	struct key_rule keys[KEYS_MAX];
	int n_keys;
	bool lock_orders, lock_jobs;
	char *stock; /* head column */
	char *again; /* answer column */
	char *body;  /* as written */
	int body_line;
	char *sql; /* expanded */
};

struct migration_file {
	int version;
	char *name;
	char *sql;
	char sha256[65];
};

struct sources {
	const char *dir; /* db/queries */
	struct kind *kinds[KINDS_MAX];
	int n_kinds, n_audits; /* the audits are the last of the kinds */
	struct kind *shared[8];
	int n_shared;
	struct migration_file migrations[MIGRATIONS_MAX];
	int n_migrations;
};

/* text */
struct text {
	char *p;
	size_t n, cap;
};

void text_add(struct text *t, const char *s, size_t n);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *copy_of(const char *s, size_t n);
char *file_read(const char *path,
		size_t *ret_n); /* NUL-terminated; ends the program when it cannot */
_Noreturn void refuse(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* steps */
void load_queries(struct sources *src, const char *dir);
void load_audits(struct sources *src, const char *dir); /* after load_queries() */
void load_migrations(struct sources *src, const char *dir);
char *expand(const struct sources *src, const struct kind *k);
void check_kind(const struct sources *src, const struct kind *k);
const struct column *column_find(const struct columns *cs, const char *name);
void write_header(const struct sources *src, const char *path);
void write_source(const struct sources *src, const char *path, const char *header_name);

#endif
