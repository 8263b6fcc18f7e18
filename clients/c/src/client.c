/*
 * A blocking client on gRPC's C core: one channel, and for every call a completion queue
 * of its own, so that threads do not wait for each other.
 */
#include "orderd/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include "credentials.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

enum {
	PAUSE_FIRST_MS = 50, /* between two tries; doubled each time, half of it jitter */
	PAUSE_LONGEST_MS = 1000,
	RECONNECT_FIRST_MS = 200, /* gRPC waits a second and then up to two minutes, we shall not */
	RECONNECT_LONGEST_MS = PAUSE_LONGEST_MS,
	MESSAGE_MAX = 16 * 1024 * 1024,
	/* A peer that is gone without a word is found out while a call is under way. */
	KEEPALIVE_MS = 30000,
	KEEPALIVE_TIMEOUT_MS = 10000,
};

struct orderd_client {
	grpc_channel *channel;
	char *token_file; /* NULL: calls carry none */
};

static grpc_arg number_arg(const char *key, int value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static grpc_channel *open_channel(const char *target, grpc_channel_credentials *creds)
{
	grpc_arg list[] = {
		number_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MESSAGE_MAX),
		number_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS),
		number_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_LONGEST_MS),
		number_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
		number_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
	};
	grpc_channel_args args = {sizeof(list) / sizeof(list[0]), list};

	return grpc_channel_create(target, creds, &args);
}

static struct orderd_client *new_client(const char *target, grpc_channel_credentials *take)
{
	struct orderd_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->channel = open_channel(target, take);
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

/* ---------------------------------------------------------------- errors */

static void copy(char *to, size_t room, const char *from, size_t n)
{
	if (n >= room)
		n = room - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static void copy_text(char *to, size_t room, const char *from)
{
	copy(to, room, from, strlen(from));
}

static void read_bad_request(struct orderd_error *e, const ProtobufCBinaryData *any)
{
	Google__Rpc__BadRequest *b = google__rpc__bad_request__unpack(NULL, any->len, any->data);

	for (size_t i = 0;
	     b != NULL && i < b->n_field_violations && e->n_violations < ORDERD_VIOLATIONS_MAX;
	     i++) {
		struct orderd_violation *v = &e->violations[e->n_violations++];

		copy_text(v->field, sizeof(v->field), b->field_violations[i]->field);
		copy_text(v->why, sizeof(v->why), b->field_violations[i]->description);
	}
	google__rpc__bad_request__free_unpacked(b, NULL);
}

static void read_error_info(struct orderd_error *e, const ProtobufCBinaryData *any)
{
	Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(NULL, any->len, any->data);

	if (info != NULL)
		copy_text(e->reason, sizeof(e->reason), info->reason);
	for (size_t i = 0; info != NULL && i < info->n_metadata && e->n_facts < 16; i++) {
		struct orderd_fact *f = &e->facts[e->n_facts++];

		copy_text(f->key, sizeof(f->key), info->metadata[i]->key);
		copy_text(f->value, sizeof(f->value), info->metadata[i]->value);
	}
	google__rpc__error_info__free_unpacked(info, NULL);
}

static void read_details(struct orderd_error *e, const grpc_metadata_array *trailing)
{
	for (size_t i = 0; i < trailing->count; i++) {
		const grpc_metadata *m = &trailing->metadata[i];
		Google__Rpc__Status *s;

		if (grpc_slice_str_cmp(m->key, "grpc-status-details-bin") != 0)
			continue;
		s = google__rpc__status__unpack(NULL, GRPC_SLICE_LENGTH(m->value),
						GRPC_SLICE_START_PTR(m->value));
		for (size_t d = 0; s != NULL && d < s->n_details; d++) {
			if (strstr(s->details[d]->type_url, "google.rpc.BadRequest") != NULL)
				read_bad_request(e, &s->details[d]->value);
			else if (strstr(s->details[d]->type_url, "google.rpc.ErrorInfo") != NULL)
				read_error_info(e, &s->details[d]->value);
		}
		google__rpc__status__free_unpacked(s, NULL);
	}
}

/* ---------------------------------------------------------------- calls */

/* The metadata's bytes belong to the call, so it lives until they were read. */
struct call {
	grpc_completion_queue *cq;
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_metadata authorization; /* its value is empty: there is none */
	grpc_byte_buffer *sent, *received;
	grpc_status_code status;
	grpc_slice details;
};

/* The first ops of every call: the request, whole, and the server's headers. */
static size_t request_ops(struct call *k, const ProtobufCMessage *rq, grpc_op ops[4])
{
	grpc_slice packed = grpc_slice_malloc(protobuf_c_message_get_packed_size(rq));

	memset(ops, 0, 4 * sizeof(ops[0]));
	protobuf_c_message_pack(rq, GRPC_SLICE_START_PTR(packed));
	k->sent = grpc_raw_byte_buffer_create(&packed, 1);
	grpc_slice_unref(packed);
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (GRPC_SLICE_LENGTH(k->authorization.value) > 0) {
		ops[0].data.send_initial_metadata.count = 1;
		ops[0].data.send_initial_metadata.metadata = &k->authorization;
	}
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = k->sent;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &k->initial;
	return 4;
}

static grpc_op status_op(struct call *k)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	op.data.recv_status_on_client.trailing_metadata = &k->trailing;
	op.data.recv_status_on_client.status = &k->status;
	op.data.recv_status_on_client.status_details = &k->details;
	return op;
}

static grpc_op message_op(struct call *k)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &k->received;
	return op;
}

