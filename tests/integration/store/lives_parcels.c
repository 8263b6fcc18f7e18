/* How the goods of a life get to the door. */
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

void ship(struct life *l)
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

void deliver(struct life *l)
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
void hear(struct life *l)
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
void confirm_short(struct life *l)
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
