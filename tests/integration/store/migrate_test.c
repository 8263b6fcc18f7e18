/*
 * Migrations: applied once, in order, by one runner at a time; what was applied is never
 * silently different.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/store/migrate.h"
#include "tests/support/pg.h"

static struct pg *pg;
static PGconn *db;
static char *said; /* of the last run */

static int setup(void **state)
{
	(void)state;
	pg = pg_new();
	db = pg_connect(pg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(said);
	PQfinish(db);
	pg_free(pg);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	pg_exec(db, "DROP SCHEMA IF EXISTS orderd CASCADE");
	return 0;
}

static int migrate(const char *conninfo)
{
	size_t n;
	FILE *out;
	int rc;

	free(said);
	said = NULL;
	out = open_memstream(&said, &n);
	rc = store_migrate(conninfo, out);
	fclose(out);
	return rc;
}

static enum schema_state look(const char *conninfo)
{
	size_t n;
	FILE *out;
	enum schema_state s;

	free(said);
	said = NULL;
	out = open_memstream(&said, &n);
	s = store_schema_state(conninfo, NULL, out);
	fclose(out);
	return s;
}

static void an_empty_database_gets_the_schema_and_a_second_run_nothing(void **state)
{
	(void)state;
	assert_int_equal(look(pg->conninfo), SCHEMA_OLD);
	assert_non_null(strstr(said, "orderd migrate"));
	assert_int_equal(migrate(pg->conninfo), 0);
	assert_non_null(strstr(said, "applied 0001_fixture.sql"));
	assert_int_equal(look(pg->conninfo), SCHEMA_CURRENT);
	assert_int_equal(migrate(pg->conninfo), 0);
	assert_null(strstr(said, "applied"));
	assert_int_equal(
		pg_number(db, "SELECT count(*) FROM schema_migration WHERE length(checksum) = 64"),
		1);
}

static void a_changed_migration_is_refused(void **state)
{
	(void)state;
	assert_int_equal(migrate(pg->conninfo), 0);
	pg_exec(db, "UPDATE schema_migration SET checksum = repeat('0', 64)");
	assert_int_equal(migrate(pg->conninfo), 1);
	assert_non_null(strstr(said, "never changed"));
	assert_int_equal(look(pg->conninfo), SCHEMA_CHANGED);
}

static void a_newer_schema_is_not_migrated_but_can_be_served(void **state)
{
	(void)state;
	assert_int_equal(migrate(pg->conninfo), 0);
	pg_exec(db, "INSERT INTO schema_migration VALUES (2, '0002_later.sql', repeat('0', 64))");
	assert_int_equal(migrate(pg->conninfo), 1);
	assert_non_null(strstr(said, "older than the database"));
	assert_int_equal(look(pg->conninfo), SCHEMA_CURRENT);
}

static void a_migration_that_fails_leaves_nothing(void **state)
{
	(void)state;
	pg_exec(db,
		"CREATE SCHEMA orderd; CREATE TABLE orderd.stock_movement (x int)"); /* in its way,
											half through
										      */
	assert_int_equal(migrate(pg->conninfo), 1);
	assert_non_null(strstr(said, "nothing of it was kept"));
	assert_int_equal(pg_number(db,
				   "SELECT count(*) FROM pg_tables WHERE schemaname = 'orderd' AND "
				   "tablename = 'orders'"),
			 0);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM schema_migration"), 0);
	pg_exec(db, "DROP TABLE stock_movement");
	assert_int_equal(migrate(pg->conninfo), 0);
}

static void many_runners_at_once_apply_it_once(void **state)
{
	pid_t pids[6];
	int status;

	(void)state;
	for (int i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(migrate(pg->conninfo));
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(pg_number(db, "SELECT count(*) FROM schema_migration"), 1);
}

static void a_server_that_cannot_be_reached_is_said_so(void **state)
{
	(void)state;
	assert_int_equal(migrate("host=/nowhere dbname=x"), 1);
	assert_int_equal(migrate("no such option=1"), 1);
	assert_int_equal(look("host=/nowhere dbname=x"), SCHEMA_UNREACHABLE);
	assert_true(strlen(said) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_database_gets_the_schema_and_a_second_run_nothing,
				       empty),
		cmocka_unit_test_setup(a_changed_migration_is_refused, empty),
		cmocka_unit_test_setup(a_newer_schema_is_not_migrated_but_can_be_served, empty),
		cmocka_unit_test_setup(a_migration_that_fails_leaves_nothing, empty),
		cmocka_unit_test_setup(many_runners_at_once_apply_it_once, empty),
		cmocka_unit_test_setup(a_server_that_cannot_be_reached_is_said_so, empty),
	};

	return cmocka_run_group_tests_name("store migrate", tests, setup, teardown);
}
