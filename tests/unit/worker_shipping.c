/*
 * One parcel, one label: the carrier has no idempotency keys, so its parcel is made and
 * written down before postage is bought, and looked at before it is bought again.  Which offer is
 * bought, and how a label is given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/address.h"
#include "tests/unit/worker_world.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)
#define SHIPMENTS     "http://carrier/v2/shipments"
#define RATE(id, service, price, days)                                                          \
	"{\"id\":\"" id "\",\"carrier\":\"USPS\",\"service\":\"" service "\",\"rate\":\"" price \
	"\",\"currency\":\"USD\",\"delivery_days\":" days "}"
#define RATES \
	"[" RATE("rate_2", "Express", "9.00", "1") "," RATE("rate_1", "First", "5.00", "3") "]"
#define OFFER       "{\"id\":\"shp_1\",\"rates\":" RATES "}"
#define OTHER_OFFER "{\"id\":\"shp_1\",\"rates\":[" RATE("rate_3", "First", "5.50", "3") "]}"
#define BOUGHT                                                                                 \
	"{\"id\":\"shp_1\",\"rates\":" RATES                                                   \
	",\"tracking_code\":\"94\",\"postage_label\":{"                                        \
	"\"label_url\":\"u\"},\"tracker\":{\"id\":\"trk_1\",\"public_url\":\"https://t/94\"}," \
	"\"selected_rate\":" RATE("rate_1", "First", "5.00", "3") "}"
#define GONE "{\"error\":{\"code\":\"SHIPMENT.RATE.EXPIRED\"}}"

static void find_parcel(const char *state, const char *remote_id, const char *service,
			int32_t labels)
{
	const struct address to = {.name = STR("Erika"), .city = STR("Ulm")};
	struct str sealed;
	struct arena arena;

	arena_init(&arena, 65536);
	sealed = seal(&world.w.contact_key, 7, ORDER, address_pack(&to, &arena), &arena);
	WORLD_ROWS(world_asked("shipment_find"),
		   &(struct shipment_find_row){.shipment_id = NEXT,
					       .state = str_of(state),
					       .remote_id = str_of(remote_id),
					       .weight_g = 2835,
					       .sealed = sealed,
					       .ship_service = str_of(service),
					       .currency = STR("EUR"),
					       .labels = labels,
					       .from_name = STR("Warehouse")});
	arena_done(&arena);
}

static void wanted(const char *remote_id, const char *service)
{
	world_job("shipping.label", 1, 0);
	find_parcel(remote_id[0] != '\0' ? "label_intent" : "planned", remote_id, service, 0);
}

static void found(const char *remote_id)
{
	wanted(remote_id, "cheapest");
}

static void intended(const char *stored)
{
	WORLD_ROWS(world_asked("label_intent"),
		   &(struct label_intent_row){.remote_id = str_of(stored)});
}

static void label_is_recorded(void)
{
	struct question *q = world_asked("label_bought");
	const struct label_bought_line *offers = q->unit.lines;
	const struct label_bought_head *h = HEAD(q, label_bought);

	assert_true(str_eq(h->tracking_code, STR("94")));
	assert_true(str_eq(h->tracking_url, STR("https://t/94")));
	assert_int_equal(h->rate_minor, 500);
	assert_true(str_eq(h->currency, STR("USD")));
	assert_int_equal(q->unit.n_lines, 2);
	assert_true(str_eq(offers[0].rate_id, STR("rate_2")) && !offers[0].chosen);
	assert_true(str_eq(offers[1].rate_id, STR("rate_1")) && offers[1].chosen);
	assert_int_equal(offers[1].delivery_days, 3);
	WORLD_ROWS(q, &(struct label_bought_row){.job_id = NEXT, .kind = STR("payment.capture")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.rings[0].role, ROLE_PAYMENT);
	assert_int_equal(world.acks, 1);
}

static void buying(const char *rate_id)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"rate\":{\"id\":\"%s\"}}", rate_id);
	assert_true(str_eq(world_asked("POST " SHIPMENTS "/shp_1/buy")->http->body, str_of(body)));
}

static void label_is_bought_after_its_parcel_was_written_down(void **state)
{
	struct question *q;

	(void)state;
	found("");
	q = world_asked("POST " SHIPMENTS);
	assert_non_null(strstr(q->http->body.p, "\"name\":\"Erika\""));
	assert_non_null(strstr(q->http->body.p, "\"name\":\"Warehouse\""));
	assert_non_null(
		strstr(q->http->body.p, "\"reference\":\"01930102-0304-7001-8003-000000000000\""));
	assert_string_equal(q->http->basic_user, "ek_1");
	world_says(q, 201, OFFER);
	assert_true(
		str_eq(HEAD(world_asked("label_intent"), label_intent)->remote_id, STR("shp_1")));
	intended("shp_1");
	buying("rate_1");
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 200, BOUGHT);
	label_is_recorded();
}

static void label_bought_again_rings_nothing(void **state)
{
	(void)state;
	found("shp_1");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, BOUGHT);
	WORLD_ROWS(world_asked("label_bought"), &(struct label_bought_row){.version = 9});
	assert_int_equal(world.n_rings, 0);
	assert_int_equal(world.acks, 1);
}

/* ---- which offer ---- */

