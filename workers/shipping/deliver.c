/*
 * Hand-over: the parcel leaves, its goods leave the stock.  Track: ask the carrier where
 * it is, write down every scan, look again later until it is delivered or back.
 *
 *	hand-over: hand --> done
 *	track:     find --> look --> scans <--> record --> done
 *
 * What the scans come to is decided from all of them, stored and new (core/domain/tracking.h);
 * record goes back to scans when somebody else has stored one meanwhile.
 */
#include "core/base/clock.h"
#include "core/domain/tracking.h"
#include "sql.gen.h"
#include "workers/shipping/carrier.h"
#include "workers/shipping/shipping.h"

/* ---------------------------------------------------------------- hand-over */

enum { HAND, HAND_DONE };

/* A label that is being given back is followed by another one within seconds, or by a person. */
enum { HANDOVER_AGAIN_MS = 30000 };

static int ask_hand(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct shipment_handed_over_head h = {.tenant = j->tenant,
					      .order_id = j->order,
					      .group_no = j->group_no,
					      .job_id = j->id,
					      .epoch = j->epoch,
					      .next_job = id_child(j->order),
					      .track_delay_ms = worker_of(fl)->cfg.track_poll_ms,
					      .delay_ms = HANDOVER_AGAIN_MS};

	return store_ask(fl, worker_of(fl)->store, shipment_handed_over_unit(&h, NULL, 0));
}

static int got_hand(struct flow *fl, const struct answer *a)
{
	(void)a; /* the tracking job is due later, or this one: the sweep finds it */
	job_settled(fl);
	return HAND_DONE;
}

/* clang-format off */
static const struct flow_step handover_steps[] = {
	/*             name    ask       got       ms     on error   next          */
	[HAND]      = {"hand", ask_hand, got_hand, 30000, HAND_DONE, TO(HAND_DONE)},
	[HAND_DONE] = {"done"},
};
/* clang-format on */

const struct job_kind JOB_SHIPPING_HANDOVER = {
	.name = "shipping.handover", .role = ROLE_SHIPPING, .priority = 1, .steps = handover_steps};

/* ---------------------------------------------------------------- track */

enum { FIND, LOOK, SCANS, RECORD, DONE };

enum { STALE_MAX = 8 }; /* readings in a row that somebody else overtook; then it is tried later */

struct tracking_job {
	struct id shipment;
	struct str tracker_id, tracking_code, carrier;
	struct carrier_tracker seen;
	struct tracking_scan *all; /* room for so many, kept from reading to reading */
	uint32_t room;
	struct tracking_recorded_line *scans;
	struct tracking now;
	int64_t known; /* stored scans it was decided from */
	int stale;
};

static int got_find(struct flow *fl, const struct answer *a)
{
	struct tracking_job *t = job_state(fl);
	struct shipment_find_row r;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its parcel does not exist");
	r = shipment_find_row(a, 0);
	if (!str_eq(r.state, STR("handed_over")) && !str_eq(r.state, STR("lost"))) {
		job_moot(fl);
		return DONE;
	}
	*t = (struct tracking_job){.shipment = r.shipment_id,
				   .tracker_id = arena_str(&fl->arena, r.tracker_id),
				   .tracking_code = arena_str(&fl->arena, r.tracking_code),
				   .carrier = arena_str(&fl->arena, r.carrier)};
	return LOOK;
}

static int ask_look(struct flow *fl)
{
	struct tracking_job *t = job_state(fl);

	return carrier_ask_tracker(fl, worker_of(fl), t->tracker_id, t->tracking_code, t->carrier);
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct tracking_job *t = job_state(fl);

	t->seen = carrier_tracker(fl, a);
	return t->seen.ok ? SCANS : FLOW_FAIL;
}

static int ask_scans(struct flow *fl)
{
	struct tracking_job *t = job_state(fl);
	struct shipment_scans_head h = {.tenant = job_of(fl)->tenant, .shipment_id = t->shipment};

	return store_ask(fl, worker_of(fl)->store, shipment_scans_unit(&h, NULL, 0));
}

/*
 * A tracker may tell its status and not the scan it comes from.  It happened before now; the list
 * has room for one more.
 */
