/*
 * ListStuckOrders: orders that lie still, each with why and what to do about it.
 *
 *	look --+--> look		so many looked at, the page not full
 *	       +--> reply
 *
 * One question looks at a stretch of orders by age (queries/orders_stuck.sql); a call asks
 * ROUNDS of them at most, and a page ends where it was full or they ended.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/store/store.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum {
	PAGE_DEFAULT = 50,
	SCAN = 2000, /* entries of each place that one question looks at */
	ROUNDS = 8,
	CAUSES_MAX = 16,          /* of one order, as the statement has it */
	STUCK_MEMORY = 4096,      /* one order on its way, with a cause or two */
	UNMOVED_MOST = 315360000, /* ten years */
	FILTER_SIZE = 32,
};

enum { LOOK, DONE };

struct looking {
	struct orders_stuck_head head;
	int32_t page;
	int rounds;
	bool full;
	Orderd__V1__StuckOrder **orders;
	size_t n;
};

/* ---------------------------------------------------------------- causes */

/* What to do, by reason and subject (the hold's reason); a row without a subject is for the others.
 */
static const struct {
	const char *why, *subject;
	Orderd__V1__StuckReason reason;
	const char *advice;
} causes[] = {
	{"held", "payment", ORDERD__V1__STUCK_REASON__STUCK_REASON_HELD,
	 "RetryPayment with another method, or CancelOrder"},
	{"held", "inventory", ORDERD__V1__STUCK_REASON__STUCK_REASON_HELD,
	 "it goes on by itself once the goods are there (ReceiveStock); else CancelOrder"},
	{"held", "shipping", ORDERD__V1__STUCK_REASON__STUCK_REASON_HELD,
	 "look at its parcel (GetShipment): a label is tried again by itself, a lost parcel is for "
	 "the carrier to find"},
	{"held", "returned", ORDERD__V1__STUCK_REASON__STUCK_REASON_HELD,
	 "the goods came back: settle with the customer"},
	{"held", NULL, ORDERD__V1__STUCK_REASON__STUCK_REASON_HELD, "see the hold's detail"},
	{"dead_job", NULL, ORDERD__V1__STUCK_REASON__STUCK_REASON_DEAD_JOB,
	 "repair what last_error tells of, then RetryJobs"},
	{"no_work", NULL, ORDERD__V1__STUCK_REASON__STUCK_REASON_NO_WORK,
	 "nothing will move it: CancelOrder while nothing is packed, and report it as a defect"},
	{"unmoved", NULL, ORDERD__V1__STUCK_REASON__STUCK_REASON_UNMOVED,
	 "see what its jobs wait for (ListJobs), and whether a queue is paused (ListQueues)"},
};

static Orderd__V1__StuckCause *cause_message(struct flow *fl, const struct orders_stuck_row *r)
{
	Orderd__V1__StuckCause *c = arena_alloc(&fl->arena, sizeof(*c));
	size_t i = 0;

	if (c == NULL)
		return NULL;
	orderd__v1__stuck_cause__init(c);
	while (i + 1 < sizeof(causes) / sizeof(causes[0]) &&
	       (!str_eq(r->why, str_of(causes[i].why)) ||
		(causes[i].subject != NULL && !str_eq(r->subject, str_of(causes[i].subject)))))
		i++;
	c->reason = causes[i].reason;
	c->advice = data_of(str_of(causes[i].advice));
	c->group = r->group_no;
	c->subject = keep_text(fl, r->subject);
	c->detail = keep_text(fl, r->detail);
	c->job_id = id_text(fl, r->job_id);
	if (r->since != DB_NULL)
		c->since_time = timestamp_message(fl, r->since);
	return c;
}

static Orderd__V1__StuckOrder *order_message(struct flow *fl, const struct orders_stuck_row *r)
{
	Orderd__V1__StuckOrder *o;

	if (!rpc_grow(fl, STUCK_MEMORY))
		return NULL;
	o = arena_alloc(&fl->arena, sizeof(*o));
	if (o == NULL)
		return NULL;
	orderd__v1__stuck_order__init(o);
	o->order_id = id_text(fl, r->order_id);
	o->order_number = r->number;
	o->state = order_state_message(r->state);
	o->update_time = timestamp_message(fl, r->updated_at);
	o->causes = arena_array(&fl->arena, CAUSES_MAX, sizeof(*o->causes));
	return o->causes != NULL ? o : NULL;
}

