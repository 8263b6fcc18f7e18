#include "core/listen/held_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/config.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/listen/address.h"

enum { FIRST_FD = 3 }; /* SD_LISTEN_FDS_START */

/* ---- the environment ---- */

/* Heap; NULL: it is not set.  It is not set afterwards. */
static char *take_variable(const char *name)
{
	const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe) banned-ok: no setting
	char *text = value != NULL ? mem_text(value) : NULL;

	unsetenv(name); // NOLINT(concurrency-mt-unsafe) before there are threads
	return text;
}

static bool close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* One that nobody named is called so by systemd. */
static struct str next_name(struct str *names)
{
	struct str name;

	if (names->p == NULL)
		return STR("unknown");
	return str_next(names, ':', &name) ? name : STR("");
}

static const char *read_list(struct held_sockets *hs, const char *count)
{
	struct str names = str_of(hs->names);
	long long n;

	if (count == NULL || !str_to_i64(str_of(count), 1, HELD_SOCKETS_MAX, &n))
		return "LISTEN_FDS is no number of sockets, or too large";
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
		struct str name = next_name(&names);

		if (!close_on_exec(fd))
			return "LISTEN_FDS counts descriptors that are not open";
		if (name.n == 0)
			return "LISTEN_FDNAMES has fewer names than LISTEN_FDS has sockets";
		hs->list[hs->n++] = (struct held_socket){.fd = fd, .name = name};
	}
	return names.n == 0 ? NULL : "LISTEN_FDNAMES has more names than LISTEN_FDS has sockets";
}

static bool is_us(const char *pid)
{
	long long n;

	return str_to_i64(str_of(pid), 1, INT32_MAX, &n) && n == getpid();
}

void held_sockets_read(struct held_sockets *hs)
{
	char *pid = take_variable("LISTEN_PID"), *count = take_variable("LISTEN_FDS");

	*hs = (struct held_sockets){.names = take_variable("LISTEN_FDNAMES")};
	if (pid == NULL)
		hs->why_none = "LISTEN_PID is not set";
	else if (!is_us(pid))
		hs->why_none = "LISTEN_PID is another process";
	else
		hs->why_none = read_list(hs, count);
	if (hs->why_none != NULL)
		hs->n = 0;
	free(pid);
	free(count);
}

/* ---- which sockets will do ---- */

static bool is_listening(int fd)
{
	int type = 0, listens = 0;
	socklen_t n = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && listens != 0;
}

/* We must be let in there ourselves, as everybody is: how else could we tell whether it answers? */
static char *unix_address(const char *field, struct str name, const struct sockaddr_un *at)
{
	if (at->sun_path[0] != '/')
		config_refuse(field, "fd:" STR_FMT " is a unix socket without a path",
			      STR_ARG(name));
	if (access(at->sun_path, W_OK) != 0)
		config_refuse(field, "fd:" STR_FMT ": %s may not be connected to by ourselves: %s",
			      STR_ARG(name), at->sun_path, strerror(errno));
	return mem_printf("unix:%s", at->sun_path);
}

static char *tcp_address(const char *field, struct str name, const struct sockaddr_storage *at)
{
	const struct sockaddr_in *v4 = (const void *)at;
	const struct sockaddr_in6 *v6 = (const void *)at;
	bool is_v4 = at->ss_family == AF_INET;
	char host[INET6_ADDRSTRLEN];

	inet_ntop(at->ss_family, is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr,
		  host, sizeof(host));
	if (!address_is_loopback(at))
		config_refuse(field,
			      "fd:" STR_FMT
			      " is bound to %s: only loopback addresses and unix "
			      "sockets may be listened on so",
			      STR_ARG(name), host);
	return mem_printf(is_v4 ? "%s:%u" : "[%s]:%u", host,
			  (unsigned)ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
}

static char *address_of(const char *field, struct str name, int fd)
{
	struct sockaddr_storage at = {0};
	socklen_t n = sizeof(at) - 1; /* a path may fill its place without a NUL */

	if (!is_listening(fd) || getsockname(fd, (struct sockaddr *)(void *)&at, &n) != 0)
		config_refuse(field, "fd:" STR_FMT " is no listening stream socket", STR_ARG(name));
	switch (at.ss_family) {
	case AF_UNIX:
		return unix_address(field, name, (const void *)&at);
	case AF_INET:
	case AF_INET6:
		return tcp_address(field, name, &at);
	default:
		config_refuse(field, "fd:" STR_FMT " is neither a unix nor a TCP socket",
			      STR_ARG(name));
	}
}

static struct held_socket *find(struct held_sockets *hs, const char *field, struct str name)
{
	struct held_socket *found = NULL;

	for (size_t i = 0; i < hs->n; i++) {
		if (!str_eq(hs->list[i].name, name))
			continue;
		if (found != NULL)
			config_refuse(field,
				      "systemd passed two sockets named " STR_FMT
				      ": each needs a FileDescriptorName= of its own",
				      STR_ARG(name));
		found = &hs->list[i];
	}
	if (found == NULL)
		config_refuse(field, "systemd passed no socket named " STR_FMT "%s%s",
			      STR_ARG(name), hs->why_none != NULL ? ": " : "",
			      hs->why_none != NULL ? hs->why_none : "");
	return found;
}

int held_sockets_take(struct held_sockets *hs, const char *field, struct str name,
		      char **ret_address)
{
	struct held_socket *found = find(hs, field, name);
	int fd = found->fd;

	*ret_address = address_of(field, name, fd);
	*found = hs->list[--hs->n];
	return fd;
}

void held_sockets_done(struct held_sockets *hs)
{
	for (size_t i = 0; i < hs->n; i++) {
		log_warn("socket_not_used", "name=%s",
			 log_quote(hs->list[i].name.p, (int)hs->list[i].name.n));
		close(hs->list[i].fd);
	}
	hs->n = 0;
	free(hs->names);
	hs->names = NULL;
}
