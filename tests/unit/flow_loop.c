/*
 * The loop: timers in order, tasks in turn, batches at the end of it, and a way out.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/flow/loop.h"
#include "tests/unit/child.h"

static struct loop *l;
static char story[256]; /* one letter per thing that happened */

static void tell(char c)
{
	size_t n = strlen(story);

	assert_true(n + 1 < sizeof(story));
	story[n] = c;
	story[n + 1] = '\0';
}

static void turn(void)
{
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
}

static int set_up(void **state)
{
	(void)state;
	story[0] = '\0';
	l = loop_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_fake(-1, -1);
	loop_free(l);
	return 0;
}

/* ---- timers ---- */

struct bell {
	struct timer timer;
	char name;
};

static void on_bell(struct timer *t)
{
	tell(((struct bell *)t)->name);
}

static void timers_ring_in_order_of_time(void **state)
{
	struct bell bells[5] = {
		{.name = 'c'}, {.name = 'a'}, {.name = 'e'}, {.name = 'b'}, {.name = 'd'}};
	const int64_t at_ms[5] = {1030, 1010, 1050, 1020, 1040};

	(void)state;
	clock_fake(1000000, 0);
	for (int i = 0; i < 5; i++) {
		bells[i].timer.on_due = on_bell;
		timer_set(l, &bells[i].timer, at_ms[i]);
	}
	turn();
	assert_string_equal(story, "");
	clock_fake(1030000, 0);
	turn();
	assert_string_equal(story, "abc");
	timer_clear(l, &bells[4].timer);
	timer_set(l, &bells[0].timer, 1060); /* again, and behind the last */
	clock_fake(1100000, 0);
	turn();
	assert_string_equal(story, "abcec");
}

static void many_timers_set_moved_and_cleared_ring_in_order(void **state)
{
	enum { N = 500 };
	static struct bell bells[N];
	static int64_t rung_ms;
	uint32_t seed = 12345;
	int left = 0;

	(void)state;
	(void)rung_ms;
	clock_fake(0, 0);
	memset(bells, 0, sizeof(bells));
	for (int i = 0; i < 10 * N; i++) {
		struct bell *b = &bells[(seed >> 8) % N];

		b->timer.on_due = on_bell;
		b->name = 'x';
		if (seed % 5 == 0)
			timer_clear(l, &b->timer);
		else
			timer_set(l, &b->timer, 1 + (seed >> 16) % 100);
		seed = seed * 1664525 + 1013904223;
	}
	for (int i = 0; i < N; i++)
		left += bells[i].timer.slot != 0;
	assert_true(left > N / 2);
	for (int64_t ms = 1; ms <= 100; ms++) {
		story[0] = '\0';
		clock_fake(ms * 1000, 0);
		turn();
		left -= (int)strlen(story);
		for (int i = 0; i < N; i++) /* what is due has rung, what is not has not */
			assert_true(bells[i].timer.slot == 0 || bells[i].timer.at_ms > ms);
	}
	assert_int_equal(left, 0);
}

static void on_bell_stop(struct timer *t)
{
	(void)t;
	loop_stop(l);
}

static void sleeping_loop_wakes_for_its_timer(void **state)
{
	struct timer t = {.on_due = on_bell_stop};
	int64_t began_ms = clock_mono_ms();

	(void)state;
	timer_set(l, &t, began_ms + 30);
	loop_run(l); /* nothing else could end this */
	assert_in_range(clock_mono_ms() - began_ms, 30, 5000);
}

static void timer_cleared_before_it_rings_lets_the_next_ring(void **state)
{
	struct timer first = {.on_due = on_bell};
	struct timer second = {.on_due = on_bell_stop};
	int64_t began_ms = clock_mono_ms();

	(void)state;
	timer_set(l, &first, began_ms + 10);
	timer_set(l, &second, began_ms + 40);
	timer_clear(l, &first);
	loop_run(l);
	assert_in_range(clock_mono_ms() - began_ms, 40, 5000);
}

