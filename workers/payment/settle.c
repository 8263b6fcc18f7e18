/*
 * Capture: take the money that is held, before the parcel leaves.  Void: let it go.
 *
 *	find --> ask --+--> record --> done
 *	           |   +--> look --> record		it was done by an earlier try
 *	           +--> put off: asked again later, same key
 *
 * Both ask the gateway with a key that is a function of the attempt, so asking twice is
 * asking once.  A gateway that finds the payment in another state than it should be in
 * is looked at: what was asked for may be done already.
 */
#include "core/base/log.h"
#include "sql.gen.h"
#include "workers/payment/gateway.h"
#include "workers/payment/payment.h"

enum { FIND, ASK, LOOK, RECORD, DONE };

struct settling {
	struct id attempt;
	struct str gateway_id;
	int64_t amount_minor;
	int64_t taken_minor; /* what the gateway says it took */
};

static int ask_find(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct payment_find_head h = {
		.tenant = j->tenant, .order_id = j->order, .group_no = j->group_no};

	return store_ask(fl, worker_of(fl)->store, payment_find_unit(&h, NULL, 0));
}

/* The payment is in the state this job was made for, or there is nothing to do any more. */
static int got_find(struct flow *fl, const struct answer *a)
{
	struct settling *s = job_state(fl);
	struct payment_find_row r;
	char *id;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its payment does not exist");
	r = payment_find_row(a, 0);
	if (!str_eq(r.payment_state, STR("authorized"))) {
		job_moot(fl);
		return DONE;
	}
	id = arena_dup(&fl->arena, r.gateway_id.p, r.gateway_id.n);
	if (id == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the gateway's id does not fit");
	*s = (struct settling){.attempt = r.attempt_id,
			       .gateway_id = {id, r.gateway_id.n},
			       .amount_minor = r.amount_minor};
	if (r.amount_minor > 0)
		return ASK;
	return RECORD; /* nothing was held */
}

static int ask_look(struct flow *fl)
{
	struct settling *s = job_state(fl);

	return gateway_ask_read(fl, worker_of(fl), s->gateway_id);
}

/* ---------------------------------------------------------------- capture */

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

/* clang-format off */
static const struct flow_step capture_steps[] = {
	/*           name      ask           got           ms      on error  next                             */
	[FIND]   = {"find",   ask_find,     got_find,     10000,  DONE,     TO(ASK) | TO(RECORD) | TO(DONE)},
	[ASK]    = {"ask",    ask_capture,  got_capture,  130000, DONE,     TO(RECORD) | TO(LOOK)},
	[LOOK]   = {"look",   ask_look,     got_capture,  130000, DONE,     TO(RECORD)},
	[RECORD] = {"record", ask_captured, got_captured, 30000,  DONE,     TO(DONE)},
	[DONE]   = {"done"},
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
	/*           name      ask         got         ms      on error  next                             */
	[FIND]   = {"find",   ask_find,   got_find,   10000,  DONE,     TO(ASK) | TO(RECORD) | TO(DONE)},
	[ASK]    = {"ask",    ask_void,   got_void,   130000, DONE,     TO(RECORD) | TO(LOOK)},
	[LOOK]   = {"look",   ask_look,   got_void,   130000, DONE,     TO(RECORD)},
	[RECORD] = {"record", ask_voided, got_voided, 30000,  DONE,     TO(DONE)},
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