static void service_is_what_the_order_asked_for(void **state)
{
	static const char *const rows[][2] = {
		{"cheapest", "rate_1"}, {"fastest", "rate_2"}, {"EXPRESS", "rate_2"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wanted("shp_1", rows[i][0]);
		world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, OFFER);
		buying(rows[i][1]);
		world_fails(world_asked("POST " SHIPMENTS "/shp_1/buy"), ERR_HTTP_UNKNOWN);
		world_no_rows(world_asked("job_retry"));
	}
}

static void is_held(const char *why)
{
	struct question *q = world_asked("label_held");

	assert_non_null(strstr(HEAD(q, label_held)->why.p, why));
	assert_int_equal(HEAD(q, label_held)->delay_ms, 900000);
	WORLD_ROWS(q, &(struct label_held_row){.version = 9});
	assert_int_equal(world.acks, 1);
	assert_int_equal(world.n_rings, 0);
}

static void service_nobody_offers_is_asked_for_anew_and_then_held(void **state)
{
	(void)state;
	wanted("shp_1", "Overnight");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, OFFER);
	world_says(world_asked("POST " SHIPMENTS "/shp_1/rerate"), 200, OFFER);
	is_held("none of 2 offers is what the order asks for: Overnight");
}

static void service_offered_at_last_is_bought(void **state)
{
	(void)state;
	wanted("shp_1", "first");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, "{\"id\":\"shp_1\",\"rates\":[]}");
	world_says(world_asked("POST " SHIPMENTS "/shp_1/rerate"), 200, OFFER);
	buying("rate_1");
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 200, BOUGHT);
	label_is_recorded();
}

static void parcel_nobody_carries_is_held(void **state)
{
	(void)state;
	found("");
	world_says(world_asked("POST " SHIPMENTS), 201, "{\"id\":\"shp_1\",\"rates\":[]}");
	intended("shp_1");
	is_held("no carrier offers");
}

static void offer_that_is_gone_is_asked_for_anew(void **state)
{
	struct question *q;

	(void)state;
	found("");
	world_says(world_asked("POST " SHIPMENTS), 201, OFFER);
	intended("shp_1");
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 422, GONE);
	q = world_asked("POST " SHIPMENTS "/shp_1/rerate");
	world_says(q, 200, OTHER_OFFER);
	buying("rate_3");
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 200, BOUGHT);
	label_is_recorded();
}

static void offer_gone_twice_is_for_later(void **state)
{
	struct question *q;

	(void)state;
	found("shp_1");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, OFFER);
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 422, GONE);
	world_says(world_asked("POST " SHIPMENTS "/shp_1/rerate"), 200, OTHER_OFFER);
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 422, GONE);
	q = world_asked("job_retry");
	assert_non_null(strstr(HEAD(q, job_retry)->error.p, "SHIPMENT.RATE.EXPIRED"));
	world_no_rows(q);
}

