/*
 * The inside of a call, for the files that move it along: rpc_poller.c takes it in,
 * rpc_call.c opens, answers and frees it, rpc_stream.c is its life as a stream, rpc.c is
 * what authors see of it.
 *
 *	posted --> arrived --> working --> answered --> free
 *	              |           |            ^
 *	              +-----------+------------+	refused, or the caller went away
 *
 * A call object is in exactly one place: in the pool, posted to gRPC as a slot, or alive.
 * While it is posted the poller thread owns it; it passes to the loop thread with its
 * first letter and goes back with rpc_pool_put().
 */
#ifndef ORDERD_SERVER_RPC_CALL_H
#define ORDERD_SERVER_RPC_CALL_H

#include <stdatomic.h>

#include <grpc/grpc.h>

#include "core/flow/mailbox.h"
#include "server/runtime/rpc.h"
#include "server/runtime/seats.h"

struct rpc_server;
struct shape;

/*
 * gRPC orders what it is given before what it gives back, but ThreadSanitizer cannot see
 * that in a library not built for it.  So the one who hands a tag over says so, and the poller.
 */
#if defined(__SANITIZE_THREAD__)
#define RPC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RPC_TSAN 1
#endif
#endif
#ifdef RPC_TSAN
#include <sanitizer/tsan_interface.h>
#define TAG_HANDED_OVER(tag) __tsan_release(tag)
#define TAG_CAME_BACK(tag)   __tsan_acquire(tag)
#else
#define TAG_HANDED_OVER(tag) ((void)(tag))
#define TAG_CAME_BACK(tag)   ((void)(tag))
#endif

enum rpc_event { RPC_ARRIVED, RPC_CLOSED, RPC_SENT, RPC_RECEIVED, RPC_FINISHED, RPC_SERVER_DOWN };

/* What gRPC hands back when something is done; the poller mails it to the loop. */
struct rpc_tag {
	struct letter letter;
	struct rpc *rpc;
	enum rpc_event event;
	bool ok;
};

/* A method as this server serves it. */
struct rpc_served {
	const struct rpc_method *method; /* NULL: the slots for calls of unknown methods */
	void *handle;                    /* gRPC's */
	const struct shape *shape;       /* of the request: which fields are text */
	const ProtobufCFieldDescriptor *request_id; /* of the request; NULL: it has none */
	const struct policy_row *policy;            /* who may call it; NULL: nobody */
	int end;                                    /* the step that ends the flow */
	struct flow_step *recorded; /* the steps of a call that is put on record; NULL: is not */
	_Atomic unsigned missing;   /* slots not posted because the pool was empty */
};

struct status_details;

struct rpc {
	struct flow flow;
	struct rpc_server *server;
	struct rpc_served *served;
	struct rpc *next, *prev; /* next: also in the pool */

	/* filled by gRPC */
	grpc_call *call;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_call_details details; /* unknown methods only */
	grpc_byte_buffer *payload;
	int cancelled;

	struct rpc_tag arrived, closed, sent, received, finished;
	unsigned batches; /* handed to gRPC and not come back */

	struct identity who;
	ProtobufCMessage *request;
	void *state;
	size_t charged;     /* of the budget of large calls */
	int64_t arrived_us; /* at the poller */
	struct seated seated;
	struct id order;            /* what the access log says it was about; may be zero */
	size_t bytes_in, bytes_out; /* of messages */
	bool shed;                  /* refused by the poller */
	bool gone;                  /* the caller went away: nothing can be sent */
	bool working;               /* the flow has not ended */
	bool answered;              /* the status is on its way */
	bool headers_sent;
	grpc_metadata header; /* its value is ours while headers_sent */

	/* on record (rpc_record.c) */
	struct str object;   /* what it was about, if not `order` */
	struct id record_id; /* zero: nothing was said to the recorder */
	enum errc outcome;   /* what became of it, once has_outcome */
	bool begun, has_outcome, on_record;

	/* the answer so far */
	grpc_byte_buffer *reply;
	enum errc refusal;
	unsigned n_violations;
	struct status_details *why; /* NULL: nothing but the errc */

	/* streams */
	bool open; /* between on_open and on_close */
	bool sending, receiving, ending;
	enum errc end;
	struct task end_task;
	struct timer last_word;
	struct arena message; /* of the message being handled; bidi */
};

static inline struct rpc *rpc_of(struct flow *fl)
{
	return (struct rpc *)(void *)((char *)fl - offsetof(struct rpc, flow));
}

static inline enum rpc_class rpc_class_of(const struct rpc *c)
{
	return c->served->method != NULL ? c->served->method->class : RPC_WORK;
}

/* ---- rpc_server.c ---- */

const char *rpc_class_name(enum rpc_class class); /* label of metrics */

/* ---- rpc_call.c ---- */

void rpc_handle(struct rpc_tag *tag);        /* one letter from the poller */
void rpc_answer(struct rpc *c, enum errc e); /* send reply or error; once per call */
/* For an op that sends initial metadata: what every answer says at its start. */
void rpc_headers(struct rpc *c, grpc_op *op);
void rpc_batch(struct rpc *c, const grpc_op *ops, size_t n, struct rpc_tag *tag);
void rpc_maybe_free(struct rpc *c); /* if nothing is under way any more */
void rpc_wipe(struct rpc *c); /* of what a call held; the loop's, or one's that it never saw */
/* drain: end the stream or cancel the flow */
void rpc_cut(struct rpc *c, enum errc why);
void rpc_drain(struct rpc *c); /* the same at its beginning: streams end in their own words */
ProtobufCMessage *rpc_decode(struct rpc *c, struct arena *a, grpc_byte_buffer *bytes,
			     enum errc *ret_err);
grpc_byte_buffer *rpc_pack(struct rpc *c, const ProtobufCMessage *m); /* NULL: too large */

/* What its flow came to, or has come to so far. */
enum errc rpc_outcome(const struct rpc *c);
struct str rpc_request_id(const struct rpc *c); /* absent: p == NULL */

/* ---- rpc_stream.c ---- */

void stream_open(struct rpc *c);
void stream_sent(struct rpc *c, bool ok);
void stream_received(struct rpc *c, bool ok);
void stream_gone(struct rpc *c);

/* ---- rpc_poller.c ---- */

void rpc_pool_put(struct rpc *c); /* whose the call was: loop thread, or poller */

#endif
