/*
 * A parcel leaves when it has its label and is paid for; and is followed, with all its scans, until
 * it is delivered or back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/worker_world.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)

/* ---- hand-over ---- */

static void parcel_without_its_label_waits(void **state)
{
	struct question *q;

	(void)state;
	world_job("shipping.handover", 1, 0);
	q = world_asked("shipment_handed_over");
	assert_int_equal(HEAD(q, shipment_handed_over)->delay_ms, 30000);
	assert_int_equal(HEAD(q, shipment_handed_over)->track_delay_ms, 300000);
	WORLD_ROWS(q, &(struct shipment_handed_over_row){.outcome = STR("waiting")});
	world_asked_nothing(); /* the unit itself has put it off */
	assert_int_equal(world.acks, 1);
}

/* ---- tracking ---- */

static void tracked(const char *state)
{
	world_job("shipping.track", 1, 0);
	WORLD_ROWS(world_asked("shipment_find"),
		   &(struct shipment_find_row){.state = str_of(state),
					       .tracker_id = STR("trk_1"),
					       .tracking_code = STR("94"),
					       .carrier = STR("USPS")});
}

#define TRACKER "GET http://carrier/v2/trackers/trk_1"
#define DETAIL(status, detail, minute)                           \
	"{\"status\":\"" status "\",\"status_detail\":\"" detail \
	"\",\"datetime\":\"2026-01-02T03:" minute ":05Z\"}"
#define STORED(s, minute)                                                                    \
	{                                                                                    \
		.at = 1767323045000000 + ((minute)-4) * INT64_C(60000000), .status = STR(s), \
		.detail = STR("")                                                            \
	}

static void seen(const char *status, const char *details)
{
	char body[1024];

	(void)snprintf(body, sizeof(body),
		       "{\"id\":\"trk_1\",\"status\":\"%s\",\"tracking_details\":[%s]}", status,
		       details);
	world_says(world_asked(TRACKER), 200, body);
}

static struct question *recording(const char *state, int leg, const char *exception,
				  const char *fate, int64_t known)
{
	struct question *q = world_asked("tracking_recorded");
	const struct tracking_recorded_head *h = HEAD(q, tracking_recorded);

	assert_true(str_eq(h->tracking_state, str_of(state)));
	assert_int_equal(h->leg, leg);
	assert_true(str_eq(h->exception, str_of(exception)));
	assert_true(str_eq(h->fate, str_of(fate)));
	assert_int_equal(h->known, known);
	assert_int_equal(h->delay_ms, 300000);
	return q;
}

static void recorded(struct question *q, const char *outcome)
{
	WORLD_ROWS(q, &(struct tracking_recorded_row){.outcome = str_of(outcome)});
}

static void every_scan_is_written_down_and_delivery_noticed(void **state)
{
	const struct tracking_recorded_line *scan;
	struct question *q;

	(void)state;
	tracked("handed_over");
	seen("delivered", DETAIL("delivered", "", "04"));
	world_no_rows(world_asked("shipment_scans"));
	q = recording("delivered", 1, NULL, "delivered", 0);
	scan = q->unit.lines;
	assert_int_equal(q->unit.n_lines, 1);
	assert_int_equal(scan->at, 1767323045000000);
	assert_non_null(scan->city.p); /* the column takes no NULL */
	recorded(q, "completed");
	assert_int_equal(world.acks, 1);
}

static void what_was_stored_counts_as_much_as_what_is_told(void **state)
{
	const struct shipment_scans_row stored[] = {STORED("return_to_sender", 3)};

	(void)state;
	tracked("handed_over");
	seen("delivered", DETAIL("delivered", "", "04"));
	WORLD_ROWS(world_asked("shipment_scans"), stored);
	recorded(recording("delivered", 2, NULL, "returned", 1), "returned");
}

