/*
 * Hand-over: the parcel leaves, its goods leave the stock.  Track: ask the carrier where
 * it is, write down every scan, look again later until it is delivered.
 *
 *	hand-over: hand --> done
 *	track:     find --> look --> record --> done
 */
#include "core/base/metric.h"
#include "sql.gen.h"
#include "workers/shipping/carrier.h"
#include "workers/shipping/shipping.h"

/* ---------------------------------------------------------------- hand-over */

enum { HAND, HAND_DONE };

static int ask_hand(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct shipment_handed_over_head h = {.tenant = j->tenant,
					      .order_id = j->order,
					      .group_no = j->group_no,
					      .job_id = j->id,
					      .epoch = j->epoch,
					      .next_job = id_child(j->order),
					      .track_delay_ms = worker_of(fl)->cfg.track_poll_ms};

	return store_ask(fl, worker_of(fl)->store, shipment_handed_over_unit(&h, NULL, 0));
}

static int got_hand(struct flow *fl, const struct answer *a)
{
	(void)a; /* the tracking job is due later: the sweep finds it */
	job_settled(fl);
	return HAND_DONE;
}

/* clang-format off */
static const struct flow_step handover_steps[] = {
	/*              name    ask       got       ms     on error   next          */
	[HAND]      = {"hand", ask_hand, got_hand, 30000, HAND_DONE, TO(HAND_DONE)},
	[HAND_DONE] = {"done"},
};
/* clang-format on */

const struct job_kind JOB_SHIPPING_HANDOVER = {
	.name = "shipping.handover", .role = ROLE_SHIPPING, .priority = 1, .steps = handover_steps};

/* ---------------------------------------------------------------- track */

enum { FIND, LOOK, RECORD, DONE };

struct tracking {
	struct id shipment;
	struct str tracker_id, tracking_code, carrier;
	struct carrier_tracker seen;
};

static int ask_find(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct shipment_find_head h = {
		.tenant = j->tenant, .order_id = j->order, .group_no = j->group_no};

	return store_ask(fl, worker_of(fl)->store, shipment_find_unit(&h, NULL, 0));
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct tracking *t = job_state(fl);
	struct shipment_find_row r;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its parcel does not exist");
	r = shipment_find_row(a, 0);
	if (!str_eq(r.state, STR("handed_over"))) {
		job_moot(fl);
		return DONE;
	}
	*t = (struct tracking){.shipment = r.shipment_id,
			       .tracker_id = arena_str(&fl->arena, r.tracker_id),
			       .tracking_code = arena_str(&fl->arena, r.tracking_code),
			       .carrier = arena_str(&fl->arena, r.carrier)};
	return LOOK;
}

static int ask_look(struct flow *fl)
{
	struct tracking *t = job_state(fl);

	return carrier_ask_tracker(fl, worker_of(fl), t->tracker_id, t->tracking_code, t->carrier);
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct tracking *t = job_state(fl);

	t->seen = carrier_tracker(fl, a);
	return t->seen.ok ? RECORD : FLOW_FAIL;
}

static int ask_record(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct tracking *t = job_state(fl);
	struct tracking_recorded_head h;
	struct tracking_recorded_line *scans =
		arena_array(&fl->arena, t->seen.n_scans + 1, sizeof(*scans));

	if (scans == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the carrier's scans do not fit");
	h = (struct tracking_recorded_head){.tenant = j->tenant,
					    .order_id = j->order,
					    .group_no = j->group_no,
					    .job_id = j->id,
					    .epoch = j->epoch,
					    .shipment_id = t->shipment,
					    .tracking_state = t->seen.status,
					    .delivered = str_eq(t->seen.status, STR("delivered")),
					    .delay_ms = worker_of(fl)->cfg.track_poll_ms};
	for (uint32_t i = 0; i < t->seen.n_scans; i++) {
		const struct carrier_scan *s = &t->seen.scans[i];

		scans[i] = (struct tracking_recorded_line){
			.at = s->at_us,
			.status = s->status,
			.detail = s->detail.p != NULL ? s->detail : STR(""),
			.message = s->message.p != NULL ? s->message : STR(""),
			.city = s->city.p != NULL ? s->city : STR("")};
	}
	return store_ask(fl, worker_of(fl)->store,
			 tracking_recorded_unit(&h, scans, t->seen.n_scans));
}

static int got_record(struct flow *fl, const struct answer *a)
{
	(void)a;
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step track_steps[] = {
	/*           name      ask         got         ms      on error  next                 */
	[FIND]   = {"find",   ask_find,   got_find,   10000,  DONE,     TO(LOOK) | TO(DONE)},
	[LOOK]   = {"look",   ask_look,   got_look,   130000, DONE,     TO(RECORD)},
	[RECORD] = {"record", ask_record, got_record, 30000,  DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_SHIPPING_TRACK = {
	.name = "shipping.track",
	.role = ROLE_SHIPPING,
	.priority = 2,
	.steps = track_steps,
	.state_size = sizeof(struct tracking),
};
