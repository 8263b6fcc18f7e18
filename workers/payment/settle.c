/*
 * Capture: take the money that is held, before the parcel leaves.  Void: let it go.
 *
 *	find --> ask --+--> record --> done
 *	  |        |   +--> look --> record		it was done by an earlier try
 *	  |        |   +--> look --> lapsed		nothing is held any more: held anew first
 *	  |        +--> put off: asked again later, same key
 *	  +--> put off: the money is not held yet
 *	  +--> handover: it was taken before, by another job
 *	  +--> release --> lapsed, or look		what is left in the parcel costs nothing
 *
 * Both ask the gateway with a key that is a function of the attempt, so asking twice is
 * asking once.  A gateway that finds the payment in another state than it should be in
 * is looked at: what was asked for may be done already.
 */
#include "core/base/log.h"
#include "sql.gen.h"
#include "workers/payment/gateway.h"
#include "workers/payment/payment.h"

enum { FIND, ASK, LOOK, RELEASE, RECORD, LAPSED, HANDOVER, DONE };

/* A declined payment waits for a person; who brings another method wakes its capture. */
enum { DECLINED_WAIT_MS = 600000 };

struct settling {
	struct id attempt;
	struct str gateway_id;
	int64_t amount_minor;
	int64_t taken_minor; /* what the gateway says it took */
};

int payment_ask_find(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct payment_find_head h = {
		.tenant = j->tenant, .order_id = j->order, .group_no = j->group_no};

	return store_ask(fl, worker_of(fl)->store, payment_find_unit(&h, NULL, 0));
}

static bool found(struct flow *fl, const struct answer *a, struct payment_find_row *ret)
{
	struct settling *s = job_state(fl);

	if (answer_rows(a) == 0) {
		job_fail(fl, ERR_INTERNAL, "its payment does not exist");
		return false;
	}
	*ret = payment_find_row(a, 0);
	*s = (struct settling){.attempt = ret->attempt_id,
			       .gateway_id = arena_str(&fl->arena, ret->gateway_id),
			       .amount_minor = ret->amount_minor};
	if (s->gateway_id.n == ret->gateway_id.n)
		return true;
	job_fail(fl, ERR_TOO_LARGE, "the gateway's id does not fit");
	return false;
}

static int waits(struct flow *fl, int64_t delay_ms)
{
	job_wait(fl, delay_ms);
	return DONE;
}

static int moot(struct flow *fl)
{
	job_moot(fl);
	return DONE;
}

static int ask_look(struct flow *fl)
{
	struct settling *s = job_state(fl);

	return gateway_ask_read(fl, worker_of(fl), s->gateway_id);
}

/* ---------------------------------------------------------------- capture */

static int got_find_capture(struct flow *fl, const struct answer *a)
{
	struct payment_find_row r;

	if (!found(fl, a, &r))
		return FLOW_FAIL;
	if (str_eq(r.payment_state, STR("captured")))
		return HANDOVER;
	if (str_eq(r.payment_state, STR("voided")))
		return moot(fl);
	if (str_eq(r.payment_state, STR("declined")))
		return waits(fl, DECLINED_WAIT_MS);
	if (!str_eq(r.payment_state, STR("authorized")))
		return waits(fl, worker_of(fl)->cfg.action_poll_ms);
	if (r.amount_minor > 0)
		return ASK;
	/* All that cost something was not on the shelf: what is held for it is let go first. */
	return r.authorized_minor > 0 ? RELEASE : RECORD;
}

static int ask_release(struct flow *fl)
{
	struct settling *s = job_state(fl);

	return gateway_ask_cancel(fl, worker_of(fl), s->attempt, s->gateway_id);
}

static int got_release(struct flow *fl, const struct answer *a)
{
	enum gateway_verdict v = gateway_answer(fl, a).verdict;

	if (v == GATEWAY_CANCELED || v == GATEWAY_ABSENT)
		return LAPSED;
	return v == GATEWAY_FAILED ? FLOW_FAIL : LOOK; /* it may have ended by itself */
}

static int ask_capture(struct flow *fl)
{
	struct settling *s = job_state(fl);

	return gateway_ask_capture(fl, worker_of(fl), s->attempt, s->gateway_id, s->amount_minor);
}

static int got_capture(struct flow *fl, const struct answer *a)
{
	struct settling *s = job_state(fl);
	struct gateway_answer g = gateway_answer(fl, a);

	s->taken_minor = g.amount_received;
	if (g.verdict == GATEWAY_UNEXPECTED && fl->at == ASK)
		return LOOK;
	if (g.verdict == GATEWAY_FAILED)
		return FLOW_FAIL;
	if (g.verdict == GATEWAY_CANCELED)
		return LAPSED; /* it ended by itself */
	if (g.verdict != GATEWAY_CAPTURED)
		return job_fail(fl, ERR_PROVIDER_REFUSED,
				"the authorization cannot be captured any more");
	if (s->taken_minor != s->amount_minor)
		return job_fail(fl, ERR_PROVIDER_REFUSED, "the gateway took %lld instead of %lld",
				(long long)s->taken_minor, (long long)s->amount_minor);
	return RECORD;
}

static int ask_captured(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct settling *s = job_state(fl);
	struct payment_captured_head h = {.tenant = j->tenant,
					  .order_id = j->order,
					  .group_no = j->group_no,
					  .job_id = j->id,
					  .epoch = j->epoch,
					  .attempt_id = s->attempt,
					  .gateway_ref = s->gateway_id,
					  .amount_minor = s->amount_minor,
					  .next_job = id_child(j->order)};

	return store_ask(fl, worker_of(fl)->store, payment_captured_unit(&h, NULL, 0));
}