/* ---- tasks ---- */

struct note {
	struct task task;
	char name;
	int again;
};

static void on_note(struct task *t)
{
	struct note *n = (struct note *)t;

	tell(n->name);
	if (n->again-- > 0)
		loop_post(l, t);
}

static void tasks_run_once_in_order_of_posting(void **state)
{
	struct note a = {.task.run = on_note, .name = 'a'};
	struct note b = {.task.run = on_note, .name = 'b'};
	struct note c = {.task.run = on_note, .name = 'c'};

	(void)state;
	loop_post(l, &a.task);
	loop_post(l, &b.task);
	loop_post(l, &a.task); /* posted already */
	loop_post(l, &c.task);
	loop_unpost(l, &c.task);
	loop_unpost(l, &c.task);
	turn();
	turn();
	assert_string_equal(story, "ab");
	loop_post(l, &c.task);
	turn();
	assert_string_equal(story, "abc");
}

static void endless_task(struct task *t)
{
	loop_post(l, t);
}

static void task_that_posts_itself_does_not_keep_the_turn(void **state)
{
	struct task t = {.run = endless_task};

	(void)state;
	loop_post(l, &t);
	turn(); /* returns: a turn is bounded */
	turn();
	loop_unpost(l, &t);
}

static void on_turn_end(void *arg)
{
	tell(*(char *)arg);
}

static void turn_ends_after_tasks_and_timers(void **state)
{
	char x = 'x', y = 'y';
	struct bell bell = {.timer.on_due = on_bell, .name = 't'};
	struct note note = {.task.run = on_note, .name = 'n', .again = 1};

	(void)state;
	loop_on_turn_end(l, on_turn_end, &x);
	loop_on_turn_end(l, on_turn_end, &y);
	clock_fake(1000000, 0);
	timer_set(l, &bell.timer, 900);
	loop_post(l, &note.task);
	turn();
	assert_string_equal(story, "tnnxy");
	loop_off_turn_end(l, on_turn_end, &x);
	turn();
	assert_string_equal(story, "tnnxyy");
	loop_off_turn_end(l, on_turn_end, &y);
}

/* ---- signals ---- */

static void on_drain(void *arg)
{
	printf("drain\n");
	(void)fflush(stdout);
	if (arg != NULL)
		(void)raise(SIGINT); /* the impatient operator */
	else
		loop_stop(l);
}

static void run_and_drain(void *arg)
{
	sigset_t set;
	struct loop *own = loop_new();

	l = own;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	loop_on_drain(own, on_drain, arg);
	(void)raise(SIGTERM);
	loop_run(own);
	loop_free(own);
	printf("out\n");
}

static void first_signal_drains_and_second_exits(void **state)
{
	struct loop *outer = l;
	struct child c;

	(void)state;
	child_run(&c, run_and_drain, NULL);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.out, "drain\nout\n");
	child_run(&c, run_and_drain, &c);
	assert_int_equal(c.exit_code, 1);
	assert_string_equal(c.out, "drain\n");
	l = outer;
}

static void free_with_timer(void *arg)
{
	struct timer t = {.on_due = on_bell};

	(void)arg;
	l = loop_new();
	timer_set(l, &t, 1);
	loop_free(l);
}

static void freeing_a_loop_with_a_timer_set_aborts(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, free_with_timer, NULL);
	assert_int_equal(c.signal, SIGABRT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_ring_in_order_of_time),
		TEST(many_timers_set_moved_and_cleared_ring_in_order),
		TEST(sleeping_loop_wakes_for_its_timer),
		TEST(timer_cleared_before_it_rings_lets_the_next_ring),
		TEST(tasks_run_once_in_order_of_posting),
		TEST(task_that_posts_itself_does_not_keep_the_turn),
		TEST(turn_ends_after_tasks_and_timers),
		TEST(first_signal_drains_and_second_exits),
		TEST(freeing_a_loop_with_a_timer_set_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
