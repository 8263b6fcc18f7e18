#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "books.h"
#include "lives_inside.h"

struct str text_of(struct id id)
{
	static char buf[8][ID_TEXT_SIZE];
	static int at;

	at = (at + 1) % 8;
	return str_of(id_format(id, buf[at]));
}

struct id id_from(const char *sql)
{
	PGresult *r = PQexec(db, sql);
	struct id id = {{0}};

	if (PQntuples(r) != 1 || !id_parse(str_of(PQgetvalue(r, 0, 0)), &id))
		fail_msg("%s: %d rows %s", sql, PQntuples(r), PQresultErrorMessage(r));
	PQclear(r);
	return id;
}

/* Claim the order's only ready job of this kind. */
struct job claim(struct life *l, const char *kind)
{
	struct job_claim_head h = {.worker = test_id(99), .lease_s = LONG_S};
	struct job j;
	long long before;
	char sql[300];

	snprintf(sql, sizeof(sql),
		 "SELECT id FROM job WHERE kind = '%s' AND state = 'ready' AND order_id = '" STR_FMT
		 "'",
		 kind, STR_ARG(text_of(l->order)));
	j.id = h.job_id = id_from(sql);
	snprintf(sql, sizeof(sql), "SELECT epoch FROM job WHERE id = '" STR_FMT "'",
		 STR_ARG(text_of(j.id)));
	before = pg_number(db, sql);
	l->ask(l, job_claim_unit(&h, NULL, 0));
	snprintf(sql, sizeof(sql),
		 "SELECT epoch FROM job WHERE state = 'running' AND id = '" STR_FMT "'",
		 STR_ARG(text_of(j.id)));
	j.epoch = pg_number(db, sql);
	assert_int_equal(j.epoch, before + 1); /* claimed once, however often it was asked */
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
					     .country = STR("DE"),
					     .fulfillment = STR("automatic")};
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
	struct stock_receive_line goods = {.line = 1, .sku = STR("sku"), .qty = 20};
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

	l->ask(l, location_create_unit(&place, NULL, 0));
	l->ask(l, item_upsert_unit(&items, &item, 1));
	l->ask(l, stock_receive_unit(&receipt, &goods, 1));
	l->ask(l, stock_adjust_unit(&count, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT on_hand FROM stock"), 19);
}

static void place_wishing(struct life *l, const char *key, int32_t expires_s, const char *fallbacks)
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
				     .actor = STR("customer"),
				     .fallback_methods = str_of(fallbacks),
				     .wait_for_payment = fallbacks[0] != '\0',
				     .ship_service = STR("cheapest"),
				     .notify = true};
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
	l->ask(l, order_place_unit(&h, &line, 1));
}

static void place(struct life *l, const char *key, int32_t expires_s)
{
	place_wishing(l, key, expires_s, "");
}

/* Of the confirmation, the only one that waits by then. */
static void tell(struct life *l)
{
	struct job j = claim(l, "notification.mail");
	struct mail_recorded_head h = {.tenant = 1,
				       .order_id = l->order,
				       .job_id = j.id,
				       .epoch = j.epoch,
				       .outcome = STR("sent")};

	l->ask(l, mail_recorded_unit(&h, NULL, 0));
}

