#include "lives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "books.h"

enum { LONG_AGO = 1 }; /* when authorizations end: all are to be renewed at once */

enum { LONG_S = 3600 }; /* longer than any test: leases, expiries and delays that do not end */

static struct str text_of(struct id id)
{
	static char buf[8][ID_TEXT_SIZE];
	static int at;

	at = (at + 1) % 8;
	return str_of(id_format(id, buf[at]));
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

#define AT_JOB(l, j) \
	.tenant = 1, .order_id = (l)->order, .group_no = 1, .job_id = (j).id, .epoch = (j).epoch

static struct job begin(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct payment_begin_head h = {AT_JOB(l, j), .attempt_id = fresh_id()};

	l->ask(l, payment_begin_unit(&h, NULL, 0));
	l->attempt = h.attempt_id;
	return j;
}

static void authorize(struct life *l, struct job j)
{
	struct payment_found_head found = {AT_JOB(l, j), .attempt_id = l->attempt,
					   .gateway_id = STR("pi_1")};
	struct payment_authorized_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					    .gateway_id = STR("pi_1"), .authorized_until = LONG_AGO,
					    .void_job = fresh_id()};
	struct payment_authorized_line pick = {.group_no = 1, .job_id = fresh_id()};
	struct job_extend_head extend = {.job_id = j.id, .epoch = j.epoch, .lease_s = LONG_S};

	l->ask(l, job_extend_unit(&extend, NULL, 0));
	l->ask(l, payment_found_unit(&found, NULL, 0));
	l->ask(l, payment_authorized_unit(&h, &pick, 1));
}

