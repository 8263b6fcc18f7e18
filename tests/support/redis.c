/*
 * A private redis-server; see redis.h.
 */
#include "tests/support/redis.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

enum { START_MS = 20000, ANSWER_S = 10 };

struct redis_server {
	char dir[32];
	char address[64];
	char port[8];
	pid_t pid;
	int log; /* its standard output */
	redisContext *client;
};

static void give_up(const char *what)
{
	(void)fprintf(stderr, "redis-server: %s\n", what);
	abort();
}

/* A port nobody has: the kernel's choice, given back just before the server takes it. */
static int free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &n) != 0)
		give_up("no free port");
	(void)close(fd);
	return ntohs(at.sin_port);
}

static _Noreturn void run_server(const struct redis_server *s, int out)
{
	const char *path = s->address + strlen("unix:");

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(out, STDERR_FILENO);
	(void)execlp("redis-server", "redis-server", "--port", s->port, "--bind", "127.0.0.1",
		     "--unixsocket", path, "--dir", s->dir, "--save", "", "--appendonly", "no",
		     "--maxmemory-policy", "noeviction", (char *)NULL);
	_exit(127);
}

static void wait_until_ready(const struct redis_server *s)
{
	int64_t until_ms = clock_mono_ms() + START_MS;
	char log[16384];
	size_t n = 0;

	while (n < sizeof(log) - 1) {
		struct pollfd p = {.fd = s->log, .events = POLLIN};
		int64_t left_ms = until_ms - clock_mono_ms();
		ssize_t got;

		if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
			break;
		got = read(s->log, log + n, sizeof(log) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		log[n] = '\0';
		/* The last of its lines; the one for TCP comes before. */
		if (strstr(log, "connections at") != NULL)
			return;
	}
	give_up("it did not start");
}

void redis_server_again(struct redis_server *s)
{
	int out[2];

	if (pipe(out) != 0)
		give_up("no pipe");
	s->pid = fork();
	if (s->pid == 0)
		run_server(s, out[1]);
	(void)close(out[1]);
	s->log = out[0];
	if (s->pid < 0)
		give_up("no process");
	wait_until_ready(s);
}

struct redis_server *redis_server_start(void)
{
	struct redis_server *s = mem_alloc(sizeof(*s));

	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/redis.XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		give_up("no directory");
	(void)snprintf(s->address, sizeof(s->address), "unix:%s/s", s->dir);
	(void)snprintf(s->port, sizeof(s->port), "%d", free_port());
	redis_server_again(s);
	return s;
}

static void disconnect(struct redis_server *s)
{
	if (s->client != NULL)
		redisFree(s->client);
	s->client = NULL;
}

void redis_server_kill(struct redis_server *s)
{
	disconnect(s);
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL);
		(void)waitpid(s->pid, NULL, 0);
		(void)close(s->log);
	}
	s->pid = 0;
}

void redis_server_stop(struct redis_server *s)
{
	redis_server_kill(s);
	(void)unlink(s->address + strlen("unix:"));
	(void)rmdir(s->dir);
	free(s);
}

void redis_server_freeze(struct redis_server *s, bool frozen)
{
	(void)kill(s->pid, frozen ? SIGSTOP : SIGCONT);
}

const char *redis_server_address(const struct redis_server *s)
{
	return s->address;
}

int redis_server_port(const struct redis_server *s)
{
	return atoi(s->port);
}

static redisReply *ask(struct redis_server *s, const char *fmt, va_list ap)
{
	redisReply *r;

	if (s->client == NULL) {
		s->client = redisConnectUnixWithTimeout(s->address + strlen("unix:"),
							(struct timeval){.tv_sec = ANSWER_S});
		if (s->client == NULL || s->client->err != 0)
			give_up("cannot connect");
		(void)redisSetTimeout(s->client, (struct timeval){.tv_sec = ANSWER_S});
	}
	r = redisvCommand(s->client, fmt, ap);
	if (r == NULL)
		give_up(s->client->errstr);
	if (r->type == REDIS_REPLY_ERROR)
		give_up(r->str);
	return r;
}

static int64_t number(const redisReply *r)
{
	if (r->type == REDIS_REPLY_INTEGER)
		return r->integer;
	if (r->type == REDIS_REPLY_STRING)
		return strtoll(r->str, NULL, 10);
	if (r->type == REDIS_REPLY_ARRAY)
		return (int64_t)r->elements;
	return -1;
}

int64_t redis_server_int(struct redis_server *s, const char *fmt, ...)
{
	redisReply *r;
	va_list ap;
	int64_t n;

	va_start(ap, fmt);
	r = ask(s, fmt, ap);
	va_end(ap);
	n = number(r);
	freeReplyObject(r);
	return n;
}

void redis_server_do(struct redis_server *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	freeReplyObject(ask(s, fmt, ap));
	va_end(ap);
}

int64_t redis_server_sum(struct redis_server *s, const char *command, const char *keys)
{
	static const char script[] =
		"local n = 0 "
		"for _, k in ipairs(redis.call('KEYS', ARGV[2])) do "
		"  if ARGV[1] == 'PENDING' then n = n + redis.call('XPENDING', k, 'w')[1] "
		"  else n = n + redis.call(ARGV[1], k) end "
		"end return n";

	return redis_server_int(s, "EVAL %s 0 %s %s", script, command, keys);
}
