/*
 * Void: give a label back that nobody has used.
 *
 *	find --> refund -----------> record --> done
 *	            |                  ^
 *	            +--> (no) --> look +
 *
 * The carrier is asked by its parcel's id, and asking it again is harmless; so a refund that
 * was not answered is just asked again.  A carrier that has seen the parcel refuses, and the
 * parcel keeps its label.  It may also refuse what it has done before: that is looked at, for a
 * label that is refunded must not be used.
 */
#include "sql.gen.h"
#include "workers/shipping/carrier.h"
#include "workers/shipping/shipping.h"

enum { FIND, REFUND, LOOK, RECORD, DONE };

struct voiding {
	struct str parcel_id;
	struct str refused; /* p == NULL: it was taken back */
};

static int got_find(struct flow *fl, const struct answer *a)
{
	struct voiding *v = job_state(fl);
	struct shipment_find_row r;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its parcel does not exist");
	r = shipment_find_row(a, 0);
	if (!str_eq(r.state, STR("voiding"))) {
		job_moot(fl);
		return DONE;
	}
	v->parcel_id = arena_str(&fl->arena, r.remote_id);
	return REFUND;
}

static int ask_refund(struct flow *fl)
{
	struct voiding *v = job_state(fl);

	return carrier_ask_refund(fl, worker_of(fl), v->parcel_id);
}

static int got_refund(struct flow *fl, const struct answer *a)
{
	struct voiding *v = job_state(fl);
	struct str why;

	switch (carrier_refund(fl, a, &why)) {
	case CARRIER_REFUNDED:
		return RECORD;
	case CARRIER_REFUND_REFUSED:
		v->refused = why;
		return LOOK;
	case CARRIER_REFUND_NONE:
		return job_fail(fl, ERR_PROVIDER_BROKEN,
				"the carrier did not say what becomes of a label");
	case CARRIER_REFUND_FAILED:
		break;
	}
	return FLOW_FAIL;
}

static int ask_look(struct flow *fl)
{
	struct voiding *v = job_state(fl);

	return carrier_ask_read(fl, worker_of(fl), v->parcel_id);
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct voiding *v = job_state(fl);
	struct str why;
	enum carrier_refund now = carrier_refund(fl, a, &why);

	if (now == CARRIER_REFUNDED)
		v->refused = (struct str){0};
	return now == CARRIER_REFUND_FAILED ? FLOW_FAIL : RECORD;
}

static int ask_record(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct voiding *v = job_state(fl);
	struct label_voided_head h = {.tenant = j->tenant,
				      .order_id = j->order,
				      .group_no = j->group_no,
				      .job_id = j->id,
				      .epoch = j->epoch,
				      .refused = v->refused,
				      .next_job = id_child(j->order)};

	return store_ask(fl, worker_of(fl)->store, label_voided_unit(&h, NULL, 0));
}

static int got_record(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct label_voided_row r = label_voided_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step void_steps[] = {
	/*          name      ask                got         ms      on error next */
	[FIND]   = {"find",   shipping_ask_find, got_find,   10000,  DONE,    TO(REFUND) | TO(DONE)},
	[REFUND] = {"refund", ask_refund,        got_refund, 130000, DONE,    TO(RECORD) | TO(LOOK)}, /* asked again by the next try */
	[LOOK]   = {"look",   ask_look,          got_look,   130000, DONE,    TO(RECORD)},
	[RECORD] = {"record", ask_record,        got_record, 30000,  DONE,    TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_SHIPPING_VOID = {
	.name = "shipping.void",
	.role = ROLE_SHIPPING,
	.priority = 0,
	.steps = void_steps,
	.state_size = sizeof(struct voiding),
};
