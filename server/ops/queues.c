/*
 * ListQueues: what is in the queues, and whether they are paused.
 *
 *	counts --> streams (per queue) --> reply
 *
 * PauseQueue, ResumeQueue: one unit; no claim is given out against it from its commit on.
 *
 *	set --+--> waiting --> now --> reply	resumed: what waits is rung, for rings that came to
 *	      |					nothing during the pause are gone
 *	      +--> now
 *	      +--> find --> now			this request_id was here before
 */
#include <assert.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/ops/job_message.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

enum {
	COUNT_MOST = 20000, /* jobs of a sort that are counted */
	RING_MOST = 1000,   /* of a resumed queue rung at once; the sweep rings the others */
	QUEUES = ROLE_JANITOR,
};

static int ask_counts(struct flow *fl)
{
	struct queue_list_head h = {.most = COUNT_MOST};

	return store_ask(fl, rpc_app(fl)->store, queue_list_unit(&h, NULL, 0));
}

static Orderd__V1__Queue *queue_message(struct flow *fl, const struct queue_list_row *r)
{
	Orderd__V1__Queue *q = arena_alloc(&fl->arena, sizeof(*q));

	if (q == NULL)
		return NULL;
	orderd__v1__queue__init(q);
	q->role = keep_text(fl, r->role);
	q->paused = r->paused;
	q->reason = keep_text(fl, r->reason);
	q->changed_by = keep_text(fl, r->changed_by);
	if (r->changed_by.n > 0)
		q->change_time = timestamp_message(fl, r->changed_at);
	q->ready = r->ready;
	q->later = r->later;
	q->running = r->running;
	q->dead = r->dead;
	q->at_least = r->at_least;
	if (r->oldest_at != DB_NULL)
		q->oldest_ready_time = timestamp_message(fl, r->oldest_at);
	return q;
}

/* ---------------------------------------------------------------- ListQueues */

enum { COUNTS, STREAMS, REPLY, LIST_DONE };

struct listing {
	Orderd__V1__Queue *queues[QUEUES];
	size_t n, at; /* whose streams are asked about */
};

