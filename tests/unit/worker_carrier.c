/*
 * The carrier's answers, read: parcels, prices, labels and scans, and what is made of an
 * answer that is none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/provider.h"
#include "workers/shipping/carrier.h"

static struct carrier_parcel parcel(int status, const char *body)
{
	return carrier_parcel(&provider_flow, provider_says(status, body));
}

/* What its reader does with one it cannot use. */
static struct carrier_parcel parcel_failed(int status, const char *body)
{
	struct carrier_parcel p = parcel(status, body);

	assert_false(p.ok);
	assert_int_equal(provider_flow.err, ERR_OK); /* what it means is for the reader to say */
	assert_int_equal(carrier_fail(&provider_flow, &p), FLOW_FAIL);
	return p;
}

static struct carrier_tracker tracker(int status, const char *body)
{
	return carrier_tracker(&provider_flow, provider_says(status, body));
}

/* The price of a bought label is what a rate's text means in minor units; -1: nothing bought. */
static int64_t price_in(const char *currency, const char *rate)
{
	char body[512];
	struct carrier_parcel p;

	(void)snprintf(body, sizeof(body),
		       "{\"id\":\"shp_1\",\"tracking_code\":\"94\",\"postage_label\":{},"
		       "\"selected_rate\":{\"id\":\"r\",\"currency\":%s,\"rate\":%s}}",
		       currency, rate);
	p = parcel(200, body);
	assert_true(p.ok);
	return p.bought ? p.bought_offer.price.minor : -1;
}

static int64_t price_of(const char *rate)
{
	return price_in("\"EUR\"", rate);
}

static void assert_refused(bool ok, enum errc err)
{
	assert_false(ok);
	assert_int_equal(provider_flow.err, err);
	assert_true(provider_complaint[0] != '\0');
}

/* ---- parcels ---- */

static void new_parcel_tells_every_offer(void **state)
{
	struct carrier_parcel p = parcel(
		201,
		"{\"id\":\"shp_1\",\"selected_rate\":null,\"postage_label\":null,"
		"\"tracking_code\":null,\"rates\":["
		"{\"id\":\"a\",\"rate\":\"10.00\",\"currency\":\"USD\",\"carrier\":\"USPS\","
		"\"service\":\"Priority\",\"delivery_days\":2},"
		"{\"id\":\"b\",\"rate\":\"9.5\",\"currency\":\"EUR\",\"est_delivery_days\":3},"
		"{\"id\":\"c\",\"rate\":\"7\",\"currency\":\"JPY\",\"delivery_days\":null}]}");

	(void)state;
	assert_true(p.ok);
	assert_false(p.bought);
	assert_false(p.buy_again);
	assert_true(str_eq(p.id, STR("shp_1")));
	assert_int_equal(p.n_offers, 3);
	assert_true(str_eq(p.offers[0].id, STR("a")));
	assert_true(str_eq(p.offers[0].carrier, STR("USPS")));
	assert_true(str_eq(p.offers[0].service, STR("Priority")));
	assert_int_equal(p.offers[0].price.minor, 1000);
	assert_string_equal(p.offers[0].price.currency, "USD");
	assert_int_equal(p.offers[0].days, 2);
	assert_int_equal(p.offers[1].price.minor, 950);
	assert_int_equal(p.offers[1].days, 3);
	assert_int_equal(p.offers[2].price.minor, 7); /* yen have no places */
	assert_int_equal(p.offers[2].days, SHIPPING_DAYS_UNKNOWN);
}

