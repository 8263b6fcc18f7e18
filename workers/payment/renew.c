/*
 * Renew: an authorization that ends before the goods leave is let go and asked for anew.
 *
 *	find --> look --+--> held --> done		it is good for longer than we knew
 *	  |             +--> cancel --> lapsed --> done
 *	  |             +--> lapsed			it has ended by itself
 *	  +--> done: nothing is held, or nobody wants it
 *
 * First let go, then ask: a customer's limit may not have room for both.  In between
 * nothing is held, and the parcel waits; its capture does not ask for what is not there.
 * The gateway's word counts, not our clock's: a hint or a sweep only makes us look.
 */
#include "core/base/clock.h"
#include "sql.gen.h"
#include "workers/payment/gateway.h"
#include "workers/payment/payment.h"

enum { FIND, LOOK, CANCEL, HELD, LAPSED, DONE };

struct renewing {
	struct id attempt;
	struct str gateway_id;
	int64_t until_us; /* DB_NULL: nobody has told */
};

static int got_find(struct flow *fl, const struct answer *a)
{
	struct renewing *s = job_state(fl);
	struct payment_find_row r;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its payment does not exist");
	r = payment_find_row(a, 0);
	if (!str_eq(r.payment_state, STR("authorized")) || r.authorized_minor == 0 ||
	    !str_eq(r.order_state, STR("confirmed"))) {
		job_moot(fl);
		return DONE;
	}
	*s = (struct renewing){.attempt = r.attempt_id,
			       .gateway_id = arena_str(&fl->arena, r.gateway_id),
			       .until_us = r.authorized_until};
	if (s->gateway_id.n != r.gateway_id.n)
		return job_fail(fl, ERR_TOO_LARGE, "the gateway's id does not fit");
	return LOOK;
}

static int ask_look(struct flow *fl)
{
	struct renewing *s = job_state(fl);

	return gateway_ask_read(fl, worker_of(fl), s->gateway_id);
}

static int still_held(struct flow *fl, int64_t until_us)
{
	struct renewing *s = job_state(fl);

	if (until_us > 0)
		s->until_us = until_us;
	if (s->until_us == DB_NULL) {
		job_moot(fl); /* its capture will find out */
		return DONE;
	}
	return s->until_us - worker_of(fl)->cfg.renew_ahead_s * 1000000 > clock_wall_us() ? HELD
											  : CANCEL;
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct gateway_answer g = gateway_answer(fl, a);

	switch (g.verdict) {
	case GATEWAY_AUTHORIZED:
		return still_held(fl, g.authorized_until_us);
	case GATEWAY_CANCELED:
		return LAPSED;
	case GATEWAY_FAILED:
		return FLOW_FAIL;
	case GATEWAY_ABSENT: /* another gateway than the one that holds it? */
		return job_fail(fl, ERR_PROVIDER_REFUSED, "the gateway does not know the payment");
	case GATEWAY_CAPTURED:
	case GATEWAY_DECLINED:
	case GATEWAY_REQUIRES_ACTION:
	case GATEWAY_OPEN:
	case GATEWAY_UNEXPECTED:
		/* Its capture is being recorded at this moment, or somebody took it without us. */
		break;
	}
	return job_fail(fl, ERR_PROVIDER_BUSY,
			"the gateway does not hold the money, nor was it let go");
}

static int ask_cancel(struct flow *fl)
{
	struct renewing *s = job_state(fl);

	return gateway_ask_cancel(fl, worker_of(fl), s->attempt, s->gateway_id);
}

static int got_cancel(struct flow *fl, const struct answer *a)
{
	enum gateway_verdict v = gateway_answer(fl, a).verdict;

	if (v == GATEWAY_CANCELED)
		return LAPSED;
	if (v == GATEWAY_FAILED)
		return FLOW_FAIL;
	return job_fail(fl, ERR_PROVIDER_BUSY, "the authorization cannot be let go now");
}

static int ask_held(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct renewing *s = job_state(fl);
	struct payment_held_head h = {.tenant = j->tenant,
				      .order_id = j->order,
				      .group_no = j->group_no,
				      .job_id = j->id,
				      .epoch = j->epoch,
				      .attempt_id = s->attempt,
				      .authorized_until = s->until_us};

	return store_ask(fl, worker_of(fl)->store, payment_held_unit(&h, NULL, 0));
}

static int got_held(struct flow *fl, const struct answer *a)
{
	(void)a;
	job_settled(fl);
	return DONE;
}

/* ---------------------------------------------------------------- lapsed: capture finds it too */

int payment_ask_lapsed(struct flow *fl, struct id attempt, struct str gateway_ref, int64_t back_ms)
{
	const struct job *j = job_of(fl);
	struct payment_lapsed_head h = {.tenant = j->tenant,
					.order_id = j->order,
					.group_no = j->group_no,
					.job_id = j->id,
					.epoch = j->epoch,
					.attempt_id = attempt,
					.gateway_ref = gateway_ref,
					.next_job = id_child(j->order),
					.delay_ms = back_ms};

	return store_ask(fl, worker_of(fl)->store, payment_lapsed_unit(&h, NULL, 0));
}

void payment_got_lapsed(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct payment_lapsed_row r = payment_lapsed_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
}

static int ask_lapsed(struct flow *fl)
{
	struct renewing *s = job_state(fl);

	return payment_ask_lapsed(fl, s->attempt, s->gateway_id, DB_NULL);
}

static int got_lapsed(struct flow *fl, const struct answer *a)
{
	payment_got_lapsed(fl, a);
	return DONE;
}

/* clang-format off */
static const struct flow_step renew_steps[] = {
	/*          name      ask               got         ms      on error next */
	[FIND]   = {"find",   payment_ask_find, got_find,   10000,  DONE,    TO(LOOK) | TO(DONE)},
	[LOOK]   = {"look",   ask_look,         got_look,   130000, DONE,    TO(HELD) | TO(CANCEL) | TO(LAPSED) | TO(DONE)},
	[CANCEL] = {"cancel", ask_cancel,       got_cancel, 130000, DONE,    TO(LAPSED)},
	[HELD]   = {"held",   ask_held,         got_held,   30000,  DONE,    TO(DONE)},
	[LAPSED] = {"lapsed", ask_lapsed,       got_lapsed, 30000,  DONE,    TO(DONE)},  /* the next look finds it gone */
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_PAYMENT_RENEW = {
	.name = "payment.renew",
	.role = ROLE_PAYMENT,
	.priority = 1,
	.steps = renew_steps,
	.state_size = sizeof(struct renewing),
};
