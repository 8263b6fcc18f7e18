/*
 * The sweep: what it rings again and what it leaves alone, in which order it mends what
 * Redis lost, and that whatever fails there is a next sweep.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/metric.h"
#include "tests/unit/worker_world.h"
#include "workers/janitor/janitor.h"

#define HEAD(q, kind) ((const struct kind##_head *)(q)->unit.head)

enum { PAGE = 1000 };

static const uint64_t none_made = 0, two_made = 5;

enum { LONG_AGO = -77 };

static struct janitor *j;

static int set_up(void **state)
{
	if (world_set_up(state) != 0)
		return -1;
	j = janitor_new(&world.w);
	return 0;
}

static int tear_down(void **state)
{
	janitor_stop(j);
	assert_true(janitor_idle(j));
	janitor_free(j);
	return world_tear_down(state);
}

static void generations_are(int64_t stock)
{
	WORLD_ROWS(world_asked("generations"),
		   &(struct generations_row){.name = STR("stock"), .value = stock});
}

/* From the start of a sweep to the jobs nobody works on, with Redis as it should be. */
static void redis_is_well(void)
{
	generations_are(4);
	world_answers(world_asked("queue_ask_generations"), &none_made);
	world_no_rows(world_asked("queue_ask_epoch"));
}

/* The end of a sweep: what waits is counted by some of them. */
static void nothing_waits(void)
{
	if (world_asks("work_depth"))
		world_no_rows(world_asked("work_depth"));
}

static void nothing_has_expired(void)
{
	world_no_rows(world_asked("orders_expired"));
	world_no_rows(world_asked("payment_renewals_due"));
	if (world.queue_up)
		world_no_rows(world_asked("queue_ask_expire_holds"));
	nothing_waits();
}

static void assert_next_sweep_after(int64_t ms)
{
	assert_true(janitor_idle(j));
	world_asked_nothing();
	world_later(ms - 1);
	world_asked_nothing();
	world_later(1);
	world_fails(world_asked("generations"), ERR_STORE_UNAVAILABLE);
	assert_true(janitor_idle(j));
}

static void quiet_sweep_asks_everybody_and_comes_again(void **state)
{
	(void)state;
	metric_set(METRIC_sweep_timestamp_seconds, NULL, LONG_AGO);
	world_turn();
	redis_is_well();
	assert_int_equal(world.epoch_known, 4);
	assert_int_equal(world.epoch_asked, 4);
	world_no_rows(world_asked("jobs_orphaned"));
	world_no_rows(world_asked("jobs_waiting"));
	nothing_has_expired();
	assert_int_equal(world.n_rings, 0);
	assert_int_equal(metric_value(METRIC_sweep_timestamp_seconds, NULL), 0); /* now, here */
	assert_next_sweep_after(2000);
}

/* Redis lost its data: what it knew of the stock is of another time as well. */
static void streams_made_again_raise_the_epoch_of_the_stock(void **state)
{
	struct question *q;

	(void)state;
	world_turn();
	generations_are(4);
	world_answers(world_asked("queue_ask_generations"), &two_made);
	q = world_asked("generation_raise");
	assert_true(str_eq(HEAD(q, generation_raise)->name, STR("stock")));
	assert_int_equal(HEAD(q, generation_raise)->expected, 4);
	WORLD_ROWS(q, &(struct generation_raise_row){.value = 5});
	assert_int_equal(world.epoch_known, 5);
	world_fails(world_asked("queue_ask_epoch"), ERR_QUEUE_UNAVAILABLE);
	assert_int_equal(world.epoch_asked, 5);
	world_no_rows(world_asked("jobs_orphaned")); /* the database's part goes on */
	world_no_rows(world_asked("jobs_waiting"));
	nothing_has_expired();
}

static void without_redis_only_the_database_is_swept(void **state)
{
	(void)state;
	world.queue_up = false;
	world_turn();
	generations_are(4);
	nothing_has_expired();
	assert_next_sweep_after(2000);
}

static void sweeps_that_forget_nothing(int n)
{
	while (n-- > 0) {
		generations_are(4);
		nothing_has_expired();
		assert_true(janitor_idle(j));
		world_later(2000);
	}
}

static void sweep_that_forgets(int64_t forgotten)
{
	struct question *q;

	generations_are(4);
	nothing_has_expired();
	q = world_asked("webhooks_forget");
	assert_int_equal(HEAD(q, webhooks_forget)->keep_s, 30 * 24 * 3600);
	WORLD_ROWS(q, &(struct webhooks_forget_row){.forgotten = forgotten});
	nothing_waits();
	world_later(2000);
}

