/*
 * PlaceOrder: take an order.
 *
 *	quote --> hold --> place --+--> reply
 *	  |         |        |     |
 *	  |         |        +-----+ seen: asked before
 *	  |         |        |     v
 *	  +---------+--------+--> find --> view --> groups --> reply
 *	   refused: but was it
 *	   accepted an earlier time?
 *
 * quote reads prices and stock and plans where the goods come from; hold asks Redis, the
 * fast "no", and is skipped when Redis is away; place is the one unit that decides.  A
 * refusal is final only when no earlier call with this request_id was accepted, so every
 * refusal passes through find.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/orders/placing.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watches.h"

enum { QUOTE, HOLD, PLACE, FIND, VIEW, GROUPS, LET_GO, DONE };

static const Orderd__V1__PlaceOrderRequest *request_of(struct flow *fl)
{
	return rpc_request(fl);
}

/* ---------------------------------------------------------------- quote */

static void read_line(struct flow *fl, struct placing *p, uint32_t i)
{
	const Orderd__V1__NewOrderLine *l = request_of(fl)->lines[i];
	struct placing_line *line = &p->lines[i];

	line->sku = want_text(fl, l->sku, REQUEST_SKU_MAX, "lines[%u].sku", i);
	p->needs[i].qty = want_range(fl, l->quantity, 1, REQUEST_QTY_MAX, "lines[%u].quantity", i);
	line->own_price = l->unit_price != NULL;
	if (line->own_price && rpc_identity(fl)->customer.p != NULL)
		rpc_violation(fl, "a customer pays what the catalogue says", "lines[%u].unit_price",
			      i);
	else if (line->own_price)
		line->unit = want_money(fl, l->unit_price, "lines[%u].unit_price", i);
}

/* Everything the request says, checked; false when something was wrong (violations say what). */
static bool read_request(struct flow *fl, struct placing *p)
{
	const Orderd__V1__PlaceOrderRequest *rq = request_of(fl);
	Orderd__V1__PlaceOrderRequest body = *rq;
	size_t most = (size_t)rpc_app(fl)->cfg.max_lines;

	p->request_id = want_request_id(fl, rq->request_id);
	p->customer = may_customer(fl, rq->customer);
	if (p->customer.n == 0)
		rpc_violation(fl, "it is required", "customer");
	may_text(fl, rq->channel, REQUEST_CODE_MAX, "channel");
	may_text(fl, rq->reference, REQUEST_KEY_MAX, "reference");
	want_text(fl, rq->payment_method, REQUEST_KEY_MAX, "payment_method");
	p->fallbacks = may_methods(fl, rq->fallback_payment_methods, rq->n_fallback_payment_methods,
				   "fallback_payment_methods");
	may_text(fl, rq->ship_service, REQUEST_SKU_MAX, "ship_service");
	p->ship_to = want_address(fl, rq->ship_to, "ship_to");
	if (rq->ship_to != NULL)
		want_position(fl, rq->ship_to->position, "ship_to.position");
	if (rq->expected_total != NULL)
		want_money(fl, rq->expected_total, "expected_total");
	if (rq->n_lines == 0)
		rpc_violation(fl, "at least one line is required", "lines");
	if (rq->n_lines > most)
		rpc_violation(fl, "more lines than an order may have", "lines");
	else
		for (uint32_t i = 0; i < rq->n_lines; i++)
			read_line(fl, p, i);
	body.request_id = (ProtobufCBinaryData){0, NULL};
	body.validate_only = 0;
	p->fingerprint = request_fingerprint(fl, &body.base);
	return !rpc_has_violations(fl);
}

