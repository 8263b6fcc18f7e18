/*
 * `orderd migrate`: from whatever schema version there is to the one this program knows.
 *
 * Every migration's file name and SHA-256 are kept beside its version, so a file edited
 * after it was applied is noticed instead of half believed.
 */
#include "core/store/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "core/store/internal.h"

enum { STATEMENT_TIMEOUT_NONE = 0 };

/* Any fixed number: the key under which two runners meet. */
#define RUNNERS_LOCK "SELECT pg_advisory_lock(7232121605001)"

/* What a schema itself looks at each time, if it does: an old one has no such function. */
#define LOOK_AROUND                                                        \
	"DO $$ BEGIN IF to_regprocedure('orderd.migrated()') IS NOT NULL " \
	"THEN PERFORM orderd.migrated(); END IF; END $$"

static bool run(PGconn *pg, const char *sql, FILE *out)
{
	PGresult *r = PQexec(pg, sql);
	ExecStatusType s = PQresultStatus(r);
	bool ok = s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;

	if (!ok)
		fprintf(out, "migrate: %s", PQresultErrorMessage(r));
	PQclear(r);
	return ok;
}

PGconn *store_connect(const char *conninfo, const char *program, const char *session,
		      const char *role, FILE *out)
{
	struct conn_params p;
	char *why = params_make(&p, conninfo, program, STATEMENT_TIMEOUT_NONE, session, role);
	PGconn *pg;

	if (why != NULL) {
		fprintf(out, "%s: %s\n", program, why);
		free(why);
		return NULL;
	}
	pg = PQconnectdbParams(p.keywords, p.values, 0);
	params_done(&p);
	if (PQstatus(pg) == CONNECTION_OK)
		return pg;
	fprintf(out, "%s: %s", program, PQerrorMessage(pg));
	PQfinish(pg);
	return NULL;
}

bool store_conninfo_ok(const char *conninfo, char *why, size_t room)
{
	struct conn_params p;
	char *mistake = params_make(&p, conninfo, "", STATEMENT_TIMEOUT_NONE, "", NULL);

	if (mistake == NULL) {
		params_done(&p);
		return true;
	}
	snprintf(why, room, "%.*s", (int)strcspn(mistake, "\n"), mistake);
	free(mistake);
	return false;
}

static PGresult *applied(PGconn *pg)
{
	return PQexec(
		pg, "SELECT version, name, checksum FROM orderd.schema_migration ORDER BY version");
}

/* Compare what was applied with what we know; how many of ours are there already, -1 after saying
 * why not. */
static int compare(const PGresult *r, bool newer_is_fine, FILE *out)
{
	int n = PQntuples(r), known = (int)SQL_CATALOGUE.n_migrations;

	if (n > known && !newer_is_fine) {
		fprintf(out,
			"migrate: the schema is at version %s, this program knows %d: it is older "
			"than the database\n",
			PQgetvalue(r, n - 1, 0), known);
		return -1;
	}
	for (int i = 0; i < n && i < known; i++) {
		const struct migration *m = &SQL_CATALOGUE.migrations[i];

		if (atoi(PQgetvalue(r, i, 0)) == m->version && /* banned-ok: an integer column */
		    strcmp(PQgetvalue(r, i, 2), m->sha256) == 0)
			continue;
		fprintf(out,
			"migrate: %s was applied with checksum %s, ours (%s) has %s: an applied "
			"migration is never changed\n",
			PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), m->name, m->sha256);
		return -1;
	}
	return n < known ? n : known;
}

static bool record(PGconn *pg, const struct migration *m, FILE *out)
{
	char version[16];
	const char *values[] = {version, m->name, m->sha256};
	PGresult *r;
	bool ok;

	snprintf(version, sizeof(version), "%d", m->version);
	r = PQexecParams(pg,
			 "INSERT INTO orderd.schema_migration (version, name, checksum) VALUES "
			 "($1::int, $2, $3)",
			 3, NULL, values, NULL, NULL, 0);
	ok = PQresultStatus(r) == PGRES_COMMAND_OK;
	if (!ok)
		fprintf(out, "migrate: %s", PQresultErrorMessage(r));
	PQclear(r);
	return ok;
}

static bool apply(PGconn *pg, const struct migration *m, FILE *out)
{
	if (!run(pg, "BEGIN", out))
		return false;
	if (run(pg, m->sql, out) && record(pg, m, out) && run(pg, "COMMIT", out)) {
		fprintf(out, "applied %s\n", m->name);
		return true;
	}
	fprintf(out, "migrate: %s failed; nothing of it was kept\n", m->name);
	(void)run(pg, "ROLLBACK", out);
	return false;
}

