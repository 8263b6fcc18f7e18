/*
 * Server reflection, v1 and v1alpha: tools learn the services and their messages.  The
 * two are the same bytes on the wire, so one handler serves both.
 */
#ifndef ORDERD_SERVER_REFLECTION_H
#define ORDERD_SERVER_REFLECTION_H

#include "server/runtime/rpc.h"

extern const struct rpc_method RPC_REFLECTION;
extern const struct rpc_method RPC_REFLECTION_V1ALPHA; /* what grpc_cli and older tools ask for */

#endif