static void bought_offer_is_kept_even_if_it_is_no_longer_offered(void **state)
{
	const struct label_bought_line *offers;
	struct question *q;

	(void)state;
	found("shp_1");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200,
		   "{\"id\":\"shp_1\",\"rates\":[" RATE("rate_9", "First", "1.00", "null") "],"
		   "\"tracking_code\":\"94\",\"postage_label\":{},\"selected_rate\":"
		   RATE("rate_1", "First", "5.00", "3") "}");
	q = world_asked("label_bought");
	offers = q->unit.lines;
	assert_int_equal(q->unit.n_lines, 2);
	assert_false(offers[0].chosen);
	assert_true(offers[0].delivery_days == DB_NULL);
	assert_true(offers[1].chosen && str_eq(offers[1].rate_id, STR("rate_1")));
	assert_non_null(HEAD(q, label_bought)->label_url.p); /* the column takes no NULL */
	world_no_rows(q);
}

/* ---- bought once ---- */

static void parcel_of_a_try_that_died_is_found_by_its_reference(void **state)
{
	(void)state;
	world_job("shipping.label", 2, 1);
	find_parcel("planned", "", "cheapest", 0);
	world_says(world_asked("GET " SHIPMENTS "/01930102-0304-7001-8003-000000000000"), 200,
		   OFFER);
	intended("shp_1");
	buying("rate_1");
	world_says(world_asked("POST " SHIPMENTS "/shp_1/buy"), 200, BOUGHT);
	label_is_recorded();
}

static void reference_nobody_knows_makes_a_parcel(void **state)
{
	(void)state;
	world_job("shipping.label", 2, 0);
	find_parcel("planned", "", "cheapest", 0);
	world_says(world_asked("GET " SHIPMENTS "/01930102-0304-7001-8003-000000000000"), 404,
		   "{\"error\":{\"code\":\"NOT_FOUND\"}}");
	world_fails(world_asked("POST " SHIPMENTS), ERR_HTTP_UNREACHABLE);
	assert_null(strstr(HEAD(world_asked("job_retry"), job_retry)->error.p, "404"));
	world_no_rows(world_asked("job_retry"));
}

static void reference_that_cannot_be_asked_makes_none(void **state)
{
	(void)state;
	world_job("shipping.label", 2, 0);
	find_parcel("planned", "", "cheapest", 0);
	world_says(world_asked("GET " SHIPMENTS "/01930102-0304-7001-8003-000000000000"), 500, "");
	world_no_rows(world_asked("job_retry"));
}

static void parcel_after_a_void_has_another_reference(void **state)
{
	struct question *q;

	(void)state;
	world_job("shipping.label", 2, 0);
	find_parcel("planned", "", "cheapest", 1);
	world_says(world_asked("GET " SHIPMENTS "/01930102-0304-7001-8003-000000000000-2"), 404,
		   "{}");
	q = world_asked("POST " SHIPMENTS);
	assert_non_null(strstr(q->http->body.p,
			       "\"reference\":\"01930102-0304-7001-8003-000000000000-2\""));
	world_fails(q, ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_retry"));
}

static void parcel_the_carrier_does_not_take_is_for_people(void **state)
{
	(void)state;
	found("");
	world_says(world_asked("POST " SHIPMENTS), 422,
		   "{\"error\":{\"code\":\"PARAMETER.INVALID\"}}");
	assert_non_null(
		strstr(HEAD(world_asked("job_bury"), job_bury)->error.p, "PARAMETER.INVALID"));
	world_no_rows(world_asked("job_bury"));
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
	find_parcel("labelled", "shp_1", "cheapest", 1);
	world_no_rows(world_asked("job_settle"));
}

/* ---- void ---- */

static void voiding(const char *state)
{
	world_job("shipping.void", 1, 0);
	find_parcel(state, "shp_1", "cheapest", 1);
}

static void voided_as(const char *refused)
{
	struct question *q = world_asked("label_voided");
	struct str is = HEAD(q, label_voided)->refused;

	if (refused != NULL)
		assert_true(str_eq(is, str_of(refused)));
	else
		assert_null(is.p);
	if (refused == NULL) {
		WORLD_ROWS(q, &(struct label_voided_row){.outcome = STR("voided"),
							 .job_id = NEXT,
							 .kind = STR("shipping.label")});
		assert_int_equal(world.n_rings, 1);
		assert_int_equal(world.rings[0].role, ROLE_SHIPPING);
	} else {
		WORLD_ROWS(q, &(struct label_voided_row){.outcome = STR("kept")});
		assert_int_equal(world.n_rings, 0);
	}
	assert_int_equal(world.acks, 1);
}

#define REFUND "POST " SHIPMENTS "/shp_1/refund"

static void label_is_given_back(void **state)
{
	(void)state;
	voiding("voiding");
	world_says(world_asked(REFUND), 200, "{\"refund_status\":\"submitted\"}");
	voided_as(NULL);
}

static void refund_that_was_not_answered_is_asked_again(void **state)
{
	(void)state;
	voiding("voiding");
	world_fails(world_asked(REFUND), ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_retry"));
	world.acks = 0;
	voiding("voiding");
	world_says(world_asked(REFUND), 200, "{\"refund_status\":\"refunded\"}");
	voided_as(NULL);
}

static void label_the_carrier_has_seen_stays(void **state)
{
	(void)state;
	voiding("voiding");
	world_says(world_asked(REFUND), 422,
		   "{\"error\":{\"code\":\"SHIPMENT.REFUND.UNAVAILABLE\"}}");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200, BOUGHT);
	voided_as("SHIPMENT.REFUND.UNAVAILABLE");
}

static void label_refunded_before_does_not_stay(void **state)
{
	(void)state;
	voiding("voiding");
	world_says(world_asked(REFUND), 422, "{\"error\":{\"code\":\"REFUND.EXISTS\"}}");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200,
		   "{\"id\":\"shp_1\",\"refund_status\":\"refunded\"}");
	voided_as(NULL);
}

