/*
 * The life of a call on the loop thread: identify, decode, check, run the flow, answer
 * once, free when nothing is under way.  Everything here happens on the loop thread, so
 * no field of a call needs a lock.
 */
#include "server/runtime/rpc_call.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <grpc/byte_buffer_reader.h>
#include <grpc/support/time.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/metric.h"
#include "server/auth/auth.h"
#include "server/auth/policy.h"
#include "server/runtime/rpc_record.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/status.h"
#include "server/runtime/validate.h"

#define TRACE_KEY "traceparent"

enum { AGAIN_ARENA = 16384 /* an identity, and what is needed to check a token */ };

static const char *name_of(const struct rpc *c)
{
	return c->served->method != NULL ? c->served->method->name : "unknown";
}

void rpc_batch(struct rpc *c, const grpc_op *ops, size_t n, struct rpc_tag *tag)
{
	grpc_call_error e;

	TAG_HANDED_OVER(tag);
	e = grpc_call_start_batch(c->call, ops, n, tag, NULL);
	assert(e == GRPC_CALL_OK);
	c->batches++;
}

/* ---- arrival ---- */

/* How long the caller waits, as a time of our clock; ours if it did not say. */
static int64_t deadline_of(const struct rpc *c)
{
	int64_t now = clock_mono_ms(), left;

	if (gpr_time_cmp(c->deadline, gpr_inf_future(c->deadline.clock_type)) == 0)
		return now + c->server->opt.cfg->default_deadline_ms;
	left = gpr_time_to_millis(gpr_time_sub(c->deadline, gpr_now(GPR_CLOCK_MONOTONIC)));
	return now + left;
}

static size_t ordinary_cap(const struct rpc *c)
{
	return (size_t)c->server->opt.cfg->arena_kib * 1024;
}

/* protobuf-c makes up to 45 times its size of a message of many small fields. */
static enum errc make_room(struct rpc *c)
{
	size_t ordinary = ordinary_cap(c);
	size_t bytes = c->payload != NULL ? grpc_byte_buffer_length(c->payload) : 0;

	if (bytes <= ordinary / RPC_LARGE_FACTOR)
		return ERR_OK;
	return rpc_grow(&c->flow, bytes * RPC_LARGE_FACTOR) ? ERR_OK : ERR_OVERLOADED;
}

struct decoding {
	struct arena *arena;
	bool full;
};

static void *decode_alloc(void *data, size_t size)
{
	struct decoding *d = data;
	void *p = arena_alloc(d->arena, size > 0 ? size : 1);

	d->full |= p == NULL;
	return p;
}

static void decode_free(void *data, void *p)
{
	(void)data; /* the arena frees it */
	(void)p;
}

ProtobufCMessage *rpc_decode(struct rpc *c, struct arena *a, grpc_byte_buffer *bytes,
			     enum errc *ret_err)
{
	struct decoding d = {.arena = a};
	ProtobufCAllocator alloc = {
		.alloc = decode_alloc, .free = decode_free, .allocator_data = &d};
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *m;
	grpc_slice s;

	*ret_err = ERR_INVALID_ARGUMENT;
	if (bytes == NULL || !grpc_byte_buffer_reader_init(&reader, bytes))
		return NULL;
	s = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	m = protobuf_c_message_unpack(c->served->method->request, &alloc, GRPC_SLICE_LENGTH(s),
				      GRPC_SLICE_START_PTR(s));
	grpc_slice_unref(s);
	if (m == NULL && d.full)
		*ret_err = ERR_TOO_LARGE;
	return m;
}

/* The caller's trace; a new one when it brings none, or two, or what is none. */
static struct trace trace_of(const struct rpc *c)
{
	struct str parent = {NULL, 0};
	struct trace t;

	for (size_t i = 0; i < c->metadata.count; i++) {
		const grpc_metadata *m = &c->metadata.metadata[i];

		if (grpc_slice_str_cmp(m->key, TRACE_KEY) != 0)
			continue;
		if (parent.p != NULL)
			return trace_new();
		parent = (struct str){(const char *)GRPC_SLICE_START_PTR(m->value),
				      GRPC_SLICE_LENGTH(m->value)};
	}
	return trace_parse(parent, &t) ? t : trace_new();
}

