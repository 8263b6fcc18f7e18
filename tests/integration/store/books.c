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

static const char everything[] =
	"DO $do$ BEGIN EXECUTE 'CREATE TEMP VIEW everything AS ' || (SELECT string_agg(format("
	"'SELECT %L AS tab, to_jsonb(x) AS columns FROM orderd.%I x', tablename, tablename),"
	" ' UNION ALL ') FROM pg_tables"
	" WHERE schemaname = 'orderd' AND tablename <> 'schema_migration'); END $do$;"
	"PREPARE lines(text[], text) AS SELECT string_agg(line, e'\\n' ORDER BY line) FROM (SELECT "
	"tab || ' ' || regexp_replace((columns - $1)::text, $2, '', 'g') AS line FROM everything) "
	"x";

/* an id of ours or a point in time, as JSON writes them */
static const char varying[] =
	"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
	"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+[+-][0-9:]+";

int books_setup(void **state)
{
	FILE *out = tmpfile();

	(void)state;
	pg = pg_new();
	assert_int_equal(store_migrate(pg->conninfo, out), 0);
	fclose(out);
	db = pg_connect(pg);
	pg_exec(db, everything);
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
	pg_exec(db,
		"TRUNCATE location, item, stock, contact, request, orders, order_line, "
		"reservation, stock_movement,"
		" stock_document, order_event, payment, payment_attempt, payment_transaction, "
		"shipment, shipment_scan, job"
		" RESTART IDENTITY;"
		"UPDATE generation SET value = 1 WHERE value <> 1");
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

char *books_rows(const char *without, bool shape)
{
	const char *values[] = {without, shape ? varying : "^$"};
	PGresult *r = PQexecPrepared(db, "lines", 2, values, NULL, NULL, 0);
	char *rows;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s", PQresultErrorMessage(r));
	rows = strdup(PQgetvalue(r, 0, 0));
	PQclear(r);
	assert_non_null(rows);
	return rows;
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