static bool add_status(struct carrier_tracker *seen, const struct tracking_scan *all, uint32_t n)
{
	if (!tracking_status_known(seen->status) || str_eq(seen->status, STR("unknown")))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (str_eq(all[i].status, seen->status))
			return false;
	seen->scans[seen->n_scans++] = (struct carrier_scan){
		.at_us = clock_wall_us(), .status = seen->status, .detail = seen->detail};
	return true;
}

static struct tracking_scan scan_of(const struct carrier_scan *s)
{
	return (struct tracking_scan){.at_us = s->at_us, .status = s->status, .detail = s->detail};
}

static int got_scans(struct flow *fl, const struct answer *a)
{
	struct tracking_job *t = job_state(fl);
	uint32_t stored = answer_rows(a), n = stored;

	if (stored + CARRIER_SCANS_MAX + 1 > t->room) {
		t->room = stored + CARRIER_SCANS_MAX + 1 + STALE_MAX;
		t->all = arena_array(&fl->arena, t->room, sizeof(*t->all));
	}
	if (t->all == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the parcel's scans do not fit");
	for (uint32_t i = 0; i < stored; i++) {
		struct shipment_scans_row r = shipment_scans_row(a, i);

		t->all[i] = (struct tracking_scan){
			.at_us = r.at, .status = r.status, .detail = r.detail};
	}
	for (uint32_t i = 0; i < t->seen.n_scans; i++)
		t->all[n++] = scan_of(&t->seen.scans[i]);
	if (add_status(&t->seen, t->all, n))
		t->all[n++] = scan_of(&t->seen.scans[t->seen.n_scans - 1]);
	t->now = tracking_fold(t->all, n);
	t->known = stored;
	return RECORD;
}

static struct str some(struct str s)
{
	return s.p != NULL ? s : STR("");
}

static int ask_record(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct tracking_job *t = job_state(fl);
	struct tracking_recorded_head h;

	if (t->scans == NULL)
		t->scans = arena_array(&fl->arena, CARRIER_SCANS_MAX + 1, sizeof(*t->scans));
	if (t->scans == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the carrier's scans do not fit");
	h = (struct tracking_recorded_head){.tenant = j->tenant,
					    .order_id = j->order,
					    .group_no = j->group_no,
					    .job_id = j->id,
					    .epoch = j->epoch,
					    .shipment_id = t->shipment,
					    .tracking_state = str_of(t->now.state),
					    .leg = t->now.leg,
					    .exception = str_of(t->now.exception),
					    .fate = str_of(tracking_fate_name(t->now.fate)),
					    .known = t->known,
					    .delay_ms = worker_of(fl)->cfg.track_poll_ms};
	for (uint32_t i = 0; i < t->seen.n_scans; i++) {
		const struct carrier_scan *s = &t->seen.scans[i];

		t->scans[i] = (struct tracking_recorded_line){.at = s->at_us,
							      .status = s->status,
							      .detail = some(s->detail),
							      .message = some(s->message),
							      .city = some(s->city)};
	}
	return store_ask(fl, worker_of(fl)->store,
			 tracking_recorded_unit(&h, t->scans, t->seen.n_scans));
}

static int got_record(struct flow *fl, const struct answer *a)
{
	struct tracking_job *t = job_state(fl);

	if (answer_rows(a) > 0 && str_eq(tracking_recorded_row(a, 0).outcome, STR("stale"))) {
		if (++t->stale < STALE_MAX)
			return SCANS;
		return job_fail(fl, ERR_CLASH, "its scans change faster than they are read");
	}
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step track_steps[] = {
	/*          name      ask                got         ms      on error next */
	[FIND]   = {"find",   shipping_ask_find, got_find,   10000,  DONE,    TO(LOOK) | TO(DONE)},
	[LOOK]   = {"look",   ask_look,          got_look,   130000, DONE,    TO(SCANS)},
	[SCANS]  = {"scans",  ask_scans,         got_scans,  10000,  DONE,    TO(RECORD)},
	[RECORD] = {"record", ask_record,        got_record, 30000,  DONE,    TO(SCANS) | TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_SHIPPING_TRACK = {
	.name = "shipping.track",
	.role = ROLE_SHIPPING,
	.priority = 2,
	.steps = track_steps,
	.state_size = sizeof(struct tracking_job),
};
