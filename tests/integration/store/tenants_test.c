/*
 * Tenants kept apart by the database: statements that forgot whose rows they may touch
 * (careless/), through the store, on the real schema, as the programs act: a user that owns
 * nothing takes a role.  Three tenants have a row each wherever a story looks.
 */
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
#include "world.h"

static struct pg *pg;
static PGconn *db; /* a superuser's: sees everything */

static char keeper[200], shop[200]; /* who owns the database; who the programs connect as */

static const char *const roles[] = {STORE_SERVER_ROLE, STORE_WORKER_ROLE, STORE_AUDIT_ROLE, NULL};

/* ---- the database ---- */

static PGconn *connect_as(const char *conninfo, const char *options)
{
	char all[400];
	PGconn *c;

	snprintf(all, sizeof(all), "%s options='-c search_path=orderd %s'", conninfo, options);
	c = PQconnectdb(all);
	if (PQstatus(c) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(c));
	return c;
}

static int migrate_says(const char *conninfo, char *said, size_t room)
{
	FILE *out = fmemopen(said, room, "w");
	int code = store_migrate(conninfo, out);

	fclose(out);
	return code;
}

static void user(char *conninfo, size_t room, const char *name)
{
	snprintf(conninfo, room, "host=%s dbname=books user=%s", pg->sockets, name);
}

static int setup(void **state)
{
	char super[200];

	(void)state;
	pg = pg_new();
	db = pg_connect(pg);
	pg_exec(db, "CREATE ROLE keeper LOGIN; CREATE ROLE shop LOGIN");
	pg_exec(db, "CREATE DATABASE books OWNER keeper");
	PQfinish(db);
	user(keeper, sizeof(keeper), "keeper");
	user(shop, sizeof(shop), "shop");
	user(super, sizeof(super), "postgres");
	db = connect_as(super, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	PQfinish(db);
	pg_free(pg);
	return 0;
}

/* ---- installing ---- */

static void owner_who_may_not_make_roles__is_told_what_to_ask_for(void **state)
{
	char said[16 * 1024] = "";

	(void)state;
	assert_int_equal(migrate_says(keeper, said, sizeof(said)), 1);
	if (strstr(said, "user keeper may not create the roles orderd_server") == NULL)
		fail_msg("%s", said);
	assert_non_null(strstr(said, "GRANT orderd_server, orderd_worker, orderd_audit TO keeper"));
	assert_non_null(strstr(said, "0015_row_security.sql failed; nothing of it was kept"));
	pg_exec(db, "ALTER ROLE keeper CREATEROLE");
	if (migrate_says(keeper, said, sizeof(said)) != 0)
		fail_msg("%s", said);
	assert_non_null(strstr(said, "applied 0015_row_security.sql"));
}

static enum schema_state look(char *said, size_t room)
{
	FILE *out = fmemopen(said, room, "w");
	enum schema_state state = store_schema_state(shop, roles, out);

	fclose(out);
	return state;
}

static void user_who_may_not_act_as_the_programs__is_told_so(void **state)
{
	char said[2048] = "";

	(void)state;
	assert_int_equal(look(said, sizeof(said)), SCHEMA_CLOSED);
	assert_non_null(strstr(said, "user shop may not act as orderd_server"));
	pg_exec(db, "GRANT orderd_server, orderd_worker TO shop");
	assert_int_equal(look(said, sizeof(said)), SCHEMA_CLOSED);
	assert_non_null(strstr(said, "user shop may not act as orderd_audit"));
	assert_non_null(strstr(said, "GRANT orderd_audit TO \"shop\""));
	pg_exec(db, "GRANT orderd_audit TO shop");
	assert_int_equal(look(said, sizeof(said)), SCHEMA_CURRENT);
	pg_exec(db, "ALTER ROLE shop NOINHERIT"); /* may nothing but act as them */
	assert_int_equal(look(said, sizeof(said)), SCHEMA_CURRENT);
	pg_exec(db, "ALTER ROLE shop INHERIT");
	assert_int_equal(store_schema_state(keeper, roles, stderr), SCHEMA_CURRENT);
}

/* ---- units that forgot ---- */

static int furnish(void **state)
{
	(void)state;
	pg_exec(db,
		"TRUNCATE stock, stock_document, job;"
		"INSERT INTO tenant (tenant, name) VALUES (2, 'b'), (3, 'c') ON CONFLICT DO "
		"NOTHING;"
		"INSERT INTO stock (tenant, item, location, on_hand) SELECT t, 1, 1, 10 FROM "
		"generate_series(1, 3) t;"
		"INSERT INTO job (id, tenant, order_id, group_no, kind) SELECT gen_random_uuid(), "
		"t, "
		"gen_random_uuid(), 1, 'payment.authorize' FROM generate_series(1, 3) t;"
		"INSERT INTO stock_document (tenant, id, kind, reference, actor) SELECT t, "
		"gen_random_uuid(), 'receipt', '', 'clerk' FROM generate_series(1, 3) t");
	return 0;
}

static struct world *world_as(const char *role)
{
	world_role = role;
	return world_new(shop, 1);
}

/* The tenants of the rows a unit was answered, as bits. */
static void note_tenants(struct question *q, const struct answer *a)
{
	unsigned *seen = q->arg;
	struct stock_seen_row row; /* every answer here has this shape */

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		unit_row_read(q->u.kind, a, i, &row);
		*seen |= 1U << row.tenant;
	}
}

