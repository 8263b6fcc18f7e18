/*
 * The store with the statements of db/queries: every kind's parameters and rows fit, a
 * connection cut around COMMIT changes nothing twice for any write kind, and processes
 * that race for stock or for a request_id never both win.
 */
#include "world.h"

#include <dirent.h>
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

#include "core/base/clock.h"
#include "core/base/metric.h"
#include "core/base/random.h"
#include "core/store/migrate.h"
#include "core/store/unit.h"
#include "tests/support/cutproxy.h"

static struct pg *pg;
static PGconn *db;

static int setup(void **state)
{
	FILE *out = tmpfile();

	(void)state;
	pg = pg_new();
	assert_int_equal(store_migrate(pg->conninfo, out), 0);
	fclose(out);
	db = pg_connect(pg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	PQfinish(db);
	pg_free(pg);
	return 0;
}

/* Every table of a fresh world, but what the migrations put there. */
static int clean(void **state)
{
	(void)state;
	pg_exec(db, "TRUNCATE location, item, stock, contact, request, orders, order_line, reservation, stock_movement,"
		    " stock_document, order_event, payment, payment_attempt, payment_transaction, shipment, shipment_scan, job"
		    " RESTART IDENTITY");
	return 0;
}

static void books_hold(void)
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
			fail_msg("audit %s: %d rows %s", e->d_name, PQntuples(r), PQresultErrorMessage(r));
		PQclear(r);
		n++;
	}
	closedir(d);
	assert_true(n > 5);
}

/* Ask one unit and wait for it; what it points at is on the caller's stack. */
static uint32_t ask(struct world *w, struct unit u)
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

/* ---- parameters and rows ---- */

static void fill(const struct db_column *cs, uint32_t n, char *row, bool nulls)
{
	for (uint32_t i = 0; i < n; i++) {
		char *field = row + cs[i].offset;
		int64_t v8 = nulls && cs[i].nullable ? DB_NULL : 1;
		int32_t v4 = 1;
		int16_t v2 = 1;

		switch (cs[i].type) {
		case DB_INT2: memcpy(field, &v2, sizeof(v2)); break;
		case DB_INT4: memcpy(field, &v4, sizeof(v4)); break;
		case DB_INT8:
		case DB_TIMESTAMPTZ: memcpy(field, &v8, sizeof(v8)); break;
		case DB_UUID:
			if (!nulls || !cs[i].nullable)
				*(struct id *)(void *)field = fresh_id();
			break;
		case DB_TEXT:
		case DB_BYTEA:
			if (!nulls || !cs[i].nullable)
				*(struct str *)(void *)field = STR("a text that means nothing");
			break;
		case DB_BOOL:
		case DB_TYPES: break;
		}
	}
}

static void ask_nonsense(struct world *w, const struct unit_kind *k, bool nulls)
{
	struct question q;
	struct unit u = {.kind = k};
	char *head, *lines;

	question_init(&q, w);
	head = arena_alloc(&q.fl.arena, k->head_size);
	lines = arena_array(&q.fl.arena, 2, k->line_size + 1);
	fill(k->head, k->n_head, head, nulls);
	u.head = head;
	if (k->n_line > 0) {
		fill(k->line, k->n_line, lines, nulls);
		fill(k->line, k->n_line, lines + k->line_size, !nulls);
		u.lines = lines;
		u.n_lines = 2;
	}
	question_ask(&q, u);
	world_run(w);
	/* A constraint may refuse nonsense; nobody may misunderstand it. */
	if (metric_value(METRIC_store_again, "mistake") != 0 || (q.err != ERR_OK && q.err != ERR_INTERNAL) || !store_is_up(w->store))
		fail_msg("%s: %s", k->name, err_name(q.err));
	question_done(&q);
}

static void every_kind_understands_its_parameters_and_its_rows(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);

	(void)state;
	assert_true(SQL_CATALOGUE.n_kinds > 30);
	for (uint32_t i = 0; i < SQL_CATALOGUE.n_kinds; i++) {
		ask_nonsense(w, SQL_CATALOGUE.kinds[i], false);
		ask_nonsense(w, SQL_CATALOGUE.kinds[i], true);
	}
	world_free(w);
	books_hold();
}

