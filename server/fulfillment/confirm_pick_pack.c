/*
 * ConfirmPick, ConfirmPack: a site reports what it did with a fulfilment order.
 *
 *	find --> confirm --+--> view --> reply
 *	                   +--> seen --> view
 *
 * find reads what the report is about: the order, whose lock the unit takes, the job that
 * waits for this report, the lines that were planned.  confirm decides, in one unit.  seen
 * is taken when this site has told this report before: the same body is a replay, and a
 * replay answers the fulfilment order as it is now.
 */
#include <stdlib.h>
#include <string.h>

#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/fulfillment/fulfillment_read.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/watch/watches.h"
#include "sql.gen.h"

enum { WEIGHT_MAX = 1000000000 /* grams */ };

enum { FIND, CONFIRM, SEEN, VIEW, DONE };

/* What both calls are. */
struct confirming {
	int16_t method;
	struct id fulfillment;
	struct str key, fingerprint; /* "site/report_id" */
	/* as found */
	struct id order, job; /* job zero: no job waits for this */
	int16_t group_no;
	struct str state;
	struct pick_confirmed_line *counts;
	uint32_t n_counts;
};

/* `body` is the request without site and report_id. */
static bool read_report(struct flow *fl, enum request_method method, ProtobufCBinaryData id,
			ProtobufCBinaryData site, ProtobufCBinaryData report_id,
			ProtobufCMessage *body)
{
	struct confirming *c = rpc_state(fl);
	struct str from = want_text(fl, site, REQUEST_CODE_MAX, "site");
	struct str report = want_text(fl, report_id, REQUEST_ID_MAX, "report_id");
	char *key;

	c->method = (int16_t)method;
	c->fulfillment = fl->subject = want_id(fl, id, "fulfillment_order_id");
	if (from.n > 0 && memchr(from.p, '/', from.n) != NULL)
		rpc_violation(fl, "it must not contain a slash", "site");
	key = arena_printf(&fl->arena, STR_FMT "/" STR_FMT, STR_ARG(from), STR_ARG(report));
	c->fingerprint = request_fingerprint(fl, body);
	if (key == NULL || c->fingerprint.p == NULL)
		return false;
	c->key = str_of(key);
	return true;
}

/* What was found, kept; false: NOT_FOUND, or no room. */
static bool keep_found(struct flow *fl, const struct answer *a)
{
	struct confirming *c = rpc_state(fl);
	struct fulfillment_list_row r;

	if (answer_rows(a) == 0) {
		no_such_fulfillment(fl, c->fulfillment);
		return false;
	}
	r = fulfillment_list_row(a, 0);
	c->order = r.order_id;
	rpc_order(fl, c->order);
	c->group_no = r.group_no;
	c->job = r.job_id;
	c->state = arena_str(&fl->arena, r.state);
	return fulfillment_room(fl, answer_rows(a));
}

static void ring(struct flow *fl, struct id job, struct str kind)
{
	struct ring r = {.job = job, .role = ROLE_FULFILLMENT, .priority = 1};

	if (id_is_zero(job))
		return;
	if (str_eq(kind, STR("payment.void"))) {
		r.role = ROLE_PAYMENT;
		r.priority = 0;
	} else if (str_eq(kind, STR("shipping.label"))) {
		r.role = ROLE_SHIPPING;
	}
	queue_ring(rpc_app(fl)->queue, &r, 1);
}

/* The step after the unit: `done` is its good outcome, `too_late` the error of its bad one. */
static int judge(struct flow *fl, struct str outcome, struct str done, enum errc too_late)
{
	struct confirming *c = rpc_state(fl);

	if (str_eq(outcome, done)) {
		order_moved(rpc_app(fl), c->order);
		return VIEW;
	}
	if (str_eq(outcome, STR("seen")))
		return SEEN;
	if (str_eq(outcome, STR("not_found")))
		return no_such_fulfillment(fl, c->fulfillment);
	if (str_eq(outcome, STR("mistaken"))) {
		rpc_violation(fl, "they are not the lines that were planned", "lines");
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	}
	rpc_fact(fl, "state", STR_FMT, STR_ARG(c->state));
	return rpc_fail(fl, too_late);
}

static int ask_seen(struct flow *fl)
{
	struct confirming *c = rpc_state(fl);

	return ask_request_find(fl, c->method, c->key);
}

