#include "tests/integration/http_peer.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/loopback.h"

enum { CONNS = 16 };

struct conn {
	int fd;
	int served;
	char in[4096];
	size_t n;
};

struct http_peer http_peer;

static pthread_t thread;
static int listen_fd, stop_fds[2];
static struct conn conns[CONNS];

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void say_many(int fd, bool with_length)
{
	static char body[2 * HTTP_PEER_BODY_MAX + 1];

	memset(body, 'x', sizeof(body) - 1);
	say(fd, with_length ? "HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n"
			    : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	(void)send(fd, body, sizeof(body) - 1, MSG_NOSIGNAL);
}

/* False: close. */
static bool act(struct conn *c)
{
	if (strstr(c->in, " /hang ") != NULL)
		return true;
	if (strstr(c->in, " /drop ") != NULL ||
	    (strstr(c->in, " /stale ") != NULL && c->served > 0))
		return false;
	if (strstr(c->in, " /redirect ") != NULL)
		say(c->fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
	else if (strstr(c->in, " /busy ") != NULL)
		say(c->fd,
		    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\n"
		    "Stripe-Should-Retry:  false\r\nRequest-Id: req_1\r\n"
		    "Content-Length: 4\r\n\r\nbusy");
	else if (strstr(c->in, " /big ") != NULL)
		say_many(c->fd, true);
	else if (strstr(c->in, " /endless ") != NULL) {
		say_many(c->fd, false);
		return false;
	} else if (strstr(c->in, " /half ") != NULL) {
		say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
		return false;
	} else {
		say(c->fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	}
	c->served++;
	return true;
}

/* A request is whole when its head and as many bytes as it promised are here. */
static bool whole(const struct conn *c)
{
	const char *body = strstr(c->in, "\r\n\r\n");
	const char *length = strstr(c->in, "Content-Length: ");
	size_t want = length != NULL ? strtoul(length + 16, NULL, 10) : 0;

	return body != NULL && strlen(body + 4) >= want;
}

static bool serve(struct conn *c)
{
	ssize_t got = recv(c->fd, c->in + c->n, sizeof(c->in) - 1 - c->n, 0);

	if (got <= 0 || (c->n == 0 && c->in[0] == 0x16)) /* gone, or a TLS hello */
		return false;
	c->n += (size_t)got;
	c->in[c->n] = '\0';
	if (c->in[0] == 0x16)
		return false;
	if (!whole(c))
		return true;
	http_peer.requests++;
	c->n = 0;
	return act(c);
}

static void take_conn(int fd)
{
	int open_now = 1;
	int i;

	for (i = 0; i < CONNS; i++)
		open_now += conns[i].fd >= 0;
	if (open_now > http_peer.open_most)
		http_peer.open_most = open_now;
	for (i = 0; i < CONNS; i++)
		if (conns[i].fd < 0) {
			conns[i] = (struct conn){.fd = fd};
			return;
		}
	close(fd);
}

static void *run_peer(void *arg)
{
	struct pollfd fds[CONNS + 2];
	int i;

	(void)arg;
	for (;;) {
		fds[CONNS] = (struct pollfd){listen_fd, POLLIN, 0};
		fds[CONNS + 1] = (struct pollfd){stop_fds[0], POLLIN, 0};
		for (i = 0; i < CONNS; i++)
			fds[i] = (struct pollfd){conns[i].fd, POLLIN, 0};
		poll(fds, CONNS + 2, -1);
		if (fds[CONNS + 1].revents != 0)
			return NULL;
		for (i = 0; i < CONNS; i++)
			if (fds[i].revents != 0 && !serve(&conns[i])) {
				close(conns[i].fd);
				conns[i].fd = -1;
			}
		if (fds[CONNS].revents != 0)
			take_conn(accept(listen_fd, NULL, NULL));
	}
}

void http_peer_start(void)
{
	for (int i = 0; i < CONNS; i++)
		conns[i].fd = -1;
	http_peer.requests = 0;
	http_peer.open_most = 0;
	listen_fd = bound_socket(&http_peer.port);
	listen(listen_fd, CONNS);
	assert_int_equal(pipe(stop_fds), 0);
	pthread_create(&thread, NULL, run_peer, NULL);
}

void http_peer_stop(void)
{
	assert_int_equal(write(stop_fds[1], "x", 1), 1);
	pthread_join(thread, NULL);
	for (int i = 0; i < CONNS; i++)
		if (conns[i].fd >= 0)
			close(conns[i].fd);
	close(listen_fd);
	close(stop_fds[0]);
	close(stop_fds[1]);
}
