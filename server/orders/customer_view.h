/*
 * An answer as a customer is shown it: without what is the shop's own (customer_table.h).  The gRPC
 * runtime calls it for each message that leaves for a caller bound to a customer, of a unary call
 * or of a stream, so that no RPC has to think of it.
 */
#ifndef ORDERD_SERVER_CUSTOMER_VIEW_H
#define ORDERD_SERVER_CUSTOMER_VIEW_H

#include <protobuf-c/protobuf-c.h>

/* Changes `m` and what it holds; a second time it changes nothing more. */
void customer_view(ProtobufCMessage *m);

#endif
