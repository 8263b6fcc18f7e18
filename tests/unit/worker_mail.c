/*
 * One mail: who is told, what becomes of it, and that nothing but the mail server's own
 * word ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/address.h"
#include "tests/unit/worker_world.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)

static const struct mail_find_row shipped = {.template = {"shipped", 7},
					     .state = {"queued", 6},
					     .order_id = {{1}},
					     .group_no = 2,
					     .kind = {"shipped", 7},
					     .number = 1001,
					     .groups = 2,
					     .currency = {"EUR", 3},
					     .total_minor = 1250,
					     .carrier = {"Post", 4},
					     .tracking_code = {"TR 1", 4}};

static void found(struct mail_find_row row, const char *email)
{
	const struct address to = {.name = STR("Erika"), .email = str_of(email)};
	struct question *q;
	struct arena arena;

	world_job("notification.mail", 1, 0);
	q = world_asked("mail_find");
	assert_true(id_eq(HEAD(q, mail_find)->notification_id, JOB));
	arena_init(&arena, 65536);
	row.sealed = seal(&world.w.contact_key, 7, ORDER, address_pack(&to, &arena), &arena);
	WORLD_ROWS(q, &row);
	arena_done(&arena);
}

static struct question *sent(struct mail_find_row row)
{
	struct question *q;

	found(row, "erika@x.example");
	q = world_asked("mail_lines");
	assert_int_equal(HEAD(q, mail_lines)->group_no, row.group_no);
	WORLD_ROWS(q, &(struct mail_lines_row){
			      .title = STR("Mug"), .qty = 2, .unit_minor = 500, .lines = 1});
	return world_asked("MAIL erika@x.example");
}

static void recorded(const char *outcome, const char *detail)
{
	struct question *q = world_asked("mail_recorded");

	assert_true(str_eq(HEAD(q, mail_recorded)->outcome, str_of(outcome)));
	assert_true(str_eq(HEAD(q, mail_recorded)->detail, str_of(detail)));
	assert_true(id_eq(HEAD(q, mail_recorded)->job_id, JOB));
	assert_int_equal(HEAD(q, mail_recorded)->epoch, 3);
	WORLD_ROWS(q, &(struct mail_recorded_row){.template = STR("shipped")});
	assert_int_equal(world.acks, 1);
}

static void put_off(const char *why)
{
	struct question *q = world_asked("job_retry");

	assert_non_null(
		memmem(HEAD(q, job_retry)->error.p, HEAD(q, job_retry)->error.n, why, strlen(why)));
	world_no_rows(q);
}

static void mail_is_taken__it_is_recorded_as_sent(void **state)
{
	struct question *q = sent(shipped);

	(void)state;
	assert_true(str_eq(q->mail->from, STR("orders@shop.example")));
	assert_true(str_eq(q->mail->from_name, STR("The Shop")));
	assert_true(str_eq(q->mail->message_id,
			   STR("01930102-0304-7001-8001-000000000000@shop.example")));
	assert_true(str_eq(q->mail->subject, STR("Your order 1001 is on its way")));
	assert_int_equal(q->mail->timeout_ms, 30000);
	assert_non_null(strstr(q->mail->text.p, "Hello Erika,"));
	assert_non_null(strstr(q->mail->text.p, "2 x Mug"));
	assert_non_null(strstr(q->mail->text.p, "EUR 10.00"));
	/* the carrier has no public page: the shop's own */
	assert_non_null(strstr(q->mail->text.p, "https://track.example/?c=TR%201"));
	world_replies(q, MAIL_TAKEN, 250, "2.0.0");
	recorded("sent", "250 2.0.0");
}

static void server_refuses__it_is_recorded_and_the_job_is_done(void **state)
{
	(void)state;
	world_replies(sent(shipped), MAIL_REFUSED, 550, "5.1.1");
	recorded("refused", "550 5.1.1");
}

static void server_says_later__job_is_put_off(void **state)
{
	(void)state;
	world_replies(sent(shipped), MAIL_LATER, 451, "");
	put_off("the mail server answered 451");
}

static void server_is_away_or_silent__job_is_put_off(void **state)
{
	(void)state;
	world_fails(sent(shipped), ERR_HTTP_UNREACHABLE);
	put_off("HTTP_UNREACHABLE");
	world_fails(sent(shipped), ERR_HTTP_UNKNOWN);
	put_off("HTTP_UNKNOWN");
}

static void customer_has_no_usable_address__it_is_suppressed(void **state)
{
	(void)state;
	found(shipped, "");
	recorded("suppressed", "no address");
	world.acks = 0;
	found(shipped, "a@x.example\r\nBcc: b@x.example");
	recorded("suppressed", "no usable address");
}

static void payment_went_on__its_trouble_is_not_told_any_more(void **state)
{
	struct mail_find_row row = shipped;

	(void)state;
	row.overtaken = true;
	found(row, "erika@x.example");
	recorded("suppressed", "overtaken");
}

static void mail_was_recorded_before__nothing_is_sent(void **state)
{
	struct mail_find_row row = shipped;

	(void)state;
	row.state = STR("sent");
	found(row, "erika@x.example");
	world_no_rows(world_asked("job_settle"));
}

static void address_was_sealed_with_another_key__job_is_buried(void **state)
{
	(void)state;
	world_job("notification.mail", 1, 0);
	WORLD_ROWS(world_asked("mail_find"), &shipped);
	world_no_rows(world_asked("job_bury"));
}

static void template_is_not_known__job_is_buried(void **state)
{
	struct mail_find_row row = shipped;

	(void)state;
	row.template = STR("of a later version");
	found(row, "erika@x.example");
	world_no_rows(world_asked("mail_lines"));
	world_no_rows(world_asked("job_bury"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(mail_is_taken__it_is_recorded_as_sent),
		STORY(server_refuses__it_is_recorded_and_the_job_is_done),
		STORY(server_says_later__job_is_put_off),
		STORY(server_is_away_or_silent__job_is_put_off),
		STORY(customer_has_no_usable_address__it_is_suppressed),
		STORY(payment_went_on__its_trouble_is_not_told_any_more),
		STORY(mail_was_recorded_before__nothing_is_sent),
		STORY(address_was_sealed_with_another_key__job_is_buried),
		STORY(template_is_not_known__job_is_buried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
