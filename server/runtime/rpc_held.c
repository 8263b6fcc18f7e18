/*
 * Listeners on sockets that systemd holds.  gRPC takes no listening socket, but connections, one by
 * one and without TLS: they are accepted by held_listener.h and handed over once their callers have
 * spoken.  From then on they are like any other of this server, with its channel arguments.
 *
 * While orderd is restarted callers wait in the socket's backlog, and are worth it: accepting
 * begins when calls can be served, or after PATIENCE_MS, for who waits longer had better hear why.
 */
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/mem.h"
#include "core/listen/held_listener.h"
#include "core/listen/held_sockets.h"
#include "server/auth/auth.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/self_probe.h"

enum {
	PATIENCE_MS = 5000,      /* clients wait 20 s for a connection, mostly */
	EDGE_FROM_MAX = 1 << 16, /* the kernel's table reaches to the highest descriptor */
};

/*
 * gRPC tells a call's connection by nothing but its descriptor's number, and one that was closed
 * may be another's by the time its calls are looked at.  So edges have numbers of their own, the
 * upper half, which are never anybody else's.  Half of the files is what the quota admits.
 */
static int edge_from(void)
{
	struct rlimit r = {.rlim_cur = 1024};

	getrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur / 2 < EDGE_FROM_MAX ? (int)(r.rlim_cur / 2) : EDGE_FROM_MAX;
}

static void on_connection(void *arg, int fd)
{
	struct rpc_server *s = arg;
	grpc_server_credentials *none = grpc_insecure_server_credentials_create();

	grpc_server_add_channel_from_fd(s->core, fd, none);
	grpc_server_credentials_release(none);
}

char *rpc_held_listen(struct rpc_server *s, struct str one, enum listener_kind kind,
		      struct str name)
{
	struct held_sockets nothing = {.why_none = "LISTEN_PID is not set"};
	bool edge = kind == LISTENER_EDGE;
	int border = edge_from();
	struct held_listener_options opt = {.loop = s->loop,
					    .from = edge ? border : 0,
					    .below = edge ? INT_MAX : border,
					    .patience_ms = RPC_HANDSHAKE_MS,
					    .on_connection = on_connection,
					    .arg = s};
	char *address;

	opt.fd = held_sockets_take(s->opt.held != NULL ? s->opt.held : &nothing, "listen", name,
				   &address);
	if (edge)
		listeners_check_held_edge(one, address);
	auth_edge_from(s->opt.auth, border);
	opt.name = s->names[s->n_addresses] = mem_printf(STR_FMT, STR_ARG(name));
	s->held[s->n_addresses] = held_listener_new(&opt);
	return address;
}

void rpc_held_open(struct rpc_server *s)
{
	timer_clear(s->loop, &s->held_wait);
	if (s->held_open || s->phase > RPC_LAME_DUCK)
		return;
	s->held_open = true;
	for (size_t i = 0; i < s->n_addresses; i++) {
		if (s->held[i] == NULL)
			continue;
		held_listener_open(s->held[i]);
		rpc_probe(s, i);
	}
}

static void on_waited(struct timer *t)
{
	rpc_held_open((void *)((char *)t - offsetof(struct rpc_server, held_wait)));
}

void rpc_held_wait(struct rpc_server *s)
{
	s->held_wait.on_due = on_waited;
	timer_set(s->loop, &s->held_wait, clock_mono_ms() + PATIENCE_MS);
}

bool rpc_held_stop(struct rpc_server *s)
{
	bool any = false;

	timer_clear(s->loop, &s->held_wait);
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->held[i] != NULL) {
			held_listener_stop(s->held[i]);
			any = true;
		}
	return any;
}

void rpc_held_close(struct rpc_server *s)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->held[i] != NULL) {
			held_listener_close(s->held[i]);
			s->held[i] = NULL;
		}
}
