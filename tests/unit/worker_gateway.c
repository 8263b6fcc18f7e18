/*
 * The gateway's answers, read: the right verdict for each it documents, and for anything
 * else an error that never lets money be forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/provider.h"
#include "workers/payment/gateway.h"

static struct gateway_answer read_answer(int status, const char *body)
{
	return gateway_answer(&provider_flow, provider_says(status, body));
}

static void assert_no_verdict(struct gateway_answer g, enum errc err)
{
	assert_int_equal(g.verdict, GATEWAY_FAILED);
	assert_int_equal(provider_flow.err, err);
	assert_true(provider_complaint[0] != '\0');
	assert_int_equal(g.id.n, 0);
}

static void each_state_of_a_payment_has_its_verdict(void **state)
{
	static const struct {
		const char *status;
		enum gateway_verdict verdict;
	} rows[] = {
		{"requires_capture", GATEWAY_AUTHORIZED},
		{"succeeded", GATEWAY_CAPTURED},
		{"canceled", GATEWAY_CANCELED},
		{"requires_action", GATEWAY_REQUIRES_ACTION},
		{"requires_payment_method", GATEWAY_DECLINED},
		{"requires_confirmation", GATEWAY_OPEN},
		{"processing", GATEWAY_OPEN},
	};

	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gateway_answer g;

		(void)snprintf(body, sizeof(body), "{\"id\": \"pi_1\", \"status\": \"%s\"}",
			       rows[i].status);
		g = read_answer(200, body);
		assert_int_equal(g.verdict, rows[i].verdict);
		assert_true(str_eq(g.id, STR("pi_1")));
		assert_int_equal(provider_flow.err, ERR_OK);
	}
}

static void authorization_tells_how_long_it_is_good(void **state)
{
	struct gateway_answer g = read_answer(
		200,
		"{\"id\":\"pi_1\",\"status\":\"requires_capture\",\"amount_received\":0,"
		"\"latest_charge\":{\"payment_method_details\":"
		"{\"card\":{\"capture_before\":1790000000}}}}");

	(void)state;
	assert_int_equal(g.authorized_until_us, 1790000000000000);
	assert_int_equal(g.amount_received, 0);
}

static void capture_tells_how_much_was_taken(void **state)
{
	struct gateway_answer g = read_answer(
		200, "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":1299}");

	(void)state;
	assert_int_equal(g.amount_received, 1299);
}

static void payment_that_must_be_confirmed_tells_where(void **state)
{
	struct gateway_answer g = read_answer(
		200,
		"{\"id\":\"pi_1\",\"status\":\"requires_action\",\"next_action\":{\"type\":"
		"\"redirect_to_url\",\"redirect_to_url\":{\"url\":\"https://bank/1\"}}}");

	(void)state;
	assert_int_equal(g.verdict, GATEWAY_REQUIRES_ACTION);
	assert_true(str_eq(g.action_url, STR("https://bank/1")));
}

/* Whatever it is, a customer's browser will not be sent there. */
static void place_that_is_no_web_address_is_not_told(void **state)
{
	static const char *const urls[] = {
		"\"javascript:alert(1)\"", "\"/relative\"", "\"\"", "7", "null", "{}",
		"\"ftp://bank\"",          "\"https:/\""};
	static char body[8192], longest[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		(void)snprintf(body, sizeof(body),
			       "{\"id\":\"pi_1\",\"status\":\"requires_action\",\"next_action\":"
			       "{\"redirect_to_url\":{\"url\":%s}}}",
			       urls[i]);
		assert_int_equal(read_answer(200, body).action_url.n, 0);
	}
	memset(longest, 'w', sizeof(longest) - 1);
	(void)snprintf(body, sizeof(body),
		       "{\"id\":\"pi_1\",\"status\":\"requires_action\",\"next_action\":"
		       "{\"redirect_to_url\":{\"url\":\"https://%s\"}}}",
		       longest);
	assert_int_equal(read_answer(200, body).action_url.n, 0);
	assert_int_equal(
		read_answer(200, "{\"id\":\"pi_1\",\"status\":\"requires_action\"}").action_url.n,
		0);
}

