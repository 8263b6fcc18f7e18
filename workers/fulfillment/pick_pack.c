/*
 * Pick and pack: one step each, both decided by the database alone.
 *
 *	pick: allocated --> picked, then a pack job
 *	pack: picked --> packed, a parcel planned, then a label job
 */
#include "sql.gen.h"
#include "workers/fulfillment/fulfillment.h"

enum { MOVE, DONE };

static int ask_pick(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct fulfillment_picked_head h = {.tenant = j->tenant,
					    .order_id = j->order,
					    .group_no = j->group_no,
					    .job_id = j->id,
					    .epoch = j->epoch,
					    .next_job = id_child(j->order)};

	return store_ask(fl, worker_of(fl)->store, fulfillment_picked_unit(&h, NULL, 0));
}

static int got_pick(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct fulfillment_picked_row r = fulfillment_picked_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

static int ask_pack(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct fulfillment_packed_head h = {.tenant = j->tenant,
					    .order_id = j->order,
					    .group_no = j->group_no,
					    .job_id = j->id,
					    .epoch = j->epoch,
					    .next_job = id_child(j->order),
					    .shipment_id = id_child(j->order),
					    .sscc_prefix = str_of(worker_of(fl)->cfg.sscc_prefix)};

	return store_ask(fl, worker_of(fl)->store, fulfillment_packed_unit(&h, NULL, 0));
}

static int got_pack(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct fulfillment_packed_row r = fulfillment_packed_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step pick_steps[] = {
	/*         name    ask       got       ms     on error  next    */
	[MOVE] = {"move", ask_pick, got_pick, 30000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};

static const struct flow_step pack_steps[] = {
	/*         name    ask       got       ms     on error  next    */
	[MOVE] = {"move", ask_pack, got_pack, 30000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct job_kind JOB_FULFILLMENT_PICK = {
	.name = "fulfillment.pick", .role = ROLE_FULFILLMENT, .priority = 1, .steps = pick_steps};
const struct job_kind JOB_FULFILLMENT_PACK = {
	.name = "fulfillment.pack", .role = ROLE_FULFILLMENT, .priority = 1, .steps = pack_steps};