/* ---- the life of an order, cut everywhere ---- */

struct life {
	struct world *w;
	struct cutproxy *x;
	enum cut_side side;
	int n;
	bool cutting;
	struct id order, shipment, attempt;
};

static struct str text_of(struct id id)
{
	static char buf[8][ID_TEXT_SIZE];
	static int at;

	at = (at + 1) % 8;
	return str_of(id_format(id, buf[at]));
}

/* One step: cut its transaction, wait for the answer. */
static void step(struct life *l, struct unit u)
{
	world_wait_up(l->w, true);
	if (l->cutting)
		cutproxy_arm(l->x, l->side, l->n);
	(void)ask(l->w, u);
	if (l->cutting && !cutproxy_has_cut(l->x))
		fail_msg("%s was not cut", u.kind->name);
	cutproxy_disarm(l->x);
}

static struct id id_from(const char *sql)
{
	PGresult *r = PQexec(db, sql);
	struct id id;

	if (PQntuples(r) != 1 || !id_parse(str_of(PQgetvalue(r, 0, 0)), &id))
		fail_msg("%s: %d rows %s", sql, PQntuples(r), PQresultErrorMessage(r));
	PQclear(r);
	return id;
}

struct job {
	struct id id;
	int64_t epoch;
};

/* Claim the order's only ready job of this kind. */
static struct job claim(struct life *l, const char *kind)
{
	struct job_claim_head h = {.worker = test_id(99), .lease_s = 60};
	struct job j;
	char sql[300];

	snprintf(sql, sizeof(sql), "SELECT id FROM job WHERE kind = '%s' AND state = 'ready' AND order_id = '" STR_FMT "'", kind,
		 STR_ARG(text_of(l->order)));
	j.id = h.job_id = id_from(sql);
	step(l, job_claim_unit(&h, NULL, 0));
	snprintf(sql, sizeof(sql), "SELECT epoch FROM job WHERE state = 'running' AND id = '" STR_FMT "'", STR_ARG(text_of(j.id)));
	j.epoch = pg_number(db, sql);
	assert_int_equal(j.epoch, 1); /* claimed once, however often it was asked */
	return j;
}