static enum errc read_request(struct rpc *c)
{
	enum errc e = make_room(c);

	if (e != ERR_OK)
		return e;
	c->state = arena_alloc(&c->flow.arena, c->served->method->state_size + 1);
	if (c->state == NULL)
		return ERR_TOO_LARGE;
	if (c->served->method->kind == RPC_BIDI)
		return ERR_OK;
	c->request = rpc_decode(c, &c->flow.arena, c->payload, &e);
	if (c->payload != NULL)
		grpc_byte_buffer_destroy(c->payload);
	c->payload = NULL;
	if (c->request == NULL)
		return e;
	validate(&c->flow, c->served->shape, c->request);
	return c->n_violations > 0 ? ERR_INVALID_ARGUMENT : ERR_OK;
}

/* Who calls, whether they may, and whether they have had their share. */
static enum errc let_in(struct rpc *c)
{
	enum errc e;

	if (c->served->method->open)
		return ERR_OK;
	e = identify(c->server->opt.auth, c->call, &c->metadata, &c->flow.arena, &c->who);
	if (e != ERR_OK)
		return e;
	e = policy_judge(c->served->policy, &c->who, c->server->opt.cfg->operator_tenant);
	if (e == ERR_SCOPE_MISSING)
		rpc_fact(&c->flow, "scope", "%s", c->served->policy->scope);
	return e != ERR_OK ? e : admission_share(c);
}

enum errc rpc_identify_again(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);
	struct identity who;
	struct arena scratch;
	enum errc e;

	arena_init(&scratch, AGAIN_ARENA);
	e = identify(c->server->opt.auth, c->call, &c->metadata, &scratch, &who);
	if (e == ERR_OK &&
	    (who.tenant != c->who.tenant || who.role != c->who.role ||
	     !str_eq(who.subject, c->who.subject) || !str_eq(who.customer, c->who.customer)))
		e = ERR_UNAUTHENTICATED;
	arena_done(&scratch);
	return e;
}

static enum errc admit(struct rpc *c)
{
	enum errc e;

	if (c->served->method == NULL)
		return ERR_UNIMPLEMENTED;
	if (c->server->phase >= RPC_CLOSING)
		return ERR_DRAINING;
	c->flow.arena.cap = ordinary_cap(c);
	e = admission_early(c);
	if (e == ERR_OK)
		e = let_in(c);
	return e != ERR_OK ? e : read_request(c);
}

enum errc rpc_outcome(const struct rpc *c)
{
	if (c->reply != NULL)
		return ERR_OK;
	if (c->refusal != ERR_OK)
		return c->refusal;
	return c->flow.cause != ERR_OK ? c->flow.cause : ERR_INTERNAL;
}

struct str rpc_request_id(const struct rpc *c)
{
	const ProtobufCFieldDescriptor *f = c->served->request_id;
	const ProtobufCBinaryData *value;

	if (f == NULL || c->request == NULL)
		return (struct str){NULL, 0};
	value = (const void *)((const char *)c->request + f->offset);
	return (struct str){(const char *)value->data, value->len};
}

static void on_flow_done(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);

	c->working = false;
	rpc_answer(c, rpc_outcome(c));
	rpc_maybe_free(c);
}

static void await_close(struct rpc *c)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
	op.data.recv_close_on_server.cancelled = &c->cancelled;
	rpc_batch(c, &op, 1, &c->closed);
}

static void show_at_work(const struct rpc *c)
{
	enum rpc_class class = rpc_class_of(c);

	metric_set(METRIC_rpc_in_flight, rpc_class_name(class),
		   (int64_t)atomic_load(&c->server->at_work[class]));
}

static void enlist(struct rpc *c)
{
	c->prev = NULL;
	c->next = c->server->alive;
	if (c->next != NULL)
		c->next->prev = c;
	else
		c->server->oldest = c;
	c->server->alive = c;
}

