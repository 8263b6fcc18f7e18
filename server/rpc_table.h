/*
 * Every method orderd serves.  One row here is a method on the wire; a test compares the
 * rows with the services' descriptors.
 */
#ifndef ORDERD_SERVER_RPC_TABLE_H
#define ORDERD_SERVER_RPC_TABLE_H

#include <stddef.h>

#include "server/runtime/health.h"
#include "server/runtime/rpc.h"

extern const struct rpc_method *const rpc_table[];
extern const size_t rpc_table_size;

/* What each service needs for its health checks to say SERVING.  Redis is in no row: without it
 * everything is served, only later. */
extern const struct health_service service_table[];
extern const size_t service_table_size;

#endif
