/*
 * What becomes of a job: done, tried again, buried or handed back; and that its entry is
 * acknowledged exactly when the database knows what became of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/worker_world.h"
#include "workers/pause.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)

static void assert_retry(int64_t least_ms, int64_t most_ms, bool refund)
{
	struct question *q = world_asked("job_retry");
	const struct job_retry_head *h = HEAD(q, job_retry);

	assert_true(id_eq(h->job_id, JOB));
	assert_int_equal(h->epoch, 3);
	assert_in_range(h->delay_ms, least_ms, most_ms);
	assert_int_equal(h->refund, refund);
	assert_true(h->error.n > 0);
	assert_int_equal(world.acks, 0); /* the database first */
	assert_int_equal(world.hints, 0);
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
	assert_int_equal(world.hints, 1); /* its flow may have written an event before it failed */
}

static void assert_buried(const char *why)
{
	struct question *q = world_asked("job_bury");
	const struct job_bury_head *h = HEAD(q, job_bury);

	assert_true(id_eq(h->job_id, JOB) && id_eq(h->order_id, ORDER));
	assert_int_equal(h->epoch, 3);
	assert_non_null(strstr(h->error.p, why));
	assert_int_equal(world.acks, 0);
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
}

static void assert_all_free(void)
{
	world_asked_nothing();
	for (int r = 0; r < ROLE_COUNT; r++) {
		assert_int_equal(world.w.running[r], 0);
		assert_int_equal(job_room(&world.w, (enum queue_role)r), 2);
	}
	assert_true(world.kicks > 0);
}

/* ---- the good end ---- */

static void delivered_job_is_claimed_done_and_acknowledged(void **state)
{
	struct question *q;

	(void)state;
	job_start(&world.w, &(struct delivery){.job = JOB, .role = ROLE_FULFILLMENT});
	q = world_asked("job_claim");
	assert_true(id_eq(HEAD(q, job_claim)->job_id, JOB));
	assert_true(id_eq(HEAD(q, job_claim)->worker, world.w.incarnation));
	assert_int_equal(HEAD(q, job_claim)->lease_s, 15);
	WORLD_ROWS(q, &(struct job_claim_row){.tenant = 7,
					      .order_id = ORDER,
					      .group_no = 2,
					      .groups = 2,
					      .kind = STR("fulfillment.pick"),
					      .epoch = 5,
					      .attempts = 1});
	q = world_asked("fulfillment_picked");
	assert_int_equal(HEAD(q, fulfillment_picked)->tenant, 7);
	assert_int_equal(HEAD(q, fulfillment_picked)->group_no, 2);
	assert_int_equal(HEAD(q, fulfillment_picked)->epoch, 5);
	assert_int_equal(world.acks, 0);
	WORLD_ROWS(q, &(struct fulfillment_picked_row){.job_id = NEXT,
						       .kind = STR("fulfillment.pack")});
	assert_int_equal(world.acks, 1);
	assert_int_equal(world.n_rings, 1);
	assert_true(id_eq(world.rings[0].job, NEXT));
	assert_int_equal(world.rings[0].role, ROLE_FULFILLMENT);
	assert_int_equal(world.hints, 1);
	assert_all_free();
}

static void job_of_somebody_else_is_only_acknowledged(void **state)
{
	(void)state;
	job_start(&world.w, &(struct delivery){.job = JOB, .role = ROLE_PAYMENT});
	world_no_rows(world_asked("job_claim"));
	assert_int_equal(world.acks, 1);
	assert_int_equal(world.hints, 0); /* nobody moved the order */
	assert_all_free();
}

static void job_that_could_not_be_claimed_is_left_to_another_reader(void **state)
{
	(void)state;
	job_start(&world.w, &(struct delivery){.job = JOB, .role = ROLE_PAYMENT});
	world_fails(world_asked("job_claim"), ERR_STORE_UNAVAILABLE);
	assert_int_equal(world.acks, 0);
	assert_all_free();
}

static void job_with_nothing_to_do_is_settled(void **state)
{
	struct question *q;

	(void)state;
	world_job("payment.capture", 1, 0);
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("voided")});
	q = world_asked("job_settle");
	assert_true(id_eq(HEAD(q, job_settle)->job_id, JOB));
	assert_int_equal(HEAD(q, job_settle)->epoch, 3);
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
	assert_all_free();
}