/* A partner is let in, comes, and is let in no longer. */
static void let_in(struct life *l)
{
	static const char kid[] = "0123456789abcdef";
	struct api_key_create_head made = {.tenant = 1,
					   .kid = str_of(kid),
					   .name = STR("partner"),
					   .mac = STR("01234567890123456789012345678901"),
					   .role = STR("service"),
					   .scopes = STR(""),
					   .life_s = LONG_S,
					   .most = 1,
					   .actor = STR("clerk")};
	struct api_keys_used_head used = {0};
	struct api_keys_used_line came = {.line = 1, .tenant = 1, .kid = str_of(kid)};
	struct api_key_revoke_head out = {.tenant = 1, .kid = str_of(kid), .actor = STR("clerk")};

	l->ask(l, api_key_create_unit(&made, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM api_key WHERE slot = 1"), 1);
	l->ask(l, api_keys_used_unit(&used, &came, 1));
	l->ask(l, api_key_revoke_unit(&out, NULL, 0));
	assert_int_equal(pg_number(db,
				   "SELECT count(*) FROM api_key WHERE revoked_at IS NOT NULL "
				   "AND last_used_at IS NOT NULL"),
			 1);
}

static void cancel(struct life *l, const char *key)
{
	struct order_cancel_head h = {.tenant = 1,
				      .order_id = l->order,
				      .request_method = 2,
				      .request_key = str_of(key),
				      .fingerprint = STR("01234567890123456789012345678901"),
				      .cause = fresh_id(),
				      .version = DB_NULL,
				      .reason = STR("no"),
				      .actor = STR("customer")};
	struct order_cancel_line undo = {.group_no = 1, .job_id = fresh_id()};

	l->ask(l, order_cancel_unit(&h, &undo, 1));
}

/* Two cards are refused and a third is brought; its authorization ends before the goods leave. */
static void pay_with_difficulty(struct life *l)
{
	place_wishing(l, "eighth", LONG_S, "second");
	await_customer(l, begin(l));
	decline(l, look_again(l));
	decline(l, begin(l));
	bring_another_card(l);
	authorize(l, begin(l));
	renew(l);
	authorize(l, begin(l));
	ship(l);
	deliver(l);
}

static void expire(struct life *l)
{
	struct order_expire_head h = {.tenant = 1, .order_id = l->order, .cause = fresh_id()};
	struct order_expire_line undo = {.group_no = 1, .job_id = fresh_id()};

	l->ask(l, order_expire_unit(&h, &undo, 1));
}

static void put_off_and_bury(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct job_retry_head retry = {
		.job_id = j.id, .epoch = j.epoch, .delay_ms = 0, .error = STR("busy")};
	struct job_claim_due_head due = {
		.role = STR("payment"), .worker = test_id(98), .lease_s = LONG_S, .most = 100};
	struct job_bury_head bury = {.tenant = 1,
				     .order_id = l->order,
				     .job_id = j.id,
				     .epoch = 2,
				     .error = STR("worn out")};

	l->ask(l, job_retry_unit(&retry, NULL, 0));
	l->ask(l, job_claim_due_unit(&due, NULL, 0));
	l->ask(l, job_bury_unit(&bury, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM job WHERE state = 'dead'"), 1);
}

/* An operator brings the dead job back, and gives it up again, while its queue is paused. */
static void operate(struct life *l)
{
	struct id job = id_from("SELECT id FROM job WHERE state = 'dead'");
	struct queue_set_head pause = {.tenant = 1,
				       .request_method = 13,
				       .request_key = STR("pause"),
				       .fingerprint = STR("01234567890123456789012345678901"),
				       .action_id = fresh_id(),
				       .role = STR("payment"),
				       .paused = true,
				       .reason = STR("repairs"),
				       .actor = STR("operator")};
	struct queue_set_head resume = pause;
	struct jobs_retry_head retry = {.tenant = 1,
					.request_method = 11,
					.request_key = STR("again"),
					.fingerprint = STR("01234567890123456789012345678901"),
					.action_id = fresh_id(),
					.subject = STR("the dead one"),
					.actor = STR("operator")};
	struct jobs_retry_line line = {.job_id = job};
	struct job_cancel_head cancelled = {.tenant = 1,
					    .order_id = l->order,
					    .job_id = job,
					    .request_method = 12,
					    .request_key = STR("enough"),
					    .fingerprint = STR("01234567890123456789012345678901"),
					    .action_id = fresh_id(),
					    .reason = STR("enough"),
					    .actor = STR("operator")};

	resume.request_method = 14;
	resume.action_id = fresh_id();
	resume.paused = false;
	l->ask(l, queue_set_unit(&pause, NULL, 0));
	l->ask(l, jobs_retry_unit(&retry, &line, 1));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM job WHERE state = 'dead'"), 0);
	l->ask(l, job_cancel_unit(&cancelled, NULL, 0));
	l->ask(l, queue_set_unit(&resume, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM queue WHERE paused"), 0);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM operator_action"), 4);
}

/* What they did goes on record. */
static void record(struct life *l)
{
	struct call_begun_head begun = {.tenant = 1,
					.call_id = fresh_id(),
					.at = 1700000000000000,
					.actor = STR("operator"),
					.role = STR("ops_write"),
					.peer = STR("unix:"),
					.method = STR("/orderd.v1.OpsService/PauseQueue"),
					.request_key = STR("pause"),
					.trace = STR("none")};
	struct call_recorded_head h = {.tenant = 1,
				       .call_id = begun.call_id,
				       .at = begun.at,
				       .actor = begun.actor,
				       .role = begun.role,
				       .peer = begun.peer,
				       .method = begun.method,
				       .request_key = begun.request_key,
				       .object = STR("payment"),
				       .reason = STR("OK"),
				       .calls = 1,
				       .trace = begun.trace};

	l->ask(l, call_begun_unit(&begun, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM call_begun"), 1);
	l->ask(l, call_recorded_unit(&h, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM call_begun"), 0);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM call_record"), 1);
}

/* And leaves it when it is old; what says so is on record once.  It names a hash: the same in all
 * lives. */
static void record_ages(struct life *l)
{
	struct call_record_cut_head h = {.keep_days = 40, .most = 10};

	pg_exec(db,
		"ALTER TABLE orderd.call_record DISABLE TRIGGER USER;"
		"UPDATE orderd.call_record SET recorded_at = recorded_at - interval '60 days', "
		"hash = sha256('');"
		"UPDATE orderd.call_chain SET hash = sha256('');"
		"ALTER TABLE orderd.call_record ENABLE TRIGGER USER");
	l->ask(l, call_record_cut_unit(&h, NULL, 0));
	assert_int_equal(
		pg_number(db, "SELECT count(*) FROM call_record WHERE method = 'retention'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM call_record"), 1);
}

/* The order is cancelled while a worker is on its way to the gateway: nothing is left to do. */
static void come_too_late(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct job_settle_head h = {.job_id = j.id, .epoch = j.epoch};
	char sql[128];

	cancel(l, "too late");
	l->ask(l, job_settle_unit(&h, NULL, 0));
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM job WHERE state = 'done' AND id = '" STR_FMT "'",
		 STR_ARG(text_of(j.id)));
	assert_int_equal(pg_number(db, sql), 1);
}

static void raise_the_fence(struct life *l)
{
	struct generation_raise_head h = {.name = STR("stock"), .expected = 1};

	l->ask(l, generation_raise_unit(&h, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT sum(value) - count(*) FROM generation"), 1);
}

/* A declined payment: one that held or took money would have to be an attempt's. */
static void read_the_gateway(struct life *l)
{
	struct gateway_walk_on_head walk = {.look_back_s = LONG_S};
	struct gateway_seen_head page = {.after = STR(""), .whole = true};
	struct gateway_seen_line payment = {.id = STR("pi_declined"),
					    .attempt_id = test_id(98),
					    .amount_minor = 200,
					    .currency = STR("EUR"),
					    .status = STR("requires_payment_method"),
					    .created_at = 1};
	struct gateway_forget_head forget = {.keep_s = 0, .most = 10};

	l->ask(l, gateway_walk_on_unit(&walk, NULL, 0));
	page.until = pg_number(db, "SELECT extract(epoch FROM until)::bigint FROM gateway_walk") *
		     1000000;
	l->ask(l, gateway_seen_unit(&page, &payment, 1));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM gateway_payment"), 1);
	assert_int_equal(
		pg_number(db, "SELECT count(walked_until) - count(until) FROM gateway_walk"), 1);
	l->ask(l, gateway_forget_unit(&forget, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM gateway_payment"), 0);
}

void life_of_a_shop(struct life *l)
{
	furnish(l);
	raise_the_fence(l);
	read_the_gateway(l);
	let_in(l);
	place(l, "first", LONG_S);
	authorize(l, begin(l));
	tell(l);
	ship(l);
	hear(l);
	deliver(l);
	place(l, "second", LONG_S);
	authorize(l, begin(l));
	cancel(l, "cancel");
	give_money_back(l);
	place(l, "third", LONG_S);
	decline(l, begin(l));
	place(l, "fourth", 0);
	expire(l);
	place(l, "fifth", LONG_S);
	doubt(l, begin(l));
	place(l, "sixth", LONG_S);
	put_off_and_bury(l);
	operate(l);
	record(l);
	record_ages(l);
	place(l, "seventh", LONG_S);
	come_too_late(l);
	pay_with_difficulty(l);
	place(l, "ninth", LONG_S);
	authorize(l, begin(l));
	confirm_short(l);
}

static long long orders(const char *state)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM orders WHERE state = '%s'", state);
	return pg_number(db, sql);
}

void life_went_well(void)
{
	assert_int_equal(orders("completed"), 2);
	assert_int_equal(orders("cancelled"), 2);
	assert_int_equal(orders("rejected"), 1);
	assert_int_equal(orders("expired"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders"), 9);
	assert_int_equal(pg_number(db, "SELECT on_hand FROM stock"), 15);
	/* the fifth, in doubt, the sixth, whose job is dead, and the ninth, in two parcels */
	assert_int_equal(pg_number(db, "SELECT reserved + allocated FROM stock"), 6);
	assert_int_equal(pg_number(db, "SELECT unavailable FROM stock"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM payment_transaction"), 9);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM notification WHERE state = 'sent'"),
			 1);
	books_hold();
}
