/*
 * Authorize: hold the money of one shipment group.
 *
 *	begin --> ask --+--> authorized --> done
 *	  |        ^    +--> action --> done            looked at later: the customer confirms it
 *	  |        |    +--> release --> declined --> freed --> done
 *	  |        |    +--> declined --> done          its next method, or a person's turn
 *	  |     look    +--> unknown --> done           asked again later, same key
 *	  |             +--> found --> unknown          looked at later, by its id
 *	  +--> done: the order does not want it any more
 *
 * begin commits the attempt before anything leaves the house; its id is the gateway's
 * idempotency key.  An ask that was not answered may have held the money, so it is
 * unknown, and the only way out is to ask again with the same key, or to look by the
 * gateway's own id once we have it.
 */
#include "core/base/metric.h"
#include "sql.gen.h"
#include "workers/freed.h"
#include "workers/payment/gateway.h"
#include "workers/payment/payment.h"

enum { BEGIN, ASK, LOOK, FOUND, ACTION, RELEASE, AUTHORIZED, DECLINED, FREED, UNKNOWN, DONE };

struct authorizing {
	struct gateway_payment payment;
	struct str gateway_id; /* n == 0: not known yet */
	struct str code;
	struct str action_url;
	int64_t until_us;
	bool acting; /* it has been waiting for its customer */
	bool over;   /* the order waits for nobody any more */
};

static int ask_begin(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct payment_begin_head h = {.tenant = j->tenant,
				       .order_id = j->order,
				       .group_no = j->group_no,
				       .job_id = j->id,
				       .epoch = j->epoch,
				       .attempt_id = id_child(j->order)};

	return store_ask(fl, worker_of(fl)->store, payment_begin_unit(&h, NULL, 0));
}

static int got_begin(struct flow *fl, const struct answer *a)
{
	const struct job *j = job_of(fl);
	struct authorizing *p = job_state(fl);
	struct payment_begin_row r;

	if (answer_rows(a) == 0) {
		job_settled(fl); /* somebody else has the job */
		return DONE;
	}
	r = payment_begin_row(a, 0);
	if (str_eq(r.outcome, STR("moot"))) {
		job_moot(fl);
		return DONE;
	}
	p->payment = (struct gateway_payment){.attempt = r.attempt_id,
					      .order = j->order,
					      .group_no = j->group_no,
					      .amount_minor = r.amount_minor,
					      .currency = arena_str(&fl->arena, r.currency),
					      .method_token = arena_str(&fl->arena, r.method_token),
					      .present = r.present};
	if (r.forgotten)
		return job_fail(fl, ERR_MONEY_IN_DOUBT,
				"the gateway may have forgotten this attempt's key: look there for "
				"money held under it");
	p->acting = str_eq(r.attempt_state, STR("requires_action"));
	p->over = r.over;
	p->gateway_id = arena_str(&fl->arena, r.gateway_id);
	if (r.amount_minor == 0) {
		p->gateway_id = STR("none"); /* nothing to hold, nobody to ask */
		return AUTHORIZED;
	}
	return p->gateway_id.n > 0 ? LOOK : ASK;
}

static int ask_gateway(struct flow *fl)
{
	struct authorizing *p = job_state(fl);

	return gateway_ask_authorize(fl, worker_of(fl), &p->payment);
}

static int ask_look(struct flow *fl)
{
	struct authorizing *p = job_state(fl);

	return gateway_ask_read(fl, worker_of(fl), p->gateway_id);
}

/* A payment nobody will confirm any more is let go; one somebody may, is looked at again later. */
static int confirmation(struct flow *fl, struct str action_url)
{
	struct authorizing *p = job_state(fl);

	p->action_url = action_url;
	if (p->payment.present && action_url.n > 0 && !p->over)
		return ACTION;
	p->code = p->acting ? STR("authentication_timeout") : STR("authentication_required");
	return RELEASE;
}

static struct str reason(const struct authorizing *p, enum gateway_verdict v)
{
	if (p->code.n > 0)
		return p->code;
	if (v == GATEWAY_DECLINED)
		return STR("card_declined");
	/* our own doing, by a try that did not live to record it */
	return p->acting && p->over ? STR("authentication_timeout") : STR("canceled");
}

