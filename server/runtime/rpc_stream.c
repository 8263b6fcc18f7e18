/*
 * A call that is a stream.  One message is on its way at a time: gRPC takes the next only
 * when flow control has let the last one go, so a slow reader costs us one message, not a
 * queue.  A bidi stream reads its next message when the last one has been answered.
 */
#include <assert.h>
#include <string.h>

#include "core/base/clock.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/status.h"
#include "server/runtime/validate.h"

/*
 * How long a message on its way may delay the end of its stream; then the reader is too slow for a
 * good end.
 */
enum { LAST_WORD_MS = 2000 };

static const struct rpc_stream *handlers(const struct rpc *c)
{
	return c->served->method->stream;
}

static void receive(struct rpc *c)
{
	grpc_op op;

	if (c->served->method->kind != RPC_BIDI || c->receiving || c->sending || c->ending)
		return;
	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &c->payload;
	c->receiving = true;
	rpc_batch(c, &op, 1, &c->received);
}

void stream_open(struct rpc *c)
{
	c->open = true;
	c->message.cap = c->flow.arena.cap;
	if (handlers(c)->on_open != NULL)
		handlers(c)->on_open(&c->flow);
	if (c->open)
		receive(c);
}

/* ---- sending ---- */

bool rpc_can_send(struct flow *fl)
{
	struct rpc *c = rpc_of(fl);

	return c->open && !c->sending && !c->ending;
}

bool rpc_send(struct flow *fl, const ProtobufCMessage *m)
{
	struct rpc *c = rpc_of(fl);
	grpc_byte_buffer *bytes;
	grpc_op ops[2], *op = ops;

	assert(rpc_can_send(fl));
	bytes = rpc_pack(c, m);
	if (bytes == NULL) {
		rpc_end(fl, ERR_TOO_LARGE);
		return false;
	}
	memset(ops, 0, sizeof(ops));
	if (!c->headers_sent)
		rpc_headers(c, op++);
	c->bytes_out += grpc_byte_buffer_length(bytes);
	op->op = GRPC_OP_SEND_MESSAGE;
	op++->data.send_message.send_message = bytes;
	c->sending = true;
	rpc_batch(c, ops, (size_t)(op - ops), &c->sent);
	grpc_byte_buffer_destroy(bytes);
	return true;
}

static void say_end(struct rpc *c)
{
	timer_clear(c->server->loop, &c->last_word);
	if (!c->answered)
		rpc_answer(c, c->end);
}

void stream_sent(struct rpc *c, bool ok)
{
	c->sending = false;
	if (c->ending) {
		if (!c->open && !c->gone)
			say_end(c);
		return;
	}
	if (!ok || !c->open)
		return; /* the close event does the rest */
	if (handlers(c)->on_sent != NULL)
		handlers(c)->on_sent(&c->flow);
	receive(c);
}

/* ---- receiving ---- */

static void on_message(struct rpc *c)
{
	ProtobufCMessage *m;
	enum errc e;

	c->bytes_in += grpc_byte_buffer_length(c->payload);
	m = rpc_decode(c, &c->message, c->payload, &e);
	grpc_byte_buffer_destroy(c->payload);
	c->payload = NULL;
	if (m != NULL) {
		validate(&c->flow, c->served->shape, m);
		e = c->n_violations > 0 ? ERR_INVALID_ARGUMENT : ERR_OK;
	}
	if (e != ERR_OK)
		rpc_end(&c->flow, e);
	else
		handlers(c)->on_message(&c->flow, m);
	arena_reset(&c->message);
}

void stream_received(struct rpc *c, bool ok)
{
	c->receiving = false;
	if (!ok || !c->open || c->ending)
		return;
	if (c->payload == NULL) {
		if (handlers(c)->on_half_close != NULL)
			handlers(c)->on_half_close(&c->flow);
		return;
	}
	on_message(c);
	receive(c);
}

/* ---- the end ---- */

static void close_stream(struct rpc *c)
{
	c->open = false;
	if (handlers(c)->on_close != NULL)
		handlers(c)->on_close(&c->flow);
}

static void on_last_word_overdue(struct timer *t)
{
	struct rpc *c = (struct rpc *)(void *)((char *)t - offsetof(struct rpc, last_word));
	const char *text = c->why != NULL && c->why->text != NULL ? c->why->text : err_text(c->end);

	/* A status would wait behind the message; this overtakes it, without details. */
	grpc_call_cancel_with_status(c->call, (grpc_status_code)err_status(c->end), text, NULL);
}

static void run_end(struct task *t)
{
	struct rpc *c = (struct rpc *)(void *)((char *)t - offsetof(struct rpc, end_task));

	if (c->open)
		close_stream(c);
	if (!c->gone && c->sending) {
		c->last_word.on_due = on_last_word_overdue;
		timer_set(c->server->loop, &c->last_word, clock_mono_ms() + LAST_WORD_MS);
	} else if (!c->gone) {
		say_end(c);
	}
	rpc_maybe_free(c);
}

void rpc_end(struct flow *fl, enum errc e)
{
	struct rpc *c = rpc_of(fl);

	if (c->ending || !c->open)
		return;
	c->ending = true;
	c->end = e;
	c->end_task.run = run_end;
	loop_post(c->server->loop, &c->end_task);
}

void stream_gone(struct rpc *c)
{
	timer_clear(c->server->loop, &c->last_word);
	if (c->open)
		close_stream(c);
}
