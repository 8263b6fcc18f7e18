/*
 * The listener on a socket that systemd holds: who speaks is handed on, who does not is hung up on,
 * and whoever comes when it has stopped, or has no files, waits in the backlog.  The clock is the
 * test's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metric.h"
#include "core/listen/held_listener.h"

enum {
	PATIENCE_MS = 1000,
	EDGE_FROM = 700, /* above all that the test has open */
	TURNS = 64,      /* more than any of this takes */
};

static struct loop *l;
static struct held_listener *h;
static int held; /* systemd's */
static struct sockaddr_un at;
static int got[4], n_got;
static int64_t now_ms;

static void on_connection(void *arg, int fd)
{
	(void)arg;
	got[n_got++ % 4] = fd;
}

static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
}

static void pass_ms(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, 0);
	turn();
}

static void start(int from, int below)
{
	struct held_listener_options opt = {.loop = l,
					    .fd = fcntl(held, F_DUPFD_CLOEXEC, 0),
					    .name = "local",
					    .from = from,
					    .below = below,
					    .patience_ms = PATIENCE_MS,
					    .on_connection = on_connection};

	h = held_listener_new(&opt);
	held_listener_open(h);
}

static void end(void)
{
	held_listener_close(h);
	h = NULL;
	turn();
}

static int come(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void speak(int fd)
{
	assert_int_equal(send(fd, "P", 1, MSG_NOSIGNAL), 1);
}

static bool is_hung_up_on(int fd)
{
	char c;

	ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno == ECONNRESET); /* what it said was not read */
}

static int64_t closed(const char *cause)
{
	return metric_value(METRIC_held_closed, cause);
}

static int set_up(void **state)
{
	(void)state;
	at = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/orderd-held.%d", (int)getpid());
	unlink(at.sun_path);
	held = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(held, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(held, 1024), 0);
	n_got = 0;
	now_ms = 1000;
	clock_fake(now_ms * 1000, 0);
	l = loop_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (h != NULL)
		end();
	clock_fake(-1, -1);
	loop_free(l);
	close(held);
	unlink(at.sun_path);
	return 0;
}

