/*
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES: what they pass is taken by its name, by the process it
 * was meant for, and nobody is told a second time.  Each case is a process of its own.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/listen/held_sockets.h"
#include "tests/unit/child.h"

enum { FIRST_FD = 3 };

struct said {
	const char *pid, *fds, *names; /* pid "us": the process itself; NULL: not set */
};

static void set_or_not(const char *name, const char *value)
{
	if (value != NULL)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void say(const struct said *s)
{
	char us[16];

	snprintf(us, sizeof(us), "%d", (int)getpid());
	set_or_not("LISTEN_PID", s->pid != NULL && strcmp(s->pid, "us") == 0 ? us : s->pid);
	set_or_not("LISTEN_FDS", s->fds);
	set_or_not("LISTEN_FDNAMES", s->names);
}

/* At descriptor `fd`, whatever was there. */
static void listen_at(int fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s, 8) != 0)
		abort();
	if (s == fd)
		return;
	dup2(s, fd);
	close(s);
}

/* Prints what was found. */
static void read_them(void *arg)
{
	struct held_sockets hs;

	listen_at(FIRST_FD);
	listen_at(FIRST_FD + 1);
	close(FIRST_FD + 2);
	say(arg);
	held_sockets_read(&hs);
	if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL ||
	    getenv("LISTEN_FDNAMES") != NULL)
		printf("said again ");
	printf("%s", hs.why_none != NULL ? hs.why_none : "good");
	for (size_t i = 0; i < hs.n; i++)
		printf(" %d=" STR_FMT "%s", hs.list[i].fd, STR_ARG(hs.list[i].name),
		       (fcntl(hs.list[i].fd, F_GETFD) & FD_CLOEXEC) != 0 ? "" : " stays on exec");
	held_sockets_done(&hs);
}

static void assert_found(const char *expected, struct said s)
{
	struct child c;

	child_run(&c, read_them, &s);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.out, expected);
}

static void sockets_passed__are_known_by_their_names(void **state)
{
	(void)state;
	assert_found("good 3=local 4=edge", (struct said){"us", "2", "local:edge"});
	assert_found("good 3=orderd.socket", (struct said){"us", "1", "orderd.socket"});
	assert_found("good 3=unknown 4=unknown", (struct said){"us", "2", NULL});
}

static void sockets_of_another_process__are_none(void **state)
{
	(void)state;
	assert_found("LISTEN_PID is not set", (struct said){NULL, "2", "a:b"});
	assert_found("LISTEN_PID is not set", (struct said){NULL, NULL, NULL});
	assert_found("LISTEN_PID is another process", (struct said){"1", "2", "a:b"});
	assert_found("LISTEN_PID is another process", (struct said){"", "2", "a:b"});
	assert_found("LISTEN_PID is another process", (struct said){"us too", "2", "a:b"});
}

static void nonsense__is_told_and_none(void **state)
{
	static const char count[] = "LISTEN_FDS is no number of sockets, or too large";
	static const char open[] = "LISTEN_FDS counts descriptors that are not open";
	static const char fewer[] = "LISTEN_FDNAMES has fewer names than LISTEN_FDS has sockets";
	static const char more[] = "LISTEN_FDNAMES has more names than LISTEN_FDS has sockets";

	(void)state;
	assert_found(count, (struct said){"us", NULL, "a"});
	assert_found(count, (struct said){"us", "", "a"});
	assert_found(count, (struct said){"us", "0", "a"});
	assert_found(count, (struct said){"us", "-1", "a"});
	assert_found(count, (struct said){"us", "2 sockets", "a:b"});
	assert_found(count, (struct said){"us", "33", NULL});
	assert_found(open, (struct said){"us", "3", "a:b:c"});
	assert_found(fewer, (struct said){"us", "2", "a"});
	assert_found(fewer, (struct said){"us", "1", ""});
	assert_found(fewer, (struct said){"us", "2", ":b"});
	assert_found(more, (struct said){"us", "1", "a:b"});
}

static void take_one_of_two(void *arg)
{
	struct said s = {"us", "2", arg};
	struct held_sockets hs;
	char *address;

	listen_at(FIRST_FD);
	listen_at(FIRST_FD + 1);
	say(&s);
	held_sockets_read(&hs);
	printf("%d ", held_sockets_take(&hs, "listen", STR("b"), &address));
	printf("%.10s", address);
	free(address);
	held_sockets_done(&hs);
	printf(" %s", fcntl(FIRST_FD, F_GETFD) < 0 ? "alone" : "beside another");
}

static void socket_taken__is_the_one_of_its_name_and_the_rest_are_closed(void **state)
{
	char names[] = "a:b", twice[] = "b:b";
	struct child c;

	(void)state;
	child_run(&c, take_one_of_two, names);
	assert_string_equal(c.out, "4 127.0.0.1: alone");
	child_run(&c, take_one_of_two, twice);
	assert_int_equal(c.exit_code, 2);
	assert_non_null(strstr(c.err, "two sockets named b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_passed__are_known_by_their_names),
		cmocka_unit_test(sockets_of_another_process__are_none),
		cmocka_unit_test(nonsense__is_told_and_none),
		cmocka_unit_test(socket_taken__is_the_one_of_its_name_and_the_rest_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
