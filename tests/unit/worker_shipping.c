/*
 * One parcel, one label: the carrier has no idempotency keys, so its parcel is made and
 * written down before postage is bought, and looked at before it is bought again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/address.h"
#include "tests/unit/worker_world.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)
#define SHIPMENTS     "http://carrier/v2/shipments"
#define OFFER         "{\"id\":\"shp_1\",\"rates\":[{\"id\":\"rate_1\",\"rate\":\"5.00\"}]}"
#define BOUGHT                                                                                \
	"{\"id\":\"shp_1\",\"tracking_code\":\"94\",\"postage_label\":{\"label_url\":\"u\"}," \
	"\"selected_rate\":{\"carrier\":\"USPS\",\"service\":\"First\",\"rate\":\"5.00\"}}"

static void find_parcel(const char *state, const char *remote_id)
{
	const struct address to = {.name = STR("Erika"), .city = STR("Ulm")};
	struct str sealed;
	struct arena arena;

	arena_init(&arena, 65536);
	sealed = seal(&world.w.contact_key, 7, ORDER, address_pack(&to, &arena), &arena);
	WORLD_ROWS(world_asked("shipment_find"),
		   &(struct shipment_find_row){.state = str_of(state),
					       .remote_id = str_of(remote_id),
					       .weight_g = 2835,
					       .sealed = sealed,
					       .from_name = STR("Warehouse")});
	arena_done(&arena);
}

static void found(const char *remote_id)
{
	world_job("shipping.label", 1, 0);
	find_parcel(remote_id[0] != '\0' ? "label_intent" : "planned", remote_id);
}

static void intended(const char *stored)
{
	WORLD_ROWS(world_asked("label_intent"),
		   &(struct label_intent_row){.remote_id = str_of(stored)});
}

static void label_is_recorded(void)
{
	struct question *q = world_asked("label_bought");

	assert_true(str_eq(HEAD(q, label_bought)->tracking_code, STR("94")));
	assert_int_equal(HEAD(q, label_bought)->rate_minor, 500);
	WORLD_ROWS(q, &(struct label_bought_row){.job_id = NEXT, .kind = STR("payment.capture")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.rings[0].role, ROLE_PAYMENT);
	assert_int_equal(world.acks, 1);
}

static void label_is_bought_after_its_parcel_was_written_down(void **state)
{
	struct question *q;

	(void)state;
	found("");
	q = world_asked("POST " SHIPMENTS);
	assert_non_null(strstr(q->http->body.p, "\"name\":\"Erika\""));
	assert_non_null(strstr(q->http->body.p, "\"name\":\"Warehouse\""));
	assert_string_equal(q->http->basic_user, "ek_1");
	world_says(q, 201, OFFER);
	assert_true(
		str_eq(HEAD(world_asked("label_intent"), label_intent)->remote_id, STR("shp_1")));
	intended("shp_1");
	q = world_asked("POST " SHIPMENTS "/shp_1/buy");
	assert_true(str_eq(q->http->body, STR("{\"rate\":{\"id\":\"rate_1\"}}")));
	world_says(q, 200, BOUGHT);
	label_is_recorded();
}

static void lost_answer_to_a_buy_is_looked_at_first(void **state)
{
	(void)state;
	found("shp_1");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, OFFER);
	world_fails(world_asked("POST " SHIPMENTS "/shp_1/buy"), ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_retry"));
	world.acks = 0;
	found("shp_1");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, BOUGHT);
	label_is_recorded();
}

static void label_sold_meanwhile_is_looked_at_not_bought_again(void **state)
{
	(void)state;
	found("shp_1");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, OFFER);
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 422,
		   "{\"error\":{\"code\":\"SHIPMENT.POSTAGE.EXISTS\"}}");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, BOUGHT);
	label_is_recorded();
}

static void parcel_of_an_earlier_try_wins(void **state)
{
	(void)state;
	found("");
	world_says(world_asked("POST " SHIPMENTS), 201, OFFER);
	intended("shp_0");
	world_says(world_asked("GET " SHIPMENTS "/shp_0"), 200, BOUGHT);
	label_is_recorded();
}

static void job_taken_over_buys_nothing(void **state)
{
	(void)state;
	found("");
	world_says(world_asked("POST " SHIPMENTS), 201, OFFER);
	world_no_rows(world_asked("label_intent"));
	assert_int_equal(world.acks, 1);
}

static void parcel_nobody_carries_is_for_people(void **state)
{
	(void)state;
	found("");
	world_says(world_asked("POST " SHIPMENTS), 201, "{\"id\":\"shp_1\",\"rates\":[]}");
	intended("shp_1");
	assert_non_null(
		strstr(HEAD(world_asked("job_bury"), job_bury)->error.p, "no carrier offers"));
	world_no_rows(world_asked("job_bury"));
}

static void address_that_does_not_open_is_for_people(void **state)
{
	(void)state;
	world_job("shipping.label", 1, 0);
	WORLD_ROWS(world_asked("shipment_find"),
		   &(struct shipment_find_row){.state = STR("planned"), .sealed = STR("garbage")});
	world_no_rows(world_asked("job_bury"));
	assert_int_equal(world.acks, 1);
}

static void label_already_there_is_settled(void **state)
{
	(void)state;
	world_job("shipping.label", 1, 0);
	find_parcel("labelled", "shp_1");
	world_no_rows(world_asked("job_settle"));
}

/* ---- tracking ---- */