/* ---------------------------------------------------------------- pages */

static struct str filter_of(struct flow *fl, char text[FILTER_SIZE])
{
	const Orderd__V1__ListStuckOrdersRequest *rq = rpc_request(fl);
	int n = snprintf(text, FILTER_SIZE, "%" PRId64, rq->unmoved_seconds);

	return (struct str){text, (size_t)n};
}

static void read_request(struct flow *fl, struct looking *l)
{
	const Orderd__V1__ListStuckOrdersRequest *rq = rpc_request(fl);
	int64_t most = rpc_app(fl)->cfg.max_page;
	char text[FILTER_SIZE];

	l->head = (struct orders_stuck_head){
		.tenant = rpc_identity(fl)->tenant, .unmoved_s = DB_NULL, .scan = SCAN};
	if (want_range(fl, rq->unmoved_seconds, 0, UNMOVED_MOST, "unmoved_seconds") > 0)
		l->head.unmoved_s = rq->unmoved_seconds;
	l->page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (l->page == 0)
		l->page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	if (rq->page_token.len > 0 &&
	    !id_parse(page_token_open(fl, "stuck_orders", filter_of(fl, text),
				      text_of(rq->page_token)),
		      &l->head.after_id))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
}

static int ask_look(struct flow *fl)
{
	struct looking *l = rpc_state(fl);

	if (l->rounds++ == 0) {
		read_request(fl, l);
		if (rpc_has_violations(fl))
			return rpc_fail(fl, ERR_INVALID_ARGUMENT);
		l->orders = arena_array(&fl->arena, (size_t)l->page, sizeof(*l->orders));
		if (l->orders == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	l->head.most = l->page + 1 - (int32_t)l->n;
	return store_ask(fl, rpc_app(fl)->store, orders_stuck_unit(&l->head, NULL, 0));
}

/* A row is one cause of one order; rows of an order follow each other. */
static bool add_row(struct flow *fl, struct looking *l, const struct orders_stuck_row *r)
{
	Orderd__V1__StuckOrder *o;

	if (l->n == 0 || !id_eq(l->head.after_id, r->order_id)) {
		if (l->n == (size_t)l->page) {
			l->full = true;
			return true;
		}
		if ((l->orders[l->n] = order_message(fl, r)) == NULL)
			return false;
		l->n++;
		l->head.after_id = r->order_id;
	}
	o = l->orders[l->n - 1];
	if (o->n_causes < CAUSES_MAX && (o->causes[o->n_causes++] = cause_message(fl, r)) == NULL)
		return false;
	return true;
}

static int reply(struct flow *fl, struct looking *l, bool more)
{
	Orderd__V1__ListStuckOrdersResponse rs = ORDERD__V1__LIST_STUCK_ORDERS_RESPONSE__INIT;
	char filter[FILTER_SIZE], id[ID_TEXT_SIZE];

	rs.orders = l->orders;
	rs.n_orders = l->n;
	if (more) {
		rs.next_page_token =
			data_of(page_token_make(fl, "stuck_orders", filter_of(fl, filter),
						str_of(id_format(l->head.after_id, id))));
		if (rs.next_page_token.len == 0)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	return rpc_ok(fl, &rs.base);
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct looking *l = rpc_state(fl);
	bool cut = false;

	for (uint32_t i = 0; i < answer_rows(a) && !l->full; i++) {
		struct orders_stuck_row r = orders_stuck_row(a, i);

		if (str_eq(r.why, STR("more"))) {
			cut = true;
			l->head.after_id = r.order_id;
		} else if (!add_row(fl, l, &r)) {
			return rpc_fail(fl, ERR_OVERLOADED);
		}
	}
	if (l->full || !cut)
		return reply(fl, l, l->full);
	return l->rounds < ROUNDS ? LOOK : reply(fl, l, true);
}

/* clang-format off */
static const struct flow_step list_stuck_orders_steps[] = {
	/*         name    ask       got       ms    on error  next               */
	[LOOK] = {"look", ask_look, got_look, 5000, DONE,     TO(LOOK) | TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_STUCK_ORDERS = {
	.path = "/orderd.v1.OpsService/ListStuckOrders",
	.name = "list_stuck_orders",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_stuck_orders_request__descriptor,
	.response = &orderd__v1__list_stuck_orders_response__descriptor,
	.steps = list_stuck_orders_steps,
	.state_size = sizeof(struct looking),
};