/* A job that finds the money taken sees to the parcel; here, somebody hands it over already. */
static void capture_again(struct life *l)
{
	struct handover_due_head h;
	struct job j;

	pg_exec(db,
		"INSERT INTO orderd.job (id, tenant, order_id, group_no, kind) SELECT "
		"orderd.child_id(order_id), tenant, order_id, group_no, 'payment.capture' FROM "
		"orderd.job WHERE kind = 'payment.capture' AND state = 'done' ORDER BY done_at "
		"DESC LIMIT 1");
	j = claim(l, "payment.capture");
	h = (struct handover_due_head){AT_JOB(l, j), .next_job = fresh_id()};
	l->ask(l, handover_due_unit(&h, NULL, 0));
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

/* Another text each time, and the same in every life: what was there before is counted. */
static struct str numbered(const char *what, const char *table)
{
	static char buf[8][40];
	static int at;
	char sql[80];

	at = (at + 1) % 8;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	snprintf(buf[at], sizeof(buf[at]), "%s %lld", what, pg_number(db, sql));
	return str_of(buf[at]);
}

static void label(struct life *l)
{
	struct job j = claim(l, "shipping.label");
	struct label_intent_head intent = {AT_JOB(l, j),
					   .remote_id = numbered("shp", "shipment_label")};
	struct label_bought_head bought = {AT_JOB(l, j),
					   .carrier = STR("DHL"),
					   .service = STR("parcel"),
					   .tracking_code = STR("T"),
					   .tracking_url = STR("https://t"),
					   .label_url = STR("u"),
					   .rate_minor = 5,
					   .currency = STR("EUR"),
					   .next_job = fresh_id()};
	struct label_bought_line offers[] = {{.rate_id = STR("r1"),
					      .carrier = STR("DHL"),
					      .service = STR("parcel"),
					      .rate_minor = 5,
					      .currency = STR("EUR"),
					      .delivery_days = 2,
					      .chosen = true},
					     {.rate_id = STR("r2"),
					      .carrier = STR("DHL"),
					      .service = STR("express"),
					      .rate_minor = 9,
					      .currency = STR("EUR"),
					      .delivery_days = DB_NULL}};

	l->ask(l, label_intent_unit(&intent, NULL, 0));
	l->ask(l, label_bought_unit(&bought, offers, 2));
}

/* Nobody offers what was asked for, then somebody does; the label is given back for another one. */
static void label_twice(struct life *l)
{
	struct job j = claim(l, "shipping.label");
	struct label_held_head held = {AT_JOB(l, j), .why = STR("no offer"), .delay_ms = 0};
	struct label_void_begin_head begin = {.tenant = 1,
					      .order_id = l->order,
					      .shipment_id = l->shipment,
					      .request_method = 9,
					      .request_key = numbered("void", "request"),
					      .fingerprint =
						      STR("01234567890123456789012345678901"),
					      .reason = STR("torn"),
					      .actor = STR("packer"),
					      .next_job = fresh_id()};

	l->ask(l, label_held_unit(&held, NULL, 0));
	label(l);
	l->ask(l, label_void_begin_unit(&begin, NULL, 0));
	j = claim(l, "shipping.void");
	struct label_voided_head voided = {AT_JOB(l, j), .next_job = fresh_id()};
	l->ask(l, label_voided_unit(&voided, NULL, 0));
	assert_true(pg_number(db, "SELECT count(*) FROM shipment_label WHERE voided_at IS NULL") ==
		    pg_number(db, "SELECT count(*) - 1 FROM shipment"));
	label(l);
}

/* As at a place where people work: a job waits until somebody says that the carrier has it. */
static void confirm(struct life *l)
{
	struct handover_confirm_head h = {.tenant = 1,
					  .request_method = 8,
					  .request_key = numbered("dock", "request"),
					  .fingerprint = STR("01234567890123456789012345678901"),
					  .resource = l->shipment};
	struct handover_confirm_line parcel = {.line = 0, .shipment_id = l->shipment};

	pg_exec(db,
		"UPDATE orderd.job SET state = 'parked' WHERE kind = 'shipping.handover' AND "
		"state = 'ready'");
	l->ask(l, handover_confirm_unit(&h, &parcel, 1));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM job WHERE state = 'parked'"), 0);
}

static void ship(struct life *l)
{
	struct job j = claim(l, "fulfillment.pick");
	struct fulfillment_picked_head picked = {AT_JOB(l, j), .next_job = fresh_id()};

	l->ask(l, fulfillment_picked_unit(&picked, NULL, 0));
	j = claim(l, "fulfillment.pack");
	l->shipment = fresh_id();
	struct fulfillment_packed_head packed = {AT_JOB(l, j), .shipment_id = l->shipment,
						 .next_job = fresh_id(),
						 .sscc_prefix = STR("09520000")};
	l->ask(l, fulfillment_packed_unit(&packed, NULL, 0));
	label_twice(l);
	j = claim(l, "payment.capture");
	struct payment_captured_head captured = {AT_JOB(l, j), .attempt_id = l->attempt,
						 .gateway_ref = STR("ch_1"), .amount_minor = 200,
						 .next_job = fresh_id()};
	l->ask(l, payment_captured_unit(&captured, NULL, 0));
	capture_again(l);
	confirm(l);
	j = claim(l, "shipping.handover");
	struct shipment_handed_over_head gone = {AT_JOB(l, j), .next_job = fresh_id(),
						 .track_delay_ms = 0, .delay_ms = LONG_S * 1000};
	l->ask(l, shipment_handed_over_unit(&gone, NULL, 0));
}

static void deliver(struct life *l)
{
	struct tracking_reported_head report = {.tenant = 1,
						.order_id = l->order,
						.group_no = 1,
						.shipment_id = l->shipment,
						.request_method = 10,
						.request_key = numbered("shop", "request"),
						.fingerprint =
							STR("01234567890123456789012345678901"),
						.cause = fresh_id(),
						.tracking_state = STR("in_transit"),
						.leg = 1,
						.exception = STR("held"),
						.fate = STR("handed_over"),
						.accepted = true,
						.most = 10};
	struct tracking_reported_line seen = {.at = INT64_C(1690000000000000),
					      .status = STR("in_transit"),
					      .detail = STR("held"),
					      .message = STR(""),
					      .city = STR("Town")};
	struct tracking_recorded_line scan = {.at = INT64_C(1700000000000000),
					      .status = STR("delivered"),
					      .detail = STR("door"),
					      .message = STR(""),
					      .city = STR("Town")};

	l->ask(l, tracking_reported_unit(&report, &seen, 1));
	struct job j = claim(l, "shipping.track");
	struct tracking_recorded_head h = {
		AT_JOB(l, j), .shipment_id = l->shipment, .tracking_state = STR("delivered"),
		.leg = 1,     .fate = STR("delivered"),   .known = 1};
	l->ask(l, tracking_recorded_unit(&h, &scan, 1));
}

/* The carrier has news of the parcel, and it is taken note of for no longer than a moment. */
static void hear(struct life *l)
{
	struct webhook_received_head h = {.tenant = 1,
					  .order_id = l->order,
					  .provider = STR("carrier"),
					  .event_id = STR("evt_1"),
					  .kind = STR("tracker.updated"),
					  .object_id = STR("T")};
	struct webhooks_forget_head forget = {.keep_s = 0, .most = 10};

	h.job_id = id_from("SELECT id FROM job WHERE kind = 'shipping.track'");
	l->ask(l, webhook_received_unit(&h, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM webhook_event"), 1);
	l->ask(l, webhooks_forget_unit(&forget, NULL, 0));
	assert_int_equal(pg_number(db, "SELECT count(*) FROM webhook_event"), 0);
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

static void give_money_back(struct life *l)
{
	struct job j = claim(l, "payment.void");
	struct payment_voided_head voided = {AT_JOB(l, j), .attempt_id = l->attempt,
					     .gateway_ref = STR("vo_1")};

	l->ask(l, payment_voided_unit(&voided, NULL, 0));
}

static void decline(struct life *l, struct job j)
{
	struct payment_declined_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					  .decline_code = STR("no_money")};
	struct payment_declined_line undo = {.group_no = 1, .job_id = fresh_id()};

	l->ask(l, payment_declined_unit(&h, &undo, 1));
}

static void await_customer(struct life *l, struct job j)
{
	struct payment_action_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					.gateway_id = STR("pi_1"),
					.action_url = STR("https://bank.example")};

	l->ask(l, payment_action_unit(&h, NULL, 0));
}

static struct job look_again(struct life *l)
{
	struct job j = claim(l, "payment.authorize");
	struct payment_begin_head h = {AT_JOB(l, j), .attempt_id = fresh_id()};

	l->ask(l, payment_begin_unit(&h, NULL, 0));
	return j;
}

static void bring_another_card(struct life *l)
{
	struct payment_retry_head h = {.tenant = 1,
				       .order_id = l->order,
				       .request_method = 7,
				       .request_key = STR("retry"),
				       .fingerprint = STR("01234567890123456789012345678901"),
				       .method_token = STR("another"),
				       .fallback_methods = STR(""),
				       .actor = STR("clerk")};

	l->ask(l, payment_retry_unit(&h, NULL, 0));
}

static struct job renewal(struct life *l)
{
	struct payment_renewals_due_head h = {.ahead_s = LONG_S, .most = 10};

	l->ask(l, payment_renewals_due_unit(&h, NULL, 0));
	return claim(l, "payment.renew");
}

static void renew(struct life *l)
{
	struct job j = renewal(l);
	struct payment_held_head held = {AT_JOB(l, j), .attempt_id = l->attempt,
					 .authorized_until = LONG_AGO};
	struct payment_lapsed_head lapsed;

	l->ask(l, payment_held_unit(&held, NULL, 0));
	j = renewal(l);
	lapsed = (struct payment_lapsed_head){AT_JOB(l, j), .attempt_id = l->attempt,
					      .gateway_ref = STR("pi_1"), .next_job = fresh_id(),
					      .delay_ms = DB_NULL};
	l->ask(l, payment_lapsed_unit(&lapsed, NULL, 0));
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

static void doubt(struct life *l, struct job j)
{
	struct payment_unknown_head h = {AT_JOB(l, j), .attempt_id = l->attempt,
					 .delay_ms = LONG_S * 1000, .error = STR("timeout")};

	l->ask(l, payment_unknown_unit(&h, NULL, 0));
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

/* The job that waits for somebody to say so, or that a worker would take. */
static struct id open_job(const struct life *l, const char *kind)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT id FROM job WHERE kind = '%s' AND state = 'ready' AND order_id = '" STR_FMT
		 "'",
		 kind, STR_ARG(text_of(l->order)));
	return id_from(sql);
}

/* One of two units is on the shelf; the other is found again at the same place. */
static void confirm_short(struct life *l)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT id FROM fulfillment_order WHERE order_id = '" STR_FMT "'",
		 STR_ARG(text_of(l->order)));
	struct pick_confirmed_head pick = {.tenant = 1,
					   .order_id = l->order,
					   .group_no = 1,
					   .fulfillment_id = id_from(sql),
					   .job_id = open_job(l, "fulfillment.pick"),
					   .request_method = 5,
					   .request_key = STR("hall/1"),
					   .fingerprint = STR("01234567890123456789012345678901"),
					   .actor = STR("picker"),
					   .pack_job = fresh_id(),
					   .void_job = fresh_id(),
					   .resource_job = fresh_id()};
	struct pick_confirmed_line one = {.line = 1, .qty = 1};
	struct pack_confirmed_head pack = {.tenant = 1,
					   .order_id = l->order,
					   .group_no = 1,
					   .fulfillment_id = pick.fulfillment_id,
					   .request_method = 6,
					   .request_key = STR("hall/1"),
					   .fingerprint = STR("01234567890123456789012345678901"),
					   .actor = STR("picker"),
					   .shipment_id = fresh_id(),
					   .next_job = fresh_id(),
					   .sscc_prefix = STR("09520000")};

	l->ask(l, pick_confirmed_unit(&pick, &one, 1));
	pack.job_id = open_job(l, "fulfillment.pack");
	l->ask(l, pack_confirmed_unit(&pack, NULL, 0));
	struct job j = claim(l, "fulfillment.resource");
	struct order_resourced_head found = {.tenant = 1,
					     .order_id = l->order,
					     .group_no = 0,
					     .job_id = j.id,
					     .epoch = j.epoch,
					     .cause = fresh_id(),
					     .backordered = 1};
	struct order_resourced_head nothing = found;
	struct backorders_due_head due = {.tenant = 1, .most = 10};
	struct backorders_due_line came = {.item = pg_number(db, "SELECT item FROM item")};
	struct order_resourced_line share = {
		.line = 1,
		.item = pg_number(db, "SELECT item FROM item"),
		.location = (int32_t)pg_number(db, "SELECT location FROM location"),
		.qty = 1,
		.group_no = 1,
		.job_id = fresh_id()};
	nothing.delay_ms = LONG_S * 1000;
	l->ask(l, order_resourced_unit(&nothing, NULL, 0));
	l->ask(l, backorders_due_unit(&due, &came, 1));
	j = claim(l, "fulfillment.resource");
	found.epoch = j.epoch;
	l->ask(l, order_resourced_unit(&found, &share, 1));
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