static void furnish(struct life *l)
{
	struct location_create_head place = {.tenant = 1, .code = STR("hall"), .name = STR("Hall"), .priority = 1, .street = STR("Way 1"),
					     .city = STR("Town"), .region = STR(""), .postal_code = STR("1"), .country = STR("DE")};
	struct item_upsert_head items = {.tenant = 1};
	struct item_upsert_line item = {.line = 1, .sku = STR("sku"), .title = STR("thing"), .unit_minor = 100, .currency = STR("EUR"),
					.weight_g = 10};
	struct stock_receive_head receipt = {.tenant = 1, .receipt_id = fresh_id(), .request_method = 3, .request_key = STR("receipt"),
					     .fingerprint = STR("01234567890123456789012345678901"), .location_code = STR("hall"),
					     .reference = STR("truck"), .actor = STR("clerk")};
	struct stock_receive_line goods = {.line = 1, .sku = STR("sku"), .qty = 10};
	struct stock_adjust_head count = {.tenant = 1, .adjustment_id = fresh_id(), .request_method = 4, .request_key = STR("count"),
					  .fingerprint = STR("01234567890123456789012345678901"), .location_code = STR("hall"),
					  .sku = STR("sku"), .delta = -1, .reason = STR("broken"), .actor = STR("clerk")};

	step(l, location_create_unit(&place, NULL, 0));
	step(l, item_upsert_unit(&items, &item, 1));
	step(l, stock_receive_unit(&receipt, &goods, 1));
	step(l, stock_adjust_unit(&count, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT on_hand FROM stock"), 9);
}

static void place(struct life *l, const char *key, int32_t expires_s)
{
	struct order_place_head h = {.tenant = 1, .order_id = fresh_id(), .request_method = 1, .request_key = str_of(key),
				     .fingerprint = STR("01234567890123456789012345678901"), .groups = 1, .currency = STR("EUR"),
				     .total_minor = 200, .customer = STR("c"), .channel = STR("shop"), .reference = STR("r"),
				     .contact_id = fresh_id(), .sealed = STR("sealed"), .expires_s = expires_s,
				     .method_token = STR("tok"), .actor = STR("customer")};
	/* a transaction that was cut leaves a gap in the numbers */
	struct order_place_line line = {.line = 1, .item = pg_number(db, "SELECT item FROM item"),
					.location = (int32_t)pg_number(db, "SELECT location FROM location"), .qty = 2, .unit_minor = 100, .group_no = 1, .ordered = 2,
					.group_minor = 200, .job_id = fresh_id()};

	l->order = h.order_id;
	step(l, order_place_unit(&h, &line, 1));
}

#define AT_JOB(l, j) .tenant = 1, .order_id = (l)->order, .group_no = 1, .job_id = (j).id, .epoch = (j).epoch

static struct job begin(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct payment_begin_head h = {AT_JOB(l, j), .attempt_id = fresh_id()};

	step(l, payment_begin_unit(&h, NULL, 0));
	l->attempt = h.attempt_id;
	return j;
}

static void authorize(struct life *l, struct job j)
{
	struct payment_found_head found = {AT_JOB(l, j), .attempt_id = l->attempt, .gateway_id = STR("pi_1")};
	struct payment_authorized_head h = {AT_JOB(l, j), .attempt_id = l->attempt, .gateway_id = STR("pi_1"), .authorized_until = DB_NULL,
					    .void_job = fresh_id()};
	struct payment_authorized_line pick = {.group_no = 1, .job_id = fresh_id()};
	struct job_extend_head extend = {.job_id = j.id, .epoch = j.epoch, .lease_s = 60};

	step(l, job_extend_unit(&extend, NULL, 0));
	step(l, payment_found_unit(&found, NULL, 0));
	step(l, payment_authorized_unit(&h, &pick, 1));
}

static void ship(struct life *l)
{
	struct job j = claim(l, "fulfillment.pick");
	struct fulfillment_picked_head picked = {AT_JOB(l, j), .next_job = fresh_id()};

	step(l, fulfillment_picked_unit(&picked, NULL, 0));
	j = claim(l, "fulfillment.pack");
	l->shipment = fresh_id();
	struct fulfillment_packed_head packed = {AT_JOB(l, j), .shipment_id = l->shipment, .next_job = fresh_id()};
	step(l, fulfillment_packed_unit(&packed, NULL, 0));
	j = claim(l, "shipping.label");
	struct label_intent_head intent = {AT_JOB(l, j), .remote_id = STR("shp_1")};
	step(l, label_intent_unit(&intent, NULL, 0));
	struct label_bought_head bought = {AT_JOB(l, j), .carrier = STR("DHL"), .service = STR("parcel"), .tracking_code = STR("T"),
					   .label_url = STR("u"), .rate_minor = 5, .next_job = fresh_id()};
	step(l, label_bought_unit(&bought, NULL, 0));
	j = claim(l, "payment.capture");
	struct payment_captured_head captured = {AT_JOB(l, j), .attempt_id = l->attempt, .gateway_ref = STR("ch_1"), .amount_minor = 200,
						 .next_job = fresh_id()};
	step(l, payment_captured_unit(&captured, NULL, 0));
	j = claim(l, "shipping.handover");
	struct shipment_handed_over_head gone = {AT_JOB(l, j), .next_job = fresh_id(), .track_delay_ms = 0};
	step(l, shipment_handed_over_unit(&gone, NULL, 0));
}

static void deliver(struct life *l)
{
	struct job j = claim(l, "shipping.track");
	struct tracking_recorded_head h = {AT_JOB(l, j), .shipment_id = l->shipment, .tracking_state = STR("delivered"), .delivered = true};
	struct tracking_recorded_line scan = {.at = INT64_C(1700000000000000), .status = STR("delivered"), .detail = STR("door"),
					      .message = STR(""), .city = STR("Town")};

	step(l, tracking_recorded_unit(&h, &scan, 1));
}

static void cancel(struct life *l)
{
	struct order_cancel_head h = {.tenant = 1, .order_id = l->order, .request_method = 2, .request_key = STR("cancel"),
				      .fingerprint = STR("01234567890123456789012345678901"), .cause = fresh_id(), .version = DB_NULL,
				      .reason = STR("no"), .actor = STR("customer")};
	struct order_cancel_line undo = {.group_no = 1, .job_id = fresh_id()};
	struct job j;

	step(l, order_cancel_unit(&h, &undo, 1));
	j = claim(l, "payment.void");
	struct payment_voided_head voided = {AT_JOB(l, j), .attempt_id = l->attempt, .gateway_ref = STR("vo_1")};
	step(l, payment_voided_unit(&voided, NULL, 0));
}

static void decline(struct life *l, struct job j)
{
	struct payment_declined_head h = {AT_JOB(l, j), .attempt_id = l->attempt, .decline_code = STR("no_money")};
	struct payment_declined_line undo = {.group_no = 1, .job_id = fresh_id()};

	step(l, payment_declined_unit(&h, &undo, 1));
}

static void expire(struct life *l)
{
	struct order_expire_head h = {.tenant = 1, .order_id = l->order, .cause = fresh_id()};
	struct order_expire_line undo = {.group_no = 1, .job_id = fresh_id()};

	step(l, order_expire_unit(&h, &undo, 1));
}

static void doubt(struct life *l, struct job j)
{
	struct payment_unknown_head h = {AT_JOB(l, j), .attempt_id = l->attempt, .delay_ms = 60000, .error = STR("timeout")};

	step(l, payment_unknown_unit(&h, NULL, 0));
}

static void put_off_and_bury(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct job_retry_head retry = {.job_id = j.id, .epoch = j.epoch, .delay_ms = 0, .error = STR("busy")};
	struct job_claim_due_head due = {.role = STR("payment"), .worker = test_id(98), .lease_s = 60, .most = 100};
	struct job_bury_head bury = {.tenant = 1, .order_id = l->order, .job_id = j.id, .epoch = 2, .error = STR("worn out")};

	step(l, job_retry_unit(&retry, NULL, 0));
	step(l, job_claim_due_unit(&due, NULL, 0));
	step(l, job_bury_unit(&bury, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM job WHERE state = 'dead'"), 1);
}

static void whole_lives(struct life *l)
{
	clean(NULL);
	furnish(l);
	place(l, "first", 3600);
	authorize(l, begin(l));
	ship(l);
	deliver(l);
	place(l, "second", 3600);
	authorize(l, begin(l));
	cancel(l);
	place(l, "third", 3600);
	decline(l, begin(l));
	place(l, "fourth", 0);
	expire(l);
	place(l, "fifth", 3600);
	doubt(l, begin(l));
	cutproxy_disarm(l->x);
}

static void lives_went_well(void)
{
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'completed'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'cancelled'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'rejected'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'expired'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders"), 5);
	assert_int_equal(pg_number(db, "SELECT on_hand FROM stock"), 7);
	assert_int_equal(pg_number(db, "SELECT reserved + allocated FROM stock"), 2); /* the fifth, in doubt */
	assert_int_equal(pg_number(db, "SELECT count(*) FROM payment_transaction"), 4);
	books_hold();
}

static void no_cut_changes_the_life_of_an_order(void **state)
{
	static const struct {
		enum cut_side side;
		int n;
		bool cutting;
	} runs[] = {
		{CUT_TO_CLIENT, 0, false}, /* the measure: nothing is cut */
		{CUT_BEFORE_COMMIT, 0, true},
		{CUT_BEHIND_COMMIT, 0, true},
		{CUT_TO_CLIENT, 0, true}, /* all done, nothing heard */
		{CUT_TO_CLIENT, 9, true},
		{CUT_TO_SERVER, 7, true},
	};
	struct cutproxy *x = cutproxy_new(pg);
	struct store_options opt = {.conninfo = cutproxy_conninfo(x), .order_connections = 1, .job_connections = 1};
	struct world *w = world_with(&opt);

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct life l = {.w = w, .x = x, .side = runs[i].side, .n = runs[i].n, .cutting = runs[i].cutting};

		whole_lives(&l);
		lives_went_well();
		l.cutting = runs[i].cutting && runs[i].side != CUT_TO_SERVER;
		place(&l, "sixth", 3600);
		put_off_and_bury(&l);
	}
	world_free(w);
	cutproxy_free(x);
}

/* ---- processes that race ---- */

enum { RACE_ITEMS = 3, RACE_STOCK = 40, RACE_ASKS = 150 };

static void race_order(struct question *q, struct str key, uint32_t n)
{
	struct order_place_head *h = arena_alloc(&q->fl.arena, sizeof(*h));
	struct order_place_line *l = arena_array(&q->fl.arena, 2, sizeof(*l));

	*h = (struct order_place_head){.tenant = 1, .order_id = fresh_id(), .request_method = 1, .request_key = key,
				       .fingerprint = STR("01234567890123456789012345678901"), .groups = 1, .currency = STR("EUR"),
				       .total_minor = 300, .customer = STR("c"), .channel = STR("shop"), .reference = STR("r"),
				       .contact_id = fresh_id(), .sealed = STR("sealed"), .expires_s = 3600, .method_token = STR("tok"),
				       .actor = STR("customer")};
	for (int i = 0; i < 2; i++)
		l[i] = (struct order_place_line){.line = 1 + i, .item = 1 + (int64_t)((n + (uint32_t)i) % RACE_ITEMS), .location = 1,
						 .qty = 1 + i, .unit_minor = 100, .group_no = 1, .ordered = 1 + i,
						 .group_minor = i == 0 ? 300 : DB_NULL, .job_id = i == 0 ? fresh_id() : (struct id){{0}}};
	question_ask(q, order_place_unit(h, l, 2));
}

static void note_outcome(struct question *q, const struct answer *a)
{
	struct str o = order_place_row(a, 0).outcome;

	*(char *)q->arg = o.p[0]; /* placed, short, seen */
}

/* What one process does.  Its exit status says whether every answer was one it may get. */
static int race(const char *conninfo, bool same_keys, uint32_t me)
{
	static struct question q[RACE_ASKS];
	static char outcome[RACE_ASKS];
	struct world *w = world_new(conninfo, 2);
	int bad = 0;

	for (uint32_t i = 0; i < RACE_ASKS; i++) {
		question_init(&q[i], w);
		q[i].got = note_outcome;
		q[i].arg = &outcome[i];
		race_order(&q[i], str_of(arena_printf(&q[i].fl.arena, "%u-%u", same_keys ? 0 : me, i)), (uint32_t)random_below(RACE_ITEMS));
		if (i % 10 == 9) /* several batches, some under way while others are asked */
			uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
	}
	world_run(w);
	for (int i = 0; i < RACE_ASKS; i++) {
		bool fine = q[i].err == ERR_OK && (outcome[i] == 'p' || outcome[i] == 's');

		if (!fine && q[i].err != ERR_CLASH)
			bad++;
		question_done(&q[i]);
	}
	world_free(w);
	return bad == 0 ? 0 : 1;
}

static void start_race(int processes, bool same_keys, int64_t stock)
{
	pid_t pids[8];
	char sql[800];

	clean(NULL);
	pg_exec(db, "INSERT INTO location (tenant, code, name, street, city, region, postal_code, country)"
		    " VALUES (1, 'hall', 'Hall', 's', 'c', '', '1', 'DE');"
		    "INSERT INTO item (tenant, sku, title, unit_minor, currency, weight_g) SELECT 1, 'sku' || i, 't', 100, 'EUR', 1"
		    " FROM generate_series(1, 3) i");
	snprintf(sql, sizeof(sql), "INSERT INTO stock (tenant, item, location, on_hand) SELECT 1, i, 1, %lld FROM generate_series(1, 3) i;"
		 "INSERT INTO stock_movement (tenant, cause, n, item, location, from_bucket, to_bucket, qty)"
		 " SELECT 1, gen_random_uuid(), 1, item, 1, 'outside', 'on_hand', on_hand FROM stock;"
		 "INSERT INTO stock_document (tenant, id, kind, reference, actor) SELECT tenant, cause, 'receipt', 'r', 'clerk' FROM stock_movement",
		 (long long)stock);
	pg_exec(db, sql);
	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(race(pg->conninfo, same_keys, (uint32_t)i + 1));
	}
	for (int i = 0; i < processes; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void scarce(int processes)
{
	start_race(processes, false, RACE_STOCK);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM stock WHERE reserved > on_hand"), 0);
	/* an order takes three units, so what is left of all items is less than what some order would have fitted in */
	assert_int_equal(pg_number(db, "SELECT sum(reserved) FROM stock"), 3 * pg_number(db, "SELECT count(*) FROM orders"));
	assert_true(pg_number(db, "SELECT count(*) FROM orders") >= RACE_STOCK / 2);
	books_hold();
}

static void two_processes_never_sell_a_unit_twice(void **state)
{
	(void)state;
	scarce(2);
}

static void four_processes_never_sell_a_unit_twice(void **state)
{
	(void)state;
	scarce(4);
}

static void one_request_id_in_four_processes_is_one_order(void **state)
{
	(void)state;
	start_race(4, true, 100000);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders"), RACE_ASKS);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM request"), RACE_ASKS);
	books_hold();
}

/* ---- tenants in one batch ---- */

static void another_tenants_order_in_a_mixed_batch_is_not_touched(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);
	struct question q[3];
	struct order_cancel_head h[3];
	struct order_cancel_line undo = {.group_no = 1, .job_id = fresh_id()};
	struct cutproxy *x = cutproxy_new(pg);
	struct life l = {.w = w, .x = x};
	struct id orders[2];

	(void)state;
	clean(NULL);
	pg_exec(db, "INSERT INTO tenant (tenant, name) VALUES (2, 'another') ON CONFLICT DO NOTHING");
	furnish(&l);
	place(&l, "a", 3600);
	orders[0] = l.order;
	place(&l, "b", 3600);
	orders[1] = l.order;
	for (int i = 0; i < 3; i++) {
		/* tenant 2 names tenant 1's second order between two good units */
		h[i] = (struct order_cancel_head){.tenant = i == 1 ? 2 : 1, .order_id = i == 1 ? orders[1] : i == 0 ? orders[0] : fresh_id(),
						  .request_method = 2, .request_key = i == 0 ? STR("x") : i == 1 ? STR("y") : STR("z"),
						  .fingerprint = STR("01234567890123456789012345678901"), .cause = fresh_id(),
						  .version = DB_NULL, .reason = STR("no"), .actor = STR("a")};
		question_init(&q[i], w);
		question_ask(&q[i], order_cancel_unit(&h[i], &undo, 1));
	}
	world_run(w);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(q[i].err, ERR_OK);
		question_done(&q[i]);
	}
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'pending'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'cancelled'"), 1);
	books_hold();
	world_free(w);
	cutproxy_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_kind_understands_its_parameters_and_its_rows, clean),
		cmocka_unit_test_setup(no_cut_changes_the_life_of_an_order, clean),
		cmocka_unit_test(two_processes_never_sell_a_unit_twice),
		cmocka_unit_test(four_processes_never_sell_a_unit_twice),
		cmocka_unit_test(one_request_id_in_four_processes_is_one_order),
		cmocka_unit_test(another_tenants_order_in_a_mixed_batch_is_not_touched),
	};

	return cmocka_run_group_tests_name("store orders", tests, setup, teardown);
}
