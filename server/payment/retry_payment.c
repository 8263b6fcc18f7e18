/*
 * RetryPayment: another method for what was declined.
 *
 *	retry --+--> view --> reply
 *	        +--> find --> view		this request_id was here before
 *
 * retry decides and queues the work, in one unit.
 */
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_read.h"
#include "server/payment/payment_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watches.h"
#include "sql.gen.h"

enum { RETRY, FIND, VIEW, DONE };

struct retrying {
	struct str request_id, fingerprint, method, fallbacks;
	int16_t group;
};

static bool read_request(struct flow *fl, struct retrying *t)
{
	const Orderd__V1__RetryPaymentRequest *rq = rpc_request(fl);
	Orderd__V1__RetryPaymentRequest body = *rq;

	fl->subject = want_order(fl, rq->order_id);
	t->group = (int16_t)want_range(fl, rq->group, 0, INT16_MAX, "group");
	t->method = want_text(fl, rq->payment_method, REQUEST_KEY_MAX, "payment_method");
	t->fallbacks = may_methods(fl, rq->fallback_payment_methods, rq->n_fallback_payment_methods,
				   "fallback_payment_methods");
	t->request_id = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	body.request_id = (ProtobufCBinaryData){0, NULL};
	t->fingerprint = request_fingerprint(fl, &body.base);
	return !rpc_has_violations(fl);
}

static int ask_retry(struct flow *fl)
{
	struct retrying *t = rpc_state(fl);
	struct payment_retry_head h;

	if (!read_request(fl, t))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (t->fingerprint.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = (struct payment_retry_head){.tenant = rpc_identity(fl)->tenant,
					.order_id = fl->subject,
					.request_method = REQUEST_RETRY_PAYMENT,
					.request_key = t->request_id,
					.fingerprint = t->fingerprint,
					.group_no = t->group,
					.method_token = t->method,
					.fallback_methods = t->fallbacks,
					.actor = rpc_identity(fl)->subject,
					.trace = trace_bytes(&fl->trace)};
	return store_ask(fl, rpc_app(fl)->store, payment_retry_unit(&h, NULL, 0));
}

static int got_retry(struct flow *fl, const struct answer *a)
{
	struct str outcome = answer_rows(a) > 0 ? payment_retry_row(a, 0).outcome : STR("");
	char text[ID_TEXT_SIZE];

	if (str_eq(outcome, STR("retried"))) {
		for (uint32_t i = 0; i < answer_rows(a); i++)
			queue_ring(rpc_app(fl)->queue,
				   &(struct ring){.job = payment_retry_row(a, i).job_id,
						  .role = ROLE_PAYMENT,
						  .priority = 1},
				   1);
		order_moved(rpc_app(fl), fl->subject);
		return VIEW;
	}
	if (str_eq(outcome, STR("seen")))
		return FIND;
	rpc_about(fl, "orderd.v1.Order", str_of(id_format(fl->subject, text)));
	if (str_eq(outcome, STR("not_found")))
		return rpc_fail(fl, ERR_NOT_FOUND);
	if (str_eq(outcome, STR("expired")))
		return rpc_fail(fl, ERR_ORDER_EXPIRED);
	return rpc_fail(fl, ERR_PAYMENT_NOT_DECLINED);
}

static int ask_find(struct flow *fl)
{
	struct retrying *t = rpc_state(fl);

	return ask_request_find(fl, REQUEST_RETRY_PAYMENT, t->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct retrying *t = rpc_state(fl);
	struct id order;

	if (!got_request_find(fl, t->fingerprint, a, &order))
		/* Seen, and not there: cannot be. */
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	return ask_payments(fl, fl->subject, STR(""), 0, PAYMENTS_MAX);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	Orderd__V1__RetryPaymentResponse rs = ORDERD__V1__RETRY_PAYMENT_RESPONSE__INIT;

	if (!payments_message(fl, a, answer_rows(a), &rs.payments))
		return FLOW_FAIL;
	rs.n_payments = answer_rows(a);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step retry_payment_steps[] = {
	/*          name     ask        got        ms      on error  next                 */
	[RETRY] = {"retry", ask_retry, got_retry, 600000, DONE,     TO(VIEW) | TO(FIND)},
	[FIND]  = {"find",  ask_find,  got_find,  5000,   DONE,     TO(VIEW)},
	[VIEW]  = {"view",  ask_view,  got_view,  5000,   DONE,     TO(DONE)},
	[DONE]  = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_RETRY_PAYMENT = {
	.path = "/orderd.v1.PaymentService/RetryPayment",
	.name = "retry_payment",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__retry_payment_request__descriptor,
	.response = &orderd__v1__retry_payment_response__descriptor,
	.steps = retry_payment_steps,
	.state_size = sizeof(struct retrying),
};
