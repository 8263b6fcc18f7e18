/*
 * What the runtime shows of itself: its calls, what they hold, the libraries below.
 */
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include "core/base/clock.h"
#include "core/base/show.h"
#include "server/runtime/rpc_runtime.h"

static const char *kind_of(const struct rpc *c)
{
	static const char *const kinds[] = {
		[RPC_UNARY] = "unary", [RPC_SERVER_STREAM] = "server stream", [RPC_BIDI] = "bidi"};

	return c->served->method != NULL ? kinds[c->served->method->kind] : NULL;
}

static const char *state_of(const struct rpc *c)
{
	if (c->gone)
		return "caller gone";
	if (c->answered)
		return "answering";
	if (c->ending)
		return "ending";
	if (c->open)
		return c->sending ? "sending" : "open";
	return "working";
}

/* Where the caller is: "ipv4:127.0.0.1:53212", "unix:". */
static void show_peer(struct show *s, const struct rpc *c)
{
	char *peer = c->call != NULL ? grpc_call_get_peer(c->call) : NULL;

	show_text(s, peer);
	gpr_free(peer);
}

static void show_calls(struct show *s, const void *arg)
{
	const struct rpc_server *server = arg;
	int64_t now_us = clock_mono_us();

	for (const struct rpc *c = server->oldest; c != NULL && show_row(s); c = c->prev) {
		show_text(s, c->flow.name);
		show_text(s, kind_of(c));
		show_peer(s, c);
		show_text(s, state_of(c));
		show_int(s, (now_us - c->arrived_us) / 1000);
		if (c->flow.deadline_ms != 0)
			show_int(s, c->flow.deadline_ms - now_us / 1000);
		else
			show_nothing(s);
		show_int(s, (int64_t)(c->flow.arena.used + c->message.used));
	}
}

static void add(struct show *s, const char *what, size_t bytes, size_t count)
{
	if (!show_row(s))
		return;
	show_text(s, what);
	show_int(s, (int64_t)bytes);
	show_int(s, (int64_t)count);
}

static void show_pool(struct show *s, const void *arg)
{
	const struct rpc_server *server = arg;
	size_t out = atomic_load(&server->out);

	add(s, "rpc_calls_pool", server->n_calls * sizeof(*server->calls), server->n_calls);
	add(s, "rpc_calls_out", out * sizeof(*server->calls), out);
	add(s, "rpc_large_calls_left", server->large_left, 0);
}

static void show_libraries(struct show *s, const void *arg)
{
	(void)arg;
	if (show_row(s)) {
		show_text(s, "grpc");
		show_text(s, grpc_version_string());
	}
	if (show_row(s)) {
		show_text(s, "protobuf-c");
		show_text(s, protobuf_c_version());
	}
}

void rpc_server_offer(const struct rpc_server *s, struct show_board *b)
{
	show_offer(b, SHOW_calls, show_calls, s);
	admission_offer(s, b);
	show_offer(b, SHOW_memory, show_pool, s);
	show_offer(b, SHOW_version, show_libraries, s);
}
