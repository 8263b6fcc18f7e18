/*
 * One call on gRPC's C core: its batch of operations, its answer, why it failed.
 */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>

#include "credentials.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

enum {
	RECONNECT_FIRST_MS = 200, /* gRPC waits a second and then up to two minutes, we shall not */
	RECONNECT_LONGEST_MS = 1000,
	MESSAGE_MAX = 16 * 1024 * 1024,
	/* A peer that is gone without a word is found out while a call is under way. */
	KEEPALIVE_MS = 30000,
	KEEPALIVE_TIMEOUT_MS = 10000,
};

static grpc_arg number_arg(const char *key, int value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

grpc_channel *channel_open(const char *target, grpc_channel_credentials *creds, bool own_connection)
{
	grpc_arg list[] = {
		number_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MESSAGE_MAX),
		number_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS),
		number_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_LONGEST_MS),
		number_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
		number_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
		number_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, own_connection),
	};
	grpc_channel_args args = {sizeof(list) / sizeof(list[0]), list};

	return grpc_channel_create(target, creds, &args);
}

gpr_timespec deadline_in(int ms)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
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

/* What is no number means never, as gRFC A6 has it. */
static int read_number(const char *p, size_t n)
{
	int64_t ms = 0;

	if (n == 0)
		return CALL_NEVER;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return CALL_NEVER;
		ms = ms < CALL_PUSHBACK_MAX_MS ? 10 * ms + (p[i] - '0') : ms;
	}
	return ms < CALL_PUSHBACK_MAX_MS ? (int)ms : CALL_PUSHBACK_MAX_MS;
}

int call_pushback_ms(const struct call *k)
{
	for (size_t i = 0; i < k->trailing.count; i++) {
		const grpc_metadata *m = &k->trailing.metadata[i];

		if (grpc_slice_str_cmp(m->key, "grpc-retry-pushback-ms") == 0)
			return read_number((const char *)GRPC_SLICE_START_PTR(m->value),
					   GRPC_SLICE_LENGTH(m->value));
	}
	return CALL_UNSAID;
}

/* ---------------------------------------------------------------- calls */

size_t request_ops(struct call *k, const ProtobufCMessage *rq, grpc_op ops[CALL_REQUEST_OPS])
{
	grpc_slice packed = grpc_slice_malloc(protobuf_c_message_get_packed_size(rq));

	memset(ops, 0, CALL_REQUEST_OPS * sizeof(ops[0]));
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
	return CALL_REQUEST_OPS;
}

grpc_op status_op(struct call *k)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	op.data.recv_status_on_client.trailing_metadata = &k->trailing;
	op.data.recv_status_on_client.status = &k->status;
	op.data.recv_status_on_client.status_details = &k->details;
	return op;
}

grpc_op message_op(struct call *k)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &k->received;
	return op;
}

void call_open(struct call *k, grpc_channel *channel, grpc_completion_queue *cq, const char *path,
	       const char *token_file, gpr_timespec deadline)
{
	*k = (struct call){.details = grpc_empty_slice()};
	k->authorization = credentials_header(token_file);
	grpc_metadata_array_init(&k->initial);
	grpc_metadata_array_init(&k->trailing);
	k->call =
		grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, cq,
					 grpc_slice_from_static_string(path), NULL, deadline, NULL);
}

void call_start(struct call *k, const grpc_op *ops, size_t n, void *tag)
{
	if (grpc_call_start_batch(k->call, ops, n, tag, NULL) != GRPC_CALL_OK)
		abort(); /* this very code is wrong */
}

void call_start_unary(struct call *k, const ProtobufCMessage *rq, void *tag)
{
	grpc_op ops[CALL_OPS];
	size_t n = request_ops(k, rq, ops);

	ops[n++] = message_op(k);
	ops[n++] = status_op(k);
	call_start(k, ops, n, tag);
}

bool call_bytes(const struct call *k, grpc_slice *ret)
{
	grpc_byte_buffer_reader reader;

	if (k->received == NULL || !grpc_byte_buffer_reader_init(&reader, k->received))
		return false;
	*ret = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return true;
}

void call_error(const struct call *k, struct orderd_error *e)
{
	memset(e, 0, sizeof(*e));
	e->status = (int)k->status;
	copy(e->message, sizeof(e->message), (const char *)GRPC_SLICE_START_PTR(k->details),
	     GRPC_SLICE_LENGTH(k->details));
	read_details(e, &k->trailing);
}

void call_done(struct call *k)
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
}
