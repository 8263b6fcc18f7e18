/*
 * GetPayment: one group's money, with all that happened to it.
 *
 *	view --> attempts --> transactions --> reply
 *
 * ListPayments: an order's payments, or all that wait for somebody, by keyset: a page ends
 * at an order and a group of it.
 */
#include <stdio.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/payment/payment_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { VIEW, ATTEMPTS, TRANSACTIONS, DONE };

struct getting {
	int16_t group;
	Orderd__V1__Payment *payment;
};

static int ask_view(struct flow *fl)
{
	const Orderd__V1__GetPaymentRequest *rq = rpc_request(fl);
	struct getting *g = rpc_state(fl);

	fl->subject = want_order(fl, rq->order_id);
	g->group = (int16_t)want_range(fl, rq->group, 1, INT16_MAX, "group");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return ask_payments(fl, fl->subject, STR(""), (int16_t)(g->group - 1), 1);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);
	Orderd__V1__Payment **list;
	char text[ID_TEXT_SIZE];

	if (answer_rows(a) == 0 || payment_view_row(a, 0).group_no != g->group) {
		rpc_about(fl, "orderd.v1.Payment", str_of(id_format(fl->subject, text)));
		return rpc_fail(fl, ERR_NOT_FOUND);
	}
	if (!payments_message(fl, a, 1, &list))
		return FLOW_FAIL;
	g->payment = list[0];
	return ATTEMPTS;
}

static int ask_attempts(struct flow *fl)
{
	struct getting *g = rpc_state(fl);
	struct payment_attempts_head h = {
		.tenant = rpc_identity(fl)->tenant, .order_id = fl->subject, .group_no = g->group};

	return store_ask(fl, rpc_app(fl)->store, payment_attempts_unit(&h, NULL, 0));
}

