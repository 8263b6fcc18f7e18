#include "core/flow/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"

enum {
	WORDS_MAX = 256,
	AGAIN_MS = 500, /* what could not be sent */
	PULSE_PARTS = 3 /* of the watchdog's time: two may be late */
};

struct supervisor {
	struct loop *loop;
	bool (*is_well)(void *arg);
	void *arg;
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_size;
	int64_t pulse_ms; /* 0: no watchdog */
	struct timer pulse, again;
	char unsaid[WORDS_MAX];
};

/* ---- the environment ---- */

/* "/run/systemd/notify", or "@name" in the abstract namespace. */
static bool address_of(const char *path, struct sockaddr_un *ret, socklen_t *ret_size)
{
	size_t n = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof(ret->sun_path))
		return false;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, n);
	if (path[0] == '@')
		ret->sun_path[0] = '\0';
	/* an abstract name ends where its address does */
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
	return true;
}

static void open_socket(struct supervisor *s)
{
	const char *path =
		getenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe) banned-ok: no setting

	s->fd = -1;
	if (path == NULL || path[0] == '\0')
		return;
	if (!address_of(path, &s->to, &s->to_size)) {
		log_warn("supervisor_unknown", "socket=%s", LOG_Q(path));
		return;
	}
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A number in the environment; 0: none, or nonsense. */
static int64_t number_of(const char *name)
{
	const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe) banned-ok: no setting
	long long n;

	return text != NULL && str_to_i64(str_of(text), 1, INT64_MAX, &n) ? n : 0;
}

/* How often somebody wants to hear from this very process; 0: nobody does. */
static int64_t pulse_wanted_ms(void)
{
	int64_t us = number_of("WATCHDOG_USEC"), pid = number_of("WATCHDOG_PID");
	int64_t ms = us / 1000 / PULSE_PARTS;

	if (us == 0 || (pid != 0 && pid != getpid()))
		return 0;
	return ms > 0 ? ms : 1;
}

/* ---- saying ---- */

static bool send_words(struct supervisor *s, const char *words)
{
	ssize_t n;

	do
		n = sendto(s->fd, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT,
			   (const struct sockaddr *)(const void *)&s->to, s->to_size);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

static void say(struct supervisor *s)
{
	if (send_words(s, s->unsaid)) {
		timer_clear(s->loop, &s->again);
		return;
	}
	log_warn("supervisor_not_told", "why=%s",
		 LOG_Q(strerror(errno))); // NOLINT(concurrency-mt-unsafe)
	timer_set(s->loop, &s->again, clock_mono_ms() + AGAIN_MS);
}

static void on_again(struct timer *t)
{
	say((struct supervisor *)(void *)((char *)t - offsetof(struct supervisor, again)));
}

void supervisor_say(struct supervisor *s, const char *fmt, ...)
{
	va_list ap;

	if (s->fd < 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(s->unsaid, sizeof(s->unsaid), fmt, ap);
	va_end(ap);
	say(s);
}

void supervisor_say_reloading(struct supervisor *s)
{
	supervisor_say(s, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
}

static void on_pulse(struct timer *t)
{
	struct supervisor *s =
		(struct supervisor *)(void *)((char *)t - offsetof(struct supervisor, pulse));

	if (s->is_well(s->arg))
		(void)send_words(s, "WATCHDOG=1"); /* the next one is as good */
	timer_set(s->loop, t, clock_mono_ms() + s->pulse_ms);
}

/* ---- life ---- */

struct supervisor *supervisor_new(struct loop *l, bool (*is_well)(void *arg), void *arg)
{
	struct supervisor *s = mem_alloc(sizeof(*s));

	s->loop = l;
	s->is_well = is_well;
	s->arg = arg;
	s->pulse.on_due = on_pulse;
	s->again.on_due = on_again;
	open_socket(s);
	s->pulse_ms = s->fd >= 0 ? pulse_wanted_ms() : 0;
	if (s->pulse_ms > 0)
		timer_set(l, &s->pulse, clock_mono_ms());
	return s;
}

void supervisor_free(struct supervisor *s)
{
	timer_clear(s->loop, &s->pulse);
	timer_clear(s->loop, &s->again);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}
