/*
 * RPCs, as their authors see them.
 *
 * One RPC is one file: a step table with its ask/got pairs (core/flow/flow.h) and one
 * `struct rpc_method`, named in rpc_table.c.  Before the first step the runtime has
 * identified the caller, decoded the request into the flow's capped arena, checked every
 * text and enum of it, and set the deadline.  After the last step it sends what
 * rpc_ok() or rpc_fail() left behind, once.
 *
 *	static int got_placed(struct flow *fl, const struct answer *a)
 *	{
 *		if (answer_rows(a) == 0)
 *			return rpc_fail(fl, ERR_OUT_OF_STOCK);
 *		...
 *		return rpc_ok(fl, &response.base);
 *	}
 *
 * Which answer wins when a flow ends: rpc_ok(), else the latest rpc_fail(), else the
 * flow's cause (the first error of its steps).  Loop thread only.
 */
#ifndef ORDERD_SERVER_RPC_H
#define ORDERD_SERVER_RPC_H

#include <stdarg.h>

#include <protobuf-c/protobuf-c.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/flow/flow.h"
#include "server/auth/identity.h"

struct app;
struct rpc; /* one call */

enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM, RPC_BIDI };

/* What a call is counted as; each class has its own bound, so none starves another. */
enum rpc_class {
	RPC_WORK,  /* config.max_in_flight */
	RPC_WATCH, /* config.max_watches: streams that mostly wait */
	RPC_PROBE, /* RPC_PROBES_MAX: health checks, answered when all else is refused */
	RPC_CLASSES
};

/*
 * A stream's life.  on_open comes first and on_close last, exactly once each; NULL rows
 * are skipped.  None of them is called from inside rpc_send() or rpc_end().
 */
struct rpc_stream {
	void (*on_open)(struct flow *fl); /* server stream: the request is there */
	void (*on_message)(struct flow *fl, const ProtobufCMessage *m); /* bidi; m dies after it */
	void (*on_half_close)(struct flow *fl); /* bidi: the client has no more messages */
	void (*on_sent)(struct flow *fl);       /* the message has left: the next may be sent */
	void (*on_drain)(
		struct flow *fl); /* the server leaves: rpc_end(); NULL: it is done for you */
	void (*on_close)(struct flow *fl); /* cancelled, ended or drained: forget the flow */
};

struct rpc_method {
	const char *path; /* "/orderd.v1.OrderService/PlaceOrder" */
	const char *name; /* "place_order": the flow's name, label of logs and metrics */
	enum rpc_kind kind;
	enum rpc_class class;
	const ProtobufCMessageDescriptor *request, *response;
	const struct flow_step *steps;   /* RPC_UNARY */
	const struct rpc_stream *stream; /* the other kinds */
	size_t state_size;               /* rpc_state(), zeroed */
	bool open;                       /* to everybody: nobody is asked who they are */
	unsigned slots; /* calls that may arrive in one poll round; 0: RPC_SLOTS_COLD */
};

enum {
	RPC_SLOTS_COLD = 8,
	RPC_SLOTS_HOT = 256,
	RPC_PROBES_MAX = 256,
	RPC_LARGE_CALLS = 16,      /* full ones whose memory all large calls share */
	RPC_LARGE_FACTOR = 64,     /* one large call may use this many times config.arena_kib */
	RPC_VIOLATIONS_MAX = 32,   /* told to the caller; the others are the same mistake */
	RPC_FACTS_MAX = 16,        /* pairs in ErrorInfo.metadata */
	RPC_MESSAGE_MAX = 4 << 20, /* bytes of one answer: what gRPC clients accept by default */
};

/* ---- what a step reads ---- */

void *rpc_state(struct flow *fl);
const void *rpc_request(struct flow *fl); /* the generated struct; NULL on a bidi stream */
struct app *rpc_app(struct flow *fl);
const struct identity *rpc_identity(struct flow *fl);
/* Whether what the call came with still says who it said: asked now and then by who stays long. */
enum errc rpc_identify_again(struct flow *fl);
struct str rpc_metadata(struct flow *fl, const char *key); /* lower-case key; absent: p == NULL */

/* What the call is about, for the access log. */
void rpc_order(struct flow *fl, struct id order);

/* The same for the record of calls, where it is no order: a key, a queue.  Lives in the arena. */
void rpc_object(struct flow *fl, struct str object);

/*
 * Room for `bytes` more in the flow's arena, for an answer known to be large.  Large calls
 * share a budget of RPC_LARGE_CALLS full ones; false: it is used up, so
 * rpc_fail(fl, ERR_OVERLOADED).
 */
bool rpc_grow(struct flow *fl, size_t bytes);

/* ---- how a step answers ---- */

/* Keep `response` as the answer; it is packed before this returns, so it may live on the stack and
 * point into an answer's body.  For a caller bound to a customer it may be changed (rpc_server.h:
 * customer_view), here as in rpc_send(), so nobody else's part may be in it.  Returns the step that
 * ends the flow (the row without ask and got).
 */
int rpc_ok(struct flow *fl, const ProtobufCMessage *response);

/* Keep `e` as the answer; returns FLOW_FAIL, so the step's on_error edge is taken. */
int rpc_fail(struct flow *fl, enum errc e);

/* The same, with a public sentence in place of the one in err_table.h.  No personal data. */
int rpc_fail_text(struct flow *fl, enum errc e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The step that failed was allowed to: the flow's cause is forgotten.  For the first ask of its
 * on_error edge.
 */
void rpc_forgive(struct flow *fl);

/*
 * Details of an rpc_fail(), sent in grpc-status-details-bin beside ErrorInfo(reason = error
 * name, domain "orderd").
 */

/* BadRequest: rpc_violation(fl, "at most 5000", "lines[%u].sku", i). */
void rpc_violation(struct flow *fl, const char *why, const char *field_fmt, ...)
	__attribute__((format(printf, 3, 4)));
void rpc_vviolation(struct flow *fl, const char *why, const char *field_fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
bool rpc_has_violations(struct flow *fl);

/* ErrorInfo.metadata. */
void rpc_fact(struct flow *fl, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ResourceInfo: what was not found or has changed. */
void rpc_about(struct flow *fl, const char *type, struct str name);

/* PreconditionFailure; an error that tells one (err_details()) tells of itself without this. */
void rpc_precondition(struct flow *fl, const char *type, struct str subject, const char *why);

/* QuotaFailure, likewise: "tenant:7", and what it has used up.  Longer than 160 bytes is cut. */
void rpc_quota(struct flow *fl, struct str subject, const char *why_fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* RetryInfo: when exactly asking again will do; otherwise the runtime estimates it. */
void rpc_pause(struct flow *fl, int64_t ms);

/* ---- streams ---- */

/*
 * Send one message, packed before this returns.  One may be on its way at a time: asserts
 * rpc_can_send().  false: it is larger than a message may be, and the stream is being ended.
 */
bool rpc_send(struct flow *fl, const ProtobufCMessage *m);
bool rpc_can_send(struct flow *fl);

/*
 * End the stream; ERR_OK is its good end.  on_close follows in a later turn.  A message that cannot
 * leave is dropped.
 */
void rpc_end(struct flow *fl, enum errc e);

/*
 * The same, with a public sentence in place of the one in err_table.h.  A reader that does not
 * take the message on its way gets status and sentence, but no details: gRPC has no way to send
 * them past a message.  What it must know therefore stands in the sentence.
 */
void rpc_end_text(struct flow *fl, enum errc e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