static void caller_who_speaks__is_handed_on_whole(void **state)
{
	int caller;
	char c;

	(void)state;
	start(0, INT_MAX);
	caller = come();
	turn();
	assert_int_equal(n_got, 0);
	speak(caller);
	turn();
	assert_int_equal(n_got, 1);
	assert_int_equal(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(got[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(recv(got[0], &c, 1, 0), 1);
	assert_int_equal(c, 'P');
	pass_ms(PATIENCE_MS);
	assert_false(is_hung_up_on(caller));
	close(got[0]);
	close(caller);
}

static void caller_who_says_nothing__is_hung_up_on_in_time(void **state)
{
	int64_t before = closed("mute");
	int first, second, talker;

	(void)state;
	start(0, INT_MAX);
	first = come();
	turn();
	pass_ms(PATIENCE_MS / 2);
	second = come();
	talker = come();
	speak(talker);
	turn();
	pass_ms(PATIENCE_MS / 2);
	assert_true(is_hung_up_on(first));
	assert_false(is_hung_up_on(second));
	assert_int_equal(metric_value(METRIC_held_silent, "local"), 1);
	pass_ms(PATIENCE_MS / 2);
	assert_true(is_hung_up_on(second));
	assert_int_equal(closed("mute"), before + 2);
	assert_int_equal(n_got, 1);
	close(got[0]);
	close(first);
	close(second);
	close(talker);
}

static void caller_who_leaves__is_handed_to_nobody(void **state)
{
	int caller;

	(void)state;
	start(0, INT_MAX);
	caller = come();
	turn();
	close(caller);
	turn();
	assert_int_equal(n_got, 0);
	assert_int_equal(metric_value(METRIC_held_silent, "local"), 0);
}

static void crowd_that_says_nothing__is_bounded_and_the_newest_goes(void **state)
{
	int64_t before = closed("crowded");
	int crowd[HELD_SILENT_MAX], newest;

	(void)state;
	start(0, INT_MAX);
	for (int i = 0; i < HELD_SILENT_MAX; i++)
		crowd[i] = come();
	turn();
	newest = come();
	turn();
	assert_true(is_hung_up_on(newest));
	assert_int_equal(closed("crowded"), before + 1);
	for (int i = 0; i < HELD_SILENT_MAX; i++)
		assert_false(is_hung_up_on(crowd[i]));
	close(newest);
	speak(crowd[HELD_SILENT_MAX - 1]);
	turn();
	newest = come();
	turn();
	assert_false(is_hung_up_on(newest));
	assert_int_equal(n_got, 1);
	close(got[0]);
	close(newest);
	for (int i = 0; i < HELD_SILENT_MAX; i++)
		close(crowd[i]);
}

/* Which socket a connection came through is told by its number, and never wrongly. */
static void number__is_of_the_range_that_was_asked_for(void **state)
{
	int64_t before = closed("files");
	int caller;

	(void)state;
	start(EDGE_FROM, INT_MAX);
	caller = come();
	speak(caller);
	turn();
	assert_int_equal(n_got, 1);
	assert_true(got[0] >= EDGE_FROM);
	assert_int_equal(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_false(is_hung_up_on(caller));
	close(got[0]);
	assert_true(is_hung_up_on(caller)); /* there is no second descriptor of it */
	close(caller);
	end();

	start(0, 3);
	caller = come();
	speak(caller);
	turn();
	assert_int_equal(n_got, 1);
	assert_int_equal(closed("files"), before + 1);
	close(caller);
}

static void without_files__it_pauses_and_callers_wait(void **state)
{
	struct rlimit as_was, none;
	int64_t before;
	int caller;

	(void)state;
	if (getenv("UNDER_VALGRIND") != NULL)
		skip(); /* it has a limit of its own, and takes the connection nevertheless */
	start(0, INT_MAX);
	caller = come();
	speak(caller);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &as_was), 0);
	none = as_was;
	none.rlim_cur = (rlim_t)dup(0);
	close((int)none.rlim_cur);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	before = metric_value(METRIC_held_pauses, NULL);
	turn();
	turn();
	assert_int_equal(metric_value(METRIC_held_pauses, NULL), before + 1);
	pass_ms(HELD_PAUSE_MS);
	assert_int_equal(metric_value(METRIC_held_pauses, NULL), before + 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &as_was), 0);
	turn();
	assert_int_equal(n_got, 0);
	pass_ms(HELD_PAUSE_MS);
	assert_int_equal(n_got, 1);
	close(got[0]);
	close(caller);
}

static void callers_after_it_stopped__wait_for_the_next(void **state)
{
	int accepted, waiting;

	(void)state;
	start(0, INT_MAX);
	accepted = come();
	turn();
	held_listener_stop(h);
	waiting = come();
	speak(waiting);
	turn();
	assert_int_equal(n_got, 0);
	speak(accepted); /* is one who has been let in */
	turn();
	assert_int_equal(n_got, 1);
	close(got[0]);
	end();
	assert_false(is_hung_up_on(waiting));

	start(0, INT_MAX);
	turn();
	assert_int_equal(n_got, 2);
	close(got[1]);
	close(accepted);
	close(waiting);
}

static void silent_when_it_closes__are_hung_up_on(void **state)
{
	int caller;

	(void)state;
	start(0, INT_MAX);
	caller = come();
	turn();
	end();
	assert_true(is_hung_up_on(caller));
	close(caller);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(caller_who_speaks__is_handed_on_whole),
		TEST(caller_who_says_nothing__is_hung_up_on_in_time),
		TEST(caller_who_leaves__is_handed_to_nobody),
		TEST(crowd_that_says_nothing__is_bounded_and_the_newest_goes),
		TEST(number__is_of_the_range_that_was_asked_for),
		TEST(without_files__it_pauses_and_callers_wait),
		TEST(callers_after_it_stopped__wait_for_the_next),
		TEST(silent_when_it_closes__are_hung_up_on),
	};

	log_open("listen_held_listener", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
