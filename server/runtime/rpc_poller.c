/*
 * The poller thread: the only place that waits for gRPC, and where slots are posted.
 *
 * It does as little as a door-keeper can: post the next slot, refuse what is over its
 * class's bound, or was refused a moment ago, and mail everything else to the loop.
 *
 * The pool of call objects is a stack with many pushes and one popper, this thread, so it
 * needs no lock and knows no ABA problem.  When it is empty a slot stays unposted and is
 * counted as missing; the loop posts it with the next call object that comes free.  The
 * calls that arrive meanwhile wait in gRPC, bounded by connections times streams.
 */
#include <assert.h>
#include <string.h>

#include "core/base/clock.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/turned_away.h"

/* ---- slots ---- */

static struct rpc *pool_take(struct rpc_server *s)
{
	struct rpc *c = atomic_load_explicit(&s->pool, memory_order_acquire);

	while (c != NULL &&
	       !atomic_compare_exchange_weak_explicit(&s->pool, &c, c->next, memory_order_acquire,
						      memory_order_acquire))
		;
	if (c == NULL && s->n_touched < s->n_calls) {
		c = &s->calls[s->n_touched++];
		arena_init(&c->flow.arena, 0);
		arena_init(&c->message, 0);
	}
	if (c != NULL)
		atomic_fetch_add(&s->out, 1);
	return c;
}

static void tag_init(struct rpc_tag *t, struct rpc *c, enum rpc_event event)
{
	*t = (struct rpc_tag){.rpc = c, .event = event};
}

static void post(struct rpc_server *s, struct rpc_served *served, struct rpc *c)
{
	grpc_call_error e;

	c->server = s;
	c->served = served;
	c->next = NULL;
	tag_init(&c->arrived, c, RPC_ARRIVED);
	tag_init(&c->closed, c, RPC_CLOSED);
	tag_init(&c->sent, c, RPC_SENT);
	tag_init(&c->received, c, RPC_RECEIVED);
	tag_init(&c->finished, c, RPC_FINISHED);
	grpc_metadata_array_init(&c->metadata);
	TAG_HANDED_OVER(&c->arrived);
	if (served->method == NULL) {
		grpc_call_details_init(&c->details);
		e = grpc_server_request_call(s->core, &c->call, &c->details, &c->metadata, s->cq,
					     s->cq, &c->arrived);
	} else {
		e = grpc_server_request_registered_call(
			s->core, served->handle, &c->call, &c->deadline, &c->metadata,
			served->method->kind == RPC_BIDI ? NULL : &c->payload, s->cq, s->cq,
			&c->arrived);
	}
	assert(e == GRPC_CALL_OK);
}

static void post_or_owe(struct rpc_server *s, struct rpc_served *served)
{
	struct rpc *c = pool_take(s);

	if (c != NULL) {
		post(s, served, c);
		return;
	}
	atomic_fetch_add(&served->missing, 1);
	atomic_fetch_add(&s->missing, 1);
}

/* Claim one missing slot; NULL if there is none. */
static struct rpc_served *take_missing(struct rpc_server *s)
{
	if (atomic_load(&s->missing) == 0)
		return NULL;
	for (size_t i = 0; i < s->n_served; i++) {
		struct rpc_served *served = &s->served[i];
		unsigned n = atomic_load(&served->missing);

		while (n > 0)
			if (atomic_compare_exchange_weak(&served->missing, &n, n - 1)) {
				atomic_fetch_sub(&s->missing, 1);
				return served;
			}
	}
	return NULL;
}

void rpc_pool_put(struct rpc *c)
{
	struct rpc_server *s = c->server;
	struct rpc_served *owed = atomic_load(&s->closing) ? NULL : take_missing(s);

	if (owed != NULL) {
		post(s, owed, c);
		return;
	}
	c->next = atomic_load_explicit(&s->pool, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&s->pool, &c->next, c, memory_order_release,
						      memory_order_relaxed))
		;
	atomic_fetch_sub(&s->out, 1);
}

