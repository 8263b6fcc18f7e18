/*
 * A blocking client on gRPC's C core: one channel, and for every call a completion queue
 * of its own, so that threads do not wait for each other.
 */
#include "orderd/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "credentials.h"

enum {
	PAUSE_FIRST_MS = 50, /* between two tries; doubled each time, half of it jitter */
	PAUSE_LONGEST_MS = 1000,
};

struct orderd_client {
	grpc_channel *channel;
	char *token_file; /* NULL: calls carry none */
};

static struct orderd_client *new_client(const char *target, grpc_channel_credentials *take)
{
	struct orderd_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->channel = channel_open(target, take, false);
	grpc_channel_credentials_release(take);
	return c;
}

struct orderd_client *orderd_client_new(const char *target)
{
	grpc_init();
	return new_client(target, grpc_insecure_credentials_create());
}

struct orderd_client *orderd_client_new_with(const struct orderd_client_options *opt,
					     struct orderd_error *reterr)
{
	grpc_channel_credentials *creds;
	struct orderd_client *c;

	grpc_init();
	creds = credentials_of(opt, reterr);
	if (creds == NULL) {
		grpc_shutdown();
		return NULL;
	}
	c = new_client(opt->target, creds);
	if (opt->token_file != NULL && (c->token_file = strdup(opt->token_file)) == NULL)
		abort();
	return c;
}

void orderd_client_free(struct orderd_client *c)
{
	if (c == NULL)
		return;
	grpc_channel_destroy(c->channel);
	grpc_shutdown();
	free(c->token_file);
	free(c);
}

/* ---------------------------------------------------------------- calls */

static grpc_completion_queue *queue_open(void)
{
	return grpc_completion_queue_create_for_pluck(NULL);
}

static void queue_done(grpc_completion_queue *cq)
{
	grpc_completion_queue_shutdown(cq);
	grpc_completion_queue_destroy(cq);
}

