/*
 * Money held once, taken once, let go once: what the payment jobs do with each thing a
 * gateway may say, or not say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/worker_world.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)
#define INTENTS       "http://gateway/v1/payment_intents"

static const struct id ATTEMPT = {{1, 0x93, 1, 2, 3, 4, 0x70, 1, 0x80, 9}};
static const char attempt_key[] = "Idempotency-Key: 01930102-0304-7001-8009-000000000000-authorize";

/* The job is claimed and its attempt committed; `gateway_id` is what an earlier try learned. */
static void begun(const char *gateway_id, int64_t amount, int32_t attempts)
{
	world_job("payment.authorize", attempts, 0);
	WORLD_ROWS(world_asked("payment_begin"),
		   &(struct payment_begin_row){.outcome = STR("ask"),
					       .attempt_id = ATTEMPT,
					       .gateway_id = str_of(gateway_id),
					       .amount_minor = amount,
					       .currency = STR("EUR"),
					       .method_token = STR("pm_1&x")});
}

static void authorized_is_recorded(struct str gateway_id, int64_t until)
{
	struct question *q = world_asked("payment_authorized");

	assert_true(str_eq(HEAD(q, payment_authorized)->gateway_id, gateway_id));
	assert_true(id_eq(HEAD(q, payment_authorized)->attempt_id, ATTEMPT));
	assert_int_equal(HEAD(q, payment_authorized)->authorized_until, until);
	assert_int_equal(q->unit.n_lines, 2); /* a pick per group, should it be the last payment */
	WORLD_ROWS(q, &(struct payment_authorized_row){.job_id = NEXT,
						       .kind = STR("fulfillment.pick")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.acks, 1);
}

static void declined_is_recorded(const char *code)
{
	struct question *q = world_asked("payment_declined");

	assert_true(str_eq(HEAD(q, payment_declined)->decline_code, str_of(code)));
	world_no_rows(q);
	world_rows(world_asked("order_view"), (struct order_view_row[2]){{.item = 1}, {.item = 2}},
		   2, sizeof(struct order_view_row));
	assert_int_equal(world.forgotten, 2); /* stock came free */
	assert_int_equal(world.acks, 1);
}

static void unknown_is_recorded(const char *error)
{
	struct question *q = world_asked("payment_unknown");

	assert_true(id_eq(HEAD(q, payment_unknown)->attempt_id, ATTEMPT));
	assert_true(str_eq(HEAD(q, payment_unknown)->error, str_of(error)));
	assert_true(HEAD(q, payment_unknown)->delay_ms >= 500);
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
}

/* ---- authorize ---- */

static void money_is_asked_for_with_the_attempts_key_and_held(void **state)
{
	struct question *q;

	(void)state;
	begun("", 1299, 1);
	q = world_asked("POST " INTENTS);
	assert_string_equal(q->http->headers[0], "Authorization: Bearer sk_1");
	assert_string_equal(q->http->headers[1], attempt_key);
	assert_non_null(strstr(q->http->body.p, "amount=1299&currency=eur&"));
	assert_non_null(strstr(q->http->body.p, "&payment_method=pm_1%26x&"));
	assert_non_null(strstr(q->http->body.p, "&capture_method=manual&"));
	world_says(q, 200,
		   "{\"id\":\"pi_1\",\"status\":\"requires_capture\",\"latest_charge\":"
		   "{\"payment_method_details\":{\"card\":{\"capture_before\":1790000000}}}}");
	authorized_is_recorded(STR("pi_1"), 1790000000000000);
}

static void payment_of_nothing_asks_nobody(void **state)
{
	(void)state;
	begun("", 0, 1);
	authorized_is_recorded(STR("none"), DB_NULL);
}

static void payment_nobody_wants_any_more_is_settled(void **state)
{
	(void)state;
	world_job("payment.authorize", 1, 0);
	WORLD_ROWS(world_asked("payment_begin"),
		   &(struct payment_begin_row){.outcome = STR("moot")});
	world_no_rows(world_asked("job_settle"));
	assert_int_equal(world.acks, 1);
}

static void no_answer_is_unknown_and_not_failed(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_fails(world_asked("POST " INTENTS), ERR_HTTP_UNKNOWN);
	unknown_is_recorded("HTTP_UNKNOWN");
}

static void answer_nobody_can_read_is_unknown(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 200, "{\"id\":\"pi_1\",\"status\":\"fine\"}");
	unknown_is_recorded("PROVIDER_BROKEN");
	world.acks = 0;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 502, "<html>");
	unknown_is_recorded("HTTP_UNKNOWN");
}

static void gateway_never_reached_holds_nothing(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_fails(world_asked("POST " INTENTS), ERR_HTTP_UNREACHABLE);
	world_no_rows(world_asked("job_retry"));
	assert_int_equal(world.acks, 1);
}

static void refusal_of_the_request_itself_is_for_people(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 400,
		   "{\"error\":{\"message\":\"no such method\"}}");
	assert_non_null(strstr(HEAD(world_asked("job_bury"), job_bury)->error.p, "no such method"));
	world_no_rows(world_asked("job_bury"));
}

static void unknown_at_the_last_attempt_is_for_people(void **state)
{
	(void)state;
	begun("", 1299, 10);
	world_fails(world_asked("POST " INTENTS), ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_bury"));
}

static void declined_card_ends_the_order_and_frees_its_stock(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 402,
		   "{\"error\":{\"decline_code\":\"lost_card\",\"payment_intent\":{\"id\":\"pi_1\"}"
		   "}}");
	declined_is_recorded("lost_card");
}

