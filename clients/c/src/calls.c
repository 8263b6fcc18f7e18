/*
 * Many calls on one completion queue.  A call's memory is used again by the next one; what was
 * answered last is kept until the next answer is taken, because its bytes are the caller's so long.
 */
#include "orderd/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "credentials.h"

struct pending {
	struct call call;
	struct pending *next;           /* in the list of free ones */
	struct pending **before, *twin; /* among those under way */
	void *tag;
};

struct orderd_calls {
	grpc_completion_queue *cq;
	grpc_channel **channels;
	char *token_file; /* NULL: calls carry none */
	unsigned n_channels, turn;
	struct pending *spare, *under_way;
	struct pending *last; /* answered, and its bytes are being read */
	grpc_slice bytes;
};

static const char *const paths[ORDERD_METHODS_OF_CALLS] = {
	[ORDERD_PLACE_ORDER] = "/orderd.v1.OrderService/PlaceOrder",
	[ORDERD_GET_ORDER] = "/orderd.v1.OrderService/GetOrder",
	[ORDERD_GET_ORDER_STATUS] = "/orderd.v1.OrderService/GetOrderStatus",
};

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		abort();
	return p;
}

static struct orderd_calls *new_calls(const struct orderd_client_options *opt, int connections,
				      grpc_channel_credentials *take)
{
	struct orderd_calls *c = zeroed(1, sizeof(*c));

	assert(connections > 0);
	c->cq = grpc_completion_queue_create_for_next(NULL);
	c->n_channels = (unsigned)connections;
	c->channels = zeroed(c->n_channels, sizeof(*c->channels));
	for (unsigned i = 0; i < c->n_channels; i++)
		c->channels[i] = channel_open(opt->target, take, true);
	grpc_channel_credentials_release(take);
	if (opt->token_file != NULL && (c->token_file = strdup(opt->token_file)) == NULL)
		abort();
	c->bytes = grpc_empty_slice();
	return c;
}

struct orderd_calls *orderd_calls_new(const struct orderd_client_options *opt, int connections,
				      struct orderd_error *reterr)
{
	grpc_channel_credentials *creds;

	grpc_init();
	creds = credentials_of(opt, reterr);
	if (creds != NULL)
		return new_calls(opt, connections, creds);
	grpc_shutdown();
	return NULL;
}

/* ---- under way, and not any more ---- */

static struct pending *pending_take(struct orderd_calls *c)
{
	struct pending *p = c->spare;

	if (p != NULL)
		c->spare = p->next;
	else
		p = zeroed(1, sizeof(*p));
	p->before = &c->under_way;
	p->twin = c->under_way;
	if (p->twin != NULL)
		p->twin->before = &p->twin;
	c->under_way = p;
	return p;
}

static void pending_ended(struct pending *p)
{
	*p->before = p->twin;
	if (p->twin != NULL)
		p->twin->before = p->before;
}

static void forget_last(struct orderd_calls *c)
{
	if (c->last == NULL)
		return;
	grpc_slice_unref(c->bytes);
	c->bytes = grpc_empty_slice();
	call_done(&c->last->call);
	c->last->next = c->spare;
	c->spare = c->last;
	c->last = NULL;
}

void orderd_calls_start(struct orderd_calls *c, enum orderd_method method,
			const ProtobufCMessage *rq, int deadline_ms, void *tag)
{
	struct pending *p = pending_take(c);

	p->tag = tag;
	call_open(&p->call, c->channels[c->turn++ % c->n_channels], c->cq, paths[method],
		  c->token_file, deadline_in(deadline_ms));
	call_start_unary(&p->call, rq, p);
}

bool orderd_calls_next(struct orderd_calls *c, int64_t wait_us, struct orderd_answer *ret)
{
	gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					  gpr_time_from_micros(wait_us, GPR_TIMESPAN));
	grpc_event e;
	struct pending *p;

	forget_last(c);
	e = grpc_completion_queue_next(c->cq, until, NULL);
	if (e.type != GRPC_OP_COMPLETE)
		return false;
	p = c->last = e.tag;
	pending_ended(p);
	*ret = (struct orderd_answer){.tag = p->tag, .status = (int)p->call.status};
	if (call_bytes(&p->call, &c->bytes)) {
		ret->bytes = GRPC_SLICE_START_PTR(c->bytes);
		ret->n = GRPC_SLICE_LENGTH(c->bytes);
	}
	return true;
}

void orderd_calls_error(const struct orderd_calls *c, struct orderd_error *ret)
{
	assert(c->last != NULL);
	call_error(&c->last->call, ret);
}

/* ---- the end ---- */

static void end_all(struct orderd_calls *c)
{
	for (struct pending *p = c->under_way; p != NULL; p = p->twin)
		grpc_call_cancel(p->call.call, NULL);
	grpc_completion_queue_shutdown(c->cq);
	for (;;) {
		grpc_event e = grpc_completion_queue_next(
			c->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		struct pending *p = e.tag;

		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return;
		pending_ended(p);
		call_done(&p->call);
		free(p);
	}
}

void orderd_calls_free(struct orderd_calls *c)
{
	if (c == NULL)
		return;
	forget_last(c);
	end_all(c);
	while (c->spare != NULL) {
		struct pending *p = c->spare;

		c->spare = p->next;
		free(p);
	}
	grpc_completion_queue_destroy(c->cq);
	for (unsigned i = 0; i < c->n_channels; i++)
		grpc_channel_destroy(c->channels[i]);
	free(c->channels);
	free(c->token_file);
	grpc_shutdown();
	free(c);
}
