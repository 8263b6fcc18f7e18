#include "core/listen/held_listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"

enum {
	ACCEPTS_A_TURN = 16, /* a crowd at the door must not keep the loop from its calls */
	LOG_EVERY_MS = 1000,
};

/* Accepted, and nothing said yet.  Its handle outlives it until libuv has closed it. */
struct silent {
	uv_poll_t poll;
	struct held_listener *listener;
	struct silent *next, *prev;
	int fd;
	int64_t deadline_ms;
};

struct held_listener {
	struct held_listener_options opt;
	uv_poll_t poll;
	struct silent ring; /* head: the oldest is next */
	unsigned n_silent;
	struct timer mute, pause;
	int64_t quiet_until_ms; /* of the log */
};

/* ---- those who say nothing ---- */

static void on_silent_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The descriptor is not watched any more, and ours to give away. */
static int forget(struct silent *s)
{
	s->next->prev = s->prev;
	s->prev->next = s->next;
	s->listener->n_silent--;
	metric_set(METRIC_held_silent, s->listener->opt.name, s->listener->n_silent);
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, on_silent_closed);
	return s->fd;
}

static void hang_up(int fd, const char *cause)
{
	metric_add(METRIC_held_closed, cause, 1);
	close(fd);
}

static void plan_mute(struct held_listener *h)
{
	if (h->ring.next == &h->ring)
		timer_clear(h->opt.loop, &h->mute);
	else
		timer_set(h->opt.loop, &h->mute, h->ring.next->deadline_ms);
}

static void on_mute(struct timer *t)
{
	struct held_listener *h = (void *)((char *)t - offsetof(struct held_listener, mute));
	int64_t now_ms = clock_mono_ms();

	while (h->ring.next != &h->ring && h->ring.next->deadline_ms <= now_ms)
		hang_up(forget(h->ring.next), "mute");
	plan_mute(h);
}

/* ---- those who do ---- */

/* -1: there is no such number left. */
static int number(const struct held_listener *h, int fd)
{
	int moved = fd < h->opt.from ? fcntl(fd, F_DUPFD_CLOEXEC, h->opt.from) : fd;

	if (moved >= 0 && moved < h->opt.below) {
		if (moved != fd)
			close(fd);
		return moved;
	}
	hang_up(fd, "files");
	return -1;
}

/* gRPC will call this caller by the descriptor's number. */
static void tell(const struct held_listener *h, int fd)
{
	struct ucred who = {0};
	socklen_t n = sizeof(who);

	if (log_wants(LOG_DEBUG) && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
		log_debug("connection", "socket=%s fd=%d pid=%d uid=%" PRIu32 " gid=%" PRIu32,
			  LOG_Q(h->opt.name), fd, (int)who.pid, (uint32_t)who.uid,
			  (uint32_t)who.gid);
}

static void on_spoken(uv_poll_t *poll, int status, int events)
{
	struct silent *s = poll->data;
	struct held_listener *h = s->listener;
	char first;
	ssize_t n = status < 0 ? 0 : recv(s->fd, &first, 1, MSG_PEEK);
	int fd;

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	fd = forget(s);
	plan_mute(h);
	if (n <= 0) {
		close(fd); /* its caller has gone */
		return;
	}
	fd = number(h, fd);
	if (fd < 0)
		return;
	tell(h, fd);
	h->opt.on_connection(h->opt.arg, fd);
}

/* ---- the door ---- */

static void welcome(struct held_listener *h, int fd)
{
	struct silent *s;
	int one = 1;

	if (h->n_silent == HELD_SILENT_MAX) {
		hang_up(fd, "crowded");
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* not of a unix one */
	s = mem_alloc(sizeof(*s));
	s->listener = h;
	s->fd = fd;
	s->deadline_ms = clock_mono_ms() + h->opt.patience_ms;
	s->poll.data = s;
	if (uv_poll_init(loop_uv(h->opt.loop), &s->poll, fd) < 0) {
		hang_up(fd, "files");
		free(s);
		return;
	}
	s->next = &h->ring;
	s->prev = h->ring.prev;
	s->next->prev = s->prev->next = s;
	metric_set(METRIC_held_silent, h->opt.name, ++h->n_silent);
	uv_poll_start(&s->poll, UV_READABLE, on_spoken);
	plan_mute(h);
}

static void on_callers(uv_poll_t *poll, int status, int events);

static void on_pause_over(struct timer *t)
{
	struct held_listener *h = (void *)((char *)t - offsetof(struct held_listener, pause));

	uv_poll_start(&h->poll, UV_READABLE, on_callers);
}

/* Mostly for lack of files.  Callers stay in the backlog; who would go on asking would spin. */
static void take_a_pause(struct held_listener *h, int error)
{
	int64_t now_ms = clock_mono_ms();

	uv_poll_stop(&h->poll);
	timer_set(h->opt.loop, &h->pause, now_ms + HELD_PAUSE_MS);
	metric_add(METRIC_held_pauses, NULL, 1);
	if (now_ms < h->quiet_until_ms)
		return;
	log_warn("accept_paused", "socket=%s why=%s", LOG_Q(h->opt.name), LOG_Q(strerror(error)));
	h->quiet_until_ms = now_ms + LOG_EVERY_MS;
}

/* accept(2): what went wrong with one connection is no reason to leave the next one waiting. */
static bool is_about_one(int error)
{
	static const int of_one[] = {EINTR,       ECONNABORTED, EPROTO, ENETDOWN,
				     ENOPROTOOPT, EHOSTDOWN,    ENONET, EHOSTUNREACH,
				     EOPNOTSUPP,  ENETUNREACH,  EPERM};

	for (size_t i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++)
		if (of_one[i] == error)
			return true;
	return false;
}

static void on_callers(uv_poll_t *poll, int status, int events)
{
	struct held_listener *h = poll->data;

	(void)status; /* accept() says more */
	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(h->opt.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			welcome(h, fd);
		else if (errno == EAGAIN)
			return;
		else if (!is_about_one(errno)) {
			take_a_pause(h, errno);
			return;
		}
	}
}

/* ---- its life ---- */

struct held_listener *held_listener_new(const struct held_listener_options *opt)
{
	struct held_listener *h = mem_alloc(sizeof(*h));
	int rc = uv_poll_init(loop_uv(opt->loop), &h->poll, opt->fd); /* it blocks no more */

	assert(rc == 0);
	h->opt = *opt;
	h->poll.data = h;
	h->ring.next = h->ring.prev = &h->ring;
	h->mute.on_due = on_mute;
	h->pause.on_due = on_pause_over;
	metric_set(METRIC_held_silent, opt->name, 0);
	return h;
}

void held_listener_open(struct held_listener *h)
{
	uv_poll_start(&h->poll, UV_READABLE, on_callers);
}

void held_listener_stop(struct held_listener *h)
{
	timer_clear(h->opt.loop, &h->pause);
	uv_poll_stop(&h->poll);
}

static void on_closed(uv_handle_t *handle)
{
	struct held_listener *h = handle->data;

	close(h->opt.fd); /* systemd has it still */
	free(h);
}

void held_listener_close(struct held_listener *h)
{
	held_listener_stop(h);
	while (h->ring.next != &h->ring)
		close(forget(h->ring.next));
	timer_clear(h->opt.loop, &h->mute);
	uv_close((uv_handle_t *)&h->poll, on_closed);
}