static void refund_that_is_rejected_leaves_the_label(void **state)
{
	(void)state;
	voiding("voiding");
	world_says(world_asked(REFUND), 200, "{\"refund_status\":\"rejected\"}");
	world_says(world_asked("GET " SHIPMENTS "/shp_1"), 200,
		   "{\"id\":\"shp_1\",\"refund_status\":\"rejected\"}");
	voided_as("rejected");
}

static void refund_that_says_nothing_is_asked_again(void **state)
{
	(void)state;
	voiding("voiding");
	world_says(world_asked(REFUND), 200, "{}");
	world_no_rows(world_asked("job_retry"));
	voiding("voiding");
	world_says(world_asked(REFUND), 503, "");
	world_no_rows(world_asked("job_retry"));
}

static void label_no_longer_to_be_given_back_is_settled(void **state)
{
	(void)state;
	voiding("labelled");
	world_no_rows(world_asked("job_settle"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(label_is_bought_after_its_parcel_was_written_down),
		TEST(label_bought_again_rings_nothing),
		TEST(service_is_what_the_order_asked_for),
		TEST(service_nobody_offers_is_asked_for_anew_and_then_held),
		TEST(service_offered_at_last_is_bought),
		TEST(parcel_nobody_carries_is_held),
		TEST(offer_that_is_gone_is_asked_for_anew),
		TEST(offer_gone_twice_is_for_later),
		TEST(bought_offer_is_kept_even_if_it_is_no_longer_offered),
		TEST(parcel_of_a_try_that_died_is_found_by_its_reference),
		TEST(reference_nobody_knows_makes_a_parcel),
		TEST(reference_that_cannot_be_asked_makes_none),
		TEST(parcel_after_a_void_has_another_reference),
		TEST(parcel_the_carrier_does_not_take_is_for_people),
		TEST(lost_answer_to_a_buy_is_looked_at_first),
		TEST(label_sold_meanwhile_is_looked_at_not_bought_again),
		TEST(parcel_of_an_earlier_try_wins),
		TEST(job_taken_over_buys_nothing),
		TEST(address_that_does_not_open_is_for_people),
		TEST(label_already_there_is_settled),
		TEST(label_is_given_back),
		TEST(refund_that_was_not_answered_is_asked_again),
		TEST(label_the_carrier_has_seen_stays),
		TEST(label_refunded_before_does_not_stay),
		TEST(refund_that_is_rejected_leaves_the_label),
		TEST(refund_that_says_nothing_is_asked_again),
		TEST(label_no_longer_to_be_given_back_is_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