enum { T1 = 1 << 1, T2 = 1 << 2, T3 = 1 << 3, MOST = 8 };

struct asked {
	struct question q[MOST];
	unsigned seen[MOST];
	uint32_t n;
};

static struct asked *asked(void)
{
	struct asked *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	return a;
}

/* Units asked in one turn travel in one batch. */
static void ask(struct asked *a, struct world *w, struct unit u)
{
	struct question *q = &a->q[a->n];

	assert_true(a->n < MOST);
	question_init(q, w);
	q->got = note_tenants;
	q->arg = &a->seen[a->n++];
	question_ask(q, u);
}

static void forget(struct asked *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		question_done(&a->q[i]);
	free(a);
}

static struct unit raise_stock(int32_t tenant)
{
	static struct stock_raised_head heads[4];

	heads[tenant].tenant = tenant;
	return stock_raised_unit(&heads[tenant], NULL, 0);
}

static struct unit see_stock(int32_t tenant)
{
	static struct stock_seen_head heads[4];

	heads[tenant].tenant = tenant;
	return stock_seen_unit(&heads[tenant], NULL, 0);
}

static void predicate_forgotten__nothing_of_another_tenant_is_seen_or_changed(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world *w = world_as(roles[i]);
		struct asked *a = asked();

		ask(a, w, see_stock(1));
		ask(a, w, raise_stock(1));
		world_run(w);
		assert_int_equal(a->q[0].err, ERR_OK);
		assert_int_equal(a->q[1].err, ERR_OK);
		assert_int_equal(a->seen[0], T1);
		assert_int_equal(a->seen[1], T1);
		assert_int_equal(pg_number(db, "SELECT on_hand FROM stock WHERE tenant = 1"),
				 11 + i);
		assert_int_equal(pg_number(db, "SELECT sum(on_hand) FROM stock WHERE tenant <> 1"),
				 20);
		forget(a);
		world_free(w);
	}
}