/* The call's own deadline ends it; core always answers the batch. */
static void call_wait(grpc_completion_queue *cq, void *tag)
{
	(void)grpc_completion_queue_pluck(cq, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
}

static ProtobufCMessage *call_message(const struct call *k, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *m;
	grpc_slice s;

	if (!call_bytes(k, &s))
		return NULL;
	m = protobuf_c_message_unpack(type, NULL, GRPC_SLICE_LENGTH(s), GRPC_SLICE_START_PTR(s));
	grpc_slice_unref(s);
	return m;
}

/* How long to wait before the next try: never less than the server wants, and jitter besides. */
static int pause_of(int try, int pushback_ms)
{
	int ms = PAUSE_FIRST_MS;
	struct timespec now;

	for (int i = 0; i < try && ms < PAUSE_LONGEST_MS; i++)
		ms *= 2;
	if (ms > PAUSE_LONGEST_MS)
		ms = PAUSE_LONGEST_MS;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = ms / 2 + (int)((unsigned long)now.tv_nsec / 1000 % (unsigned)(ms / 2 + 1));
	return pushback_ms > 0 ? pushback_ms + ms / 8 : ms;
}

/* A pause before the next try; false when the deadline comes first. */
static bool pause_before(int try, int pushback_ms, gpr_timespec deadline)
{
	int ms = pause_of(try, pushback_ms);
	struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

	if (gpr_time_cmp(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
				      gpr_time_from_millis(ms, GPR_TIMESPAN)),
			 deadline) >= 0)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

/*
 * A call that is repeated has a request_id or changes nothing.  What the server says of it goes
 * before what its status does: with a pushback RESOURCE_EXHAUSTED is a matter of time, too.  This
 * library cancels no call: the CANCELLED that arrives is a server's that closes its connections
 * while the call comes in.
 */
static bool is_worth_repeating(grpc_status_code status, int pushback_ms)
{
	if (pushback_ms != CALL_UNSAID)
		return pushback_ms != CALL_NEVER;
	return status == GRPC_STATUS_UNAVAILABLE || status == GRPC_STATUS_CANCELLED ||
	       status == GRPC_STATUS_ABORTED;
}

static ProtobufCMessage *call(struct orderd_client *c, const char *path, const ProtobufCMessage *rq,
			      const ProtobufCMessageDescriptor *type, int deadline_ms,
			      struct orderd_error *reterr)
{
	gpr_timespec deadline = deadline_in(deadline_ms);
	struct orderd_error ignored, *e = reterr != NULL ? reterr : &ignored;

	for (int try = 0;; try++) {
		grpc_completion_queue *cq = queue_open();
		struct call k;
		ProtobufCMessage *m = NULL;
		int pushback_ms;
		bool again;

		call_open(&k, c->channel, cq, path, c->token_file, deadline);
		call_start_unary(&k, rq, &k);
		call_wait(cq, &k);
		if (k.status == GRPC_STATUS_OK)
			m = call_message(&k, type);
		if (k.status == GRPC_STATUS_OK && m == NULL)
			k.status = GRPC_STATUS_INTERNAL;
		if (m == NULL)
			call_error(&k, e);
		pushback_ms = call_pushback_ms(&k);
		again = m == NULL && is_worth_repeating(k.status, pushback_ms);
		call_done(&k);
		queue_done(cq);
		if (!again || !pause_before(try, pushback_ms, deadline))
			return m;
	}
}

#define X(name, service, method, message)                                                          \
	Orderd__V1__##method##Response *orderd_##name(                                             \
		struct orderd_client *c, const Orderd__V1__##method##Request *rq, int deadline_ms, \
		struct orderd_error *reterr)                                                       \
	{                                                                                          \
		return (Orderd__V1__##method##Response *)call(                                     \
			c, "/orderd.v1." #service "/" #method, &rq->base,                          \
			&orderd__v1__##message##_response__descriptor, deadline_ms, reterr);       \
	}
ORDERD_METHODS(X)
#undef X

/* ---------------------------------------------------------------- streams */

struct watching {
	/* What is told of a message; it says where to go on, and `enough`, and `gap`. */
	void (*tell)(struct watching *w, const ProtobufCMessage *m);
	const ProtobufCMessageDescriptor *type; /* of messages */
	void *arg;                              /* the caller's */
	bool enough;                            /* the caller has said so */
	bool gap;                               /* an event did not follow the one before */
	bool progress;                          /* this stream brought something */
};

/* One message, told; false: there are no more, or no more are wanted. */
static bool watch_message(grpc_completion_queue *cq, struct call *k, struct watching *w)
{
	grpc_op op = message_op(k);
	ProtobufCMessage *m;

	call_start(k, &op, 1, &k->received);
	call_wait(cq, &k->received);
	if (k->received == NULL)
		return false;
	m = call_message(k, w->type);
	grpc_byte_buffer_destroy(k->received);
	k->received = NULL;
	w->gap = m == NULL;
	if (m != NULL) {
		w->progress = true;
		w->tell(w, m);
		protobuf_c_message_free_unpacked(m, NULL);
	}
	return !w->enough && !w->gap;
}

/* One stream, to its end. */
static void watch_run(grpc_completion_queue *cq, struct call *k, const ProtobufCMessage *rq,
		      struct watching *w)
{
	grpc_op ops[CALL_REQUEST_OPS], status = status_op(k);
	size_t n = request_ops(k, rq, ops);

	call_start(k, &status, 1, &k->status);
	call_start(k, ops, n, k);
	call_wait(cq, k);
	while (watch_message(cq, k, w))
		;
	if (w->enough || w->gap)
		grpc_call_cancel(k->call, NULL);
	call_wait(cq, &k->status);
}

/* A reader that was too slow cannot be sent details, only a sentence that begins like this. */
static void read_slow_reader(struct orderd_error *e)
{
	static const char prefix[] = "SLOW_READER:";

	if (e->reason[0] == '\0' && strncmp(e->message, prefix, sizeof(prefix) - 1) == 0)
		snprintf(e->reason, sizeof(e->reason), "SLOW_READER");
}

static bool is_worth_resuming(const struct orderd_error *e, int pushback_ms)
{
	if (pushback_ms != CALL_UNSAID)
		return pushback_ms != CALL_NEVER;
	return e->status == GRPC_STATUS_UNAVAILABLE || e->status == GRPC_STATUS_CANCELLED ||
	       strcmp(e->reason, "SLOW_READER") == 0;
}

/* Stream after stream; `rq` is the caller's copy, which tell() moves on. */
static bool watch(struct orderd_client *c, const char *path, const ProtobufCMessage *rq,
		  struct watching *w, int deadline_ms, struct orderd_error *e)
{
	gpr_timespec deadline = deadline_in(deadline_ms);

	for (int try = 0;; try++) {
		grpc_completion_queue *cq = queue_open();
		struct call k;
		int pushback_ms;

		w->progress = false;
		call_open(&k, c->channel, cq, path, c->token_file, deadline);
		watch_run(cq, &k, rq, w);
		if (w->gap)
			k.status = GRPC_STATUS_DATA_LOSS;
		call_error(&k, e);
		read_slow_reader(e);
		pushback_ms = call_pushback_ms(&k);
		call_done(&k);
		queue_done(cq);
		if (w->enough || e->status == GRPC_STATUS_OK)
			return true;
		if (w->progress)
			try = 0;
		if (!is_worth_resuming(e, pushback_ms) || !pause_before(try, pushback_ms, deadline))
			return false;
	}
}

/* ---- WatchOrder ---- */

struct watching_order {
	struct watching w; /* first */
	orderd_on_event *on_event;
	Orderd__V1__WatchOrderRequest rq; /* behind the last event told */
};

static void tell_event(struct watching *w, const ProtobufCMessage *message)
{
	const Orderd__V1__WatchOrderResponse *m = (const Orderd__V1__WatchOrderResponse *)message;
	struct watching_order *o = (struct watching_order *)w;

	if (m->what_case != ORDERD__V1__WATCH_ORDER_RESPONSE__WHAT_EVENT ||
	    m->event->sequence <= o->rq.after_sequence)
		return;
	w->gap = m->event->sequence != o->rq.after_sequence + 1;
	if (w->gap)
		return;
	o->rq.after_sequence = m->event->sequence;
	w->enough = !o->on_event(m, w->arg);
}

bool orderd_watch_order(struct orderd_client *c, const Orderd__V1__WatchOrderRequest *rq,
			orderd_on_event *on_event, void *arg, int deadline_ms,
			struct orderd_error *reterr)
{
	struct orderd_error ignored;
	struct watching_order o = {.w.tell = tell_event,
				   .w.type = &orderd__v1__watch_order_response__descriptor,
				   .w.arg = arg,
				   .on_event = on_event,
				   .rq = *rq};

	return watch(c, "/orderd.v1.OrderService/WatchOrder", &o.rq.base, &o.w, deadline_ms,
		     reterr != NULL ? reterr : &ignored);
}

/* ---- WatchOrders ---- */

struct watching_orders {
	struct watching w; /* first */
	orderd_on_orders *on_orders;
	Orderd__V1__WatchOrdersRequest rq; /* behind the last message told */
	uint8_t token[ORDERD_TOKEN_MAX];
};

static void tell_orders(struct watching *w, const ProtobufCMessage *message)
{
	const Orderd__V1__WatchOrdersResponse *m = (const Orderd__V1__WatchOrdersResponse *)message;
	struct watching_orders *o = (struct watching_orders *)w;

	w->gap = m->resume_token.len > sizeof(o->token);
	if (w->gap)
		return;
	if (m->resume_token.len > 0)
		memcpy(o->token, m->resume_token.data, m->resume_token.len);
	o->rq.resume_token = (ProtobufCBinaryData){m->resume_token.len, o->token};
	w->enough = !o->on_orders(m, w->arg);
}

bool orderd_watch_orders(struct orderd_client *c, const Orderd__V1__WatchOrdersRequest *rq,
			 orderd_on_orders *on_orders, void *arg, int deadline_ms,
			 struct orderd_error *reterr)
{
	struct orderd_error ignored;
	struct watching_orders o = {.w.tell = tell_orders,
				    .w.type = &orderd__v1__watch_orders_response__descriptor,
				    .w.arg = arg,
				    .on_orders = on_orders,
				    .rq = *rq};

	return watch(c, "/orderd.v1.OrderService/WatchOrders", &o.rq.base, &o.w, deadline_ms,
		     reterr != NULL ? reterr : &ignored);
}
