#include "tests/integration/mail_peer.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/loopback.h"

enum { BLOCK = 65536 };

struct peer peer;

/* False: hang up. */
static bool say(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

bool heard(const char *text)
{
	return strstr(peer.heard, text) != NULL;
}

static bool after_dot(int fd)
{
	peer.in_data = false;
	peer.mails++;
	if (heard("<drop@"))
		return false;
	if (heard("<hang@"))
		return true;
	if (heard("<dot451@"))
		return say(fd, "451 4.3.0 disk full\r\n");
	if (heard("<dot554@"))
		return say(fd,
			   "554-5.7.1 looks like spam\r\n554 5.7.1 <dot554@x.example> says no\r\n");
	return say(fd, "250 2.0.0 taken\r\n");
}

static bool on_rcpt(int fd)
{
	if (heard("<grey@"))
		return say(fd, "451 4.7.1 greylisted, come again\r\n");
	if (heard("<nobody@"))
		return say(fd, "550 5.1.1 <nobody@x.example>: no such user\r\n");
	if (heard("<login@"))
		return say(fd, "530 5.7.0 authentication required\r\n");
	if (heard("<gone@"))
		return false;
	if (heard("<silent@"))
		return true;
	if (peer.rcpt_reply != NULL)
		return say(fd, peer.rcpt_reply);
	return say(fd, "250 2.1.5 ok\r\n");
}

static bool on_line(int fd, const char *line)
{
	if (peer.in_data)
		return strcmp(line, ".") != 0 || after_dot(fd);
	if (starts(line, "EHLO"))
		return say(fd, peer.ehlo);
	if (starts(line, "RCPT"))
		return on_rcpt(fd);
	if (starts(line, "AUTH"))
		return say(fd, "535 5.7.8 wrong password\r\n");
	if (starts(line, "DATA")) {
		peer.in_data = true;
		return say(fd, "354 go on\r\n");
	}
	if (starts(line, "QUIT")) {
		peer.quits++;
		return true; /* no answer: whoever waits for one, waits */
	}
	return say(fd, "250 ok\r\n");
}

/* Keep a line, of much the beginning, and act on it. */
static bool take_line(int fd, char *line, size_t n)
{
	peer.taken += n;
	assert_true(n > 0 && line[n - 1] == '\r'); /* every line ends with CR LF */
	if (peer.n + n + 2 < PEER_HEARD_MAX) {
		memcpy(peer.heard + peer.n, line, n);
		peer.n += n;
		peer.heard[peer.n++] = '\n';
	}
	line[n - 1] = '\0';
	return on_line(fd, line);
}

/* What has been sent is read before the end. */
static bool stopped_before(int fd)
{
	struct pollfd fds[2] = {{fd, POLLIN, 0}, {peer.stop_fds[0], POLLIN, 0}};

	poll(fds, 2, -1);
	return fds[0].revents == 0;
}

static void serve(int fd)
{
	static char in[BLOCK + 1];
	size_t n = 0;

	if (!say(fd, peer.greeting))
		return;
	while (!stopped_before(fd)) {
		ssize_t got = recv(fd, in + n, BLOCK - n, 0);
		char *line = in, *end;

		if (got <= 0)
			return;
		n += (size_t)got;
		while ((end = memchr(line, '\n', n)) != NULL) {
			n -= (size_t)(end + 1 - line);
			if (!take_line(fd, line, (size_t)(end - line)))
				return;
			line = end + 1;
		}
		memmove(in, line, n);
	}
}

static void *run_peer(void *arg)
{
	(void)arg;
	while (!stopped_before(peer.listen_fd)) {
		int fd = accept(peer.listen_fd, NULL, NULL);

		peer.in_data = false;
		peer.n = 0;
		memset(peer.heard, 0, sizeof(peer.heard));
		serve(fd);
		close(fd);
	}
	return NULL;
}

void peer_start(void)
{
	peer = (struct peer){.greeting = "220 x.example\r\n",
			     .ehlo = "250-x.example\r\n250 8BITMIME\r\n"};
	peer.listen_fd = bound_socket(&peer.port);
	listen(peer.listen_fd, 4);
	assert_int_equal(pipe(peer.stop_fds), 0);
	pthread_create(&peer.thread, NULL, run_peer, NULL);
}

void peer_stop(void)
{
	if (peer.thread == 0)
		return;
	assert_int_equal(write(peer.stop_fds[1], "x", 1), 1);
	pthread_join(peer.thread, NULL);
	peer.thread = 0;
}

void peer_done(void)
{
	peer_stop();
	close(peer.listen_fd);
	close(peer.stop_fds[0]);
	close(peer.stop_fds[1]);
}