static int got_gateway(struct flow *fl, const struct answer *a)
{
	struct authorizing *p = job_state(fl);
	struct gateway_answer g = gateway_answer(fl, a);

	if (g.id.n > 0)
		p->gateway_id = g.id;
	p->code = g.code;
	p->until_us = g.authorized_until_us > 0 ? g.authorized_until_us : DB_NULL;
	switch (g.verdict) {
	case GATEWAY_AUTHORIZED:
		return AUTHORIZED;
	case GATEWAY_DECLINED:
	case GATEWAY_CANCELED:
	case GATEWAY_ABSENT:
		p->code = reason(p, g.verdict);
		return DECLINED;
	case GATEWAY_REQUIRES_ACTION:
		return confirmation(fl, g.action_url);
	case GATEWAY_OPEN:
		return FOUND;
	case GATEWAY_CAPTURED:
	case GATEWAY_UNEXPECTED:
		return job_fail(fl, ERR_PROVIDER_BROKEN,
				"the gateway took money it was asked to hold");
	case GATEWAY_FAILED:
		break;
	}
	return FLOW_FAIL;
}

/*
 * Asked again with the key, the gateway would repeat that it has not decided: next time look by its
 * own id.
 */
static int ask_found(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct authorizing *p = job_state(fl);
	struct payment_found_head h = {.tenant = j->tenant,
				       .order_id = j->order,
				       .group_no = j->group_no,
				       .job_id = j->id,
				       .epoch = j->epoch,
				       .attempt_id = p->payment.attempt,
				       .gateway_id = p->gateway_id};

	return store_ask(fl, worker_of(fl)->store, payment_found_unit(&h, NULL, 0));
}

static int got_found(struct flow *fl, const struct answer *a)
{
	(void)a;
	return job_fail(fl, ERR_HTTP_UNKNOWN, "the gateway has not decided yet");
}

static int ask_action(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct authorizing *p = job_state(fl);
	struct payment_action_head h = {.tenant = j->tenant,
					.order_id = j->order,
					.group_no = j->group_no,
					.job_id = j->id,
					.epoch = j->epoch,
					.attempt_id = p->payment.attempt,
					.gateway_id = p->gateway_id,
					.action_url = p->action_url,
					.poll_ms = worker_of(fl)->cfg.action_poll_ms};

	return store_ask(fl, worker_of(fl)->store, payment_action_unit(&h, NULL, 0));
}

static int got_action(struct flow *fl, const struct answer *a)
{
	(void)a; /* no row: somebody else has the job */
	job_settled(fl);
	return DONE;
}

/*
 * A payment that waits for its customer could still be confirmed by them one day: cancel it first.
 */
static int ask_release(struct flow *fl)
{
	struct authorizing *p = job_state(fl);

	return gateway_ask_cancel(fl, worker_of(fl), p->payment.attempt, p->gateway_id);
}

static int got_release(struct flow *fl, const struct answer *a)
{
	enum gateway_verdict v = gateway_answer(fl, a).verdict;

	if (v == GATEWAY_CANCELED || v == GATEWAY_ABSENT)
		return DECLINED;
	return v == GATEWAY_FAILED
		       ? FLOW_FAIL
		       : job_fail(fl, ERR_HTTP_UNKNOWN, "the gateway did not cancel the payment");
}