static void batch_of_two_tenants__reaches_both_and_not_the_third(void **state)
{
	struct world *w = world_as(STORE_SERVER_ROLE);
	struct asked *a = asked();

	(void)state;
	for (int32_t tenant = 1; tenant <= 2; tenant++)
		ask(a, w, see_stock(tenant));
	for (int32_t tenant = 1; tenant <= 2; tenant++)
		ask(a, w, raise_stock(tenant));
	world_run(w);
	for (uint32_t i = 0; i < a->n; i++)
		assert_int_equal(a->seen[i], T1 | T2);
	assert_int_equal(pg_number(db, "SELECT on_hand FROM stock WHERE tenant = 3"), 10);
	forget(a);
	a = asked(); /* on the same connection: what was told then is over */
	ask(a, w, see_stock(3));
	world_run(w);
	assert_int_equal(a->seen[0], T3);
	forget(a);
	world_free(w);
}

static void tenants_in_lines__are_told_too(void **state)
{
	static const struct stock_seen_by_lines_line lines[] = {{3}, {1}, {3}, {1}};
	struct stock_seen_by_lines_head h = {0};
	struct world *w = world_as(STORE_SERVER_ROLE);
	struct asked *a = asked();

	(void)state;
	ask(a, w, stock_seen_by_lines_unit(&h, lines, 4));
	world_run(w);
	assert_int_equal(a->q[0].err, ERR_OK);
	assert_int_equal(a->seen[0], T1 | T3);
	forget(a);
	world_free(w);
}

static void row_for_a_tenant_outside_the_batch__is_refused_and_the_others_are_kept(void **state)
{
	struct document_add_head h[3];
	struct world *w = world_as(STORE_SERVER_ROLE);
	struct asked *a = asked();

	(void)state;
	for (int i = 0; i < 3; i++) {
		h[i] = (struct document_add_head){1, i == 1 ? 2 : 1, fresh_id()};
		ask(a, w, document_add_unit(&h[i], NULL, 0));
	}
	world_run(w);
	assert_int_equal(a->q[0].err, ERR_OK);
	assert_int_equal(a->q[1].err, ERR_INTERNAL);
	assert_int_equal(a->q[2].err, ERR_OK);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM stock_document WHERE tenant = 1"), 3);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM stock_document WHERE tenant = 2"), 1);
	forget(a);
	world_free(w);
}

static void history__is_neither_changed_nor_erased(void **state)
{
	struct document_change_head change = {1};
	struct document_erase_head erase = {1};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world *w = world_as(roles[i]);
		struct asked *a = asked();

		ask(a, w, document_change_unit(&change, NULL, 0));
		ask(a, w, document_erase_unit(&erase, NULL, 0));
		world_run(w);
		assert_int_equal(a->q[0].err, ERR_INTERNAL);
		assert_int_equal(a->q[1].err, ERR_INTERNAL);
		forget(a);
		world_free(w);
	}
	assert_int_equal(pg_number(db, "SELECT count(*) FROM stock_document WHERE actor = 'clerk'"),
			 3);
}

/* ---- units that know no tenant ---- */

static void worker_at_work_for_all__and_the_unit_beside_it_for_one(void **state)
{
	struct jobs_of_all_head all = {.run_at = INT64_C(1700000000000000)};
	struct jobs_seen_head one = {2};
	struct stock_of_all_head dummy = {0};
	struct world *w = world_as(STORE_WORKER_ROLE);
	struct asked *a = asked();

	(void)state;
	ask(a, w, jobs_of_all_unit(&all, NULL, 0)); /* one transaction: all, */
	ask(a, w, jobs_seen_unit(&one, NULL, 0));   /* then one */
	ask(a, w, stock_of_all_unit(&dummy, NULL, 0));
	world_run(w);
	for (uint32_t i = 0; i < a->n; i++)
		assert_int_equal(a->q[i].err, ERR_OK);
	assert_int_equal(a->seen[0], T1 | T2 | T3);
	assert_int_equal(a->seen[1], T2);
	assert_int_equal(a->seen[2], T1 | T2 | T3);
	assert_int_equal(pg_number(db, "SELECT sum(attempts) FROM job"), 1);
	forget(a);
	world_free(w);
}

/* Told '*', orderd is answered on the few tables where it looks everywhere, and refused aloud
 * elsewhere. */