static void inbox_is_cleared_once_a_minute_and_at_once_of_what_is_more(void **state)
{
	(void)state;
	world.queue_up = false;
	world_turn();
	sweeps_that_forget_nothing(30);
	sweep_that_forgets(5000);
	sweep_that_forgets(4999);
	sweeps_that_forget_nothing(29);
	sweep_that_forgets(0);
	world_fails(world_asked("generations"), ERR_STORE_UNAVAILABLE);
}

static void failure_of_any_step_does_not_end_the_sweeping(void **state)
{
	(void)state;
	metric_set(METRIC_sweep_timestamp_seconds, NULL, LONG_AGO);
	world_turn();
	redis_is_well();
	world_fails(world_asked("jobs_orphaned"), ERR_CLASH);
	world_fails(world_asked("orders_expired"), ERR_STORE_UNAVAILABLE);
	world_fails(world_asked("payment_renewals_due"), ERR_STORE_UNAVAILABLE);
	world_fails(world_asked("queue_ask_expire_holds"), ERR_QUEUE_UNAVAILABLE);
	world_fails(world_asked("work_depth"), ERR_STORE_UNAVAILABLE);
	assert_int_equal(metric_value(METRIC_sweep_timestamp_seconds, NULL), LONG_AGO);
	assert_next_sweep_after(2000);
	assert_next_sweep_after(2000);
}

static void job_whose_lease_ended_is_rung(void **state)
{
	struct jobs_orphaned_row rows[] = {
		{.job_id = JOB, .kind = STR("shipping.track"), .priority = 2},
		{.job_id = NEXT, .kind = STR("of.tomorrow")},
	};

	(void)state;
	world_turn();
	redis_is_well();
	world_rows(world_asked("jobs_orphaned"), rows, 2, sizeof(rows[0]));
	assert_int_equal(world.n_rings, 1);
	assert_true(id_eq(world.rings[0].job, JOB));
	assert_int_equal(world.rings[0].role, ROLE_SHIPPING);
	assert_int_equal(world.rings[0].priority, 2);
	world_no_rows(world_asked("jobs_waiting"));
	nothing_has_expired();
}

/* ---- waiting jobs ---- */

static struct stream_state states[ID_SHARDS * QUEUE_PRIORITIES];

/* One payment job, ready since 10 s; its stream is as told.  How often is it rung? */
static uint32_t rings_when(int64_t waiting, int64_t last_delivered_ms)
{
	uint32_t before = world.n_rings;
	struct question *q;

	redis_is_well();
	world_no_rows(world_asked("jobs_orphaned"));
	WORLD_ROWS(world_asked("jobs_waiting"),
		   &(struct jobs_waiting_row){.job_id = JOB,
					      .run_at = 10000000,
					      .kind = STR("payment.void"),
					      .priority = 0});
	q = world_asked("queue_ask_streams payment");
	states[id_shard(JOB) * QUEUE_PRIORITIES] =
		(struct stream_state){.waiting = waiting, .last_delivered_ms = last_delivered_ms};
	world_answers(q, states);
	nothing_has_expired();
	world_later(2000);
	return world.n_rings - before;
}

static void waiting_job_is_rung_when_its_own_ring_was_lost(void **state)
{
	(void)state;
	world_turn();
	assert_int_equal(rings_when(0, 0), 1); /* nothing to deliver: it is not in there */
	assert_int_equal(rings_when(0, 99999), 1);
	assert_int_equal(rings_when(3, 9000), 0); /* still behind the others */
	assert_int_equal(rings_when(3, 10000), 0);
	assert_int_equal(rings_when(3, 12000), 0); /* its ring may be a sweep late */
	assert_int_equal(rings_when(3, 12001), 1); /* younger ones are out: it was passed over */
	world_fails(world_asked("generations"), ERR_STORE_UNAVAILABLE);
}

