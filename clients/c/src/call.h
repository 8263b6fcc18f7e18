/*
 * One call on gRPC's C core, as the blocking client (client.c) and the calls that run side by side
 * (calls.c) make it.
 */
#ifndef ORDERD_CLIENT_CALL_H
#define ORDERD_CLIENT_CALL_H

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "orderd/client.h"

/* The metadata's bytes belong to the call, so it lives until they were read. */
struct call {
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_metadata authorization; /* its value is empty: there is none */
	grpc_byte_buffer *sent, *received;
	grpc_status_code status;
	grpc_slice details;
};

enum { CALL_REQUEST_OPS = 4, CALL_OPS = CALL_REQUEST_OPS + 2 };

/* `creds` stay the caller's.  `own_connection`: do not share one with other channels to the same
 * target. */
grpc_channel *channel_open(const char *target, grpc_channel_credentials *creds,
			   bool own_connection);

/* `token_file`: NULL when calls carry none. */
void call_open(struct call *k, grpc_channel *channel, grpc_completion_queue *cq, const char *path,
	       const char *token_file, gpr_timespec deadline);
void call_done(struct call *k);

/* The first ops of every call: the request, whole, and the server's headers. */
size_t request_ops(struct call *k, const ProtobufCMessage *rq, grpc_op ops[CALL_REQUEST_OPS]);
grpc_op status_op(struct call *k);
grpc_op message_op(struct call *k);

void call_start(struct call *k, const grpc_op *ops, size_t n, void *tag);
/* All of a unary call as one batch: `tag` comes back when it has ended. */
void call_start_unary(struct call *k, const ProtobufCMessage *rq, void *tag);

/* The bytes of the message received; false: there is none.  The caller unrefs them. */
bool call_bytes(const struct call *k, grpc_slice *ret);

void call_error(const struct call *k, struct orderd_error *e);

/*
 * When the server wants the failed call again: grpc-retry-pushback-ms (gRFC A6), bounded by
 * CALL_PUSHBACK_MAX_MS.  CALL_NEVER: not at all.  CALL_UNSAID: that is the caller's to decide.
 */
enum { CALL_NEVER = -1, CALL_UNSAID = -2, CALL_PUSHBACK_MAX_MS = 60 * 1000 };

int call_pushback_ms(const struct call *k);
gpr_timespec deadline_in(int ms);

#endif