static void late_news_takes_nothing_back(void **state)
{
	const struct shipment_scans_row stored[] = {STORED("out_for_delivery", 2)};

	(void)state;
	tracked("handed_over");
	seen("in_transit", DETAIL("in_transit", "", "04"));
	WORLD_ROWS(world_asked("shipment_scans"), stored);
	recorded(recording("out_for_delivery", 1, NULL, "handed_over", 1), "waiting");
}

static void what_is_wrong_is_noticed(void **state)
{
	(void)state;
	tracked("handed_over");
	seen("failure", DETAIL("in_transit", "", "03") "," DETAIL("failure", "lost", "04"));
	world_no_rows(world_asked("shipment_scans"));
	recorded(recording("in_transit", 1, "lost", "lost", 0), "waiting");
}

static void lost_parcel_is_looked_for(void **state)
{
	const struct shipment_scans_row stored[] = {STORED("failure", 2)};

	(void)state;
	tracked("lost");
	seen("in_transit", DETAIL("in_transit", "", "04"));
	WORLD_ROWS(world_asked("shipment_scans"), stored);
	recorded(recording("in_transit", 1, NULL, "handed_over", 1), "waiting");
}

static void scan_stored_meanwhile_is_read_and_all_decided_again(void **state)
{
	const struct shipment_scans_row stored[] = {STORED("delivered", 3)};

	(void)state;
	tracked("handed_over");
	seen("in_transit", DETAIL("in_transit", "", "04"));
	world_no_rows(world_asked("shipment_scans"));
	recorded(recording("in_transit", 1, NULL, "handed_over", 0), "stale");
	WORLD_ROWS(world_asked("shipment_scans"), stored);
	recorded(recording("delivered", 1, NULL, "delivered", 1), "delivered");
	assert_int_equal(world.acks, 1);
}

static void scans_that_never_stand_still_are_for_later(void **state)
{
	(void)state;
	tracked("handed_over");
	seen("in_transit", DETAIL("in_transit", "", "04"));
	for (int i = 0; i < 8; i++) {
		world_no_rows(world_asked("shipment_scans"));
		recorded(world_asked("tracking_recorded"), "stale");
	}
	world_no_rows(world_asked("job_retry"));
}

static void status_without_its_scan_is_one(void **state)
{
	const struct shipment_scans_row stored[] = {STORED("delivered", 3)};
	struct question *q;

	(void)state;
	tracked("handed_over");
	seen("delivered", "");
	world_no_rows(world_asked("shipment_scans"));
	q = recording("delivered", 1, NULL, "delivered", 0);
	assert_int_equal(q->unit.n_lines, 1);
	recorded(q, "stale");
	WORLD_ROWS(world_asked("shipment_scans"), stored); /* and it is told once */
	q = recording("delivered", 1, NULL, "delivered", 1);
	assert_int_equal(q->unit.n_lines, 1);
	recorded(q, "delivered");
	tracked("handed_over");
	seen("unknown", "");
	WORLD_ROWS(world_asked("shipment_scans"), stored);
	q = recording("delivered", 1, NULL, "delivered", 1);
	assert_int_equal(q->unit.n_lines, 0);
	world_no_rows(q);
}

static void parcel_at_its_end_is_not_looked_at(void **state)
{
	static const char *const ends[] = {"delivered", "returned", "labelled"};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		tracked(ends[i]);
		world_no_rows(world_asked("job_settle"));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parcel_without_its_label_waits),
		TEST(every_scan_is_written_down_and_delivery_noticed),
		TEST(what_was_stored_counts_as_much_as_what_is_told),
		TEST(late_news_takes_nothing_back),
		TEST(what_is_wrong_is_noticed),
		TEST(lost_parcel_is_looked_for),
		TEST(scan_stored_meanwhile_is_read_and_all_decided_again),
		TEST(scans_that_never_stand_still_are_for_later),
		TEST(status_without_its_scan_is_one),
		TEST(parcel_at_its_end_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
