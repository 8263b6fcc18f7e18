#include "server/payment/payment_message.h"

#include "core/store/store.h"
#include "server/app.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum {
	PAYMENTS_ORDINARY = 40, /* so many fit an ordinary flow's arena */
	PAYMENT_MEMORY = 4096,  /* one on its way: its row, its message, the answer */
};

int ask_payments(struct flow *fl, struct id order, struct str state, int16_t after_group,
		 int32_t most)
{
	struct payment_view_head h = {.tenant = rpc_identity(fl)->tenant,
				      .order_id = order,
				      .after_group = after_group,
				      .most = most,
				      .owner = rpc_identity(fl)->customer};

	if (state.n > 0)
		h.state = state;
	return store_ask(fl, rpc_app(fl)->store, payment_view_unit(&h, NULL, 0));
}

static Orderd__V1__Payment *payment_message(struct flow *fl, const struct payment_view_row *r)
{
	Orderd__V1__Payment *p = arena_alloc(&fl->arena, sizeof(*p));

	if (p == NULL)
		return NULL;
	orderd__v1__payment__init(p);
	p->order_id = id_text(fl, r->order_id);
	p->group = r->group_no;
	p->state = payment_state_message(r->state);
	p->amount = money_message(fl, r->currency, r->amount_minor);
	p->authorized = money_message(fl, r->currency, r->authorized_minor);
	p->captured = money_message(fl, r->currency, r->captured_minor);
	p->method = keep_text(fl, r->method_token);
	p->decline_code = keep_text(fl, r->decline_code);
	p->action_url = keep_text(fl, r->action_url);
	if (r->authorized_until != DB_NULL)
		p->authorized_until = timestamp_message(fl, r->authorized_until);
	return p;
}

static Orderd__V1__Payment **room_for(struct flow *fl, uint32_t n)
{
	Orderd__V1__Payment **list;

	if (n > PAYMENTS_ORDINARY && !rpc_grow(fl, (size_t)n * PAYMENT_MEMORY)) {
		rpc_fail(fl, ERR_OVERLOADED);
		return NULL;
	}
	list = arena_array(&fl->arena, (size_t)n + 1, sizeof(*list));
	if (list == NULL)
		rpc_fail(fl, ERR_TOO_LARGE);
	return list;
}

bool payments_message(struct flow *fl, const struct answer *a, uint32_t n,
		      Orderd__V1__Payment ***ret)
{
	Orderd__V1__Payment **list = room_for(fl, n);

	if (list == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct payment_view_row r = payment_view_row(a, i);

		if ((list[i] = payment_message(fl, &r)) == NULL) {
			rpc_fail(fl, ERR_TOO_LARGE);
			return false;
		}
	}
	*ret = list;
	return true;
}

bool waiting_payments_message(struct flow *fl, const struct answer *a, uint32_t n,
			      Orderd__V1__Payment ***ret)
{
	Orderd__V1__Payment **list = room_for(fl, n);

	if (list == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct payments_waiting_row w = payments_waiting_row(a, i);
		struct payment_view_row r = {.order_id = w.order_id,
					     .group_no = w.group_no,
					     .state = w.state,
					     .amount_minor = w.amount_minor,
					     .authorized_minor = w.authorized_minor,
					     .captured_minor = w.captured_minor,
					     .currency = w.currency,
					     .method_token = w.method_token,
					     .authorized_until = w.authorized_until,
					     .decline_code = w.decline_code,
					     .action_url = w.action_url};

		if ((list[i] = payment_message(fl, &r)) == NULL) {
			rpc_fail(fl, ERR_TOO_LARGE);
			return false;
		}
	}
	*ret = list;
	return true;
}

bool payment_add_attempts(struct flow *fl, Orderd__V1__Payment *p, const struct answer *a)
{
	uint32_t n = answer_rows(a);

	if (n > PAYMENTS_ORDINARY && !rpc_grow(fl, (size_t)n * PAYMENT_MEMORY))
		return false;
	p->attempts = arena_array(&fl->arena, (size_t)n + 1, sizeof(*p->attempts));
	for (uint32_t i = 0; p->attempts != NULL && i < n; i++) {
		struct payment_attempts_row r = payment_attempts_row(a, i);
		Orderd__V1__PaymentAttempt *m = arena_alloc(&fl->arena, sizeof(*m));

		if (m == NULL)
			return false;
		orderd__v1__payment_attempt__init(m);
		m->attempt_id = id_text(fl, r.attempt_id);
		m->number = r.number;
		m->state = keep_text(fl, r.state);
		m->gateway_id = keep_text(fl, r.gateway_id);
		m->decline_code = keep_text(fl, r.decline_code);
		m->create_time = timestamp_message(fl, r.created_at);
		m->update_time = timestamp_message(fl, r.updated_at);
		p->attempts[p->n_attempts++] = m;
	}
	return p->attempts != NULL;
}

bool payment_add_transactions(struct flow *fl, Orderd__V1__Payment *p, const struct answer *a)
{
	uint32_t n = answer_rows(a);

	if (n > PAYMENTS_ORDINARY && !rpc_grow(fl, (size_t)n * PAYMENT_MEMORY))
		return false;
	p->transactions = arena_array(&fl->arena, (size_t)n + 1, sizeof(*p->transactions));
	for (uint32_t i = 0; p->transactions != NULL && i < n; i++) {
		struct payment_transactions_row r = payment_transactions_row(a, i);
		Orderd__V1__PaymentTransaction *m = arena_alloc(&fl->arena, sizeof(*m));

		if (m == NULL)
			return false;
		orderd__v1__payment_transaction__init(m);
		m->kind = keep_text(fl, r.kind);
		m->amount = money_message(fl, text_of(p->amount->currency_code), r.amount_minor);
		m->gateway_ref = keep_text(fl, r.gateway_ref);
		m->transaction_time = timestamp_message(fl, r.at);
		p->transactions[p->n_transactions++] = m;
	}
	return p->transactions != NULL;
}
