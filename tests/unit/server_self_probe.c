/*
 * The listener's self-test: a peer that does not speak HTTP/2 is deaf, one that does is
 * not, and three failures in a row are needed.  The clock is the test's.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "server/runtime/self_probe.h"

enum { TURNS_MAX = 1000000 }; /* far more than loopback ever needs */

static struct loop *l;
static struct self_probe *p;
static int listener;
static char address[32];
static int deaf;
static int64_t now_ms;

static const char settings_frame[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
static const char other_frame[] = {0, 0, 0, 7, 0, 0, 0, 0, 0};

static void on_deaf(void *arg)
{
	(void)arg;
	deaf++;
}

static void pass_ms(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, 0);
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
}

static int set_up(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(at.sin_port));
	deaf = 0;
	now_ms = 1000;
	clock_fake(now_ms * 1000, 0);
	l = loop_new();
	p = self_probe_new(l, address, false, on_deaf, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	self_probe_close(p);
	for (int i = 0; i < 4; i++)
		(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
	clock_fake(-1, -1);
	loop_free(l);
	if (listener >= 0)
		close(listener);
	return 0;
}

/* Let the next attempt arrive; returns its connection. */
static int next_attempt(void)
{
	int fd = -1;

	pass_ms(PROBE_EVERY_MS);
	for (int i = 0; fd < 0 && i < TURNS_MAX; i++) {
		fd = accept(listener, NULL, NULL);
		(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
	}
	assert_true(fd >= 0);
	return fd;
}

/* Until the probe has hung up; what it says is not looked at. */
static void await_hangup(int fd)
{
	char c;
	ssize_t n = -1;

	for (int i = 0; n != 0 && i < TURNS_MAX; i++) {
		(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
		n = recv(fd, &c, 1, MSG_DONTWAIT);
	}
	assert_int_equal(n, 0);
	close(fd);
}

static void answer(const char *bytes, size_t n)
{
	int fd = next_attempt();

	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
	await_hangup(fd);
}

static void stay_mute(void)
{
	int fd = next_attempt();

	pass_ms(PROBE_WAIT_MS);
	await_hangup(fd);
}

static void listener_that_sends_settings_is_heard(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * PROBE_FAILURES; i++)
		answer(settings_frame, sizeof(settings_frame));
	assert_int_equal(deaf, 0);
}

static void mute_listener_is_deaf_after_three_failures(void **state)
{
	(void)state;
	for (int i = 0; i < PROBE_FAILURES - 1; i++)
		stay_mute();
	assert_int_equal(deaf, 0);
	stay_mute();
	assert_int_equal(deaf, 1);
}

static void another_frame_is_no_answer(void **state)
{
	(void)state;
	for (int i = 0; i < PROBE_FAILURES; i++)
		answer(other_frame, sizeof(other_frame));
	assert_int_equal(deaf, 1);
}

static void one_good_answer_forgives_earlier_failures(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < PROBE_FAILURES - 1; i++)
			stay_mute();
		answer(settings_frame, sizeof(settings_frame));
	}
	assert_int_equal(deaf, 0);
}

static void listener_that_is_gone_is_deaf(void **state)
{
	(void)state;
	close(listener);
	listener = -1;
	for (int i = 0; deaf == 0 && i < 20; i++)
		pass_ms(PROBE_EVERY_MS);
	assert_int_equal(deaf, 1);
}

/* One that waits to be spoken to must not be taken for deaf. */
static void probe_speaks_first_as_clients_do(void **state)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
	char said[sizeof(preface)]; /* its NUL is the frame's last byte */
	size_t n = 0;
	int fd = next_attempt();

	(void)state;
	for (int i = 0; n < sizeof(said) && i < TURNS_MAX; i++) {
		ssize_t more = recv(fd, said + n, sizeof(said) - n, MSG_DONTWAIT);

		(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
		n += more > 0 ? (size_t)more : 0;
	}
	assert_int_equal(n, sizeof(said));
	assert_memory_equal(said, preface, n);
	close(fd);
}

static void probe_closed_during_an_attempt_leaves_nothing_behind(void **state)
{
	(void)state;
	close(next_attempt()); /* the tear-down closes the probe; the leak checker judges */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listener_that_sends_settings_is_heard),
		TEST(mute_listener_is_deaf_after_three_failures),
		TEST(another_frame_is_no_answer),
		TEST(one_good_answer_forgives_earlier_failures),
		TEST(listener_that_is_gone_is_deaf),
		TEST(probe_speaks_first_as_clients_do),
		TEST(probe_closed_during_an_attempt_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