static bool apply_missing(PGconn *pg, FILE *out)
{
	PGresult *r = applied(pg);
	int have = -1;

	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		have = compare(r, false, out);
	else
		fprintf(out, "migrate: %s", PQresultErrorMessage(r));
	PQclear(r);
	if (have < 0)
		return false;
	for (uint32_t i = (uint32_t)have; i < SQL_CATALOGUE.n_migrations; i++) {
		if (!apply(pg, &SQL_CATALOGUE.migrations[i], out))
			return false;
	}
	fprintf(out, "schema version %u\n", SQL_CATALOGUE.n_migrations);
	return run(pg, LOOK_AROUND, out);
}

int store_migrate(const char *conninfo, FILE *out)
{
	PGconn *pg = store_connect(conninfo, "orderd migrate", "", NULL, out);
	bool ok;

	if (pg == NULL)
		return 1;
	/* A migration changes everybody's rows, and the policies hold for the owner, too. */
	ok = run(pg,
		 "SET lock_timeout = 0; SET client_min_messages = warning; SET app.tenants = '*'",
		 out) &&
	     run(pg, RUNNERS_LOCK, out) &&
	     run(pg,
		 "CREATE SCHEMA IF NOT EXISTS orderd;"
		 "CREATE TABLE IF NOT EXISTS orderd.schema_migration (version int PRIMARY KEY, "
		 "name text NOT NULL,"
		 " checksum text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
		 out) &&
	     run(pg, "SET lock_timeout = '10s'", out) && apply_missing(pg, out);
	PQfinish(pg); /* lets go of the lock */
	return ok ? 0 : 1;
}

/* The roles are members of nothing, so each is tried from the user itself. */
static PGresult *take_role(PGconn *pg, const char *role)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "RESET ROLE; SET ROLE %s", role); /* a name of ours */
	return PQexec(pg, sql);
}

static bool may_act_as(PGconn *pg, const char *const *roles, FILE *out)
{
	for (; roles != NULL && *roles != NULL; roles++) {
		PGresult *r = take_role(pg, *roles);
		bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;

		if (!ok)
			fprintf(out,
				"user %s may not act as %s: %sAs a superuser: "
				"GRANT %s TO \"%s\"\n",
				PQuser(pg), *roles, PQresultErrorMessage(r), *roles, PQuser(pg));
		PQclear(r);
		if (!ok)
			return false;
	}
	return true;
}

static bool begins(const char *code, const char *with)
{
	return code != NULL && strncmp(code, with, strlen(with)) == 0;
}

/* What the answer of applied() says. */
static enum schema_state state_of(const PGresult *r, FILE *out)
{
	const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	int have;

	if (PQresultStatus(r) == PGRES_TUPLES_OK) {
		have = compare(r, true, out);
		return have < 0                                 ? SCHEMA_CHANGED
		       : have < (int)SQL_CATALOGUE.n_migrations ? SCHEMA_OLD
								: SCHEMA_CURRENT;
	}
	if (begins(code, "42501"))
		return SCHEMA_CLOSED;
	if (begins(code, "42"))
		return SCHEMA_OLD; /* no such table: never migrated */
	fprintf(out, "migrate: %s", PQresultErrorMessage(r));
	return SCHEMA_UNREACHABLE;
}

enum schema_state store_schema_state(const char *conninfo, const char *const *roles, FILE *out)
{
	PGconn *pg = store_connect(conninfo, "orderd migrate", "", NULL, out);
	enum schema_state state;
	PGresult *r;

	if (pg == NULL)
		return SCHEMA_UNREACHABLE;
	r = applied(pg);
	state = state_of(r, out);
	if ((state == SCHEMA_CURRENT || state == SCHEMA_CLOSED) && !may_act_as(pg, roles, out)) {
		state = SCHEMA_CLOSED;
	} else if (state == SCHEMA_CLOSED) { /* the roles may look where their members may not */
		PQclear(r);
		r = applied(pg);
		state = state_of(r, out);
		if (state == SCHEMA_CLOSED)
			fprintf(out, "migrate: %s", PQresultErrorMessage(r));
	}
	if (state == SCHEMA_OLD)
		fprintf(out, "the schema is older than this program: run `orderd migrate` first\n");
	PQclear(r);
	PQfinish(pg);
	return state;
}
