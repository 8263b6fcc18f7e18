#include "books.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/migrate.h"
#include "core/store/unit.h"

struct pg *pg;
PGconn *db;

/*
 * All rows in one view, exact and in shape: whether an id, a time or a transaction is there, but
 * not which, and without the numbers that a transaction takes from a sequence and keeps when it is
 * undone, and without a hash over any of these.
 */
static const char everything[] =
	"DO $do$ BEGIN EXECUTE 'CREATE TEMP VIEW everything AS ' || (SELECT string_agg(format("
	"'SELECT %L AS tab, to_jsonb(x) AS exact, ROW(%s)::text AS shape FROM orderd.%I x', "
	"relname,"
	" shown, relname), ' UNION ALL ') FROM (SELECT relname, string_agg(format(CASE WHEN "
	"atttypid"
	" IN ('uuid'::regtype, 'timestamptz'::regtype, 'xid8'::regtype) THEN 'x.%I IS NULL' ELSE "
	"'x.%I' END, "
	"attname),"
	" ', ' ORDER BY attnum) AS shown FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid"
	" WHERE relnamespace = 'orderd'::regnamespace AND relkind = 'r' AND relname <>"
	" 'schema_migration' AND attnum > 0 AND NOT attisdropped"
	" AND attname NOT IN ('item', 'location', 'number', 'sscc', 'hash') GROUP BY relname) t); "
	"END $do$;"
	"PREPARE exact(text[]) AS SELECT string_agg(line, e'\\n' ORDER BY line) FROM"
	" (SELECT tab || ' ' || (exact - $1)::text AS line FROM everything) x;"
	"PREPARE shape AS SELECT string_agg(line, e'\\n' ORDER BY line COLLATE \"C\") FROM"
	" (SELECT tab || ' ' || shape AS line FROM everything) x";

int books_setup(void **state)
{
	FILE *out = tmpfile();

	(void)state;
	pg = pg_new();
	assert_int_equal(store_migrate(pg->conninfo, out), 0);
	fclose(out);
	db = pg_connect(pg);
	pg_exec(db, everything);
	world_role = STORE_WORKER_ROLE;
	return 0;
}

int books_teardown(void **state)
{
	(void)state;
	PQfinish(db);
	pg_free(pg);
	return 0;
}

int books_clean(void **state)
{
	(void)state;
	pg_wait_for_others(db); /* TRUNCATE and a late statement would lock each other out */
	pg_exec(db,             /* replica: call_record refuses to be emptied */
		"DO $do$ BEGIN PERFORM set_config('session_replication_role', 'replica', true);"
		" EXECUTE (SELECT 'TRUNCATE ' || string_agg('orderd.' || relname, ', "
		"')"
		" || ' RESTART IDENTITY' FROM pg_class WHERE relnamespace = 'orderd'::regnamespace"
		" AND relkind = 'r' AND relname NOT IN ('schema_migration', 'tenant', "
		"'generation'));"
		" PERFORM set_config('session_replication_role', 'origin', true);"
		" END $do$; UPDATE generation SET value = 1 WHERE value <> 1");
	return 0;
}

void books_hold(void)
{
	DIR *d = opendir(ORDERD_SOURCE_DIR "/db/audit");
	int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[512], sql[16384];
		PGresult *r;
		FILE *f;

		if (strstr(e->d_name, ".sql") == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/db/audit/%s", ORDERD_SOURCE_DIR, e->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		sql[fread(sql, 1, sizeof(sql) - 1, f)] = '\0';
		fclose(f);
		r = PQexec(db, sql);
		if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 0)
			fail_msg("audit %s: %d rows %s", e->d_name, PQntuples(r),
				 PQresultErrorMessage(r));
		PQclear(r);
		n++;
	}
	closedir(d);
	assert_true(n > 5);
}

static char *rows_of(const char *prepared, int n, const char *value)
{
	PGresult *r = PQexecPrepared(db, prepared, n, &value, NULL, NULL, 0);
	char *rows;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s", PQresultErrorMessage(r));
	rows = strdup(PQgetvalue(r, 0, 0));
	PQclear(r);
	assert_non_null(rows);
	return rows;
}

char *books_exact(const char *without)
{
	return rows_of("exact", 1, without);
}

char *books_shape(void)
{
	return rows_of("shape", 0, NULL);
}

/* Ask one unit and wait for it; what it points at is on the caller's stack. */
uint32_t books_ask(struct world *w, struct unit u)
{
	struct question q;
	uint32_t rows;

	question_init(&q, w);
	question_ask(&q, u);
	world_run(w);
	if (q.err != ERR_OK)
		fail_msg("%s was answered %s", u.kind->name, err_name(q.err));
	rows = q.rows;
	question_done(&q);
	return rows;
}