static int got_attempts(struct flow *fl, const struct answer *a)
{
	struct getting *g = rpc_state(fl);

	if (!payment_add_attempts(fl, g->payment, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	return TRANSACTIONS;
}

static int ask_transactions(struct flow *fl)
{
	struct getting *g = rpc_state(fl);
	struct payment_transactions_head h = {
		.tenant = rpc_identity(fl)->tenant, .order_id = fl->subject, .group_no = g->group};

	return store_ask(fl, rpc_app(fl)->store, payment_transactions_unit(&h, NULL, 0));
}

static int got_transactions(struct flow *fl, const struct answer *a)
{
	Orderd__V1__GetPaymentResponse rs = ORDERD__V1__GET_PAYMENT_RESPONSE__INIT;
	struct getting *g = rpc_state(fl);

	if (!payment_add_transactions(fl, g->payment, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	rs.payment = g->payment;
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step get_payment_steps[] = {
	/*                 name            ask               got               ms    on error  next            */
	[VIEW]         = {"view",         ask_view,         got_view,         5000, DONE,     TO(ATTEMPTS)},
	[ATTEMPTS]     = {"attempts",     ask_attempts,     got_attempts,     5000, DONE,     TO(TRANSACTIONS)},
	[TRANSACTIONS] = {"transactions", ask_transactions, got_transactions, 5000, DONE,     TO(DONE)},
	[DONE]         = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_PAYMENT = {
	.path = "/orderd.v1.PaymentService/GetPayment",
	.name = "get_payment",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_payment_request__descriptor,
	.response = &orderd__v1__get_payment_response__descriptor,
	.steps = get_payment_steps,
	.state_size = sizeof(struct getting),
};

/* ---------------------------------------------------------------- ListPayments */

enum { PAGE_DEFAULT = 50, FILTER_SIZE = ID_TEXT_SIZE + 16 };

enum { PAGE, PAGE_DONE };

/* Where a page ends, and the next one begins. */
struct place {
	struct id order;
	int16_t group;
};

struct listing {
	int32_t page;
	struct str state;
};

/* By the contract's numbers; NULL: none. */
static const char *const state_names[] = {
	NULL,       "pending",  "unknown", "authorized",      NULL, /* no single payment is that */
	"captured", "declined", "voided",  "requires_action",
};

static struct str filter_of(struct flow *fl, char text[FILTER_SIZE])
{
	const Orderd__V1__ListPaymentsRequest *rq = rpc_request(fl);
	char id[ID_TEXT_SIZE];
	int n = snprintf(text, FILTER_SIZE, "%s|%d",
			 rq->order_id.len > 0 ? id_format(fl->subject, id) : "", (int)rq->state);

	return (struct str){text, (size_t)n};
}

/* "<order>.<group>" */
static struct str make_token(struct flow *fl, const Orderd__V1__Payment *last)
{
	char filter[FILTER_SIZE], place[PAGE_PLACE_MAX];
	int n = snprintf(place, sizeof(place), STR_FMT ".%d", STR_ARG(text_of(last->order_id)),
			 last->group);

	return page_token_make(fl, "payments", filter_of(fl, filter),
			       (struct str){place, (size_t)n});
}

static bool open_token(struct flow *fl, struct str token, struct place *ret)
{
	char filter[FILTER_SIZE];
	struct str place = page_token_open(fl, "payments", filter_of(fl, filter), token);
	long long group;

	if (place.p == NULL || place.n <= ID_TEXT_SIZE ||
	    !id_parse((struct str){place.p, ID_TEXT_SIZE - 1}, &ret->order) ||
	    !str_to_i64((struct str){place.p + ID_TEXT_SIZE, place.n - ID_TEXT_SIZE}, 1, INT16_MAX,
			&group))
		return false;
	ret->group = (int16_t)group;
	return true;
}

static struct str read_state(struct flow *fl, const Orderd__V1__ListPaymentsRequest *rq)
{
	size_t at = (size_t)rq->state;
	const char *name =
		at < sizeof(state_names) / sizeof(state_names[0]) ? state_names[at] : NULL;
	bool waits = rq->state == ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_UNKNOWN ||
		     rq->state == ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_REQUIRES_ACTION ||
		     rq->state == ORDERD__V1__PAYMENT_STATE__PAYMENT_STATE_DECLINED;

	if (at != 0 && name == NULL)
		rpc_violation(fl, "no single payment is in this state", "state");
	else if (at == 0 && rq->order_id.len == 0)
		rpc_violation(fl, "an order_id or a state is required", "order_id");
	else if (rq->order_id.len == 0 && rpc_identity(fl)->customer.p != NULL)
		rpc_violation(
			fl, "this credential is for one customer: its orders by one are asked for",
			"order_id");
	else if (rq->order_id.len == 0 && !waits)
		rpc_violation(fl, "without an order_id it is UNKNOWN, REQUIRES_ACTION or DECLINED",
			      "state");
	return str_of(name != NULL ? name : "");
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListPaymentsRequest *rq = rpc_request(fl);
	int64_t most = rpc_app(fl)->cfg.max_page;
	struct listing *l = rpc_state(fl);
	struct place after = {0};
	struct payments_waiting_head h;

	if (rq->order_id.len > 0)
		fl->subject = want_order(fl, rq->order_id);
	l->state = read_state(fl, rq);
	l->page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (l->page == 0)
		l->page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	if (!rpc_has_violations(fl) && rq->page_token.len > 0 &&
	    !open_token(fl, text_of(rq->page_token), &after))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (rq->order_id.len > 0)
		return ask_payments(fl, fl->subject, l->state, after.group, l->page + 1);
	h = (struct payments_waiting_head){.tenant = rpc_identity(fl)->tenant,
					   .state = l->state,
					   .after_order = after.order,
					   .after_group = after.group,
					   .most = l->page + 1};
	return store_ask(fl, rpc_app(fl)->store, payments_waiting_unit(&h, NULL, 0));
}

static int got_page(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__ListPaymentsRequest *rq = rpc_request(fl);
	Orderd__V1__ListPaymentsResponse rs = ORDERD__V1__LIST_PAYMENTS_RESPONSE__INIT;
	struct listing *l = rpc_state(fl);
	uint32_t n = answer_rows(a), shown = n > (uint32_t)l->page ? (uint32_t)l->page : n;

	if (rq->order_id.len > 0 ? !payments_message(fl, a, shown, &rs.payments)
				 : !waiting_payments_message(fl, a, shown, &rs.payments))
		return FLOW_FAIL;
	rs.n_payments = shown;
	if (n > shown) {
		struct str token = make_token(fl, rs.payments[shown - 1]);

		if (token.n == 0)
			return rpc_fail(fl, ERR_TOO_LARGE);
		rs.next_page_token = data_of(token);
	}
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_payments_steps[] = {
	/*              name    ask       got       ms    on error   next         */
	[PAGE]      = {"page", ask_page, got_page, 5000, PAGE_DONE, TO(PAGE_DONE)},
	[PAGE_DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_PAYMENTS = {
	.path = "/orderd.v1.PaymentService/ListPayments",
	.name = "list_payments",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_payments_request__descriptor,
	.response = &orderd__v1__list_payments_response__descriptor,
	.steps = list_payments_steps,
	.state_size = sizeof(struct listing),
};