static void time_that_is_none_is_not_told(void **state)
{
	static const char *const times[] = {"0",
					    "-1",
					    "\"soon\"",
					    "1e99",
					    "12.5",
					    "null",
					    "9223372036854775807",
					    "253402300800",
					    "[1,2]",
					    "{\"\":1}"};
	char body[256];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct gateway_answer g;

		(void)snprintf(body, sizeof(body),
			       "{\"id\":\"pi_1\",\"status\":\"requires_capture\",\"latest_charge\":"
			       "{\"payment_method_details\":{\"card\":{\"capture_before\":%s}}}}",
			       times[i]);
		g = read_answer(200, body);
		assert_int_equal(g.verdict, GATEWAY_AUTHORIZED);
		assert_int_equal(g.authorized_until_us, 0);
	}
}

static void decline_names_its_code_and_its_payment(void **state)
{
	struct gateway_answer g =
		read_answer(402,
			    "{\"error\":{\"code\":\"card_declined\",\"decline_code\":\"lost_card\","
			    "\"payment_intent\":{\"id\":\"pi_2\"}}}");

	(void)state;
	assert_int_equal(g.verdict, GATEWAY_DECLINED);
	assert_true(str_eq(g.id, STR("pi_2")));
	assert_true(str_eq(g.code, STR("lost_card")));
	g = read_answer(402, "{\"error\":{\"code\":\"expired_card\"}}");
	assert_true(str_eq(g.code, STR("expired_card")));
	assert_int_equal(g.id.n, 0);
	g = read_answer(402, "<html>payment required</html>");
	assert_int_equal(g.verdict, GATEWAY_DECLINED);
	assert_true(str_eq(g.code, STR("card_declined")));
}

static void payment_that_is_elsewhere_or_nowhere_has_its_verdict(void **state)
{
	static const char *const elsewhere[] = {"payment_intent_unexpected_state",
						"charge_already_captured",
						"charge_expired_for_capture"};
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		(void)snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\"}}", elsewhere[i]);
		assert_int_equal(read_answer(400, body).verdict, GATEWAY_UNEXPECTED);
	}
	assert_int_equal(read_answer(404, "{\"error\":{\"code\":\"resource_missing\"}}").verdict,
			 GATEWAY_ABSENT);
}

/* A proxy's 404 says nothing about the payment: taken for "absent" it would drop a held one. */
static void not_found_by_somebody_else_is_no_verdict(void **state)
{
	(void)state;
	assert_no_verdict(read_answer(404, "<html>no such page</html>"), ERR_PROVIDER_REFUSED);
	assert_no_verdict(read_answer(404, "{\"error\":{\"code\":\"url_invalid\"}}"),
			  ERR_PROVIDER_REFUSED);
	assert_no_verdict(read_answer(404, "{\"error\":\"resource_missing\"}"),
			  ERR_PROVIDER_REFUSED);
}

/* What it did not say no to, it may have done. */
static void answer_that_may_hide_an_effect_must_be_found_out(void **state)
{
	static const int statuses[] = {100, 201, 202, 204, 301, 302, 500, 502, 503, 504, 599};
	static const char *const bodies[] = {"", "{}", "<html>", "{\"error\":{\"code\":\"x\"}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]); b++) {
			assert_no_verdict(read_answer(statuses[i], bodies[b]), ERR_HTTP_UNKNOWN);
			assert_int_equal(err_retry(provider_flow.err), ERR_RETRY_FIND_OUT);
		}
}

static void busy_gateway_is_asked_again_later(void **state)
{
	(void)state;
	assert_no_verdict(read_answer(429, "{\"error\":{\"code\":\"rate_limit\"}}"),
			  ERR_PROVIDER_BUSY);
	assert_no_verdict(read_answer(409, ""), ERR_PROVIDER_BUSY);
	assert_int_equal(err_retry(provider_flow.err), ERR_RETRY_BACKOFF);
}

static void refusal_is_final_and_told_in_its_words(void **state)
{
	(void)state;
	assert_no_verdict(read_answer(400, "{\"error\":{\"message\":\"Amount too small\"}}"),
			  ERR_PROVIDER_REFUSED);
	assert_non_null(strstr(provider_complaint, "Amount too small"));
	assert_no_verdict(read_answer(401, ""), ERR_PROVIDER_REFUSED);
	assert_no_verdict(read_answer(403, "{\"error\":[]}"), ERR_PROVIDER_REFUSED);
	assert_int_equal(err_retry(provider_flow.err), ERR_RETRY_NEVER);
}