static void tracked(void)
{
	world_job("shipping.track", 1, 0);
	WORLD_ROWS(world_asked("shipment_find"),
		   &(struct shipment_find_row){.state = STR("handed_over"),
					       .tracker_id = STR("trk_1"),
					       .tracking_code = STR("94"),
					       .carrier = STR("USPS")});
}

static void every_scan_is_written_down_and_delivery_noticed(void **state)
{
	const struct tracking_recorded_line *scan;
	struct question *q;

	(void)state;
	tracked();
	world_says(world_asked("GET http://carrier/v2/trackers/trk_1"), 200,
		   "{\"id\":\"trk_1\",\"status\":\"delivered\",\"tracking_details\":[{\"status\":"
		   "\"delivered\",\"datetime\":\"2026-01-02T03:04:05Z\"}]}");
	q = world_asked("tracking_recorded");
	scan = q->unit.lines;
	assert_true(HEAD(q, tracking_recorded)->delivered);
	assert_int_equal(q->unit.n_lines, 1);
	assert_int_equal(scan->at, 1767323045000000);
	assert_non_null(scan->city.p); /* the column takes no NULL */
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
}

static void parcel_under_way_is_looked_at_again_later(void **state)
{
	struct question *q;

	(void)state;
	tracked();
	world_says(world_asked("GET http://carrier/v2/trackers/trk_1"), 200,
		   "{\"id\":\"trk_1\",\"status\":\"in_transit\"}");
	q = world_asked("tracking_recorded");
	assert_false(HEAD(q, tracking_recorded)->delivered);
	assert_int_equal(HEAD(q, tracking_recorded)->delay_ms, 300000);
	assert_int_equal(q->unit.n_lines, 0);
	world_no_rows(q);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(label_is_bought_after_its_parcel_was_written_down),
		TEST(lost_answer_to_a_buy_is_looked_at_first),
		TEST(label_sold_meanwhile_is_looked_at_not_bought_again),
		TEST(parcel_of_an_earlier_try_wins),
		TEST(job_taken_over_buys_nothing),
		TEST(parcel_nobody_carries_is_for_people),
		TEST(address_that_does_not_open_is_for_people),
		TEST(label_already_there_is_settled),
		TEST(every_scan_is_written_down_and_delivery_noticed),
		TEST(parcel_under_way_is_looked_at_again_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
