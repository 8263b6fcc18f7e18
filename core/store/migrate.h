/*
 * Migrations: db/migrations, embedded in the program, applied forward and never changed.
 * Blocking; for `orderd migrate` and for the moment before a program's loop runs.
 */
#ifndef ORDERD_STORE_MIGRATE_H
#define ORDERD_STORE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum schema_state {
	SCHEMA_CURRENT,     /* everything this program needs is there; it may be newer */
	SCHEMA_OLD,         /* `orderd migrate` must run first */
	SCHEMA_CHANGED,     /* a migration that was applied differs from ours */
	SCHEMA_CLOSED,      /* the user may not act as a role the program needs */
	SCHEMA_UNREACHABLE, /* PostgreSQL did not say */
};

/*
 * Apply what is missing, each migration in its own transaction, one runner at a time
 * (advisory lock).  Says what it does on `out`.  0, or 1 after saying why on `out`: no
 * connection, a changed migration, a schema newer than this program, an SQL error.
 */
int store_migrate(const char *conninfo, FILE *out);

/* Whether libpq can read this connection string; why not, in `why`, as one line. */
bool store_conninfo_ok(const char *conninfo, char *why, size_t room);

/*
 * What a program asks before it starts, with the roles it will act as (NULL ends them; may be
 * NULL); the reason, if it is not current, on `out`.
 */
enum schema_state store_schema_state(const char *conninfo, const char *const *roles, FILE *out);

#endif