static void good_status_with_a_body_that_is_none_must_be_found_out(void **state)
{
	static const char *const bodies[] = {
		"",
		"{",
		"null",
		"[]",
		"\"succeeded\"",
		"{}",
		"{\"id\":\"pi_1\"}",
		"{\"status\":\"succeeded\"}",
		"{\"id\":\"\",\"status\":\"succeeded\"}",
		"{\"id\":7,\"status\":\"succeeded\"}",
		"{\"id\":\"pi_1\",\"status\":\"Succeeded\"}",
		"{\"id\":\"pi_1\",\"status\":\"succeeded \"}",
		"{\"id\":\"pi_1\",\"status\":null}",
		"{\"id\":\"pi_1\",\"status\":[\"succeeded\"]}",
		"{\"id\":\"pi_1\",\"status\":\"succeeded\",\"status\":\"canceled\"}",
		"{\"id\":\"pi_1\\u0000\",\"status\":\"succeeded\"}",
		"{\"id\":\"pi_\377\",\"status\":\"succeeded\"}",
		"{\"id\":\"pi_1\",\"status\":\"succeeded\"} trailing",
		"{\"error\":{\"code\":\"card_declined\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_no_verdict(read_answer(200, bodies[i]), ERR_PROVIDER_BROKEN);
		assert_int_equal(err_retry(provider_flow.err), ERR_RETRY_FIND_OUT);
	}
	assert_no_verdict(gateway_answer(&provider_flow,
					 provider_says_bytes(200, (struct str){"{\"id\"\0:1}", 9})),
			  ERR_PROVIDER_BROKEN);
}

static void nesting_without_end_is_an_answer(void **state)
{
	static char deep[100000];

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	assert_no_verdict(read_answer(200, deep), ERR_PROVIDER_BROKEN);
	assert_no_verdict(read_answer(500, deep), ERR_HTTP_UNKNOWN);
	assert_int_equal(read_answer(402, deep).verdict, GATEWAY_DECLINED);
}

static void long_words_of_the_gateway_are_cut_in_the_complaint(void **state)
{
	char body[4096], words[2001];

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	(void)snprintf(body, sizeof(body), "{\"id\":\"pi_1\",\"status\":\"%s\"}", words);
	assert_no_verdict(read_answer(200, body), ERR_PROVIDER_BROKEN);
	assert_true(strlen(provider_complaint) < 200);
	(void)snprintf(body, sizeof(body), "{\"error\":{\"message\":\"%s\"}}", words);
	assert_no_verdict(read_answer(400, body), ERR_PROVIDER_REFUSED);
	assert_true(strlen(provider_complaint) < 200);
}

/* An id that does not fit the flow's memory cannot be kept, so the payment must be found out. */
static void id_that_does_not_fit_is_no_authorization(void **state)
{
	char body[256];

	(void)state;
	arena_done(&provider_flow.arena);
	arena_init(&provider_flow.arena, 64);
	(void)snprintf(body, sizeof(body), "{\"id\":\"%0128d\",\"status\":\"requires_capture\"}",
		       1);
	assert_no_verdict(read_answer(200, body), ERR_PROVIDER_BROKEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, provider_set_up, provider_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_state_of_a_payment_has_its_verdict),
		TEST(authorization_tells_how_long_it_is_good),
		TEST(capture_tells_how_much_was_taken),
		TEST(payment_that_must_be_confirmed_tells_where),
		TEST(place_that_is_no_web_address_is_not_told),
		TEST(time_that_is_none_is_not_told),
		TEST(decline_names_its_code_and_its_payment),
		TEST(payment_that_is_elsewhere_or_nowhere_has_its_verdict),
		TEST(not_found_by_somebody_else_is_no_verdict),
		TEST(answer_that_may_hide_an_effect_must_be_found_out),
		TEST(busy_gateway_is_asked_again_later),
		TEST(refusal_is_final_and_told_in_its_words),
		TEST(good_status_with_a_body_that_is_none_must_be_found_out),
		TEST(nesting_without_end_is_an_answer),
		TEST(long_words_of_the_gateway_are_cut_in_the_complaint),
		TEST(id_that_does_not_fit_is_no_authorization),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
