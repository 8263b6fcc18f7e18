/*
 * Money taken once, let go once, renewed in time: what the jobs that come after the
 * authorization do with each thing a gateway may say, or not say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/worker_world.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)
#define INTENTS       "http://gateway/v1/payment_intents"

static const struct id ATTEMPT = {{1, 0x93, 1, 2, 3, 4, 0x70, 1, 0x80, 9}};

/* ---- capture and void ---- */

static void found(const char *kind)
{
	world_job(kind, 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .attempt_id = ATTEMPT,
					      .gateway_id = STR("pi_1"),
					      .amount_minor = 1299,
					      .authorized_minor = 1299,
					      .order_state = STR("confirmed")});
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

static void found_in(const char *kind, const char *payment_state, const char *attempt_state)
{
	world_job(kind, 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = str_of(payment_state),
					      .attempt_state = str_of(attempt_state),
					      .amount_minor = kind[8] == 'v' ? 0 : 1299, /* void */
					      .order_state = STR("confirmed")});
}

/* As often as it takes: no attempt is used up. */
static void assert_waits(int64_t delay_ms)
{
	struct question *q = world_asked("job_retry");

	assert_int_equal(HEAD(q, job_retry)->delay_ms, delay_ms);
	assert_true(HEAD(q, job_retry)->refund);
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
	world.acks = 0;
}

static void capture_waits_for_money_that_is_not_held(void **state)
{
	static const char *const states[] = {"pending", "unknown", "requires_action"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		found_in("payment.capture", states[i], "intent");
		assert_waits(60000);
	}
	found_in("payment.capture", "declined", "declined");
	assert_waits(600000);
}

static void capture_of_money_taken_before_sees_to_the_parcel(void **state)
{
	struct question *q;

	(void)state;
	found_in("payment.capture", "captured", "captured");
	q = world_asked("handover_due");
	assert_int_equal(HEAD(q, handover_due)->epoch, 3);
	WORLD_ROWS(q, &(struct handover_due_row){.job_id = NEXT, .kind = STR("shipping.handover")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.acks, 1);
}

static void capture_of_money_let_go_is_settled(void **state)
{
	(void)state;
	found_in("payment.capture", "voided", "voided");
	world_no_rows(world_asked("job_settle"));
}

/* Nobody told us that it had ended. */
static void capture_that_finds_nothing_held_has_it_held_anew(void **state)
{
	const struct payment_lapsed_head *h;
	struct question *q;

	(void)state;
	found("payment.capture");
	world_says(world_asked("POST " INTENTS "/pi_1/capture"), 400,
		   "{\"error\":{\"code\":\"payment_intent_unexpected_state\"}}");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	q = world_asked("payment_lapsed");
	h = HEAD(q, payment_lapsed);
	assert_true(id_eq(h->attempt_id, ATTEMPT) && str_eq(h->gateway_ref, STR("pi_1")));
	assert_int_equal(h->delay_ms, 60000); /* it comes back */
	WORLD_ROWS(q, &(struct payment_lapsed_row){.outcome = STR("lapsed"),
						   .job_id = NEXT,
						   .kind = STR("payment.authorize")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.acks, 1);
}

/* Only what is free of charge was on the shelf. */
static void parcel_that_costs_nothing_has_its_money_let_go_first(void **state)
{
	(void)state;
	world_job("payment.capture", 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .attempt_id = ATTEMPT,
					      .gateway_id = STR("pi_1"),
					      .authorized_minor = 1299,
					      .order_state = STR("confirmed")});
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	WORLD_ROWS(world_asked("payment_lapsed"),
		   &(struct payment_lapsed_row){.outcome = STR("lapsed"),
						.job_id = NEXT,
						.kind = STR("payment.authorize")});
	assert_int_equal(world.n_rings, 1);
	world_job("payment.capture", 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .attempt_id = ATTEMPT,
					      .gateway_id = STR("none"),
					      .order_state = STR("confirmed")});
	assert_int_equal(HEAD(world_asked("payment_captured"), payment_captured)->amount_minor, 0);
	WORLD_ROWS(
		world_asked("payment_captured"),
		&(struct payment_captured_row){.job_id = NEXT, .kind = STR("shipping.handover")});
}

static void payment_of_nothing_is_let_go_once_nobody_asks_for_it(void **state)
{
	(void)state;
	found_in("payment.void", "unknown", "unknown");
	assert_waits(60000);
	found_in("payment.void", "pending", "voided");
	world_no_rows(world_asked("payment_voided"));
	found_in("payment.void", "voided", "voided");
	world_no_rows(world_asked("job_settle"));
}

/* Less is due than is held: what is held is let go, not what is due. */
static void money_for_nothing_is_let_go_at_the_gateway(void **state)
{
	(void)state;
	world_job("payment.void", 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .gateway_id = STR("pi_1"),
					      .attempt_id = ATTEMPT,
					      .authorized_minor = 1299});
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	world_no_rows(world_asked("payment_voided"));
}

/* ---- renew ---- */

enum { DAY_S = 86400 };