static void orderd__looks_everywhere_at_few_tables_and_changes_nothing_there(void **state)
{
	struct jobs_of_all_head all = {.run_at = INT64_C(1700000000000000)};
	struct stock_of_all_head dummy = {0};
	struct jobs_read_head look = {0};
	struct world *w = world_as(STORE_SERVER_ROLE);
	struct asked *a = asked();

	(void)state;
	ask(a, w, jobs_read_unit(&look, NULL, 0));
	ask(a, w, stock_of_all_unit(&dummy, NULL, 0));
	ask(a, w, jobs_of_all_unit(&all, NULL, 0));
	world_run(w);
	assert_int_equal(a->q[0].err, ERR_OK);
	assert_int_equal(a->seen[0], T1 | T2 | T3);
	assert_int_equal(a->q[1].err, ERR_INTERNAL);
	assert_int_equal(a->q[2].err, ERR_INTERNAL);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM job WHERE run_at < '2024-01-01'"), 0);
	forget(a);
	world_free(w);
}

/* ---- the roles by themselves ---- */

static const char *sqlstate_of(PGconn *c, const char *sql)
{
	static char state[6];
	PGresult *r = PQexec(c, sql);
	const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	snprintf(state, sizeof(state), "%s", s != NULL ? s : "");
	PQclear(r);
	return state;
}

static void nothing_told__nothing_seen(void **state)
{
	static const char *const options[] = {"-c role=orderd_server", "-c role=orderd_worker",
					      "-c role=orderd_audit", "", NULL};

	(void)state;
	for (int u = 0; u < 2; u++) {
		for (int i = 0; options[i] != NULL; i++) {
			PGconn *c = connect_as(u == 0 ? shop : keeper, options[i]);

			assert_int_equal(pg_number(c, "SELECT count(*) FROM stock"), 0);
			pg_exec(c, "BEGIN; SELECT set_config('app.tenants', '{1,2}', true)");
			assert_int_equal(pg_number(c, "SELECT count(*) FROM stock"),
					 strstr(options[i], "audit") != NULL ? 0 : 2);
			pg_exec(c, "COMMIT");
			assert_int_equal(pg_number(c, "SELECT count(*) FROM stock"), 0);
			PQfinish(c);
		}
	}
}

static void roles__make_change_and_empty_no_table(void **state)
{
	static const char *const refused[] = {
		"CREATE TABLE orderd.mine (x int)",
		"CREATE TABLE public.mine (x int)",
		"DROP TABLE stock",
		"ALTER TABLE stock DISABLE ROW LEVEL SECURITY",
		"ALTER TABLE stock NO FORCE ROW LEVEL SECURITY",
		"ALTER POLICY server ON stock USING (true)",
		"DROP POLICY server ON stock",
		"CREATE POLICY mine ON stock USING (true)",
		"TRUNCATE stock",
		"DELETE FROM orders",
		"DELETE FROM order_event",
		"UPDATE order_event SET detail = ''",
		"UPDATE stock_movement SET qty = 1",
		"UPDATE payment_transaction SET amount_minor = 0",
		"UPDATE schema_migration SET name = ''",
		"INSERT INTO tenant (tenant, name) VALUES (9, 'mine')",
		"CREATE FUNCTION orderd.told_tenants() RETURNS int[] LANGUAGE sql AS 'SELECT NULL'",
		"SET ROLE keeper",
		NULL,
	};

	(void)state;
	for (int i = 0; roles[i] != NULL; i++) {
		char options[64];
		PGconn *c;

		snprintf(options, sizeof(options), "-c role=%s -c app.tenants=*", roles[i]);
		c = connect_as(shop, options);
		for (int k = 0; refused[k] != NULL; k++) {
			if (strcmp(sqlstate_of(c, refused[k]), "42501") != 0)
				fail_msg("%s: %s: '%s'", roles[i], refused[k],
					 sqlstate_of(c, refused[k]));
		}
		PQfinish(c);
	}
	pg_exec(db, "SET ROLE orderd_audit");
	assert_string_equal(sqlstate_of(db, "UPDATE stock SET on_hand = 0"), "42501");
	assert_string_equal(sqlstate_of(db, "INSERT INTO request SELECT * FROM request"), "42501");
	pg_exec(db, "RESET ROLE");
	assert_int_equal(
		pg_number(db,
			  "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'orderd\\_%' AND "
			  "(rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR "
			  "rolcreatedb)"),
		0);
	assert_int_equal(
		pg_number(db,
			  "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
			  "WHERE rolname LIKE 'orderd\\_%'"),
		0);
}

