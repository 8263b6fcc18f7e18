#include "tests/support/cutproxy.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, BUFFER = 1 << 20 };

/* One direction of one connection. */
struct stream {
	char *buf;
	size_t n;
	bool ready_seen; /* to client: ReadyForQuery ends the startup exchange */
};

struct pair {
	int fds[2]; /* client, server */
	struct stream up, down;
	bool started; /* the server said it is ready */
	bool first;   /* the client's next message has no type byte */
	bool behind;  /* cut before the Sync that comes next */
};

struct cutproxy {
	char dir[64], conninfo[160], upstream[128];
	int listener, wake[2];
	pthread_t thread;
	struct pair pairs[PAIRS_MAX];
	int n_pairs;
	atomic_int left[CUT_SIDES]; /* messages until the cut; negative: not armed */
	atomic_bool cut;
};

static int unix_socket(const char *path, bool listening)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(strlen(path) < sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	if (listening) {
		if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 16) != 0)
			abort();
	} else if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void drop_pair(struct cutproxy *x, int i)
{
	struct pair *p = &x->pairs[i];

	close(p->fds[0]);
	close(p->fds[1]);
	free(p->up.buf);
	free(p->down.buf);
	x->pairs[i] = x->pairs[--x->n_pairs];
}

static void accept_pair(struct cutproxy *x)
{
	int client = accept4(x->listener, NULL, NULL, SOCK_CLOEXEC);
	int server = client >= 0 && x->n_pairs < PAIRS_MAX ? unix_socket(x->upstream, false) : -1;

	if (server < 0) {
		if (client >= 0)
			close(client);
		return;
	}
	x->pairs[x->n_pairs++] = (struct pair){.fds = {client, server},
					       .first = true,
					       .up.buf = malloc(BUFFER),
					       .down.buf = malloc(BUFFER)};
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static uint32_t length_at(const char *p)
{
	uint32_t n;

	memcpy(&n, p, 4);
	return ntohl(n);
}

/* Whether this message may pass; false cuts. */
static bool passes(struct cutproxy *x, enum cut_side side, const struct pair *p)
{
	int left = atomic_load(&x->left[side]);

	if (!p->started || left < 0)
		return true;
	atomic_store(&x->left[side], left - 1);
	if (left > 0)
		return true;
	atomic_store(&x->cut, true);
	return false;
}

/* Bind (type, length, portal name, statement name) of the store's COMMIT. */
static bool is_commit(const char *message, size_t n)
{
	return n > 20 && message[0] == 'B' && message[5] == '\0' &&
	       strcmp(message + 6, "store_commit") == 0;
}

static bool client_message_passes(struct cutproxy *x, struct pair *p, const char *message, size_t n)
{
	if (is_commit(message, n)) {
		if (!passes(x, CUT_BEFORE_COMMIT, p))
			return false;
		p->behind = !passes(x, CUT_BEHIND_COMMIT, p);
	}
	return !(p->behind && message[0] == 'S') && passes(x, CUT_TO_SERVER, p);
}

/* Forward every whole message of the buffer. */
static bool forward(struct cutproxy *x, struct pair *p, enum cut_side side)
{
	struct stream *s = side == CUT_TO_SERVER ? &p->up : &p->down;
	int to = side == CUT_TO_SERVER ? p->fds[1] : p->fds[0];
	size_t at = 0;

	for (;;) {
		size_t type = side == CUT_TO_SERVER && p->first ? 0 : 1, size;

		if (s->n - at < type + 4)
			break;
		size = type + length_at(s->buf + at + type);
		assert(size <= BUFFER);
		if (s->n - at < size)
			break;
		if (!(side == CUT_TO_SERVER ? client_message_passes(x, p, s->buf + at, size)
					    : passes(x, side, p)) ||
		    !write_all(to, s->buf + at, size))
			return false;
		if (side == CUT_TO_SERVER)
			p->first = false;
		else if (s->buf[at] == 'Z')
			p->started = true;
		at += size;
	}
	memmove(s->buf, s->buf + at, s->n - at);
	s->n -= at;
	return true;
}

static bool move(struct cutproxy *x, struct pair *p, enum cut_side side)
{
	struct stream *s = side == CUT_TO_SERVER ? &p->up : &p->down;
	int from = side == CUT_TO_SERVER ? p->fds[0] : p->fds[1];
	ssize_t r = recv(from, s->buf + s->n, BUFFER - s->n, 0);

	if (r <= 0)
		return false;
	s->n += (size_t)r;
	return forward(x, p, side);
}

static void *serve(void *arg)
{
	struct cutproxy *x = arg;
	struct pollfd fds[2 + 2 * PAIRS_MAX];

	for (;;) {
		int n = x->n_pairs;

		fds[0] = (struct pollfd){.fd = x->wake[0], .events = POLLIN};
		fds[1] = (struct pollfd){.fd = x->listener, .events = POLLIN};
		for (int i = 0; i < n; i++) {
			fds[2 + 2 * i] =
				(struct pollfd){.fd = x->pairs[i].fds[0], .events = POLLIN};
			fds[3 + 2 * i] =
				(struct pollfd){.fd = x->pairs[i].fds[1], .events = POLLIN};
		}
		if (poll(fds, (nfds_t)(2 + 2 * n), -1) < 0)
			continue;
		if (fds[0].revents != 0)
			return NULL;
		for (int i = n - 1; i >= 0; i--) {
			if ((fds[2 + 2 * i].revents != 0 &&
			     !move(x, &x->pairs[i], CUT_TO_SERVER)) ||
			    (fds[3 + 2 * i].revents != 0 && !move(x, &x->pairs[i], CUT_TO_CLIENT)))
				drop_pair(x, i);
		}
		if (fds[1].revents != 0)
			accept_pair(x);
	}
}

struct cutproxy *cutproxy_new(const struct pg *pg)
{
	struct cutproxy *x = calloc(1, sizeof(*x));
	char path[96];

	assert(x != NULL);
	strcpy(x->dir, "/tmp/ocut.XXXXXX");
	if (mkdtemp(x->dir) == NULL || pipe(x->wake) != 0)
		abort();
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", x->dir);
	snprintf(x->upstream, sizeof(x->upstream), "%s/.s.PGSQL.5432", pg->sockets);
	snprintf(x->conninfo, sizeof(x->conninfo),
		 "host=%s user=postgres dbname=postgres gssencmode=disable", x->dir);
	x->listener = unix_socket(path, true);
	cutproxy_disarm(x);
	if (pthread_create(&x->thread, NULL, serve, x) != 0)
		abort();
	return x;
}

void cutproxy_free(struct cutproxy *x)
{
	char path[96];

	if (write(x->wake[1], "", 1) != 1)
		abort();
	pthread_join(x->thread, NULL);
	while (x->n_pairs > 0)
		drop_pair(x, 0);
	close(x->listener);
	close(x->wake[0]);
	close(x->wake[1]);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", x->dir);
	unlink(path);
	rmdir(x->dir);
	free(x);
}

const char *cutproxy_conninfo(const struct cutproxy *x)
{
	return x->conninfo;
}

void cutproxy_arm(struct cutproxy *x, enum cut_side side, int n)
{
	atomic_store(&x->cut, false);
	atomic_store(&x->left[side], n);
}

bool cutproxy_has_cut(const struct cutproxy *x)
{
	return atomic_load(&x->cut);
}

void cutproxy_disarm(struct cutproxy *x)
{
	for (int side = 0; side < CUT_SIDES; side++)
		atomic_store(&x->left[side], -1);
}