/* ---- the others ---- */

static void failure_that_may_pass_is_tried_again_later(void **state)
{
	(void)state;
	world_job("fulfillment.pick", 1, 0);
	world_fails(world_asked("fulfillment_picked"), ERR_STORE_UNAVAILABLE);
	assert_retry(500, 500, false);
	assert_all_free();
}

static void pauses_grow_and_are_bounded(void **state)
{
	static const struct {
		int32_t attempts;
		int64_t most_ms;
	} rows[] = {{1, 500}, {2, 1500}, {3, 3000}, {9, 60000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.acks = world.hints = 0;
		world_job("fulfillment.pick", rows[i].attempts, 0);
		world_fails(world_asked("fulfillment_picked"), ERR_CLASH);
		assert_retry(500, rows[i].most_ms, false);
	}
}

static void pause_of_the_millionth_attempt_is_the_longest(void **state)
{
	(void)state;
	world.w.cfg.max_attempts = INT32_MAX;
	world_job("fulfillment.pick", INT32_MAX - 1, 0);
	world_fails(world_asked("fulfillment_picked"), ERR_CLASH);
	assert_retry(500, 60000, false);
}

static void job_that_waits_for_another_uses_up_no_attempt(void **state)
{
	struct question *q;

	(void)state;
	world_job("payment.capture", 10, 0); /* the last one, were it one */
	WORLD_ROWS(world_asked("payment_find"),
		   &(struct payment_find_row){.payment_state = STR("pending"), .amount_minor = 1});
	q = world_asked("job_retry");
	assert_true(HEAD(q, job_retry)->refund);
	assert_int_equal(HEAD(q, job_retry)->delay_ms, 60000);
	world_no_rows(q);
	assert_int_equal(world.acks, 1);
	assert_all_free();
}

static void last_attempt_buries_the_job_with_its_error(void **state)
{
	(void)state;
	world_job("fulfillment.pick", 10, 0);
	world_fails(world_asked("fulfillment_picked"), ERR_STORE_UNAVAILABLE);
	assert_buried("STORE_UNAVAILABLE");
	assert_all_free();
}

static void failure_for_good_buries_at_the_first_attempt(void **state)
{
	(void)state;
	world_job("payment.capture", 1, 0);
	world_no_rows(world_asked("payment_find"));
	assert_buried("its payment does not exist");
	assert_all_free();
}

/* Four deaths may be the machine's fault; the fifth time it is not run again. */
static void job_that_kills_its_workers_is_buried_unrun(void **state)
{
	(void)state;
	world_job("fulfillment.pick", 5, 4);
	world_no_rows(world_asked("fulfillment_picked"));
	world.acks = world.hints = 0;
	world_job("fulfillment.pick", 6, 5);
	assert_buried("died or hung 5 times");
	assert_all_free();
}

static void job_put_off_while_the_store_is_away_is_let_go(void **state)
{
	(void)state;
	world_job("fulfillment.pick", 1, 0);
	world_fails(world_asked("fulfillment_picked"), ERR_STORE_UNAVAILABLE);
	world_fails(world_asked("job_retry"), ERR_STORE_UNAVAILABLE);
	assert_int_equal(world.acks, 1); /* its lease ends, the sweep finds it */
	assert_all_free();
}

static void job_that_hangs_is_cut_by_its_deadline(void **state)
{
	struct question *hung;

	(void)state;
	world.w.cfg.job_deadline_s = 10; /* shorter than the step's 30 s */
	world_job("fulfillment.pick", 1, 0);
	hung = world_asked("fulfillment_picked");
	world_later(9999);
	assert_ptr_equal(world_asked("fulfillment_picked"), hung);
	world_later(1);
	assert_int_equal(world.acks, 0); /* its question still owns its memory */
	world_no_rows(hung);
	assert_retry(500, 500, false);
	assert_all_free();
}

/* ---- draining ---- */

static void drain_hands_a_running_job_back_as_if_it_was_never_tried(void **state)
{
	struct question *q;

	(void)state;
	world_job("fulfillment.pick", 10, 0); /* even on its last attempt */
	q = world_asked("fulfillment_picked");
	world.w.draining = true;
	assert_int_equal(job_room(&world.w, ROLE_FULFILLMENT), 0);
	job_cut(&world.w);
	job_cut(&world.w);
	world_turn();
	world_no_rows(q); /* answered after it was given up: nothing of it counts */
	assert_retry(0, 0, true);
	world.w.draining = false;
	assert_all_free();
}

/* ---- beats ---- */

static void long_job_extends_its_lease_in_both_places(void **state)
{
	struct question *work, *beat;

	(void)state;
	world_job("fulfillment.pick", 1, 0);
	work = world_asked("fulfillment_picked");
	world_later(7499);
	job_beat(&world.w);
	assert_int_equal(world.beats, 0);
	world_later(1);
	job_beat(&world.w);
	job_beat(&world.w); /* one at a time */
	assert_int_equal(world.beats, 1);
	world_no_rows(work); /* the work ends first */
	assert_int_equal(world.acks, 1);
	assert_int_equal(job_room(&world.w, ROLE_FULFILLMENT),
			 1); /* the beat still owns the slot */
	beat = world_asked("job_extend");
	assert_int_equal(HEAD(beat, job_extend)->epoch, 3);
	world_no_rows(beat);
	assert_all_free();
}

/* ---- room ---- */

static void each_role_has_room_of_its_own(void **state)
{
	(void)state;
	world.w.roles = 1U << ROLE_PAYMENT | 1U << ROLE_FULFILLMENT;
	assert_int_equal(job_room(&world.w, ROLE_SHIPPING), 0);
	for (int i = 0; i < 2; i++)
		job_start(&world.w, &(struct delivery){.job = JOB, .role = ROLE_PAYMENT});
	assert_int_equal(job_room(&world.w, ROLE_PAYMENT), 0);
	assert_int_equal(job_room(&world.w, ROLE_FULFILLMENT), 2);
	world_no_rows(world_asked("job_claim"));
	assert_int_equal(job_room(&world.w, ROLE_PAYMENT), 1);
	world_no_rows(world_asked("job_claim"));
}

/* ---- without Redis ---- */

static void pauses_are(const char *role)
{
	struct question *q;

	pauses_read(&world.w);
	q = world_asked("queues_paused");
	pauses_read(&world.w); /* one at a time */
	if (role == NULL)
		world_no_rows(q);
	else
		WORLD_ROWS(q, &(struct queues_paused_row){.role = str_of(role)});
	pauses_read(&world.w);
	world_asked_nothing(); /* and not all the time */
	world_later(500);
}

static void paused_queue_has_no_room_and_is_read_again_when_it_is_resumed(void **state)
{
	uint32_t kicks;

	(void)state;
	world.w.paused = ~0U; /* as at the start */
	assert_int_equal(job_room(&world.w, ROLE_SHIPPING), 0);
	pauses_are("payment");
	assert_int_equal(job_room(&world.w, ROLE_PAYMENT), 0);
	assert_int_equal(job_room(&world.w, ROLE_SHIPPING), 2);
	job_start_due(&world.w, ROLE_PAYMENT);
	world_asked_nothing();
	kicks = world.kicks;
	pauses_read(&world.w);
	world_fails(world_asked("queues_paused"), ERR_STORE_UNAVAILABLE);
	world_later(500);
	assert_int_equal(job_room(&world.w, ROLE_PAYMENT), 0); /* as it was known */
	assert_int_equal(world.kicks, kicks);
	pauses_are(NULL);
	assert_int_equal(job_room(&world.w, ROLE_PAYMENT), 2);
	assert_int_equal(world.kicks, kicks + 1);
	assert_int_equal(world.w.side_flows, 0);
}

/* Not worked on, it would lie until its lease ends, and count as a death of its worker. */
static void job_claimed_just_before_a_pause_is_worked_on(void **state)
{
	struct question *q;

	(void)state;
	job_start_due(&world.w, ROLE_FULFILLMENT);
	q = world_asked("job_claim_due");
	world.w.paused = 1U << ROLE_FULFILLMENT;
	WORLD_ROWS(q, &(struct job_claim_due_row){.job_id = JOB,
						  .tenant = 7,
						  .order_id = ORDER,
						  .kind = STR("fulfillment.pick"),
						  .epoch = 1,
						  .attempts = 1});
	world_no_rows(world_asked("fulfillment_picked"));
	assert_int_equal(world.w.running[ROLE_FULFILLMENT], 0);
}

static void without_redis_due_jobs_come_straight_from_the_database(void **state)
{
	struct job_claim_due_row rows[] = {
		{.job_id = JOB, .order_id = ORDER, .kind = STR("fulfillment.pick"), .epoch = 9},
		{.job_id = NEXT, .order_id = ORDER, .kind = STR("of.tomorrow"), .epoch = 9},
		{.job_id = NEXT, .order_id = ORDER, .kind = STR("fulfillment.pack"), .epoch = 9},
		{.job_id = NEXT, .order_id = ORDER, .kind = STR("fulfillment.pack"), .epoch = 9},
	};
	struct question *q;

	(void)state;
	job_start_due(&world.w, ROLE_FULFILLMENT);
	job_start_due(&world.w, ROLE_FULFILLMENT); /* one at a time */
	q = world_asked("job_claim_due");
	assert_int_equal(HEAD(q, job_claim_due)->most, 2);
	assert_true(str_eq(HEAD(q, job_claim_due)->role, STR("fulfillment")));
	assert_int_equal(world.w.side_flows, 1);
	world_rows(q, rows, 4, sizeof(rows[0])); /* two more than there is room for */
	assert_int_equal(world.w.side_flows, 0);
	q = world_asked("fulfillment_picked");
	assert_int_equal(HEAD(q, fulfillment_picked)->epoch, 9);
	world_no_rows(q);
	world_no_rows(world_asked("fulfillment_packed"));
	assert_int_equal(world.acks, 0); /* nothing was delivered */
	assert_all_free();
}

static void every_kind_has_a_role_steps_and_a_name_of_two_words(void **state)
{
	static const char *const names[] = {
		"payment.authorize", "payment.capture", "payment.void",      "fulfillment.pick",
		"fulfillment.pack",  "shipping.label",  "shipping.handover", "shipping.track"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct job_kind *k = job_kind_find(str_of(names[i]));

		assert_non_null(k);
		assert_non_null(k->steps);
		assert_in_range(k->priority, 0, QUEUE_PRIORITIES - 1);
		assert_int_equal(strncmp(names[i], queue_role_name(k->role),
					 strlen(queue_role_name(k->role))),
				 0);
	}
	assert_null(job_kind_find(STR("payment")));
	assert_null(job_kind_find(STR("")));
	assert_null(job_kind_find((struct str){0}));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(delivered_job_is_claimed_done_and_acknowledged),
		TEST(job_of_somebody_else_is_only_acknowledged),
		TEST(job_that_could_not_be_claimed_is_left_to_another_reader),
		TEST(job_with_nothing_to_do_is_settled),
		TEST(failure_that_may_pass_is_tried_again_later),
		TEST(pauses_grow_and_are_bounded),
		TEST(pause_of_the_millionth_attempt_is_the_longest),
		TEST(job_that_waits_for_another_uses_up_no_attempt),
		TEST(last_attempt_buries_the_job_with_its_error),
		TEST(failure_for_good_buries_at_the_first_attempt),
		TEST(job_that_kills_its_workers_is_buried_unrun),
		TEST(job_put_off_while_the_store_is_away_is_let_go),
		TEST(job_that_hangs_is_cut_by_its_deadline),
		TEST(drain_hands_a_running_job_back_as_if_it_was_never_tried),
		TEST(long_job_extends_its_lease_in_both_places),
		TEST(each_role_has_room_of_its_own),
		TEST(paused_queue_has_no_room_and_is_read_again_when_it_is_resumed),
		TEST(job_claimed_just_before_a_pause_is_worked_on),
		TEST(without_redis_due_jobs_come_straight_from_the_database),
		TEST(every_kind_has_a_role_steps_and_a_name_of_two_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