/* The customer could still confirm it one day, so it is cancelled there first. */
static void payment_that_waits_for_its_customer_is_cancelled_then_declined(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 200,
		   "{\"id\":\"pi_1\",\"status\":\"requires_action\"}");
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	declined_is_recorded("authentication_required");
}

static void cancel_without_an_answer_does_not_decline(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 200,
		   "{\"id\":\"pi_1\",\"status\":\"requires_action\"}");
	world_fails(world_asked("POST " INTENTS "/pi_1/cancel"), ERR_HTTP_UNKNOWN);
	unknown_is_recorded("HTTP_UNKNOWN");
}

static void undecided_payment_is_looked_at_by_its_id_from_then_on(void **state)
{
	struct question *q;

	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 200,
		   "{\"id\":\"pi_1\",\"status\":\"processing\"}");
	q = world_asked("payment_found");
	assert_true(str_eq(HEAD(q, payment_found)->gateway_id, STR("pi_1")));
	world_no_rows(q);
	unknown_is_recorded("HTTP_UNKNOWN");
	world.acks = 0;
	begun("pi_1", 1299, 2);
	q = world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge");
	world_says(q, 200, "{\"id\":\"pi_1\",\"status\":\"requires_capture\"}");
	authorized_is_recorded(STR("pi_1"), DB_NULL);
}

/* ---- capture and void ---- */

static void found(const char *kind)
{
	world_job(kind, 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .attempt_id = ATTEMPT,
					      .gateway_id = STR("pi_1"),
					      .amount_minor = 1299});
}

static void captured_is_recorded(void)
{
	struct question *q = world_asked("payment_captured");

	assert_int_equal(HEAD(q, payment_captured)->amount_minor, 1299);
	WORLD_ROWS(q, &(struct payment_captured_row){.job_id = NEXT,
						     .kind = STR("shipping.handover")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.acks, 1);
}

static void all_of_the_money_is_taken_and_recorded(void **state)
{
	struct question *q;

	(void)state;
	found("payment.capture");
	q = world_asked("POST " INTENTS "/pi_1/capture");
	assert_true(str_eq(q->http->body, STR("amount_to_capture=1299")));
	assert_non_null(strstr(q->http->headers[1], "-capture"));
	world_says(q, 200, "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":1299}");
	captured_is_recorded();
}

static void money_taken_by_an_earlier_try_is_seen(void **state)
{
	(void)state;
	found("payment.capture");
	world_says(world_asked("POST " INTENTS "/pi_1/capture"), 400,
		   "{\"error\":{\"code\":\"charge_already_captured\"}}");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":1299}");
	captured_is_recorded();
}

static void another_amount_than_asked_for_is_for_people(void **state)
{
	(void)state;
	found("payment.capture");
	world_says(world_asked("POST " INTENTS "/pi_1/capture"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":1298}");
	assert_non_null(strstr(HEAD(world_asked("job_bury"), job_bury)->error.p,
			       "took 1298 instead of 1299"));
	world_no_rows(world_asked("job_bury"));
}

static void capture_without_an_answer_is_asked_again_with_its_key(void **state)
{
	(void)state;
	found("payment.capture");
	world_fails(world_asked("POST " INTENTS "/pi_1/capture"), ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_retry"));
	assert_int_equal(world.acks, 1);
}

static void money_is_let_go_also_when_it_is_gone_already(void **state)
{
	(void)state;
	found("payment.void");
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 400,
		   "{\"error\":{\"code\":\"payment_intent_unexpected_state\"}}");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	world_no_rows(world_asked("payment_voided"));
	assert_int_equal(world.acks, 1);
	world.acks = 0;
	found("payment.void");
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 404,
		   "{\"error\":{\"code\":\"resource_missing\"}}");
	world_no_rows(world_asked("payment_voided"));
}

static void money_already_taken_is_not_said_to_be_let_go(void **state)
{
	(void)state;
	found("payment.void");
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 400,
		   "{\"error\":{\"code\":\"payment_intent_unexpected_state\"}}");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"succeeded\",\"amount_received\":1299}");
	world_no_rows(world_asked("job_bury"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(money_is_asked_for_with_the_attempts_key_and_held),
		TEST(payment_of_nothing_asks_nobody),
		TEST(payment_nobody_wants_any_more_is_settled),
		TEST(no_answer_is_unknown_and_not_failed),
		TEST(answer_nobody_can_read_is_unknown),
		TEST(gateway_never_reached_holds_nothing),
		TEST(refusal_of_the_request_itself_is_for_people),
		TEST(unknown_at_the_last_attempt_is_for_people),
		TEST(declined_card_ends_the_order_and_frees_its_stock),
		TEST(payment_that_waits_for_its_customer_is_cancelled_then_declined),
		TEST(cancel_without_an_answer_does_not_decline),
		TEST(undecided_payment_is_looked_at_by_its_id_from_then_on),
		TEST(all_of_the_money_is_taken_and_recorded),
		TEST(money_taken_by_an_earlier_try_is_seen),
		TEST(another_amount_than_asked_for_is_for_people),
		TEST(capture_without_an_answer_is_asked_again_with_its_key),
		TEST(money_is_let_go_also_when_it_is_gone_already),
		TEST(money_already_taken_is_not_said_to_be_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