static void each_role_with_waiting_jobs_is_asked_once(void **state)
{
	struct jobs_waiting_row rows[] = {
		{.job_id = JOB, .kind = STR("shipping.label"), .priority = 1},
		{.job_id = NEXT, .kind = STR("payment.void"), .priority = 0},
		{.job_id = ORDER, .kind = STR("shipping.track"), .priority = 2},
		{.job_id = ORDER, .kind = STR("of.tomorrow")},
	};

	(void)state;
	memset(states, 0, sizeof(states));
	world_turn();
	redis_is_well();
	world_no_rows(world_asked("jobs_orphaned"));
	world_rows(world_asked("jobs_waiting"), rows, 4, sizeof(rows[0]));
	world_answers(world_asked("queue_ask_streams payment"), states);
	assert_int_equal(world.n_rings, 1);
	world_answers(world_asked("queue_ask_streams shipping"), states);
	assert_int_equal(world.n_rings, 3);
	nothing_has_expired();
}

static void paused_queue_is_not_rung(void **state)
{
	struct jobs_orphaned_row orphan = {.job_id = JOB, .kind = STR("payment.capture")};
	struct jobs_waiting_row rows[] = {
		{.job_id = NEXT, .kind = STR("payment.void"), .priority = 0},
		{.job_id = ORDER, .kind = STR("shipping.track"), .priority = 2},
	};

	(void)state;
	memset(states, 0, sizeof(states));
	world.w.paused = 1U << ROLE_PAYMENT;
	world_turn();
	redis_is_well();
	WORLD_ROWS(world_asked("jobs_orphaned"), &orphan);
	world_rows(world_asked("jobs_waiting"), rows, 2, sizeof(rows[0]));
	world_answers(world_asked("queue_ask_streams shipping"), states);
	nothing_has_expired();
	assert_int_equal(world.n_rings, 1);
	assert_true(id_eq(world.rings[0].job, ORDER));
}

static void full_page_goes_on_soon_and_where_it_ended(void **state)
{
	static struct jobs_waiting_row rows[PAGE];
	struct question *q;

	(void)state;
	for (int i = 0; i < PAGE; i++)
		rows[i] = (struct jobs_waiting_row){
			.job_id = NEXT, .run_at = 1000 + i, .kind = STR("of.tomorrow")};
	world_turn();
	redis_is_well();
	world_no_rows(world_asked("jobs_orphaned"));
	q = world_asked("jobs_waiting");
	assert_int_equal(HEAD(q, jobs_waiting)->after_run, DB_NULL);
	assert_int_equal(HEAD(q, jobs_waiting)->most, PAGE);
	world_rows(q, rows, PAGE, sizeof(rows[0]));
	nothing_has_expired();
	world_later(50);
	redis_is_well();
	world_no_rows(world_asked("jobs_orphaned"));
	q = world_asked("jobs_waiting");
	assert_int_equal(HEAD(q, jobs_waiting)->after_run, 1000 + PAGE - 1);
	assert_true(id_eq(HEAD(q, jobs_waiting)->after_id, NEXT));
	world_rows(q, rows, PAGE - 1, sizeof(rows[0]));
	nothing_has_expired();
	world_later(50);
	world_asked_nothing();
	world_later(1950);
	redis_is_well();
	world_no_rows(world_asked("jobs_orphaned"));
	q = world_asked("jobs_waiting");
	assert_int_equal(HEAD(q, jobs_waiting)->after_run, DB_NULL); /* from the oldest again */
	world_no_rows(q);
	nothing_has_expired();
}

/* ---- orders not paid in time ---- */

static void each_expired_order_ends_and_frees_its_stock(void **state)
{
	struct orders_expired_row rows[] = {{.tenant = 7, .order_id = ORDER, .groups = 2},
					    {.tenant = 8, .order_id = NEXT, .groups = 1}};
	struct question *q;

	(void)state;
	world.queue_up = false;
	world_turn();
	generations_are(4);
	world_rows(world_asked("orders_expired"), rows, 2, sizeof(rows[0]));
	q = world_asked("order_expire");
	assert_true(id_eq(HEAD(q, order_expire)->order_id, ORDER));
	assert_int_equal(q->unit.n_lines, 2);
	WORLD_ROWS(q, &(struct order_expire_row){.outcome = STR("expired"), .job_id = JOB});
	assert_int_equal(world.n_rings, 1); /* money may be held: let it go */
	assert_int_equal(world.rings[0].role, ROLE_PAYMENT);
	WORLD_ROWS(world_asked("order_view"), &(struct order_view_row){.item = 1});
	assert_int_equal(world.forgotten, 1);
	q = world_asked("order_expire");
	assert_int_equal(HEAD(q, order_expire)->tenant, 8);
	WORLD_ROWS(q, &(struct order_expire_row){.outcome = STR("expired")});
	assert_int_equal(world.n_rings, 1);
	world_fails(world_asked("order_view"), ERR_STORE_UNAVAILABLE); /* Redis forgets by itself */
	world_no_rows(world_asked("payment_renewals_due"));
	nothing_waits();
	assert_next_sweep_after(2000);
}