static void on_arrived(struct rpc *c)
{
	const struct rpc_method *m = c->served->method;
	enum errc e;

	enlist(c);
	c->server->arrival_us = c->arrived_us;
	metric_add(METRIC_rpc_started, name_of(c), 1);
	show_at_work(c);
	await_close(c);
	c->bytes_in = c->payload != NULL ? grpc_byte_buffer_length(c->payload) : 0;
	c->flow.name = name_of(c);
	c->flow.trace = trace_of(c);
	c->flow.quiet = true; /* the access log speaks */
	c->flow.loop = c->server->loop;
	c->flow.deadline_ms = m != NULL ? deadline_of(c) : 0;
	e = admit(c);
	if (e != ERR_OK) {
		rpc_answer(c, e);
		return;
	}
	if (m->kind != RPC_UNARY) {
		stream_open(c);
		return;
	}
	c->working = true;
	c->flow.steps = c->served->recorded != NULL ? c->served->recorded : m->steps;
	c->flow.at = c->served->recorded != NULL ? rpc_record_first(c->served->end) : 0;
	c->flow.done = on_flow_done;
	flow_start(&c->flow);
}

/* ---- answer ---- */

grpc_byte_buffer *rpc_pack(struct rpc *c, const ProtobufCMessage *m)
{
	const struct rpc_server_options *opt = &c->server->opt;
	grpc_byte_buffer *bytes;
	grpc_slice s;
	size_t n;

	assert(m->descriptor == c->served->method->response);
	if (rpc_identity(&c->flow)->customer.p != NULL && opt->customer_view != NULL)
		opt->customer_view((ProtobufCMessage *)(uintptr_t)m);
	n = protobuf_c_message_get_packed_size(m);
	if (n > RPC_MESSAGE_MAX)
		return NULL;
	s = grpc_slice_malloc(n);
	protobuf_c_message_pack(m, GRPC_SLICE_START_PTR(s));
	bytes = grpc_raw_byte_buffer_create(&s, 1);
	grpc_slice_unref(s);
	return bytes;
}

void rpc_headers(struct rpc *c, grpc_op *op)
{
	char parent[TRACE_PARENT_SIZE];

	assert(!c->headers_sent);
	c->headers_sent = true;
	c->header.key = grpc_slice_from_static_string(TRACE_KEY);
	c->header.value = grpc_slice_from_copied_string(trace_parent(&c->flow.trace, parent));
	op->op = GRPC_OP_SEND_INITIAL_METADATA;
	op->data.send_initial_metadata.metadata = &c->header;
	op->data.send_initial_metadata.count = 1;
}

static void report(struct rpc *c, enum errc e)
{
	int64_t us = clock_mono_us() - c->arrived_us;
	char label[96];

	snprintf(label, sizeof(label), "%s|%s", name_of(c), err_name(e));
	metric_add(METRIC_rpc_handled, label, 1);
	metric_observe_us(METRIC_rpc_seconds, name_of(c), us);
	access_log_call(c, e, us);
}

/*
 * An error that is all there is goes out as trailers alone, the trace among them: a head of its own
 * would tell gRPC's clients that the call has begun, and such a call they do not retry (gRFC A6).
 */
static void send_status(struct rpc *c, enum errc e, grpc_op *ops, size_t n)
{
	struct status status;
	grpc_metadata trailers[STATUS_TRAILERS + 1];
	grpc_op *op = &ops[n];
	size_t n_trailers;

	status_make(&status, e, c->why, e != ERR_OK ? admission_backlog_ms(c->server) : 0);
	n_trailers = status.n_trailers;
	memcpy(trailers, status.trailers, sizeof(status.trailers));
	if (e != ERR_OK && n > 0) {
		ops[0].data.send_initial_metadata.count = 0;
		trailers[n_trailers++] = c->header;
	}
	op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	op->data.send_status_from_server.status = status.code;
	op->data.send_status_from_server.status_details = e != ERR_OK ? &status.text : NULL;
	op->data.send_status_from_server.trailing_metadata = trailers;
	op->data.send_status_from_server.trailing_metadata_count = n_trailers;
	rpc_batch(c, ops, n + 1, &c->finished);
	status_done(&status); /* gRPC has references of its own */
}