static int got_captured(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct payment_captured_row r = payment_captured_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

/* The parcel waits until the money is held anew: whoever holds it wakes this job. */
static int ask_lapsed(struct flow *fl)
{
	struct settling *s = job_state(fl);

	return payment_ask_lapsed(fl, s->attempt, s->gateway_id, worker_of(fl)->cfg.action_poll_ms);
}

static int got_lapsed(struct flow *fl, const struct answer *a)
{
	payment_got_lapsed(fl, a);
	return DONE;
}

static int ask_handover(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct handover_due_head h = {.tenant = j->tenant,
				      .order_id = j->order,
				      .group_no = j->group_no,
				      .job_id = j->id,
				      .epoch = j->epoch,
				      .next_job = id_child(j->order)};

	return store_ask(fl, worker_of(fl)->store, handover_due_unit(&h, NULL, 0));
}

static int got_handover(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct handover_due_row r = handover_due_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step capture_steps[] = {
	/*            name        ask               got               ms      on error next */
	[FIND]     = {"find",     payment_ask_find, got_find_capture, 10000,  DONE,    TO(ASK) | TO(RELEASE) | TO(RECORD) | TO(HANDOVER) | TO(DONE)},
	[ASK]      = {"ask",      ask_capture,      got_capture,      130000, DONE,    TO(RECORD) | TO(LOOK) | TO(LAPSED)},
	[LOOK]     = {"look",     ask_look,         got_capture,      130000, DONE,    TO(RECORD) | TO(LAPSED)},
	[RELEASE]  = {"release",  ask_release,      got_release,      130000, DONE,    TO(LAPSED) | TO(LOOK)},
	[RECORD]   = {"record",   ask_captured,     got_captured,     30000,  DONE,    TO(DONE)},
	[LAPSED]   = {"lapsed",   ask_lapsed,       got_lapsed,       30000,  DONE,    TO(DONE)},
	[HANDOVER] = {"handover", ask_handover,     got_handover,     30000,  DONE,    TO(DONE)},
	[DONE]     = {"done"},
};
/* clang-format on */

const struct job_kind JOB_PAYMENT_CAPTURE = {
	.name = "payment.capture",
	.role = ROLE_PAYMENT,
	.priority = 1,
	.steps = capture_steps,
	.state_size = sizeof(struct settling),
};

/* ---------------------------------------------------------------- void */

/*
 * What is held is let go.  In an order that goes on, a group that has nothing left to ship costs
 * nothing: once nobody is asking the gateway for its money, its payment ends.
 */
static int got_find_void(struct flow *fl, const struct answer *a)
{
	struct payment_find_row r;
	bool asking;

	if (!found(fl, a, &r))
		return FLOW_FAIL;
	if (str_eq(r.payment_state, STR("authorized")))
		return r.authorized_minor > 0 ? ASK : RECORD;
	if (r.amount_minor > 0 || str_eq(r.payment_state, STR("voided")) ||
	    str_eq(r.payment_state, STR("captured")))
		return moot(fl);
	asking = str_eq(r.attempt_state, STR("intent")) ||
		 str_eq(r.attempt_state, STR("unknown")) ||
		 str_eq(r.attempt_state, STR("requires_action"));
	return asking ? waits(fl, worker_of(fl)->cfg.action_poll_ms) : RECORD;
}

static int ask_void(struct flow *fl)
{
	struct settling *s = job_state(fl);

	return gateway_ask_cancel(fl, worker_of(fl), s->attempt, s->gateway_id);
}

static int got_void(struct flow *fl, const struct answer *a)
{
	struct gateway_answer g = gateway_answer(fl, a);

	if (g.verdict == GATEWAY_UNEXPECTED && fl->at == ASK)
		return LOOK;
	if (g.verdict == GATEWAY_FAILED)
		return FLOW_FAIL;
	if (g.verdict != GATEWAY_CANCELED && g.verdict != GATEWAY_ABSENT)
		return job_fail(fl, ERR_PROVIDER_REFUSED,
				"the payment cannot be cancelled any more");
	return RECORD;
}

static int ask_voided(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct settling *s = job_state(fl);
	struct payment_voided_head h = {.tenant = j->tenant,
					.order_id = j->order,
					.group_no = j->group_no,
					.job_id = j->id,
					.epoch = j->epoch,
					.attempt_id = s->attempt,
					.gateway_ref = s->gateway_id};

	return store_ask(fl, worker_of(fl)->store, payment_voided_unit(&h, NULL, 0));
}

static int got_voided(struct flow *fl, const struct answer *a)
{
	(void)a;
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step void_steps[] = {
	/*          name      ask               got            ms      on error next */
	[FIND]   = {"find",   payment_ask_find, got_find_void, 10000,  DONE,    TO(ASK) | TO(RECORD) | TO(DONE)},
	[ASK]    = {"ask",    ask_void,         got_void,      130000, DONE,    TO(RECORD) | TO(LOOK)},
	[LOOK]   = {"look",   ask_look,         got_void,      130000, DONE,    TO(RECORD)},
	[RECORD] = {"record", ask_voided,       got_voided,    30000,  DONE,    TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_PAYMENT_VOID = {
	.name = "payment.void",
	.role = ROLE_PAYMENT,
	.priority = 0,
	.steps = void_steps,
	.state_size = sizeof(struct settling),
};