/* ---- tables to come ---- */

/* Tables with a column `tenant` on which policies are missing, off, or read something else. */
#define UNGUARDED                                                                                 \
	"SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c"                    \
	" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT "            \
	"a.attisdropped"                                                                          \
	" WHERE c.relnamespace = 'orderd'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', "   \
	"'f')"                                                                                    \
	" AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND 4 = (SELECT count(DISTINCT "    \
	"r.rolname)"                                                                              \
	"  FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles) WHERE p.polrelid = c.oid" \
	"  AND coalesce(pg_get_expr(p.polqual, c.oid), '') || "                                   \
	"coalesce(pg_get_expr(p.polwithcheck, c.oid), '')"                                        \
	"      LIKE '%told%tenants()%')"                                                          \
	" AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND"                   \
	"  (0 = ANY (p.polroles) OR coalesce(pg_get_expr(p.polqual, c.oid), '') || '' = 'true')))"

static void assert_unguarded(const char *expected)
{
	PGresult *r = PQexec(db, UNGUARDED);

	assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
	assert_string_equal(PQgetvalue(r, 0, 0), expected);
	PQclear(r);
}

static void every_table_with_a_tenant__has_its_policies(void **state)
{
	PGconn *c = connect_as(keeper, "");

	(void)state;
	assert_true(pg_number(db, "SELECT count(DISTINCT polrelid) FROM pg_policy") >= 25);
	assert_unguarded("");
	pg_exec(c, "CREATE TABLE forgotten (tenant int, x int)");
	assert_unguarded("forgotten");
	pg_exec(c, "SELECT keep_tenants_apart('forgotten')");
	assert_unguarded("");
	pg_exec(c, "ALTER TABLE forgotten NO FORCE ROW LEVEL SECURITY");
	assert_unguarded("forgotten");
	pg_exec(c, "DROP TABLE forgotten");
	PQfinish(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_who_may_not_make_roles__is_told_what_to_ask_for),
		cmocka_unit_test(user_who_may_not_act_as_the_programs__is_told_so),
		cmocka_unit_test_setup(
			predicate_forgotten__nothing_of_another_tenant_is_seen_or_changed, furnish),
		cmocka_unit_test_setup(batch_of_two_tenants__reaches_both_and_not_the_third,
				       furnish),
		cmocka_unit_test_setup(tenants_in_lines__are_told_too, furnish),
		cmocka_unit_test_setup(
			row_for_a_tenant_outside_the_batch__is_refused_and_the_others_are_kept,
			furnish),
		cmocka_unit_test_setup(history__is_neither_changed_nor_erased, furnish),
		cmocka_unit_test_setup(worker_at_work_for_all__and_the_unit_beside_it_for_one,
				       furnish),
		cmocka_unit_test_setup(
			orderd__looks_everywhere_at_few_tables_and_changes_nothing_there, furnish),
		cmocka_unit_test_setup(nothing_told__nothing_seen, furnish),
		cmocka_unit_test_setup(roles__make_change_and_empty_no_table, furnish),
		cmocka_unit_test(every_table_with_a_tenant__has_its_policies),
	};

	return cmocka_run_group_tests_name("store tenants", tests, setup, teardown);
}