static int got_counts(struct flow *fl, const struct answer *a)
{
	struct listing *l = rpc_state(fl);

	for (uint32_t i = 0; i < answer_rows(a) && l->n < QUEUES; i++) {
		struct queue_list_row r = queue_list_row(a, i);

		if ((l->queues[l->n++] = queue_message(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	return STREAMS;
}

static int ask_streams(struct flow *fl)
{
	struct listing *l = rpc_state(fl);
	enum queue_role role;

	if (l->at == l->n || !queue_is_up(rpc_app(fl)->queue) ||
	    !queue_role_of(text_of(l->queues[l->at]->role), &role))
		return REPLY;
	return queue_ask_streams(fl, rpc_app(fl)->queue, role);
}

static int got_streams(struct flow *fl, const struct answer *a)
{
	struct listing *l = rpc_state(fl);
	Orderd__V1__Queue *q = l->queues[l->at++];
	const struct stream_state *s = queue_streams(a);

	q->streams_known = true;
	for (size_t i = 0; i < (size_t)ID_SHARDS * QUEUE_PRIORITIES; i++)
		q->streams_waiting += s[i].waiting;
	return STREAMS;
}

/* Without Redis the counts are still true. */
static int ask_reply(struct flow *fl)
{
	Orderd__V1__ListQueuesResponse rs = ORDERD__V1__LIST_QUEUES_RESPONSE__INIT;
	struct listing *l = rpc_state(fl);

	rpc_forgive(fl);
	rs.queues = l->queues;
	rs.n_queues = l->n;
	return rpc_ok(fl, &rs.base);
}

static int got_nothing(struct flow *fl, const struct answer *a)
{
	(void)fl, (void)a;
	return LIST_DONE;
}

/* clang-format off */
static const struct flow_step list_queues_steps[] = {
	/*              name       ask          got          ms    on error   next                        */
	[COUNTS]    = {"counts",  ask_counts,  got_counts,  5000, LIST_DONE, TO(STREAMS)},
	[STREAMS]   = {"streams", ask_streams, got_streams, 2000, REPLY,     TO(STREAMS) | TO(REPLY)},
	[REPLY]     = {"reply",   ask_reply,   got_nothing, 1000, LIST_DONE, TO(LIST_DONE)},
	[LIST_DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_QUEUES = {
	.path = "/orderd.v1.OpsService/ListQueues",
	.name = "list_queues",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_queues_request__descriptor,
	.response = &orderd__v1__list_queues_response__descriptor,
	.steps = list_queues_steps,
	.state_size = sizeof(struct listing),
};

/* ---------------------------------------------------------------- PauseQueue, ResumeQueue */

enum { SET, WAITING, FIND, NOW, DONE };

struct setting {
	struct str request_id, fingerprint, role, reason;
	enum request_method method;
	enum queue_role queue;
};

static void read_role(struct flow *fl, struct setting *t, ProtobufCBinaryData role)
{
	t->role = want_text(fl, role, JOB_KIND_MAX, "role");
	if (t->role.n > 0 && (!queue_role_of(t->role, &t->queue) ||
			      !str_eq(t->role, str_of(queue_role_name(t->queue)))))
		rpc_violation(fl, "it is payment, fulfillment, shipping or notification", "role");
	else
		rpc_object(fl, t->role);
}

static void read_pause(struct flow *fl, struct setting *t)
{
	const Orderd__V1__PauseQueueRequest *rq = rpc_request(fl);
	Orderd__V1__PauseQueueRequest body = *rq;

	read_role(fl, t, rq->role);
	t->reason = want_text(fl, rq->reason, REQUEST_NAME_MAX, "reason");
	t->request_id = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	body.request_id = (ProtobufCBinaryData){0, NULL};
	t->fingerprint = request_fingerprint(fl, &body.base);
}

static void read_resume(struct flow *fl, struct setting *t)
{
	const Orderd__V1__ResumeQueueRequest *rq = rpc_request(fl);
	Orderd__V1__ResumeQueueRequest body = *rq;

	read_role(fl, t, rq->role);
	t->reason = may_text(fl, rq->reason, REQUEST_NAME_MAX, "reason");
	t->request_id = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	body.request_id = (ProtobufCBinaryData){0, NULL};
	t->fingerprint = request_fingerprint(fl, &body.base);
}

static int ask_set(struct flow *fl)
{
	struct setting *t = rpc_state(fl);
	bool pause = ((const ProtobufCMessage *)rpc_request(fl))->descriptor ==
		     &orderd__v1__pause_queue_request__descriptor;
	struct queue_set_head h;

	t->method = pause ? REQUEST_PAUSE_QUEUE : REQUEST_RESUME_QUEUE;
	if (pause)
		read_pause(fl, t);
	else
		read_resume(fl, t);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (t->fingerprint.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = (struct queue_set_head){.tenant = rpc_identity(fl)->tenant,
				    .request_method = (int16_t)t->method,
				    .request_key = t->request_id,
				    .fingerprint = t->fingerprint,
				    .action_id = id_new(),
				    .role = t->role,
				    .paused = pause,
				    .reason = t->reason,
				    .actor = rpc_identity(fl)->subject};
	return store_ask(fl, rpc_app(fl)->store, queue_set_unit(&h, NULL, 0));
}

static int got_set(struct flow *fl, const struct answer *a)
{
	struct setting *t = rpc_state(fl);

	if (answer_rows(a) == 0 || !str_eq(queue_set_row(a, 0).outcome, STR("set")))
		return FIND;
	return t->method == REQUEST_RESUME_QUEUE ? WAITING : NOW;
}

static int ask_waiting(struct flow *fl)
{
	struct setting *t = rpc_state(fl);
	struct job_list_head h = {.tenant = rpc_identity(fl)->tenant,
				  .state = STR("ready"),
				  .role = t->role,
				  .made_from = DB_NULL,
				  .made_before = DB_NULL,
				  .after_at = DB_NULL,
				  .scan = JOB_SCAN,
				  .most = RING_MOST};

	return store_ask(fl, rpc_app(fl)->store, job_list_unit(&h, NULL, 0));
}

static int got_waiting(struct flow *fl, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct job_list_row r = job_list_row(a, i);

		if (r.hit)
			ring_job(fl, r.job_id, r.kind, r.priority);
	}
	return NOW;
}

static int ask_find(struct flow *fl)
{
	struct setting *t = rpc_state(fl);

	return ask_request_find(fl, (int16_t)t->method, t->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct setting *t = rpc_state(fl);
	struct id action;

	if (!got_request_find(fl, t->fingerprint, a, &action))
		/* Seen, and not there: cannot be. */
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return NOW;
}

static int ask_now(struct flow *fl)
{
	rpc_forgive(fl); /* rings that failed cost time, nothing else */
	return ask_counts(fl);
}

static int got_now(struct flow *fl, const struct answer *a)
{
	Orderd__V1__PauseQueueResponse paused = ORDERD__V1__PAUSE_QUEUE_RESPONSE__INIT;
	Orderd__V1__ResumeQueueResponse resumed = ORDERD__V1__RESUME_QUEUE_RESPONSE__INIT;
	struct setting *t = rpc_state(fl);
	Orderd__V1__Queue *q = NULL;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct queue_list_row r = queue_list_row(a, i);

		if (str_eq(r.role, t->role) && (q = queue_message(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	assert(q != NULL); /* every queue has its row */
	paused.queue = resumed.queue = q;
	return rpc_ok(fl, t->method == REQUEST_PAUSE_QUEUE ? &paused.base : &resumed.base);
}

/* clang-format off */
static const struct flow_step set_queue_steps[] = {
	/*            name       ask          got          ms      on error  next                              */
	[SET]     = {"set",     ask_set,     got_set,     600000, DONE,     TO(WAITING) | TO(FIND) | TO(NOW)},
	[WAITING] = {"waiting", ask_waiting, got_waiting, 5000,   NOW,      TO(NOW)},
	[FIND]    = {"find",    ask_find,    got_find,    5000,   DONE,     TO(NOW)},
	[NOW]     = {"now",     ask_now,     got_now,     5000,   DONE,     TO(DONE)},
	[DONE]    = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_PAUSE_QUEUE = {
	.path = "/orderd.v1.OpsService/PauseQueue",
	.name = "pause_queue",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__pause_queue_request__descriptor,
	.response = &orderd__v1__pause_queue_response__descriptor,
	.steps = set_queue_steps,
	.state_size = sizeof(struct setting),
};

const struct rpc_method RPC_RESUME_QUEUE = {
	.path = "/orderd.v1.OpsService/ResumeQueue",
	.name = "resume_queue",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__resume_queue_request__descriptor,
	.response = &orderd__v1__resume_queue_response__descriptor,
	.steps = set_queue_steps,
	.state_size = sizeof(struct setting),
};
