/*
 * The gRPC runtime: listeners, one completion queue, one poller thread, a pool of call
 * objects, and the drain.
 *
 * The poller thread posts slots, refuses what is over a bound with one atomic counter,
 * and mails the rest to the loop thread, which owns every call from then on.  gRPC core
 * has bounds of its own: connections by the resource quota, streams, message and header
 * sizes by channel arguments; all are set in rpc_listen.c.
 */
#ifndef ORDERD_SERVER_RPC_SERVER_H
#define ORDERD_SERVER_RPC_SERVER_H

#include <stddef.h>

#include "server/runtime/rpc.h"

struct rpc_server;
struct config;
struct auth;
struct health_service;
struct policy;
struct rpc_recorder;
struct show_board;
struct held_sockets;

struct rpc_server_options {
	const struct config *cfg; /* must outlive the server */
	struct app *app;          /* rpc_app() */
	struct loop *loop;
	struct auth *auth;           /* must outlive the server */
	struct held_sockets *held;   /* those we were passed; NULL: none */
	const struct policy *policy; /* what each role may call */
	const struct rpc_method *const *methods;
	size_t n_methods;
	const struct health_service *services; /* health.h; must outlive the server */
	size_t n_services;
	const unsigned char *descriptor_set; /* of all protos served; must outlive the server */
	size_t descriptor_set_size;
	/* How long what is asked now would wait behind us; those refused are told.  NULL: not
	 * known.
	 */
	int64_t (*backlog_ms)(void *arg);
	/* Takes off a message, in place, what callers bound to a customer are not told.  NULL: they
	 * are told everything.
	 */
	void (*customer_view)(ProtobufCMessage *m);
	const struct rpc_recorder *recorder; /* NULL: no call is put on record */
	/* the listener answers no more: drain and exit, only a new process can help */
	void (*on_deaf)(void *arg);
	void *arg;
};

/*
 * Bind and serve.  Exits 2 when an address cannot be used.  Signals must be blocked: gRPC
 * starts threads of its own.
 */
struct rpc_server *rpc_server_new(const struct rpc_server_options *opt);

/* The i-th listener as it really is ("127.0.0.1:41234", "unix:/path"); NULL beyond the last. */
const char *rpc_server_address(const struct rpc_server *s, size_t i);
const char *rpc_server_kind(const struct rpc_server *s, size_t i); /* "grpc", "grpcs", "edge" */

/* What there is of what services need (health.h), as health checks say it from now on; a draining
 * server says NOT_SERVING whatever it is told. */
void rpc_server_set_health(struct rpc_server *s, unsigned there);
bool rpc_server_is_serving(const struct rpc_server *s);

/* Whether every listener answered when last probed (self_probe.h). */
bool rpc_server_is_heard(const struct rpc_server *s);

/* Which calls have a line in the log from now on; false: "off", "errors" or "all" it is not. */
bool rpc_server_set_access_log(struct rpc_server *s, const char *mode);

/* Views: calls, tenants, rates, memory, version (core/base/show.h).  To be withdrawn when it is
 * closed. */
void rpc_server_offer(const struct rpc_server *s, struct show_board *b);

/*
 * Stop: say NOT_SERVING for lame_duck_ms, send clients elsewhere while serving what they had sent
 * by then, take no new calls, end streams with UNAVAILABLE, let running calls end, cut them after
 * drain_s.  on_closed(arg) is called
 * when everything is freed, `s` included.  A second call changes nothing.
 */
void rpc_server_drain(struct rpc_server *s, void (*on_closed)(void *arg), void *arg);

#endif