static int ask_authorized(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct authorizing *p = job_state(fl);
	struct payment_authorized_line *picks =
		arena_array(&fl->arena, (size_t)j->groups, sizeof(*picks));
	struct payment_authorized_head h = {.tenant = j->tenant,
					    .order_id = j->order,
					    .group_no = j->group_no,
					    .job_id = j->id,
					    .epoch = j->epoch,
					    .attempt_id = p->payment.attempt,
					    .gateway_id = p->gateway_id,
					    .authorized_until =
						    p->until_us == 0 ? DB_NULL : p->until_us,
					    .void_job = id_child(j->order)};

	if (picks == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the order's groups do not fit");
	for (int16_t i = 0; i < j->groups; i++)
		picks[i] = (struct payment_authorized_line){.group_no = (int16_t)(i + 1),
							    .job_id = id_child(j->order)};
	return store_ask(fl, worker_of(fl)->store,
			 payment_authorized_unit(&h, picks, (uint32_t)j->groups));
}

static int got_authorized(struct flow *fl, const struct answer *a)
{
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct payment_authorized_row r = payment_authorized_row(a, i);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

static int ask_declined(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct authorizing *p = job_state(fl);
	struct payment_declined_line *voids =
		arena_array(&fl->arena, (size_t)j->groups, sizeof(*voids));
	struct payment_declined_head h = {.tenant = j->tenant,
					  .order_id = j->order,
					  .group_no = j->group_no,
					  .job_id = j->id,
					  .epoch = j->epoch,
					  .attempt_id = p->payment.attempt,
					  .gateway_id = p->gateway_id,
					  .decline_code = p->code};

	if (voids == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the order's groups do not fit");
	for (int16_t i = 0; i < j->groups; i++)
		voids[i] = (struct payment_declined_line){.group_no = (int16_t)(i + 1),
							  .job_id = id_child(j->order)};
	return store_ask(fl, worker_of(fl)->store,
			 payment_declined_unit(&h, voids, (uint32_t)j->groups));
}

/* What is rung may be this very job: its payment has another method. */
static int got_declined(struct flow *fl, const struct answer *a)
{
	bool freed = false;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct payment_declined_row r = payment_declined_row(a, i);

		job_ring(fl, r.job_id, r.kind);
		freed = freed || str_eq(r.outcome, STR("rejected"));
	}
	job_settled(fl);
	return freed ? FREED : DONE;
}

static int ask_freed(struct flow *fl)
{
	return freed_ask(fl, worker_of(fl), job_of(fl)->tenant, job_of(fl)->order);
}

static int got_freed(struct flow *fl, const struct answer *a)
{
	freed_got(worker_of(fl), job_of(fl)->tenant, a);
	return DONE;
}

/*
 * Only what may have held the money is unknown; a gateway that was never reached was simply not
 * asked.
 */
static int ask_unknown(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct authorizing *p = job_state(fl);
	struct payment_unknown_head h;

	if (err_retry(fl->err) != ERR_RETRY_FIND_OUT ||
	    j->attempts >= worker_of(fl)->cfg.max_attempts)
		return DONE;
	h = (struct payment_unknown_head){.tenant = j->tenant,
					  .order_id = j->order,
					  .group_no = j->group_no,
					  .job_id = j->id,
					  .epoch = j->epoch,
					  .attempt_id = p->payment.attempt,
					  .delay_ms = job_backoff_ms(fl),
					  .error = str_of(err_name(fl->err))};
	return store_ask(fl, worker_of(fl)->store, payment_unknown_unit(&h, NULL, 0));
}

static int got_unknown(struct flow *fl, const struct answer *a)
{
	(void)a;
	metric_add(METRIC_job_retried, job_of(fl)->kind->name, 1);
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step authorize_steps[] = {
	/*               name          ask             got             ms     on error  next                            */
	[BEGIN]      = {"begin",      ask_begin,      got_begin,      10000, DONE,     TO(ASK) | TO(LOOK) | TO(AUTHORIZED) | TO(DONE)},
	[ASK]        = {"ask",        ask_gateway,    got_gateway,    130000, UNKNOWN, TO(AUTHORIZED) | TO(DECLINED) | TO(RELEASE) | TO(ACTION) | TO(FOUND)},
	[LOOK]       = {"look",       ask_look,       got_gateway,    130000, UNKNOWN, TO(AUTHORIZED) | TO(DECLINED) | TO(RELEASE) | TO(ACTION) | TO(FOUND)},
	[FOUND]      = {"found",      ask_found,      got_found,      10000, UNKNOWN, 0},
	[ACTION]     = {"action",     ask_action,     got_action,     10000, DONE,     TO(DONE)},  /* as authorized */
	[RELEASE]    = {"release",    ask_release,    got_release,    130000, UNKNOWN, TO(DECLINED)},
	[AUTHORIZED] = {"authorized", ask_authorized, got_authorized, 30000, DONE,     TO(DONE)},  /* the next attempt asks with the same key */
	[DECLINED]   = {"declined",   ask_declined,   got_declined,   30000, DONE,     TO(FREED) | TO(DONE)},
	[FREED]      = {"freed",      ask_freed,      got_freed,      10000, DONE,     TO(DONE)},  /* Redis forgets by itself, later */
	[UNKNOWN]    = {"unknown",    ask_unknown,    got_unknown,    10000, DONE,     TO(DONE)},
	[DONE]       = {"done"},
};
/* clang-format on */

const struct job_kind JOB_PAYMENT_AUTHORIZE = {
	.name = "payment.authorize",
	.role = ROLE_PAYMENT,
	.priority = 1,
	.steps = authorize_steps,
	.state_size = sizeof(struct authorizing),
};