static int ask_quote(struct flow *fl)
{
	const Orderd__V1__PlaceOrderRequest *rq = request_of(fl);
	struct placing *p = rpc_state(fl);
	struct catalog_quote_head head = {.tenant = rpc_identity(fl)->tenant};
	struct catalog_quote_line *lines;

	if (!rq->validate_only && store_is_late(rpc_app(fl)->store, &UNIT_ORDER_PLACE))
		return rpc_fail(fl, ERR_STORE_LATE); /* no quote for what could not be stored */
	if (rq->n_lines > ORDER_LINES_ORDINARY && !rpc_grow(fl, rq->n_lines * ORDER_LINE_MEMORY))
		return rpc_fail(fl, ERR_OVERLOADED);
	lines = arena_array(&fl->arena, rq->n_lines + 1, sizeof(*lines));
	p->n_lines = (uint32_t)rq->n_lines;
	p->lines = arena_array(&fl->arena, rq->n_lines + 1, sizeof(*p->lines));
	p->needs = arena_array(&fl->arena, rq->n_lines + 1, sizeof(*p->needs));
	if (lines == NULL || p->lines == NULL || p->needs == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	if (!read_request(fl, p))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (p->fingerprint.p == NULL || p->request_id.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	p->order = fl->subject = id_new();
	for (uint32_t i = 0; i < p->n_lines; i++)
		lines[i] = (struct catalog_quote_line){.line = (int32_t)i, .sku = p->lines[i].sku};
	return store_ask(fl, rpc_app(fl)->store, catalog_quote_unit(&head, lines, p->n_lines));
}

/* Refuse, unless it turns out that this very request was accepted before. */
static int refuse(struct flow *fl, enum errc e)
{
	struct placing *p = rpc_state(fl);

	p->refusal = e;
	rpc_order(fl, (struct id){{0}}); /* the one it would have been */
	return request_of(fl)->validate_only ? rpc_fail(fl, e) : FIND;
}

static int refuse_stock(struct flow *fl, int64_t item, int64_t left)
{
	struct placing *p = rpc_state(fl);

	for (uint32_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].item == item) {
			rpc_fact(fl, "sku", STR_FMT, STR_ARG(p->lines[i].sku));
			break;
		}
	rpc_fact(fl, "available", "%lld", (long long)left);
	return refuse(fl, ERR_OUT_OF_STOCK);
}

static int got_quote(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__PlaceOrderRequest *rq = request_of(fl);
	struct placing *p = rpc_state(fl);
	size_t n_offers = 0;
	struct sourcing_offer *offers =
		arena_array(&fl->arena, answer_rows(a) + 1, sizeof(*offers));
	struct sourcing_question q = {.lines = p->needs, .n_lines = p->n_lines, .offers = offers};

	if (offers == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	if (!price_lines(fl, p, a, offers, &n_offers))
		return refuse(fl, ERR_UNKNOWN_ITEM);
	if (!price_total(fl, p))
		return refuse(fl, ERR_INVALID_ARGUMENT);
	if (!price_is_expected(fl, p)) {
		rpc_fact(fl, "total", "%lld %s", (long long)p->total.minor, p->total.currency);
		return refuse(fl, ERR_PRICE_CHANGED);
	}
	q.n_offers = n_offers;
	queue_know_epoch(rpc_app(fl)->queue, catalog_quote_row(a, 0).epoch);
	if (rq->ship_to->position != NULL) {
		q.has_position = true;
		q.latitude_e6 = rq->ship_to->position->latitude_e6;
		q.longitude_e6 = rq->ship_to->position->longitude_e6;
	}
	switch (sourcing_plan(&q, &fl->arena, &p->plan)) {
	case SOURCING_NO_MEMORY:
		return rpc_fail(fl, ERR_TOO_LARGE);
	case SOURCING_SHORT:
		return refuse_stock(fl, p->plan.short_item, p->plan.short_left);
	case SOURCING_OK:
		break;
	}
	if (!price_groups(fl, p, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	return rq->validate_only ? reply_placed(fl, p, NULL) : HOLD;
}

/* ---------------------------------------------------------------- hold */

/* A hold is the request's, not the order's: the same request twice at once holds its goods once. */
static struct id hold_id(struct flow *fl)
{
	struct placing *p = rpc_state(fl);
	struct key key =
		key_of_request(rpc_identity(fl)->tenant, REQUEST_PLACE_ORDER, p->request_id);
	struct id id;

	_Static_assert(sizeof(id) == sizeof(key), "a key makes an id");
	memcpy(&id, &key, sizeof(id));
	return id;
}

/*
 * A hold keeps two calls under way from wanting the same last units.  Where all the calls this
 * process may have under way would find enough, it cannot say no, and nobody asks.
 */
static bool is_plenty(const struct app *app, const struct sourcing_plan *plan)
{
	for (size_t i = 0; i < plan->n_shares; i++)
		if (plan->shares[i].available / app->cfg.max_in_flight < plan->shares[i].qty)
			return false;
	return true;
}

static int ask_hold(struct flow *fl)
{
	struct placing *p = rpc_state(fl);
	struct app *app = rpc_app(fl);
	struct hold_line *lines;

	if (!queue_is_up(app->queue) || is_plenty(app, &p->plan))
		return PLACE;
	lines = arena_array(&fl->arena, p->plan.n_shares, sizeof(*lines));
	if (lines == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (size_t i = 0; i < p->plan.n_shares; i++) {
		const struct sourcing_share *s = &p->plan.shares[i];

		lines[i] = (struct hold_line){.item = p->lines[s->line].item,
					      .location = s->location,
					      .qty = s->qty,
					      .available = s->available};
	}
	p->hold = hold_id(fl);
	p->held = true; /* until an answer says otherwise */
	return queue_ask_hold(fl, app->queue, rpc_identity(fl)->tenant, p->hold, lines,
			      (uint32_t)p->plan.n_shares);
}

static int got_hold(struct flow *fl, const struct answer *a)
{
	struct placing *p = rpc_state(fl);
	const struct hold_answer *h = queue_hold_answer(a);

	/* HOLD_DUP: another call with this request took it and settles it */
	p->held = h->outcome == HOLD_OK;
	if (h->outcome == HOLD_SHORT)
		return refuse_stock(fl, p->lines[p->plan.shares[h->short_line].line].item, h->left);
	return PLACE; /* STALE: Redis lost its data; PostgreSQL decides alone */
}

/* ---------------------------------------------------------------- place */

static bool fill_shares(struct flow *fl, struct placing *p, struct order_place_line *lines)
{
	int64_t line_seen = -1;
	uint64_t *group_seen =
		arena_array(&fl->arena, (size_t)p->plan.groups + 1, sizeof(*group_seen));

	p->rings = arena_array(&fl->arena, (size_t)p->plan.groups, sizeof(*p->rings));
	if (group_seen == NULL || p->rings == NULL)
		return false;
	for (size_t i = 0; i < p->plan.n_shares; i++) {
		const struct sourcing_share *s = &p->plan.shares[i];
		struct order_place_line *l = &lines[i];

		*l = (struct order_place_line){.line = (int32_t)s->line + 1,
					       .item = p->lines[s->line].item,
					       .location = s->location,
					       .qty = s->qty,
					       .unit_minor = p->lines[s->line].unit.minor,
					       .group_no = s->group,
					       .ordered = DB_NULL,
					       .group_minor = DB_NULL};
		if ((int64_t)s->line != line_seen)
			l->ordered = p->needs[s->line].qty;
		line_seen = s->line;
		if (group_seen[s->group]++ == 0) {
			l->group_minor = p->group_minor[s->group];
			l->job_id = id_child(p->order);
			p->rings[s->group - 1] = (struct ring){
				.job = l->job_id, .role = ROLE_PAYMENT, .priority = 1};
		}
	}
	return true;
}

static int ask_place(struct flow *fl)
{
	const Orderd__V1__PlaceOrderRequest *rq = request_of(fl);
	struct placing *p = rpc_state(fl);
	struct app *app = rpc_app(fl);
	struct order_place_head h;
	struct order_place_line *lines = arena_array(&fl->arena, p->plan.n_shares, sizeof(*lines));
	struct str packed = address_pack(&p->ship_to, &fl->arena);

	if (fl->err == ERR_CANCELLED || fl->err == ERR_DRAINING ||
	    (fl->deadline_ms != 0 && clock_mono_ms() >= fl->deadline_ms))
		/* Nobody waits for it any more. */
		return rpc_fail(fl, fl->err != ERR_OK ? fl->err : ERR_DEADLINE);
	rpc_order(fl, p->order);
	rpc_forgive(fl); /* a hold that failed has cost time, nothing else */
	if (lines == NULL || packed.p == NULL || !fill_shares(fl, p, lines))
		return rpc_fail(fl, ERR_TOO_LARGE);
	h = (struct order_place_head){
		.tenant = rpc_identity(fl)->tenant,
		.order_id = p->order,
		.request_method = REQUEST_PLACE_ORDER,
		.request_key = p->request_id,
		.fingerprint = p->fingerprint,
		.groups = p->plan.groups,
		.currency = str_of(p->total.currency),
		.total_minor = p->total.minor,
		.customer = p->customer,
		.channel = rq->channel.len > 0 ? text_of(rq->channel) : STR("api"),
		.reference = rq->reference.len > 0 ? text_of(rq->reference) : STR(""),
		.contact_id = p->order,
		.sealed = seal(&app->contact_key, rpc_identity(fl)->tenant, p->order, packed,
			       &fl->arena),
		.expires_s = (int32_t)app->cfg.reservation_s,
		.method_token = text_of(rq->payment_method),
		.actor = rpc_identity(fl)->subject,
		.fallback_methods = p->fallbacks,
		.wait_for_payment = rq->wait_for_payment,
		.ship_service =
			rq->ship_service.len > 0 ? text_of(rq->ship_service) : STR("cheapest"),
		.trace = trace_bytes(&fl->trace),
		.notify = app->cfg.mail_from[0] != '\0' && p->ship_to.email.n > 0};
	if (h.sealed.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	return store_ask(fl, app->store, order_place_unit(&h, lines, (uint32_t)p->plan.n_shares));
}

/* Tell Redis what became of its hold; it forgets by itself if this gets lost. */
static void settle_hold(struct flow *fl, bool keep)
{
	struct placing *p = rpc_state(fl);

	if (p->held)
		queue_finish_hold(rpc_app(fl)->queue, rpc_identity(fl)->tenant, p->hold, keep);
	p->held = false;
}

static int got_place(struct flow *fl, const struct answer *a)
{
	struct placing *p = rpc_state(fl);
	struct app *app = rpc_app(fl);
	struct order_place_row r = order_place_row(a, 0);
	bool placed = str_eq(r.outcome, STR("placed"));

	settle_hold(fl, placed);
	if (placed) {
		queue_ring(app->queue, p->rings, (uint32_t)p->plan.groups);
		order_placed(app);
		return reply_placed(fl, p, &r);
	}
	if (str_eq(r.outcome, STR("short")))
		return refuse_stock(fl, r.item, r.left_qty);
	p->refusal = ERR_INTERNAL; /* seen, and not there: cannot be */
	return FIND;
}

/*
 * Place was refused, failed or was not answered.  A unit never sent frees its hold now; one
 * whose outcome is unknown, or whose caller left before it was answered, keeps it, and Redis
 * lets go when the hold expires.
 */
static int ask_let_go(struct flow *fl)
{
	if (fl->err != ERR_UNKNOWN_OUTCOME && fl->err != ERR_CANCELLED && fl->err != ERR_DRAINING)
		settle_hold(fl, false);
	return DONE;
}

/* --------------------------------------------------- find, view, groups: it was accepted before */

static int ask_find(struct flow *fl)
{
	struct placing *p = rpc_state(fl);

	settle_hold(fl, false);
	return ask_request_find(fl, REQUEST_PLACE_ORDER, p->request_id);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct placing *p = rpc_state(fl);

	if (!got_request_find(fl, p->fingerprint, a, &fl->subject))
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? p->refusal : fl->err);
	rpc_order(fl, fl->subject);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	return ask_order_view(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	struct placing *p = rpc_state(fl);

	p->seen = got_order_view(fl, fl->subject, a);
	return p->seen != NULL ? GROUPS : FLOW_FAIL;
}

static int ask_groups(struct flow *fl)
{
	return ask_order_groups(fl, fl->subject);
}

static int got_groups(struct flow *fl, const struct answer *a)
{
	Orderd__V1__PlaceOrderResponse rs = ORDERD__V1__PLACE_ORDER_RESPONSE__INIT;
	struct placing *p = rpc_state(fl);

	if (!order_add_groups(fl, p->seen, a))
		return rpc_fail(fl, ERR_TOO_LARGE);
	rs.order = p->seen;
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step place_order_steps[] = {
	/*           name      ask         got         ms    on error  next                          */
	[QUOTE]  = {"quote",  ask_quote,  got_quote,  5000, DONE,     TO(HOLD) | TO(FIND) | TO(DONE)},
	[HOLD]   = {"hold",   ask_hold,   got_hold,   250,  PLACE,    TO(PLACE) | TO(FIND)},  /* no Redis: PostgreSQL decides */
	[PLACE]  = {"place",  ask_place,  got_place,  600000, LET_GO, TO(FIND) | TO(DONE)},   /* the flow's deadline cuts it */
	[FIND]   = {"find",   ask_find,   got_find,   5000, DONE,     TO(VIEW)},
	[VIEW]   = {"view",   ask_view,   got_view,   5000, DONE,     TO(GROUPS)},
	[GROUPS] = {"groups", ask_groups, got_groups, 5000, DONE,     TO(DONE)},
	[LET_GO] = {"let_go", ask_let_go, NULL,       0,    DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_PLACE_ORDER = {
	.path = "/orderd.v1.OrderService/PlaceOrder",
	.name = "place_order",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__place_order_request__descriptor,
	.response = &orderd__v1__place_order_response__descriptor,
	.steps = place_order_steps,
	.state_size = sizeof(struct placing),
	.slots = RPC_SLOTS_HOT,
};