/* The world's clock stands at 0: a day ahead is a second more than renew_ahead_s. */
static void gateway_holds_until(int64_t until_s)
{
	char body[256];

	found("payment.renew");
	(void)snprintf(body, sizeof(body),
		       "{\"id\":\"pi_1\",\"status\":\"requires_capture\",\"latest_charge\":"
		       "{\"payment_method_details\":{\"card\":{\"capture_before\":%lld}}}}",
		       (long long)until_s);
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200, body);
}

static void lapsed_is_recorded(void)
{
	struct question *q = world_asked("payment_lapsed");

	assert_true(id_eq(HEAD(q, payment_lapsed)->attempt_id, ATTEMPT));
	assert_int_equal(HEAD(q, payment_lapsed)->delay_ms, DB_NULL); /* its work is done */
	WORLD_ROWS(q, &(struct payment_lapsed_row){.outcome = STR("lapsed"),
						   .job_id = NEXT,
						   .kind = STR("payment.authorize")});
	assert_int_equal(world.n_rings, 1);
	assert_int_equal(world.acks, 1);
}

static void authorization_that_ends_soon_is_let_go_and_asked_for_anew(void **state)
{
	struct question *q;

	(void)state;
	gateway_holds_until(DAY_S);
	q = world_asked("POST " INTENTS "/pi_1/cancel");
	assert_non_null(strstr(q->http->headers[1], "-void"));
	world_says(q, 200, "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	lapsed_is_recorded();
}

static void authorization_that_is_good_for_longer_is_kept(void **state)
{
	struct question *q;

	(void)state;
	gateway_holds_until(DAY_S + 1);
	q = world_asked("payment_held");
	assert_int_equal(HEAD(q, payment_held)->authorized_until, (DAY_S + 1) * INT64_C(1000000));
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
}

static void authorization_that_has_ended_is_asked_for_anew(void **state)
{
	(void)state;
	found("payment.renew");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	lapsed_is_recorded();
}

static void renewal_without_an_answer_looks_again(void **state)
{
	(void)state;
	gateway_holds_until(1);
	world_fails(world_asked("POST " INTENTS "/pi_1/cancel"), ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_retry"));
	found("payment.renew");
	world_fails(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), ERR_HTTP_UNKNOWN);
	world_no_rows(world_asked("job_retry"));
}

/* A capture may be under way at this moment: it is not for people until it stays so. */
static void money_taken_meanwhile_is_not_renewed(void **state)
{
	(void)state;
	found("payment.renew");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"succeeded\"}");
	world_no_rows(world_asked("job_retry"));
	gateway_holds_until(1);
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 400,
		   "{\"error\":{\"code\":\"payment_intent_unexpected_state\"}}");
	world_no_rows(world_asked("job_retry"));
}

static void payment_the_gateway_does_not_know_is_not_asked_for_again(void **state)
{
	(void)state;
	found("payment.renew");
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 404,
		   "{\"error\":{\"code\":\"resource_missing\"}}");
	world_no_rows(world_asked("job_bury"));
}

static void nothing_is_renewed_that_nobody_wants(void **state)
{
	(void)state;
	found_in("payment.renew", "captured", "captured");
	world_no_rows(world_asked("job_settle"));
	world_job("payment.renew", 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .authorized_minor = 1299,
					      .order_state = STR("cancelling")});
	world_no_rows(world_asked("job_settle"));
}

static void end_that_nobody_tells_is_left_to_the_capture(void **state)
{
	(void)state;
	world_job("payment.renew", 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("authorized"),
					      .gateway_id = STR("pi_1"),
					      .attempt_id = ATTEMPT,
					      .authorized_minor = 1299,
					      .authorized_until = DB_NULL,
					      .order_state = STR("confirmed")});
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"requires_capture\"}");
	world_no_rows(world_asked("job_settle"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_the_money_is_taken_and_recorded),
		TEST(money_taken_by_an_earlier_try_is_seen),
		TEST(another_amount_than_asked_for_is_for_people),
		TEST(capture_without_an_answer_is_asked_again_with_its_key),
		TEST(money_is_let_go_also_when_it_is_gone_already),
		TEST(money_already_taken_is_not_said_to_be_let_go),
		TEST(capture_waits_for_money_that_is_not_held),
		TEST(capture_of_money_taken_before_sees_to_the_parcel),
		TEST(capture_of_money_let_go_is_settled),
		TEST(capture_that_finds_nothing_held_has_it_held_anew),
		TEST(parcel_that_costs_nothing_has_its_money_let_go_first),
		TEST(payment_of_nothing_is_let_go_once_nobody_asks_for_it),
		TEST(money_for_nothing_is_let_go_at_the_gateway),
		TEST(authorization_that_ends_soon_is_let_go_and_asked_for_anew),
		TEST(authorization_that_is_good_for_longer_is_kept),
		TEST(authorization_that_has_ended_is_asked_for_anew),
		TEST(renewal_without_an_answer_looks_again),
		TEST(money_taken_meanwhile_is_not_renewed),
		TEST(payment_the_gateway_does_not_know_is_not_asked_for_again),
		TEST(nothing_is_renewed_that_nobody_wants),
		TEST(end_that_nobody_tells_is_left_to_the_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
