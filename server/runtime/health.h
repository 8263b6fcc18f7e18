/*
 * grpc.health.v1: whether this server can do its work.  One answer for the server ("")
 * and for every service it has; they stand and fall with the same store.
 */
#ifndef ORDERD_SERVER_HEALTH_H
#define ORDERD_SERVER_HEALTH_H

#include "server/runtime/rpc.h"

extern const struct rpc_method RPC_HEALTH_CHECK;
extern const struct rpc_method RPC_HEALTH_WATCH;

struct health;

struct health *health_new(void);
void health_free(struct health *h); /* when no stream is left */

void health_set(struct health *h, bool serving); /* tells the watchers; false at first */
bool health_is_serving(const struct health *h);

#endif
