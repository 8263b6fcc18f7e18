/*
 * CancelJob: give up a job that waits.
 *
 *	job --> cancel --+--> view --> reply
 *	                 +--> find --> view	this request_id was here before
 *
 * job tells whose order it is; cancel decides, in one unit.
 */
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/ops/job_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watches.h"

enum { JOB, CANCEL, FIND, VIEW, DONE };

struct cancelling {
	struct str request_id, fingerprint, reason;
	struct id job, order;
};

static const struct {
	const char *outcome;
	enum errc err;
} refusals[] = {
	{"not_found", ERR_NOT_FOUND},
	{"over", ERR_JOB_NOT_CANCELLABLE},
	{"running", ERR_JOB_RUNNING},
	{"doubt", ERR_MONEY_IN_DOUBT},
};

static int ask_whose(struct flow *fl)
{
	const Orderd__V1__CancelJobRequest *rq = rpc_request(fl);
	Orderd__V1__CancelJobRequest body = *rq;
	struct cancelling *c = rpc_state(fl);

	c->job = want_id(fl, rq->job_id, "job_id");
	c->reason = may_text(fl, rq->reason, REQUEST_NAME_MAX, "reason");
	c->request_id = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	body.request_id = (ProtobufCBinaryData){0, NULL};
	c->fingerprint = request_fingerprint(fl, &body.base);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (c->fingerprint.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	rpc_object(fl, text_of(rq->job_id));
	return ask_job(fl, c->job);
}

static int got_whose(struct flow *fl, const struct answer *a)
{
	struct cancelling *c = rpc_state(fl);
	struct job_list_row r;

	if (!got_job(fl, c->job, a, &r))
		return FLOW_FAIL;
	fl->subject = c->order = r.order_id;
	return CANCEL;
}

static int ask_cancel(struct flow *fl)
{
	struct cancelling *c = rpc_state(fl);
	struct job_cancel_head h = {.tenant = rpc_identity(fl)->tenant,
				    .order_id = c->order,
				    .job_id = c->job,
				    .request_method = REQUEST_CANCEL_JOB,
				    .request_key = c->request_id,
				    .fingerprint = c->fingerprint,
				    .action_id = id_new(),
				    .reason = c->reason,
				    .actor = rpc_identity(fl)->subject};

	return store_ask(fl, rpc_app(fl)->store, job_cancel_unit(&h, NULL, 0));
}

static int got_cancel(struct flow *fl, const struct answer *a)
{
	struct cancelling *c = rpc_state(fl);
	struct str outcome = answer_rows(a) > 0 ? job_cancel_row(a, 0).outcome : STR("");
	char text[ID_TEXT_SIZE];

	if (str_eq(outcome, STR("cancelled"))) {
		order_moved(rpc_app(fl), c->order);
		return VIEW;
	}
	if (str_eq(outcome, STR("seen")))
		return FIND;
	rpc_about(fl, "orderd.v1.Job", str_of(id_format(c->job, text)));
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (str_eq(outcome, str_of(refusals[i].outcome)))
			return rpc_fail(fl, refusals[i].err);
	return rpc_fail(fl, ERR_INTERNAL);
}

static int ask_find(struct flow *fl)
{
	struct cancelling *c = rpc_state(fl);

	return ask_request_find(fl, REQUEST_CANCEL_JOB, c->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct cancelling *c = rpc_state(fl);
	struct id action;

	if (!got_request_find(fl, c->fingerprint, a, &action))
		/* Seen, and not there: cannot be. */
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	struct cancelling *c = rpc_state(fl);

	return ask_job(fl, c->job);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	Orderd__V1__CancelJobResponse rs = ORDERD__V1__CANCEL_JOB_RESPONSE__INIT;
	struct cancelling *c = rpc_state(fl);
	struct job_list_row r;

	if (!got_job(fl, c->job, a, &r))
		return FLOW_FAIL;
	rs.job = job_message(fl, &r);
	return rs.job != NULL ? rpc_ok(fl, &rs.base) : rpc_fail(fl, ERR_TOO_LARGE);
}

/* clang-format off */
static const struct flow_step cancel_job_steps[] = {
	/*           name      ask         got         ms      on error  next                 */
	[JOB]    = {"job",    ask_whose,  got_whose,  5000,   DONE,     TO(CANCEL)},
	[CANCEL] = {"cancel", ask_cancel, got_cancel, 600000, DONE,     TO(VIEW) | TO(FIND)},
	[FIND]   = {"find",   ask_find,   got_find,   5000,   DONE,     TO(VIEW)},
	[VIEW]   = {"view",   ask_view,   got_view,   5000,   DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CANCEL_JOB = {
	.path = "/orderd.v1.OpsService/CancelJob",
	.name = "cancel_job",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__cancel_job_request__descriptor,
	.response = &orderd__v1__cancel_job_response__descriptor,
	.steps = cancel_job_steps,
	.state_size = sizeof(struct cancelling),
};