static void rate_without_an_id_a_price_or_a_currency_is_no_offer(void **state)
{
	struct carrier_parcel p =
		parcel(200,
		       "{\"id\":\"shp_1\",\"rates\":[{\"rate\":\"1.00\",\"currency\":\"EUR\"},"
		       "{\"id\":\"\",\"rate\":\"1.00\",\"currency\":\"EUR\"},"
		       "{\"id\":\"free\",\"rate\":\"\",\"currency\":\"EUR\"},"
		       "{\"id\":\"dot\",\"rate\":\".\",\"currency\":\"EUR\"},"
		       "{\"id\":\"none\",\"rate\":\"1.00\"},"
		       "{\"id\":\"odd\",\"rate\":\"1.00\",\"currency\":\"euro\"},"
		       "{\"id\":7,\"rate\":\"2.00\",\"currency\":\"EUR\"},null,[],"
		       "{\"id\":\"good\",\"rate\":\"3.00\",\"currency\":\"EUR\"}]}");

	(void)state;
	assert_int_equal(p.n_offers, 1);
	assert_true(str_eq(p.offers[0].id, STR("good")));
	assert_int_equal(parcel(200, "{\"id\":\"shp_1\",\"rates\":{\"id\":1}}").n_offers, 0);
}

static void of_too_many_offers_the_first_count(void **state)
{
	enum { MANY = CARRIER_OFFERS_MAX + 20 };

	static char body[MANY * 80 + 200];
	int n = snprintf(body, sizeof(body), "{\"id\":\"s\",\"rates\":[");
	struct carrier_parcel p;

	(void)state;
	for (int i = 0; i < MANY; i++)
		n += snprintf(body + n, sizeof(body) - (size_t)n,
			      "%s{\"id\":\"r%d\",\"rate\":\"1.00\",\"currency\":\"EUR\"}",
			      i > 0 ? "," : "", i);
	(void)snprintf(body + n, sizeof(body) - (size_t)n, "]}");
	p = parcel(200, body);
	assert_true(p.ok);
	assert_int_equal(p.n_offers, CARRIER_OFFERS_MAX);
	assert_true(str_eq(p.offers[CARRIER_OFFERS_MAX - 1].id, STR("r99")));
}

static void offers_that_do_not_fit_are_an_error(void **state)
{
	(void)state;
	arena_done(&provider_flow.arena);
	arena_init(&provider_flow.arena, 64);
	(void)parcel_failed(200, "{\"id\":\"s\",\"rates\":[{},{},{},{}]}");
	assert_int_equal(provider_flow.err, ERR_TOO_LARGE);
}

static void bought_parcel_tells_all_about_its_label(void **state)
{
	struct carrier_parcel p = parcel(
		200,
		"{\"id\":\"shp_1\",\"rates\":[],\"tracking_code\":\"9400\","
		"\"selected_rate\":{\"id\":\"r\",\"carrier\":\"USPS\",\"service\":\"Priority\","
		"\"rate\":\"5.5\",\"currency\":\"USD\"},"
		"\"postage_label\":{\"label_url\":\"https://x/l.png\"},"
		"\"tracker\":{\"id\":\"trk_1\",\"public_url\":\"https://track/1\"}}");

	(void)state;
	assert_true(p.ok && p.bought);
	assert_true(str_eq(p.bought_offer.carrier, STR("USPS")));
	assert_true(str_eq(p.bought_offer.service, STR("Priority")));
	assert_true(str_eq(p.tracking_code, STR("9400")));
	assert_true(str_eq(p.tracker_id, STR("trk_1")));
	assert_true(str_eq(p.tracking_url, STR("https://track/1")));
	assert_true(str_eq(p.label_url, STR("https://x/l.png")));
	assert_int_equal(p.bought_offer.price.minor, 550);
	assert_string_equal(p.bought_offer.price.currency, "USD");
}

static void parcel_without_label_rate_or_code_is_not_bought(void **state)
{
	(void)state;
	assert_false(
		parcel(200, "{\"id\":\"s\",\"tracking_code\":\"94\",\"selected_rate\":{}}").bought);
	assert_false(
		parcel(200, "{\"id\":\"s\",\"tracking_code\":\"94\",\"postage_label\":{}}").bought);
	assert_false(
		parcel(200, "{\"id\":\"s\",\"postage_label\":{},\"selected_rate\":{}}").bought);
	assert_false(parcel(200,
			    "{\"id\":\"s\",\"tracking_code\":\"\",\"postage_label\":{},"
			    "\"selected_rate\":{}}")
			     .bought);
}

