/*
 * Every method orderd serves.  One row here is a method on the wire; a test compares the
 * rows with the services' descriptors.
 */
#ifndef ORDERD_SERVER_RPC_TABLE_H
#define ORDERD_SERVER_RPC_TABLE_H

#include <stddef.h>

#include "server/runtime/rpc.h"

extern const struct rpc_method *const rpc_table[];
extern const size_t rpc_table_size;

#endif
