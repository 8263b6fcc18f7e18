/*
 * Money held once: what the job that authorizes does with each thing a gateway may say, or
 * not say.
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
static const char attempt_key[] = "Idempotency-Key: 01930102-0304-7001-8009-000000000000-authorize";

static char return_url[] = "https://shop/thanks?a=1";

/* The job is claimed and its attempt committed; `was` is what is known of it. */
static void begun_as(struct payment_begin_row was, int32_t attempts)
{
	was.outcome = STR("begun");
	was.attempt_id = ATTEMPT;
	was.currency = STR("EUR");
	was.method_token = STR("pm_1&x");
	world_job("payment.authorize", attempts, 0);
	WORLD_ROWS(world_asked("payment_begin"), &was);
}

/* `gateway_id` is what an earlier try learned. */
static void begun(const char *gateway_id, int64_t amount, int32_t attempts)
{
	begun_as((struct payment_begin_row){.gateway_id = str_of(gateway_id),
					    .amount_minor = amount},
		 attempts);
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
	WORLD_ROWS(q, &(struct payment_declined_row){.outcome = STR("rejected")});
	assert_int_equal(world.n_rings, 0);
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

static const char waits_there[] =
	"{\"id\":\"pi_1\",\"status\":\"requires_action\",\"next_action\":{\"redirect_to_url\":{"
	"\"url\":\"https://bank/1\"}}}";

/* ---- who is asked to confirm ---- */

static const char *form_when(bool present)
{
	static char form[1024];
	struct question *q;

	begun_as((struct payment_begin_row){.amount_minor = 1299, .present = present}, 1);
	q = world_asked("POST " INTENTS);
	(void)snprintf(form, sizeof(form), STR_FMT, STR_ARG(q->http->body));
	world_says(q, 402, "{}");
	world_no_rows(world_asked("payment_declined"));
	return form;
}

static void customer_who_is_there_may_be_sent_to_the_bank(void **state)
{
	const char *form;

	(void)state;
	world.w.cfg.payment_return_url = return_url;
	form = form_when(true);
	assert_non_null(strstr(form, "&return_url=https%3A%2F%2Fshop%2Fthanks%3Fa%3D1&"));
	assert_null(strstr(form, "off_session"));
	assert_null(strstr(form, "error_on_requires_action"));
}

static void customer_who_could_not_come_back_is_not_sent(void **state)
{
	const char *form;

	(void)state;
	form = form_when(true);
	assert_non_null(strstr(form, "&error_on_requires_action=true&"));
	assert_null(strstr(form, "off_session"));
	assert_null(strstr(form, "return_url"));
}

static void customer_who_is_gone_is_not_asked(void **state)
{
	const char *form;

	(void)state;
	world.w.cfg.payment_return_url = return_url;
	form = form_when(false);
	assert_non_null(strstr(form, "&off_session=true&"));
	assert_null(strstr(form, "return_url"));
	assert_non_null(strstr(form, "&expand[0]=latest_charge&"));
}

static void payment_that_waits_for_its_customer_is_put_off(void **state)
{
	const struct payment_action_head *h;
	struct question *q;

	(void)state;
	begun_as((struct payment_begin_row){.amount_minor = 1299, .present = true}, 1);
	world_says(world_asked("POST " INTENTS), 200, waits_there);
	q = world_asked("payment_action");
	h = HEAD(q, payment_action);
	assert_true(str_eq(h->action_url, STR("https://bank/1")));
	assert_true(str_eq(h->gateway_id, STR("pi_1")) && id_eq(h->attempt_id, ATTEMPT));
	assert_int_equal(h->poll_ms, 60000);
	WORLD_ROWS(q, &(struct payment_action_row){.run_at = 1});
	assert_int_equal(world.acks, 1);
}

static void acting(bool over)
{
	begun_as((struct payment_begin_row){.amount_minor = 1299,
					    .present = true,
					    .over = over,
					    .attempt_state = STR("requires_action"),
					    .gateway_id = STR("pi_1")},
		 1);
}

static void customer_who_has_confirmed_is_seen(void **state)
{
	(void)state;
	acting(false);
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"requires_capture\"}");
	authorized_is_recorded(STR("pi_1"), DB_NULL);
}

static void customer_who_has_failed_is_declined(void **state)
{
	(void)state;
	acting(false);
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"requires_payment_method\",\"last_payment_error\":"
		   "{\"code\":\"payment_intent_authentication_failure\"}}");
	declined_is_recorded("payment_intent_authentication_failure");
}

static void customer_who_has_not_yet_is_waited_for(void **state)
{
	(void)state;
	acting(false);
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200, waits_there);
	world_no_rows(world_asked("payment_action"));
	assert_int_equal(world.acks, 1);
}

static void look_without_an_answer_leaves_the_customer_waiting(void **state)
{
	(void)state;
	acting(false);
	world_fails(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), ERR_HTTP_UNKNOWN);
	unknown_is_recorded("HTTP_UNKNOWN");
}

/* First cancelled there: the customer could still confirm it one day. */
static void customer_of_an_order_that_is_over_is_waited_for_no_longer(void **state)
{
	(void)state;
	acting(true);
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200, waits_there);
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	declined_is_recorded("authentication_timeout");
}

static void cancel_of_a_try_that_died_is_seen_for_what_it_was(void **state)
{
	(void)state;
	acting(true);
	world_says(world_asked("GET " INTENTS "/pi_1?expand[]=latest_charge"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	declined_is_recorded("authentication_timeout");
}

static void payment_nobody_can_confirm_is_cancelled_then_declined(void **state)
{
	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 200, waits_there);
	world_says(world_asked("POST " INTENTS "/pi_1/cancel"), 200,
		   "{\"id\":\"pi_1\",\"status\":\"canceled\"}");
	declined_is_recorded("authentication_required");
}

static void payment_with_another_method_is_tried_again_at_once(void **state)
{
	struct question *q;

	(void)state;
	begun("", 1299, 1);
	world_says(world_asked("POST " INTENTS), 402, "{\"error\":{\"code\":\"expired_card\"}}");
	q = world_asked("payment_declined");
	WORLD_ROWS(q, &(struct payment_declined_row){.outcome = STR("fallback"),
						     .job_id = JOB,
						     .kind = STR("payment.authorize")});
	assert_int_equal(world.n_rings, 1); /* itself; no stock came free */
	assert_true(id_eq(world.rings[0].job, JOB));
	assert_int_equal(world.acks, 1);
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
		TEST(customer_who_is_there_may_be_sent_to_the_bank),
		TEST(customer_who_could_not_come_back_is_not_sent),
		TEST(customer_who_is_gone_is_not_asked),
		TEST(payment_that_waits_for_its_customer_is_put_off),
		TEST(customer_who_has_confirmed_is_seen),
		TEST(customer_who_has_failed_is_declined),
		TEST(customer_who_has_not_yet_is_waited_for),
		TEST(look_without_an_answer_leaves_the_customer_waiting),
		TEST(customer_of_an_order_that_is_over_is_waited_for_no_longer),
		TEST(cancel_of_a_try_that_died_is_seen_for_what_it_was),
		TEST(payment_nobody_can_confirm_is_cancelled_then_declined),
		TEST(payment_with_another_method_is_tried_again_at_once),
		TEST(cancel_without_an_answer_does_not_decline),
		TEST(undecided_payment_is_looked_at_by_its_id_from_then_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
