/*
 * What a supervisor hears: each word, at a path and at an abstract name, a pulse for as long as all
 * is well, and nothing that was said is lost because it did not listen for a while.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/supervisor.h"

enum { FULL_MOST = 100000 }; /* datagrams: more than any queue holds */

static struct loop *l;
static struct supervisor *s;
static int ear = -1;
static char name[64];
static int64_t now_ms;
static bool well;

static bool is_well(void *arg)
{
	(void)arg;
	return well;
}

/* '@' stands for the first byte of an abstract name. */
static void listen_at(const char *prefix)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t n;

	snprintf(name, sizeof(name), "%s/orderd-supervisor.%d", prefix, (int)getpid());
	strcpy(at.sun_path, name);
	n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	else
		unlink(name);
	ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(ear, (struct sockaddr *)&at, n), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void start(void)
{
	s = supervisor_new(l, is_well, NULL);
}

static void pass_ms(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, 0);
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
}

/* The next word; "" when none has come. */
static const char *heard(void)
{
	static char words[512];
	ssize_t n = recv(ear, words, sizeof(words) - 1, 0);

	words[n > 0 ? n : 0] = '\0';
	return words;
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	log_open("test", LOG_ERROR);
	now_ms = 5000;
	clock_fake(now_ms * 1000, 0);
	well = true;
	l = loop_new();
	s = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	supervisor_free(s);
	loop_free(l);
	clock_fake(-1, -1);
	if (ear >= 0)
		close(ear);
	ear = -1;
	if (name[0] == '/')
		unlink(name);
	return 0;
}

static void nobody_listens__nothing_is_said_and_nothing_fails(void **state)
{
	static const char *const nowhere[] = {"", "relative", "/", "@", "vsock:2:1"};

	(void)state;
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		setenv("NOTIFY_SOCKET", nowhere[i], 1);
		start();
		supervisor_say(s, "READY=1");
		supervisor_free(s);
	}
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "3000000", 1);
	start();
	supervisor_say(s, "READY=1");
	pass_ms(60000);
}

static void words_arrive_as_they_were_said(void **state)
{
	(void)state;
	listen_at("/tmp");
	start();
	supervisor_say(s, "READY=1\nSTATUS=%d orders", 7);
	assert_string_equal(heard(), "READY=1\nSTATUS=7 orders");
	supervisor_say_reloading(s);
	assert_string_equal(heard(), "RELOADING=1\nMONOTONIC_USEC=5000000");
	pass_ms(60000);
	assert_string_equal(heard(), ""); /* no watchdog was asked for */
}

static void abstract_name_is_one(void **state)
{
	(void)state;
	listen_at("@");
	start();
	supervisor_say(s, "STOPPING=1");
	assert_string_equal(heard(), "STOPPING=1");
}

static void watchdog_hears_from_us_while_all_is_well(void **state)
{
	(void)state;
	listen_at("@");
	setenv("WATCHDOG_USEC", "3000000", 1);
	start();
	pass_ms(0);
	assert_string_equal(heard(), "WATCHDOG=1");
	pass_ms(999);
	assert_string_equal(heard(), "");
	pass_ms(1);
	assert_string_equal(heard(), "WATCHDOG=1");
	well = false;
	pass_ms(10000);
	assert_string_equal(heard(), "");
	well = true;
	pass_ms(1000);
	assert_string_equal(heard(), "WATCHDOG=1");
}

static void watchdog_of_another_process_is_not_ours(void **state)
{
	char other[32];

	(void)state;
	listen_at("@");
	setenv("WATCHDOG_USEC", "3000000", 1);
	snprintf(other, sizeof(other), "%d", (int)getppid());
	setenv("WATCHDOG_PID", other, 1);
	start();
	pass_ms(10000);
	assert_string_equal(heard(), "");
}

/* A supervisor that is busy has a full queue; what it is told last is what it must know. */
static void supervisor_that_is_busy_hears_the_last_word_later(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	socklen_t n;
	int flood = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), sent = 0;

	(void)state;
	listen_at("/tmp");
	strcpy(to.sun_path, name);
	n = (socklen_t)sizeof(to);
	while (sent < FULL_MOST && sendto(flood, "x", 1, 0, (struct sockaddr *)&to, n) == 1)
		sent++;
	assert_in_range(sent, 1, FULL_MOST - 1);
	start();
	supervisor_say(s, "RELOADING=1");
	supervisor_say(s, "READY=1");
	while (sent-- > 0)
		assert_string_equal(heard(), "x");
	assert_string_equal(heard(), "");
	pass_ms(1000);
	assert_string_equal(heard(), "READY=1");
	pass_ms(1000);
	assert_string_equal(heard(), "");
	close(flood);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_listens__nothing_is_said_and_nothing_fails),
		TEST(words_arrive_as_they_were_said),
		TEST(abstract_name_is_one),
		TEST(watchdog_hears_from_us_while_all_is_well),
		TEST(watchdog_of_another_process_is_not_ours),
		TEST(supervisor_that_is_busy_hears_the_last_word_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