static void price_is_read_to_the_minor_unit(void **state)
{
	(void)state;
	assert_int_equal(price_of("\"7.58\""), 758);
	assert_int_equal(price_of("\"7.5\""), 750);
	assert_int_equal(price_of("\"7\""), 700);
	assert_int_equal(price_of("\"7.\""), 700);
	assert_int_equal(price_of("\".5\""), 50);
	assert_int_equal(price_of("\"0.00\""), 0);
	assert_int_equal(price_of("\"007.580000\""), 758);
	assert_int_equal(price_of("\"21474836.48\""), 2147483648);
	assert_int_equal(price_in("\"JPY\"", "\"758\""), 758);
	assert_int_equal(price_in("\"JPY\"", "\"758.00\""), 758);
	assert_int_equal(price_in("\"KWD\"", "\"7.58\""), 7580);
	assert_int_equal(price_in("null", "\"7.58\""), 0);
	assert_int_equal(price_in("\"JPY\"", "\"7.50\""), 0); /* half a yen */
}

/* A label that was paid for is bought even if its price cannot be read: that must not buy a second.
 */
static void price_that_is_none_counts_as_nothing(void **state)
{
	static const char *const rates[] = {"\"\"",
					    "\".\"",
					    "\"-1.00\"",
					    "\"+1.00\"",
					    "\"1.005\"",
					    "\"1,00\"",
					    "\"1.0.0\"",
					    "\"1e3\"",
					    "\" 1.00\"",
					    "\"1.00 \"",
					    "\"NaN\"",
					    "7.58",
					    "null",
					    "{}",
					    "\"99999999999999999999\"",
					    "\"12345678901234.00\""};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		assert_int_equal(price_of(rates[i]), 0);
}

static void label_bought_before_is_looked_at_not_an_error(void **state)
{
	struct carrier_parcel p =
		parcel(422, "{\"error\":{\"code\":\"SHIPMENT.POSTAGE.EXISTS\",\"message\":\"m\"}}");

	(void)state;
	assert_true(p.buy_again);
	assert_false(p.ok);
	assert_int_equal(provider_flow.err, ERR_OK);
	assert_false(p.refused);
	p = parcel(400, "{\"error\":{\"code\":\"SHIPMENT.POSTAGE.EXISTS\"}}");
	assert_false(p.buy_again);
	p = parcel(422, "{\"error\":{\"code\":\"SHIPMENT.POSTAGE.FAILURE\"}}");
	assert_true(p.refused && !p.buy_again && !p.missing);
	assert_true(parcel(404, "{}").missing);
	assert_false(parcel(404, "{}").refused);
}

static void refund_is_read(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum carrier_refund is;
		const char *why;
	} rows[] = {
		{200, "{\"refund_status\":\"submitted\"}", CARRIER_REFUNDED, NULL},
		{200, "{\"refund_status\":\"refunded\"}", CARRIER_REFUNDED, NULL},
		{201, "{\"refund_status\":\"not_applicable\"}", CARRIER_REFUNDED, NULL},
		{200, "{\"refund_status\":\"rejected\"}", CARRIER_REFUND_REFUSED, "rejected"},
		{200, "{\"refund_status\":null}", CARRIER_REFUND_NONE, NULL},
		{200, "{\"refund_status\":\"odd\"}", CARRIER_REFUND_NONE, NULL},
		{200, "not json", CARRIER_REFUND_NONE, NULL},
		{422, "{\"error\":{\"code\":\"TOO.LATE\"}}", CARRIER_REFUND_REFUSED, "TOO.LATE"},
		{422, "{}", CARRIER_REFUND_REFUSED, "rejected"},
		{404, "{}", CARRIER_REFUND_FAILED, NULL},
		{500, "{\"refund_status\":\"refunded\"}", CARRIER_REFUND_FAILED, NULL},
		{429, "{}", CARRIER_REFUND_FAILED, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str why;

		assert_int_equal(carrier_refund(&provider_flow,
						provider_says(rows[i].status, rows[i].body), &why),
				 rows[i].is);
		assert_int_equal(provider_flow.err != ERR_OK, rows[i].is == CARRIER_REFUND_FAILED);
		if (rows[i].why != NULL)
			assert_true(str_eq(why, str_of(rows[i].why)));
	}
}