static void each_authorization_that_ends_soon_has_its_renewal_rung(void **state)
{
	struct payment_renewals_due_row rows[] = {{.job_id = JOB}, {.job_id = NEXT}};
	struct question *q;

	(void)state;
	world.queue_up = false;
	world_turn();
	generations_are(4);
	world_no_rows(world_asked("orders_expired"));
	q = world_asked("payment_renewals_due");
	assert_int_equal(HEAD(q, payment_renewals_due)->ahead_s, 86400);
	assert_in_range(HEAD(q, payment_renewals_due)->most, 1, 1000);
	world_rows(q, rows, 2, sizeof(rows[0]));
	assert_int_equal(world.n_rings, 2);
	assert_true(id_eq(world.rings[1].job, NEXT));
	assert_int_equal(world.rings[1].role, ROLE_PAYMENT);
	nothing_waits();
}

/* ---- how much there is to do ---- */

static void quiet_sweep_but_for_the_count(void)
{
	generations_are(4);
	world_no_rows(world_asked("orders_expired"));
	world_no_rows(world_asked("payment_renewals_due"));
}

static void what_waits_is_counted_every_five_seconds(void **state)
{
	struct work_depth_row rows[] = {
		{.what = STR("dead"), .name = STR("shipping"), .number = 2, .oldest_ms = 9},
		{.what = STR("hold"), .name = STR("returned"), .number = 3, .oldest_ms = 9},
		{.what = STR("ready"), .name = STR("payment"), .number = 70, .oldest_ms = 61999},
	};

	(void)state;
	world.queue_up = false;
	world_turn();
	quiet_sweep_but_for_the_count();
	world_rows(world_asked("work_depth"), rows, 3, sizeof(rows[0]));
	assert_int_equal(metric_value(METRIC_queue_ready, "payment"), 70);
	assert_int_equal(metric_value(METRIC_queue_oldest_seconds, "payment"), 61);
	assert_int_equal(metric_value(METRIC_queue_dead, "shipping"), 2);
	assert_int_equal(metric_value(METRIC_order_holds, "returned"), 3);
	for (int i = 0; i < 2; i++) {
		world_later(2000);
		quiet_sweep_but_for_the_count();
		assert_true(janitor_idle(j));
	}
	world_later(2000);
	quiet_sweep_but_for_the_count();
	world_no_rows(world_asked("work_depth")); /* what there is none of any more is 0 */
	assert_int_equal(metric_value(METRIC_queue_ready, "payment"), 0);
	assert_int_equal(metric_value(METRIC_queue_oldest_seconds, "payment"), 0);
	assert_int_equal(metric_value(METRIC_queue_dead, "shipping"), 0);
	assert_int_equal(metric_value(METRIC_order_holds, "returned"), 0);
}

static void stopped_janitor_ends_its_sweep_and_starts_no_other(void **state)
{
	(void)state;
	world.queue_up = false;
	world_turn();
	janitor_stop(j);
	assert_false(janitor_idle(j));
	generations_are(4);
	nothing_has_expired();
	assert_true(janitor_idle(j));
	world_later(100000);
	world_asked_nothing();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quiet_sweep_asks_everybody_and_comes_again),
		TEST(streams_made_again_raise_the_epoch_of_the_stock),
		TEST(without_redis_only_the_database_is_swept),
		TEST(inbox_is_cleared_once_a_minute_and_at_once_of_what_is_more),
		TEST(failure_of_any_step_does_not_end_the_sweeping),
		TEST(job_whose_lease_ended_is_rung),
		TEST(waiting_job_is_rung_when_its_own_ring_was_lost),
		TEST(each_role_with_waiting_jobs_is_asked_once),
		TEST(paused_queue_is_not_rung),
		TEST(full_page_goes_on_soon_and_where_it_ended),
		TEST(each_expired_order_ends_and_frees_its_stock),
		TEST(each_authorization_that_ends_soon_has_its_renewal_rung),
		TEST(what_waits_is_counted_every_five_seconds),
		TEST(stopped_janitor_ends_its_sweep_and_starts_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
