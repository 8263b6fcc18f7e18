/*
 * grpc.health.v1: whether this server can do its work.  Each service serves while all it needs is
 * there; the server as a whole ("") while every service does.  One that drains says NOT_SERVING of
 * all.
 */
#ifndef ORDERD_SERVER_HEALTH_H
#define ORDERD_SERVER_HEALTH_H

#include "server/runtime/rpc.h"

extern const struct rpc_method RPC_HEALTH_CHECK;
extern const struct rpc_method RPC_HEALTH_WATCH;

/* What a service can need; a set of them is an `unsigned`. */
enum health_need {
	NEED_NOTHING = 0,
	NEED_STORE = 1,   /* PostgreSQL */
	NEED_CALLERS = 2, /* it is known who may call */
	NEED_ALL = NEED_STORE | NEED_CALLERS,
};

struct health_service {
	const char *name;
	unsigned needs;
};

struct health;

/* Both tables must outlive it; each service with a method must have its row. */
struct health *health_new(const struct health_service *services, size_t n,
			  const struct rpc_method *const *methods, size_t n_methods);
void health_free(struct health *h); /* when no stream is left */

/* Each tells the watchers what has changed for them.  Nothing is there at first. */
void health_set(struct health *h, unsigned there);
void health_leave(struct health *h); /* for good */
bool health_is_serving(const struct health *h);

#endif