static void parcel_refused_says_what_to_do(void **state)
{
	static const struct {
		int status;
		enum errc err;
	} rows[] = {
		{100, ERR_HTTP_UNKNOWN},     {200, ERR_HTTP_UNKNOWN},
		{201, ERR_HTTP_UNKNOWN},     {204, ERR_HTTP_UNKNOWN},
		{302, ERR_HTTP_UNKNOWN},     {400, ERR_PROVIDER_REFUSED},
		{401, ERR_PROVIDER_REFUSED}, {404, ERR_PROVIDER_REFUSED},
		{409, ERR_PROVIDER_BUSY},    {422, ERR_PROVIDER_REFUSED},
		{429, ERR_PROVIDER_BUSY},    {500, ERR_HTTP_UNKNOWN},
		{503, ERR_HTTP_UNKNOWN},
	};

	static const char *const bodies[] = {"",
					     "{",
					     "[]",
					     "null",
					     "{\"id\":7}",
					     "{\"error\":{\"code\":7}}",
					     "{}",
					     "{\"error\":[]}",
					     "{\"id\":\"\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]); b++) {
			assert_refused(parcel_failed(rows[i].status, bodies[b]).ok, rows[i].err);
			assert_refused(tracker(rows[i].status, bodies[b]).ok, rows[i].err);
		}
}

/* ---- scans ---- */

static struct carrier_tracker scanned_at(const char *when)
{
	char body[512];

	(void)snprintf(body, sizeof(body),
		       "{\"id\":\"trk_1\",\"status\":\"in_transit\",\"tracking_details\":"
		       "[{\"status\":\"in_transit\",\"datetime\":%s}]}",
		       when);
	return tracker(200, body);
}

static void scan_is_read_whole(void **state)
{
	struct carrier_tracker t =
		tracker(200,
			"{\"id\":\"trk_1\",\"status\":\"delivered\",\"tracking_details\":[{"
			"\"datetime\":\"2026-01-02T03:04:05Z\",\"status\":\"delivered\","
			"\"status_detail\":\"arrived\",\"message\":\"left at door\","
			"\"tracking_location\":{\"city\":\"Ulm\"}}]}");

	(void)state;
	assert_true(t.ok);
	assert_true(str_eq(t.status, STR("delivered")));
	assert_int_equal(t.n_scans, 1);
	assert_int_equal(t.scans[0].at_us, 1767323045000000);
	assert_true(str_eq(t.scans[0].detail, STR("arrived")));
	assert_true(str_eq(t.scans[0].message, STR("left at door")));
	assert_true(str_eq(t.scans[0].city, STR("Ulm")));
}

static void time_of_a_scan_is_utc_whatever_its_offset(void **state)
{
	static const char *const same[] = {
		"\"2026-01-02T03:04:05Z\"",      "\"2026-01-02T03:04:05+00:00\"",
		"\"2026-01-02T05:34:05+02:30\"", "\"2026-01-01T22:04:05-05:00\"",
		"\"2026-01-02T03:04:05.999Z\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct carrier_tracker t = scanned_at(same[i]);

		assert_int_equal(t.n_scans, 1);
		assert_int_equal(t.scans[0].at_us, 1767323045000000);
	}
}

