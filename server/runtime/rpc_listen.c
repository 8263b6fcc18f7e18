/*
 * gRPC core's own bounds, and the addresses it listens on.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <grpc/grpc_security.h>

#include "core/base/config.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "server/auth/auth.h"
#include "server/auth/listeners.h"
#include "server/runtime/rpc_runtime.h"

/* An edge's socket: whoever gets in says who calls, so its owner and its group alone do. */
#define EDGE_UMASK 0117

enum {
	/* What the resource quota is charged for an idle connection (measured with core 1.51). */
	CONNECTION_QUOTA_BYTES = 12 * 1024,
	/* Files that are not client connections: PostgreSQL, Redis, epoll, logs. */
	FILES_RESERVED = 64,
	/* a call with more kills its whole connection, so be generous */
	METADATA_BYTES_MAX = 64 * 1024,
	WINDOW_BYTES = 64 * 1024, /* what one stream may send ahead of our reading */
};

/* ---- files ---- */

/* As many as the kernel lets us have; returns how many that is. */
static rlim_t raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1024;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("file_limit", "why=%s", LOG_Q(strerror(errno)));
	getrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur;
}

/*
 * accept() failing for lack of files ends the listener for ever (CVE-2023-4785), so the
 * quota must run out first: it closes surplus connections and recovers by itself.  A connection is
 * accepted before it is charged, so half of the files are left for those that come all at once.
 */
static size_t quota_bytes(const struct config *cfg)
{
	size_t wanted = (size_t)cfg->grpc_quota_mib << 20;
	size_t files = (size_t)raise_file_limit();
	size_t most = (files > FILES_RESERVED + 2 ? (files - FILES_RESERVED) / 2 : 1) *
		      CONNECTION_QUOTA_BYTES;

	if (wanted <= most)
		return wanted;
	log_warn("grpc_quota_lowered", "files=%zu quota_kib=%zu", files, most / 1024);
	return most;
}

/* ---- channel arguments ---- */

enum { ARGS_MAX = 32 };

struct args {
	grpc_arg list[ARGS_MAX];
	size_t n;
};

static void set(struct args *a, const char *key, int value)
{
	assert(a->n < ARGS_MAX);
	a->list[a->n++] = (grpc_arg){
		.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

/* Every one of these differs from core's default, which is open or made for another use. */
static void set_limits(struct args *a, const struct config *cfg)
{
	set(a, GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)cfg->max_streams);
	set(a, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)cfg->max_request_kib * 1024);
	set(a, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, RPC_MESSAGE_MAX);
	set(a, GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES_MAX);
	set(a, GRPC_ARG_HTTP2_BDP_PROBE, 0); /* it opens 4 MiB windows and ignores the next line */
	set(a, GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, WINDOW_BYTES);
	set(a, GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 16384);
	/* Compressed messages are inflated before their size is checked: identity only. */
	set(a, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
	/* two servers on one port is a mistake, not a feature */
	set(a, GRPC_ARG_ALLOW_REUSEPORT, 0);
	set(a, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, RPC_HANDSHAKE_MS);
	set(a, GRPC_ARG_KEEPALIVE_TIME_MS, 30000); /* finds watchers whose machine is gone */
	set(a, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
	set(a, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
	set(a, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
	set(a, GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
	set(a, GRPC_ARG_MAX_CONNECTION_AGE_MS, (int)cfg->connection_age_ms); /* give or take 10 % */
	set(a, GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, (int)cfg->connection_grace_ms);
	set(a, GRPC_ARG_MAX_CONNECTION_IDLE_MS, (int)cfg->connection_idle_ms);
	set(a, GRPC_ARG_ENABLE_CHANNELZ, 0); /* nothing of ours shows it */
}

grpc_server *rpc_core_new(const struct config *cfg)
{
	grpc_resource_quota *quota = grpc_resource_quota_create("orderd");
	struct args a = {.n = 0};
	grpc_server *core;

	grpc_resource_quota_resize(quota, quota_bytes(cfg));
	set_limits(&a, cfg);
	a.list[a.n++] = (grpc_arg){
		.type = GRPC_ARG_POINTER,
		.key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
		.value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()}};
	core = grpc_server_create(&(grpc_channel_args){.num_args = a.n, .args = a.list}, NULL);
	grpc_resource_quota_unref(quota);
	return core;
}

/* ---- addresses ---- */

/* "127.0.0.1:0" became port 41234: say so. */
static char *real_address(const char *asked, int port)
{
	const char *colon = strrchr(asked, ':');

	if (strncmp(asked, "unix:", 5) == 0 || colon == NULL)
		return mem_text(asked);
	return mem_printf("%.*s:%d", (int)(colon - asked), asked, port);
}

/* The port; 0: it cannot be had. */
static int bind_to(struct rpc_server *s, enum listener_kind kind, const char *address)
{
	grpc_server_credentials *shown = auth_listener(s->opt.auth, kind);
	mode_t mask = umask(EDGE_UMASK);
	int port;

	if (kind != LISTENER_EDGE)
		umask(mask);
	port = grpc_server_add_http2_port(s->core, address, shown);
	umask(mask);
	grpc_server_credentials_release(shown);
	return port;
}

/* One port; its address as it is, heap. */
static char *bind_one(struct rpc_server *s, enum listener_kind kind, struct str one)
{
	char *address = mem_printf(STR_FMT, STR_ARG(one)), *real;
	int port = bind_to(s, kind, address);

	if (port == 0)
		config_refuse("listen",
			      "cannot listen on %s: not an address of this machine, or in use",
			      address);
	real = real_address(address, port);
	free(address);
	return real;
}

static void listen_on(struct rpc_server *s, struct str one)
{
	struct str address = one;
	enum listener_kind kind = listener_kind(&address);
	bool held = listener_is_held(&address);

	s->kinds[s->n_addresses] = kind;
	s->addresses[s->n_addresses] =
		held ? rpc_held_listen(s, one, kind, address) : bind_one(s, kind, address);
	s->n_addresses++;
}

void rpc_listen(struct rpc_server *s)
{
	struct str rest = str_of(s->opt.cfg->listen), one;

	if (rest.n == 0)
		config_refuse("listen", "it names no listener");
	while (str_next(&rest, ',', &one)) {
		if (s->n_addresses == RPC_LISTENERS_MAX)
			config_refuse("listen", "at most %d listeners", RPC_LISTENERS_MAX);
		listen_on(s, one);
	}
}
