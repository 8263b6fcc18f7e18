/*
 * The store with the statements of db/queries: every kind's parameters and rows fit, and
 * a connection cut around COMMIT changes nothing twice for any write kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "books.h"
#include "core/base/metric.h"
#include "core/store/unit.h"
#include "tests/support/cutproxy.h"

/* ---- parameters and rows ---- */

static void fill(const struct db_column *cs, uint32_t n, char *row, bool nulls)
{
	for (uint32_t i = 0; i < n; i++) {
		char *field = row + cs[i].offset;
		int64_t v8 = nulls && cs[i].nullable ? DB_NULL : 1;
		int32_t v4 = 1;
		int16_t v2 = 1;

		switch (cs[i].type) {
		case DB_INT2:
			memcpy(field, &v2, sizeof(v2));
			break;
		case DB_INT4:
			memcpy(field, &v4, sizeof(v4));
			break;
		case DB_INT8:
		case DB_TIMESTAMPTZ:
			memcpy(field, &v8, sizeof(v8));
			break;
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
		case DB_TYPES:
			break;
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
	if (metric_value(METRIC_store_again, "mistake") != 0 ||
	    (q.err != ERR_OK && q.err != ERR_INTERNAL) || !store_is_up(w->store))
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
	(void)books_ask(l->w, u);
	if (l->cutting && !cutproxy_has_cut(l->x))
		fail_msg("%s was not cut", u.kind->name);
	cutproxy_disarm(l->x);
}

static struct id id_from(const char *sql)
{
	PGresult *r = PQexec(db, sql);
	struct id id = {{0}};

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

	snprintf(sql, sizeof(sql),
		 "SELECT id FROM job WHERE kind = '%s' AND state = 'ready' AND order_id = '" STR_FMT
		 "'",
		 kind, STR_ARG(text_of(l->order)));
	j.id = h.job_id = id_from(sql);
	step(l, job_claim_unit(&h, NULL, 0));
	snprintf(sql, sizeof(sql),
		 "SELECT epoch FROM job WHERE state = 'running' AND id = '" STR_FMT "'",
		 STR_ARG(text_of(j.id)));
	j.epoch = pg_number(db, sql);
	assert_int_equal(j.epoch, 1); /* claimed once, however often it was asked */
	return j;
}

static void furnish(struct life *l)
{
	struct location_create_head place = {.tenant = 1,
					     .code = STR("hall"),
					     .name = STR("Hall"),
					     .priority = 1,
					     .street = STR("Way 1"),
					     .city = STR("Town"),
					     .region = STR(""),
					     .postal_code = STR("1"),
					     .country = STR("DE")};
	struct item_upsert_head items = {.tenant = 1};
	struct item_upsert_line item = {.line = 1,
					.sku = STR("sku"),
					.title = STR("thing"),
					.unit_minor = 100,
					.currency = STR("EUR"),
					.weight_g = 10};
	struct stock_receive_head receipt = {.tenant = 1,
					     .receipt_id = fresh_id(),
					     .request_method = 3,
					     .request_key = STR("receipt"),
					     .fingerprint = STR("01234567890123456789012345678901"),
					     .location_code = STR("hall"),
					     .reference = STR("truck"),
					     .actor = STR("clerk")};
	struct stock_receive_line goods = {.line = 1, .sku = STR("sku"), .qty = 10};
	struct stock_adjust_head count = {.tenant = 1,
					  .adjustment_id = fresh_id(),
					  .request_method = 4,
					  .request_key = STR("count"),
					  .fingerprint = STR("01234567890123456789012345678901"),
					  .location_code = STR("hall"),
					  .sku = STR("sku"),
					  .delta = -1,
					  .reason = STR("broken"),
					  .actor = STR("clerk")};

	step(l, location_create_unit(&place, NULL, 0));
	step(l, item_upsert_unit(&items, &item, 1));
	step(l, stock_receive_unit(&receipt, &goods, 1));
	step(l, stock_adjust_unit(&count, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT on_hand FROM stock"), 9);
}

static void place(struct life *l, const char *key, int32_t expires_s)
{
	struct order_place_head h = {.tenant = 1,
				     .order_id = fresh_id(),
				     .request_method = 1,
				     .request_key = str_of(key),
				     .fingerprint = STR("01234567890123456789012345678901"),
				     .groups = 1,
				     .currency = STR("EUR"),
				     .total_minor = 200,
				     .customer = STR("c"),
				     .channel = STR("shop"),
				     .reference = STR("r"),
				     .contact_id = fresh_id(),
				     .sealed = STR("sealed"),
				     .expires_s = expires_s,
				     .method_token = STR("tok"),
				     .actor = STR("customer")};
	/* a transaction that was cut leaves a gap in the numbers */
	struct order_place_line line = {
		.line = 1,
		.item = pg_number(db, "SELECT item FROM item"),
		.location = (int32_t)pg_number(db, "SELECT location FROM location"),
		.qty = 2,
		.unit_minor = 100,
		.group_no = 1,
		.ordered = 2,
		.group_minor = 200,
		.job_id = fresh_id()};

	l->order = h.order_id;
	step(l, order_place_unit(&h, &line, 1));
}

#define AT_JOB(l, j) \
	.tenant = 1, .order_id = (l)->order, .group_no = 1, .job_id = (j).id, .epoch = (j).epoch

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
	struct payment_found_head found = {AT_JOB(l, j), .attempt_id = l->attempt,
					   .gateway_id = STR("pi_1")};
	struct payment_authorized_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					    .gateway_id = STR("pi_1"), .authorized_until = DB_NULL,
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
	struct fulfillment_packed_head packed = {AT_JOB(l, j), .shipment_id = l->shipment,
						 .next_job = fresh_id()};
	step(l, fulfillment_packed_unit(&packed, NULL, 0));
	j = claim(l, "shipping.label");
	struct label_intent_head intent = {AT_JOB(l, j), .remote_id = STR("shp_1")};
	step(l, label_intent_unit(&intent, NULL, 0));
	struct label_bought_head bought = {AT_JOB(l, j),
					   .carrier = STR("DHL"),
					   .service = STR("parcel"),
					   .tracking_code = STR("T"),
					   .label_url = STR("u"),
					   .rate_minor = 5,
					   .next_job = fresh_id()};
	step(l, label_bought_unit(&bought, NULL, 0));
	j = claim(l, "payment.capture");
	struct payment_captured_head captured = {AT_JOB(l, j), .attempt_id = l->attempt,
						 .gateway_ref = STR("ch_1"), .amount_minor = 200,
						 .next_job = fresh_id()};
	step(l, payment_captured_unit(&captured, NULL, 0));
	j = claim(l, "shipping.handover");
	struct shipment_handed_over_head gone = {AT_JOB(l, j), .next_job = fresh_id(),
						 .track_delay_ms = 0};
	step(l, shipment_handed_over_unit(&gone, NULL, 0));
}

static void deliver(struct life *l)
{
	struct job j = claim(l, "shipping.track");
	struct tracking_recorded_head h = {AT_JOB(l, j), .shipment_id = l->shipment,
					   .tracking_state = STR("delivered"), .delivered = true};
	struct tracking_recorded_line scan = {.at = INT64_C(1700000000000000),
					      .status = STR("delivered"),
					      .detail = STR("door"),
					      .message = STR(""),
					      .city = STR("Town")};

	step(l, tracking_recorded_unit(&h, &scan, 1));
}

static void cancel(struct life *l)
{
	struct order_cancel_head h = {.tenant = 1,
				      .order_id = l->order,
				      .request_method = 2,
				      .request_key = STR("cancel"),
				      .fingerprint = STR("01234567890123456789012345678901"),
				      .cause = fresh_id(),
				      .version = DB_NULL,
				      .reason = STR("no"),
				      .actor = STR("customer")};
	struct order_cancel_line undo = {.group_no = 1, .job_id = fresh_id()};
	struct job j;

	step(l, order_cancel_unit(&h, &undo, 1));
	j = claim(l, "payment.void");
	struct payment_voided_head voided = {AT_JOB(l, j), .attempt_id = l->attempt,
					     .gateway_ref = STR("vo_1")};
	step(l, payment_voided_unit(&voided, NULL, 0));
}

static void decline(struct life *l, struct job j)
{
	struct payment_declined_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					  .decline_code = STR("no_money")};
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
	struct payment_unknown_head h = {AT_JOB(l, j), .attempt_id = l->attempt, .delay_ms = 60000,
					 .error = STR("timeout")};

	step(l, payment_unknown_unit(&h, NULL, 0));
}

static void put_off_and_bury(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct job_retry_head retry = {
		.job_id = j.id, .epoch = j.epoch, .delay_ms = 0, .error = STR("busy")};
	struct job_claim_due_head due = {
		.role = STR("payment"), .worker = test_id(98), .lease_s = 60, .most = 100};
	struct job_bury_head bury = {.tenant = 1,
				     .order_id = l->order,
				     .job_id = j.id,
				     .epoch = 2,
				     .error = STR("worn out")};

	step(l, job_retry_unit(&retry, NULL, 0));
	step(l, job_claim_due_unit(&due, NULL, 0));
	step(l, job_bury_unit(&bury, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM job WHERE state = 'dead'"), 1);
}

static void whole_lives(struct life *l)
{
	books_clean(NULL);
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
	assert_int_equal(pg_number(db, "SELECT reserved + allocated FROM stock"),
			 2); /* the fifth, in doubt */
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
		{CUT_BEFORE_COMMIT, 0, true}, {CUT_BEHIND_COMMIT, 0, true},
		{CUT_TO_CLIENT, 0, true}, /* all done, nothing heard */
		{CUT_TO_CLIENT, 9, true},     {CUT_TO_SERVER, 7, true},
	};
	struct cutproxy *x = cutproxy_new(pg);
	struct store_options opt = {
		.conninfo = cutproxy_conninfo(x), .order_connections = 1, .job_connections = 1};
	struct world *w = world_with(&opt);

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct life l = {.w = w,
				 .x = x,
				 .side = runs[i].side,
				 .n = runs[i].n,
				 .cutting = runs[i].cutting};

		whole_lives(&l);
		lives_went_well();
		l.cutting = runs[i].cutting && runs[i].side != CUT_TO_SERVER;
		place(&l, "sixth", 3600);
		put_off_and_bury(&l);
	}
	world_free(w);
	cutproxy_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_kind_understands_its_parameters_and_its_rows,
				       books_clean),
		cmocka_unit_test_setup(no_cut_changes_the_life_of_an_order, books_clean),
	};

	return cmocka_run_group_tests_name("store lives", tests, books_setup, books_teardown);
}
