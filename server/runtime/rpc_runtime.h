/*
 * The inside of the runtime, shared by rpc_server.c (start and drain), rpc_listen.c
 * (channel arguments and addresses), rpc_held.c, rpc_goaway.c, rpc_poller.c and the call files.
 */
#ifndef ORDERD_SERVER_RPC_RUNTIME_H
#define ORDERD_SERVER_RPC_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>

#include <grpc/grpc.h>

#include "server/auth/listeners.h"
#include "server/runtime/access_log.h"
#include "server/runtime/admission.h"
#include "server/runtime/rpc_call.h"
#include "server/runtime/rpc_server.h"
#include "server/runtime/status.h"

enum {
	RPC_LISTENERS_MAX = 8,
	RPC_HANDSHAKE_MS = 10000, /* until a connection is one: TLS, the first frames */
	RPC_SHED_STATUSES = 8,    /* prepared refusals, each with another pause before the retry */
	RPC_SHED_BY_LOOP = 64,    /* of so many refused calls the loop sees one */
	RPC_SHED_LEVELS = 4,      /* sets of them: the longer what waits, the longer the pauses */
};

enum rpc_phase { RPC_SERVING, RPC_LAME_DUCK, RPC_LEAVING, RPC_CLOSING, RPC_DOWN };

struct rpc_server {
	struct rpc_server_options opt;
	struct loop *loop;
	enum rpc_phase phase;

	/* gRPC */
	grpc_server *core;
	grpc_completion_queue *cq;
	pthread_t poller;
	struct rpc_tag down;
	struct mailbox *mailbox;
	char *addresses[RPC_LISTENERS_MAX];
	enum listener_kind kinds[RPC_LISTENERS_MAX];
	size_t n_addresses;

	/* calls */
	struct rpc_served *served; /* n_served; the last is for unknown methods */
	size_t n_served;
	struct rpc *calls; /* the pool's memory: n_calls */
	size_t n_calls;
	size_t n_touched;           /* poller: calls ever used */
	_Atomic(struct rpc *) pool; /* put by the loop, taken by the poller */
	_Atomic unsigned missing;   /* slots not posted, over all methods */
	_Atomic bool closing;       /* post no more slots */
	_Atomic size_t out;         /* calls not in the pool */
	_Atomic unsigned at_work[RPC_CLASSES];
	unsigned bounds[RPC_CLASSES];
	struct rpc *alive, *oldest; /* list of calls the loop owns, the latest first */
	size_t large_left;          /* budget of large calls, bytes */
	struct status shed[RPC_SHED_LEVELS][RPC_SHED_STATUSES]; /* only referred to once made */
	_Atomic int64_t backlog_ms; /* as the loop last knew it, for the poller's refusals */
	struct admission *admission;

	struct access_log access;
	struct descriptors *descriptors;
	struct validator *validator;
	struct health *health;
	struct self_probe *probes[RPC_LISTENERS_MAX];

	/* sockets that systemd holds */
	struct held_listener *held[RPC_LISTENERS_MAX]; /* NULL: gRPC's own listener */
	char *names[RPC_LISTENERS_MAX];
	struct timer held_wait;
	bool held_open;

	/* drain */
	struct timer patience; /* the lame duck's, then the leaving's, then the drain's */
	int64_t leaving_ms;    /* since when */
	int64_t arrival_us;    /* of the latest call */
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

/* rpc_poller.c */
void rpc_poller_start(struct rpc_server *s); /* post all slots, start the thread */
/* after the last call came back: ends and joins the thread */
void rpc_poller_stop(struct rpc_server *s);

/* rpc_listen.c */
grpc_server *rpc_core_new(const struct config *cfg);
void rpc_listen(struct rpc_server *s); /* binds; exits 2 */

/* rpc_held.c */
/* Of `one`, of this kind, which names the socket `name`; its address, heap.  Exits 2. */
char *rpc_held_listen(struct rpc_server *s, struct str one, enum listener_kind kind,
		      struct str name);
void rpc_held_wait(struct rpc_server *s);  /* accept when calls can be served, or after a while */
void rpc_held_open(struct rpc_server *s);  /* they can */
bool rpc_held_stop(struct rpc_server *s);  /* accept no more; false: there are none */
void rpc_held_close(struct rpc_server *s); /* who was accepted and has not spoken is hung up on */

/* rpc_goaway.c */
/*
 * Close the listeners and tell every client by GOAWAY to go elsewhere; calls are served on.  To be
 * repeated, for connections that were just being made.  False: this gRPC is not known to be able
 * to.
 */
bool rpc_core_leave(grpc_server *core);

/* rpc_refusals.c */
void rpc_refusals_make(struct rpc_server *s);
void rpc_refusals_free(struct rpc_server *s);
/* One that fits what waits at present.  Poller. */
const struct status *rpc_refusal(const struct rpc_server *s);

/* rpc_server.c */
void rpc_probe(struct rpc_server *s, size_t i); /* see from now on that it answers */
/* a call was freed or gRPC is down: was it the last thing? */
void rpc_server_check_down(struct rpc_server *s);

#endif