static void call_open(struct orderd_client *c, const char *path, gpr_timespec deadline,
		      struct call *k)
{
	*k = (struct call){.details = grpc_empty_slice()};
	k->authorization = credentials_header(c->token_file);
	grpc_metadata_array_init(&k->initial);
	grpc_metadata_array_init(&k->trailing);
	k->cq = grpc_completion_queue_create_for_pluck(NULL);
	k->call =
		grpc_channel_create_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, k->cq,
					 grpc_slice_from_static_string(path), NULL, deadline, NULL);
}

static void call_start(struct call *k, const grpc_op *ops, size_t n, void *tag)
{
	if (grpc_call_start_batch(k->call, ops, n, tag, NULL) != GRPC_CALL_OK)
		abort(); /* this very code is wrong */
}

/* The call's own deadline ends it; core always answers the batch. */
static void call_wait(struct call *k, void *tag)
{
	(void)grpc_completion_queue_pluck(k->cq, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
}

static void call_run(struct call *k, const ProtobufCMessage *rq)
{
	grpc_op ops[6];
	size_t n = request_ops(k, rq, ops);

	ops[n++] = message_op(k);
	ops[n++] = status_op(k);
	call_start(k, ops, n, k);
	call_wait(k, k);
}

static ProtobufCMessage *call_message(const struct call *k, const ProtobufCMessageDescriptor *type)
{
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *m;
	grpc_slice s;

	if (k->received == NULL || !grpc_byte_buffer_reader_init(&reader, k->received))
		return NULL;
	s = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	m = protobuf_c_message_unpack(type, NULL, GRPC_SLICE_LENGTH(s), GRPC_SLICE_START_PTR(s));
	grpc_slice_unref(s);
	return m;
}

static void call_error(const struct call *k, struct orderd_error *e)
{
	memset(e, 0, sizeof(*e));
	e->status = (int)k->status;
	copy(e->message, sizeof(e->message), (const char *)GRPC_SLICE_START_PTR(k->details),
	     GRPC_SLICE_LENGTH(k->details));
	read_details(e, &k->trailing);
}

static void call_done(struct call *k)
{
	grpc_metadata_array_destroy(&k->initial);
	grpc_metadata_array_destroy(&k->trailing);
	if (k->sent != NULL)
		grpc_byte_buffer_destroy(k->sent);
	if (k->received != NULL)
		grpc_byte_buffer_destroy(k->received);
	grpc_slice_unref(k->details);
	grpc_slice_unref(k->authorization.value);
	grpc_call_unref(k->call);
	grpc_completion_queue_shutdown(k->cq);
	grpc_completion_queue_destroy(k->cq);
}

/* A pause before the next try; false when the deadline comes first. */
static bool pause_before(int try, gpr_timespec deadline)
{
	int ms = PAUSE_FIRST_MS;
	struct timespec now, pause;

	for (int i = 0; i < try && ms < PAUSE_LONGEST_MS; i++)
		ms *= 2;
	if (ms > PAUSE_LONGEST_MS)
		ms = PAUSE_LONGEST_MS;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = ms / 2 + (int)((unsigned long)now.tv_nsec / 1000 % (unsigned)(ms / 2 + 1));
	if (gpr_time_cmp(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
				      gpr_time_from_millis(ms, GPR_TIMESPAN)),
			 deadline) >= 0)
		return false;
	pause = (struct timespec){ms / 1000, (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
	return true;
}

/*
 * A call that is repeated has a request_id or changes nothing.  This library cancels no call: the
 * CANCELLED that arrives is a server's that closes its connections while the call comes in.
 */
static bool is_worth_repeating(grpc_status_code status, const struct orderd_error *e)
{
	return status == GRPC_STATUS_UNAVAILABLE || status == GRPC_STATUS_CANCELLED ||
	       (status == GRPC_STATUS_ABORTED && strcmp(e->reason, "ETAG_MISMATCH") != 0);
}

static ProtobufCMessage *call(struct orderd_client *c, const char *path, const ProtobufCMessage *rq,
			      const ProtobufCMessageDescriptor *type, int deadline_ms,
			      struct orderd_error *reterr)
{
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					     gpr_time_from_millis(deadline_ms, GPR_TIMESPAN));
	struct orderd_error ignored, *e = reterr != NULL ? reterr : &ignored;

	for (int try = 0;; try++) {
		struct call k;
		ProtobufCMessage *m = NULL;
		bool again;

		call_open(c, path, deadline, &k);
		call_run(&k, rq);
		if (k.status == GRPC_STATUS_OK)
			m = call_message(&k, type);
		if (k.status == GRPC_STATUS_OK && m == NULL)
			k.status = GRPC_STATUS_INTERNAL;
		if (m == NULL)
			call_error(&k, e);
		again = m == NULL && is_worth_repeating(k.status, e);
		call_done(&k);
		if (!again || !pause_before(try, deadline))
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

/* ---------------------------------------------------------------- WatchOrder */

struct watching {
	orderd_on_event *on_event;
	void *arg;
	int64_t last;  /* sequence of the last event told */
	bool enough;   /* on_event has said so */
	bool gap;      /* an event did not follow the one before */
	bool progress; /* this stream brought something */
};

static void tell(struct watching *w, const Orderd__V1__WatchOrderResponse *m)
{
	w->progress = true;
	if (m->what_case != ORDERD__V1__WATCH_ORDER_RESPONSE__WHAT_EVENT ||
	    m->event->sequence <= w->last)
		return;
	w->gap = m->event->sequence != w->last + 1;
	if (w->gap)
		return;
	w->last = m->event->sequence;
	w->enough = !w->on_event(m, w->arg);
}

/* One message, told; false: there are no more, or no more are wanted. */
static bool watch_message(struct call *k, struct watching *w)
{
	grpc_op op = message_op(k);
	ProtobufCMessage *m;

	call_start(k, &op, 1, &k->received);
	call_wait(k, &k->received);
	if (k->received == NULL)
		return false;
	m = call_message(k, &orderd__v1__watch_order_response__descriptor);
	grpc_byte_buffer_destroy(k->received);
	k->received = NULL;
	w->gap = m == NULL;
	if (m != NULL) {
		tell(w, (const Orderd__V1__WatchOrderResponse *)m);
		protobuf_c_message_free_unpacked(m, NULL);
	}
	return !w->enough && !w->gap;
}

/* One stream, to its end. */
static void watch_run(struct call *k, const ProtobufCMessage *rq, struct watching *w)
{
	grpc_op ops[4], status = status_op(k);
	size_t n = request_ops(k, rq, ops);

	call_start(k, &status, 1, &k->status);
	call_start(k, ops, n, k);
	call_wait(k, k);
	while (watch_message(k, w))
		;
	if (w->enough || w->gap)
		grpc_call_cancel(k->call, NULL);
	call_wait(k, &k->status);
}

/* A reader that was too slow cannot be sent details, only a sentence that begins like this. */
static void read_slow_reader(struct orderd_error *e)
{
	static const char prefix[] = "SLOW_READER:";

	if (e->reason[0] == '\0' && strncmp(e->message, prefix, sizeof(prefix) - 1) == 0)
		copy_text(e->reason, sizeof(e->reason), "SLOW_READER");
}

static bool is_worth_resuming(const struct orderd_error *e)
{
	return e->status == GRPC_STATUS_UNAVAILABLE || e->status == GRPC_STATUS_CANCELLED ||
	       strcmp(e->reason, "SLOW_READER") == 0 || strcmp(e->reason, "OVERLOADED") == 0;
}

bool orderd_watch_order(struct orderd_client *c, const Orderd__V1__WatchOrderRequest *rq,
			orderd_on_event *on_event, void *arg, int deadline_ms,
			struct orderd_error *reterr)
{
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					     gpr_time_from_millis(deadline_ms, GPR_TIMESPAN));
	struct watching w = {.on_event = on_event, .arg = arg, .last = rq->after_sequence};
	struct orderd_error ignored, *e = reterr != NULL ? reterr : &ignored;
	Orderd__V1__WatchOrderRequest from = *rq;

	for (int try = 0;; try++) {
		struct call k;

		from.after_sequence = w.last;
		w.progress = false;
		call_open(c, "/orderd.v1.OrderService/WatchOrder", deadline, &k);
		watch_run(&k, &from.base, &w);
		if (w.gap)
			k.status = GRPC_STATUS_DATA_LOSS;
		call_error(&k, e);
		read_slow_reader(e);
		call_done(&k);
		if (w.enough || e->status == GRPC_STATUS_OK)
			return true;
		if (w.progress)
			try = 0;
		if (!is_worth_resuming(e) || !pause_before(try, deadline))
			return false;
	}
}