static int got_seen(struct flow *fl, const struct answer *a)
{
	struct confirming *c = rpc_state(fl);
	struct id resource;

	if (!got_request_find(fl, c->fingerprint, a, &resource))
		/* Seen, and not there: cannot be. */
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	struct confirming *c = rpc_state(fl);

	return ask_fulfillment(fl, c->fulfillment);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ConfirmPickResponse picked = ORDERD__V1__CONFIRM_PICK_RESPONSE__INIT;
	Orderd__V1__ConfirmPackResponse packed = ORDERD__V1__CONFIRM_PACK_RESPONSE__INIT;
	struct confirming *c = rpc_state(fl);
	Orderd__V1__FulfillmentOrder *f;
	uint32_t at = 0;

	if (answer_rows(a) == 0)
		return no_such_fulfillment(fl, c->fulfillment);
	f = fulfillment_message(fl, a, &at);
	if (f == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	picked.fulfillment_order = packed.fulfillment_order = f;
	return rpc_ok(fl, c->method == REQUEST_CONFIRM_PICK ? &picked.base : &packed.base);
}

/* ---------------------------------------------------------------- ConfirmPick */

static int ask_find_pick(struct flow *fl)
{
	const Orderd__V1__ConfirmPickRequest *rq = rpc_request(fl);
	Orderd__V1__ConfirmPickRequest body = *rq;
	struct confirming *c = rpc_state(fl);

	body.site = body.report_id = (ProtobufCBinaryData){0, NULL};
	if (!read_report(fl, REQUEST_CONFIRM_PICK, rq->fulfillment_order_id, rq->site,
			 rq->report_id, &body.base))
		return rpc_fail(fl, ERR_TOO_LARGE);
	want_range(fl, (int64_t)rq->n_lines, 0, rpc_app(fl)->cfg.max_lines, "lines");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return ask_fulfillment(fl, c->fulfillment);
}

struct planned {
	int32_t line;
	bool named; /* by this report */
	int64_t qty;
};

static int by_line(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* The report's lines against what was planned, which comes in order of lines. */
static void check_counts(struct flow *fl, struct planned *plan, size_t n)
{
	const Orderd__V1__ConfirmPickRequest *rq = rpc_request(fl);

	for (uint32_t i = 0; i < rq->n_lines; i++) {
		struct planned key = {.line = rq->lines[i]->line};
		struct planned *p = bsearch(&key, plan, n, sizeof(*plan), by_line);

		if (p == NULL) {
			rpc_violation(fl, "it is no line of this fulfilment order",
				      "lines[%u].line", i);
			continue;
		}
		if (p->named)
			rpc_violation(fl, "a line may occur once", "lines[%u].line", i);
		p->named = true;
		want_range(fl, rq->lines[i]->quantity, 0, p->qty, "lines[%u].quantity", i);
	}
}

static int got_find_pick(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__ConfirmPickRequest *rq = rpc_request(fl);
	struct confirming *c = rpc_state(fl);
	struct planned *plan;

	if (!keep_found(fl, a))
		return FLOW_FAIL;
	plan = arena_array(&fl->arena, answer_rows(a), sizeof(*plan));
	c->counts = arena_array(&fl->arena, rq->n_lines + 1, sizeof(*c->counts));
	if (plan == NULL || c->counts == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct fulfillment_list_row r = fulfillment_list_row(a, i);

		plan[i] = (struct planned){.line = r.line, .qty = r.qty};
	}
	/* A report told again finds its own short pick; only confirm knows that it was told. */
	if (str_eq(c->state, STR("open")))
		check_counts(fl, plan, answer_rows(a));
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	for (uint32_t i = 0; i < rq->n_lines; i++)
		c->counts[c->n_counts++] = (struct pick_confirmed_line){
			.line = rq->lines[i]->line, .qty = rq->lines[i]->quantity};
	return CONFIRM;
}

static int ask_pick(struct flow *fl)
{
	struct confirming *c = rpc_state(fl);
	struct pick_confirmed_head h = {.tenant = rpc_identity(fl)->tenant,
					.order_id = c->order,
					.group_no = c->group_no,
					.fulfillment_id = c->fulfillment,
					.job_id = c->job,
					.request_method = c->method,
					.request_key = c->key,
					.fingerprint = c->fingerprint,
					.actor = rpc_identity(fl)->subject,
					.pack_job = id_child(c->order),
					.void_job = id_child(c->order),
					.resource_job = id_child(c->order),
					.trace = trace_bytes(&fl->trace),
					.locations = rpc_identity(fl)->locations};

	return store_ask(fl, rpc_app(fl)->store, pick_confirmed_unit(&h, c->counts, c->n_counts));
}

static int got_pick(struct flow *fl, const struct answer *a)
{
	struct str outcome = answer_rows(a) > 0 ? pick_confirmed_row(a, 0).outcome : STR("");

	for (uint32_t i = 0; i < answer_rows(a); i++)
		ring(fl, pick_confirmed_row(a, i).job_id, pick_confirmed_row(a, i).kind);
	return judge(fl, outcome, STR("picked"), ERR_NOT_PICKABLE);
}

/* clang-format off */
static const struct flow_step confirm_pick_steps[] = {
	/*            name       ask            got            ms      on error  next                */
	[FIND]    = {"find",    ask_find_pick, got_find_pick, 5000,   DONE,     TO(CONFIRM)},
	[CONFIRM] = {"confirm", ask_pick,      got_pick,      600000, DONE,     TO(VIEW) | TO(SEEN)},
	[SEEN]    = {"seen",    ask_seen,      got_seen,      5000,   DONE,     TO(VIEW)},
	[VIEW]    = {"view",    ask_view,      got_view,      5000,   DONE,     TO(DONE)},
	[DONE]    = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CONFIRM_PICK = {
	.path = "/orderd.v1.FulfillmentService/ConfirmPick",
	.name = "confirm_pick",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__confirm_pick_request__descriptor,
	.response = &orderd__v1__confirm_pick_response__descriptor,
	.steps = confirm_pick_steps,
	.state_size = sizeof(struct confirming),
};

/* ---------------------------------------------------------------- ConfirmPack */

static int ask_find_pack(struct flow *fl)
{
	const Orderd__V1__ConfirmPackRequest *rq = rpc_request(fl);
	Orderd__V1__ConfirmPackRequest body = *rq;
	struct confirming *c = rpc_state(fl);

	body.site = body.report_id = (ProtobufCBinaryData){0, NULL};
	if (!read_report(fl, REQUEST_CONFIRM_PACK, rq->fulfillment_order_id, rq->site,
			 rq->report_id, &body.base))
		return rpc_fail(fl, ERR_TOO_LARGE);
	want_range(fl, rq->weight_grams, 0, WEIGHT_MAX, "weight_grams");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return ask_fulfillment(fl, c->fulfillment);
}

static int got_find_pack(struct flow *fl, const struct answer *a)
{
	return keep_found(fl, a) ? CONFIRM : FLOW_FAIL;
}

static int ask_pack(struct flow *fl)
{
	const Orderd__V1__ConfirmPackRequest *rq = rpc_request(fl);
	struct confirming *c = rpc_state(fl);
	struct pack_confirmed_head h = {.tenant = rpc_identity(fl)->tenant,
					.order_id = c->order,
					.group_no = c->group_no,
					.fulfillment_id = c->fulfillment,
					.job_id = c->job,
					.request_method = c->method,
					.request_key = c->key,
					.fingerprint = c->fingerprint,
					.actor = rpc_identity(fl)->subject,
					.weight_g = rq->weight_grams,
					.shipment_id = id_child(c->order),
					.next_job = id_child(c->order),
					.sscc_prefix = str_of(rpc_app(fl)->cfg.sscc_prefix),
					.trace = trace_bytes(&fl->trace),
					.locations = rpc_identity(fl)->locations};

	return store_ask(fl, rpc_app(fl)->store, pack_confirmed_unit(&h, NULL, 0));
}

static int got_pack(struct flow *fl, const struct answer *a)
{
	struct str outcome = answer_rows(a) > 0 ? pack_confirmed_row(a, 0).outcome : STR("");

	for (uint32_t i = 0; i < answer_rows(a); i++)
		ring(fl, pack_confirmed_row(a, i).job_id, pack_confirmed_row(a, i).kind);
	return judge(fl, outcome, STR("packed"), ERR_NOT_PACKABLE);
}

/* clang-format off */
static const struct flow_step confirm_pack_steps[] = {
	/*            name       ask            got            ms      on error  next                */
	[FIND]    = {"find",    ask_find_pack, got_find_pack, 5000,   DONE,     TO(CONFIRM)},
	[CONFIRM] = {"confirm", ask_pack,      got_pack,      600000, DONE,     TO(VIEW) | TO(SEEN)},
	[SEEN]    = {"seen",    ask_seen,      got_seen,      5000,   DONE,     TO(VIEW)},
	[VIEW]    = {"view",    ask_view,      got_view,      5000,   DONE,     TO(DONE)},
	[DONE]    = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CONFIRM_PACK = {
	.path = "/orderd.v1.FulfillmentService/ConfirmPack",
	.name = "confirm_pack",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__confirm_pack_request__descriptor,
	.response = &orderd__v1__confirm_pack_response__descriptor,
	.steps = confirm_pack_steps,
	.state_size = sizeof(struct confirming),
};