static void scan_without_a_time_or_a_status_is_left_out(void **state)
{
	static const char *const times[] = {"null",
					    "\"\"",
					    "7",
					    "\"yesterday\"",
					    "\"2026-01-02\"",
					    "\"2026-01-02T03:04:05\"",
					    "\"2026-01-02T03:04:05Zulu\"",
					    "\"2026-13-02T03:04:05Z\"",
					    "\"2026-01-02T25:04:05Z\"",
					    "\"0000-01-01T00:00:00Z\"",
					    "\"1969-12-31T23:59:59Z\""};
	struct carrier_tracker t;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		t = scanned_at(times[i]);
		assert_true(t.ok);
		assert_int_equal(t.n_scans, 0);
	}
	t = tracker(200,
		    "{\"id\":\"t\",\"status\":\"unknown\",\"tracking_details\":"
		    "[null,7,[],{\"datetime\":\"2026-01-02T03:04:05Z\"}]}");
	assert_true(t.ok);
	assert_int_equal(t.n_scans, 0);
}

static void of_too_many_scans_the_latest_count(void **state)
{
	enum { MANY = CARRIER_SCANS_MAX + 50 };

	static char body[MANY * 80 + 200];
	int n = snprintf(body, sizeof(body),
			 "{\"id\":\"t\",\"status\":\"in_transit\",\"tracking_details\":[");
	struct carrier_tracker t;

	(void)state;
	for (int i = 0; i < MANY; i++)
		n += snprintf(body + n, sizeof(body) - (size_t)n,
			      "%s{\"datetime\":\"2026-01-02T%02d:%02d:%02dZ\",\"status\":\"s%d\"}",
			      i > 0 ? "," : "", i / 3600, i / 60 % 60, i % 60, i);
	(void)snprintf(body + n, sizeof(body) - (size_t)n, "]}");
	t = tracker(200, body);
	assert_true(t.ok);
	assert_int_equal(t.n_scans, CARRIER_SCANS_MAX);
	assert_true(str_eq(t.scans[0].status, STR("s50")));
	assert_true(str_eq(t.scans[CARRIER_SCANS_MAX - 1].status, STR("s249")));
}

static void tracker_without_id_or_status_is_none(void **state)
{
	(void)state;
	assert_refused(tracker(200, "{\"id\":\"trk_1\"}").ok, ERR_HTTP_UNKNOWN);
	assert_refused(tracker(200, "{\"status\":\"delivered\"}").ok, ERR_HTTP_UNKNOWN);
	assert_refused(tracker(200, "{\"id\":\"t\",\"status\":\"\"}").ok, ERR_HTTP_UNKNOWN);
	assert_refused(tracker(404, "{\"id\":\"t\",\"status\":\"delivered\"}").ok,
		       ERR_PROVIDER_REFUSED);
}

static void scans_that_do_not_fit_are_an_error(void **state)
{
	(void)state;
	arena_done(&provider_flow.arena);
	arena_init(&provider_flow.arena, 64);
	assert_false(scanned_at("\"2026-01-02T03:04:05Z\"").ok);
	assert_int_not_equal(provider_flow.err, ERR_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, provider_set_up, provider_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_parcel_tells_every_offer),
		TEST(rate_without_an_id_a_price_or_a_currency_is_no_offer),
		TEST(of_too_many_offers_the_first_count),
		TEST(offers_that_do_not_fit_are_an_error),
		TEST(refund_is_read),
		TEST(bought_parcel_tells_all_about_its_label),
		TEST(parcel_without_label_rate_or_code_is_not_bought),
		TEST(price_is_read_to_the_minor_unit),
		TEST(price_that_is_none_counts_as_nothing),
		TEST(label_bought_before_is_looked_at_not_an_error),
		TEST(parcel_refused_says_what_to_do),
		TEST(scan_is_read_whole),
		TEST(time_of_a_scan_is_utc_whatever_its_offset),
		TEST(scan_without_a_time_or_a_status_is_left_out),
		TEST(of_too_many_scans_the_latest_count),
		TEST(tracker_without_id_or_status_is_none),
		TEST(scans_that_do_not_fit_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