/* ---- arrivals ---- */

static const enum shed_cause cause_of[RPC_CLASSES] = {
	[RPC_WORK] = SHED_WORK,
	[RPC_WATCH] = SHED_WATCH,
	[RPC_PROBE] = SHED_PROBE,
};

static void refuse(struct rpc *c, enum shed_cause cause, const struct status *st)
{
	grpc_slice text = st->text;
	grpc_metadata trailers[STATUS_TRAILERS];
	grpc_op ops[3];
	grpc_call_error e;

	memcpy(trailers, st->trailers, sizeof(trailers));
	memset(ops, 0, sizeof(ops));
	ops[0].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
	ops[0].data.recv_close_on_server.cancelled = &c->cancelled;
	ops[1].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[2].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[2].data.send_status_from_server.status = st->code;
	ops[2].data.send_status_from_server.status_details = &text;
	ops[2].data.send_status_from_server.trailing_metadata = trailers;
	ops[2].data.send_status_from_server.trailing_metadata_count = st->n_trailers;
	admission_shed(c->server, cause);
	c->shed = true;
	c->batches = 1;
	e = grpc_call_start_batch(c->call, ops, 3, &c->finished, NULL);
	assert(e == GRPC_CALL_OK);
}

static void arrived(struct rpc_server *s, struct rpc *c)
{
	enum rpc_class class = rpc_class_of(c);
	struct refusal again;

	c->arrived_us = clock_mono_us();
	if (!atomic_load(&s->closing))
		post_or_owe(s, c->served);
	if (atomic_fetch_add(&s->at_work[class], 1) >= s->bounds[class]) {
		atomic_fetch_sub(&s->at_work[class], 1);
		refuse(c, cause_of[class], rpc_refusal(s));
		return;
	}
	if (!atomic_load(&s->closing) && admission_again(c, &again)) {
		atomic_fetch_sub(&s->at_work[class], 1);
		refuse(c, again.cause, &again.status);
		status_done(&again.status); /* gRPC has references of its own */
		return;
	}
	mailbox_send(s->mailbox, &c->arrived.letter);
}

/*
 * The loop need not know of a call that was refused; but when it waits for the last one it must,
 * and now and then it is to say how long those who are refused shall stay away.
 */
static void shed_ended(struct rpc_server *s, struct rpc_tag *tag)
{
	static unsigned n; /* poller only */
	struct rpc *c = tag->rpc;

	if (atomic_load(&s->closing) || n++ % RPC_SHED_BY_LOOP == 0) {
		mailbox_send(s->mailbox, &tag->letter);
		return;
	}
	rpc_wipe(c);
	rpc_pool_put(c);
}

static void *poll(void *arg)
{
	struct rpc_server *s = arg;

	for (;;) {
		grpc_event e = grpc_completion_queue_next(
			s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		struct rpc_tag *tag = e.tag;

		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		TAG_CAME_BACK(tag);
		tag->ok = e.success != 0;
		if (tag->event == RPC_ARRIVED && tag->ok)
			arrived(s, tag->rpc);
		else if (tag->event == RPC_FINISHED && tag->rpc->shed)
			shed_ended(s, tag);
		else
			mailbox_send(s->mailbox, &tag->letter);
	}
}

/* ---- start and stop ---- */

void rpc_poller_start(struct rpc_server *s)
{
	int err;

	for (size_t i = 0; i < s->n_served; i++) {
		const struct rpc_method *m = s->served[i].method;
		unsigned slots = m != NULL && m->slots > 0 ? m->slots : RPC_SLOTS_COLD;

		for (unsigned n = 0; n < slots; n++)
			post_or_owe(s, &s->served[i]);
	}
	err = pthread_create(&s->poller, NULL, poll, s);
	assert(err == 0);
	pthread_setname_np(s->poller, "grpc-poller");
}

void rpc_poller_stop(struct rpc_server *s)
{
	grpc_completion_queue_shutdown(s->cq);
	pthread_join(s->poller, NULL);
}