void rpc_answer(struct rpc *c, enum errc e)
{
	grpc_op ops[3];
	size_t n = 0;

	assert(!c->answered);
	c->answered = true;
	if (e == ERR_OK && c->reply != NULL)
		c->bytes_out += grpc_byte_buffer_length(c->reply);
	report(c, e);
	rpc_record_answer(c, e);
	if (c->gone)
		return; /* nobody listens */
	memset(ops, 0, sizeof(ops));
	if (!c->headers_sent)
		rpc_headers(c, &ops[n++]);
	if (e == ERR_OK && c->reply != NULL) {
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = c->reply;
	}
	send_status(c, e, ops, n);
}

/* ---- end ---- */

static void delist(struct rpc *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		c->server->alive = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		c->server->oldest = c->prev;
}

/* Back to as it was before it was ever used, but for the arenas' kept blocks. */
void rpc_wipe(struct rpc *c)
{
	struct arena own = c->flow.arena, message = c->message;
	struct rpc_server *s = c->server;
	bool large = c->charged > 0;

	if (large)
		s->large_left += c->charged;
	if (c->payload != NULL)
		grpc_byte_buffer_destroy(c->payload);
	if (c->reply != NULL)
		grpc_byte_buffer_destroy(c->reply);
	grpc_metadata_array_destroy(&c->metadata);
	if (c->headers_sent)
		grpc_slice_unref(c->header.value);
	if (c->served->method == NULL)
		grpc_call_details_destroy(&c->details);
	if (c->call != NULL)
		grpc_call_unref(c->call);
	arena_reset(&own);
	arena_reset(&message);
	if (large)
		arena_done(&own); /* a pool of large blocks would be a leak by another name */
	memset(c, 0, sizeof(*c));
	c->server = s;
	c->flow.arena = own;
	c->message = message;
}

static void release(struct rpc *c)
{
	struct rpc_server *s = c->server;

	rpc_wipe(c);
	rpc_pool_put(c);
	rpc_server_check_down(s);
}

void rpc_maybe_free(struct rpc *c)
{
	if (c->batches > 0 || c->working || c->open || c->end_task.posted)
		return;
	if (!c->answered) /* a stream that nobody could be told the end of */
		report(c, c->ending ? c->end : ERR_CANCELLED);
	delist(c);
	admission_leave(c);
	atomic_fetch_sub(&c->server->at_work[rpc_class_of(c)], 1);
	show_at_work(c);
	release(c);
}

/* ---- events ---- */

static void on_closed(struct rpc *c)
{
	if (!c->cancelled)
		return;
	c->gone = true;
	if (c->working)
		flow_cancel(&c->flow,
			    clock_mono_ms() >= c->flow.deadline_ms ? ERR_DEADLINE : ERR_CANCELLED);
	else
		stream_gone(c);
}

void rpc_cut(struct rpc *c, enum errc why)
{
	if (c->working)
		flow_cancel(&c->flow, why);
	else if (c->open)
		rpc_end(&c->flow, why);
}

void rpc_drain(struct rpc *c)
{
	if (!c->open)
		return;
	if (c->served->method->stream->on_drain != NULL)
		c->served->method->stream->on_drain(&c->flow);
	else
		rpc_end(&c->flow, ERR_DRAINING);
}

static void on_shed(struct rpc *c)
{
	admission_look(c->server);
	release(c);
}

void rpc_handle(struct rpc_tag *tag)
{
	struct rpc *c = tag->rpc;

	if (tag->event == RPC_ARRIVED && !tag->ok) {
		release(c); /* a slot nobody will use any more */
		return;
	}
	if (c->shed) {
		on_shed(c);
		return;
	}
	if (tag->event == RPC_ARRIVED) {
		on_arrived(c);
		return;
	}
	assert(c->batches > 0);
	c->batches--;
	if (tag->event == RPC_CLOSED)
		on_closed(c);
	else if (tag->event == RPC_SENT)
		stream_sent(c, tag->ok);
	else if (tag->event == RPC_RECEIVED)
		stream_received(c, tag->ok);
	rpc_maybe_free(c);
}
