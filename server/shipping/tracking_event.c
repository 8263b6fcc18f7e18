/*
 * RecordTrackingEvent: a scan that the carrier's own interface did not tell.
 *
 *	parcel --> scans --> record --> [find] --> view --> reply
 *	             ^         |
 *	             +---------+  somebody else stored a scan meanwhile
 *
 * What it comes to is decided from all scans, stored and new (core/domain/tracking.h).
 */
#include "core/base/clock.h"
#include "core/domain/tracking.h"
#include "core/queue/queue.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/shipping/shipment_read.h"
#include "server/watch/watches.h"

enum {
	SCANS_MAX = 1000, /* of one parcel that reports may bring about */
	DETAIL_MAX = 64,  /* bytes */
	AHEAD_US =
		300000000, /* clocks of sites differ; five minutes are no clock's error any more */
	STALE_MAX = 32,    /* readings in a row that somebody else overtook: so many tell at once */
};

enum { PARCEL, SCANS, RECORD, FIND, VIEW, DONE };

struct recording {
	struct str key, fingerprint;
	struct id order;
	int16_t group_no;
	struct tracking_reported_line scan;
	struct tracking now;
	struct tracking_scan *all; /* room for so many, kept from reading to reading */
	uint32_t room;
	int64_t known;
	int stale;
};

static void read_scan(struct flow *fl, const Orderd__V1__RecordTrackingEventRequest *rq,
		      struct tracking_reported_line *scan)
{
	*scan = (struct tracking_reported_line){
		.status = want_text(fl, rq->status, REQUEST_CODE_MAX, "status"),
		.detail = may_text(fl, rq->detail, DETAIL_MAX, "detail"),
		.message = may_text(fl, rq->message, REQUEST_NAME_MAX, "message"),
		.city = may_text(fl, rq->city, REQUEST_NAME_MAX, "city")};
	if (scan->status.n > 0 && !tracking_status_known(scan->status))
		rpc_violation(fl, "it is not a word for where a parcel is", "status");
	if (rq->event_time == NULL) {
		rpc_violation(fl, "it is required", "event_time");
		return;
	}
	scan->at = timestamp_us(rq->event_time);
	if (scan->at <= 0 || rq->event_time->nanos < 0 || rq->event_time->nanos > 999999999)
		rpc_violation(fl, "it is not a time after 1970", "event_time");
	else if (scan->at > clock_wall_us() + AHEAD_US)
		rpc_violation(fl, "it is in the future", "event_time");
}

static int ask_parcel(struct flow *fl)
{
	const Orderd__V1__RecordTrackingEventRequest *rq = rpc_request(fl);
	Orderd__V1__RecordTrackingEventRequest body = *rq;
	struct recording *r = rpc_state(fl);

	fl->subject = want_id(fl, rq->shipment_id, "shipment_id");
	r->key = want_report(fl, rq->site, rq->report_id);
	body.report_id = (ProtobufCBinaryData){0, NULL};
	r->fingerprint = request_fingerprint(fl, &body.base);
	read_scan(fl, rq, &r->scan);
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (r->fingerprint.p == NULL || r->key.p == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	return ask_shipment_view(fl, fl->subject);
}

static int got_parcel(struct flow *fl, const struct answer *a)
{
	struct recording *r = rpc_state(fl);

	if (answer_rows(a) == 0)
		return shipment_not_found(fl, fl->subject);
	r->order = shipment_view_row(a, 0).order_id;
	rpc_order(fl, r->order);
	r->group_no = shipment_view_row(a, 0).group_no;
	return SCANS;
}

static int ask_scans(struct flow *fl)
{
	return ask_shipment_scans(fl, fl->subject);
}

static int got_scans(struct flow *fl, const struct answer *a)
{
	struct recording *r = rpc_state(fl);
	uint32_t n = answer_rows(a);

	if (n + 1 > r->room) {
		r->room = n + STALE_MAX;
		r->all = arena_array(&fl->arena, r->room, sizeof(*r->all));
	}
	if (r->all == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < n; i++) {
		struct shipment_scans_row s = shipment_scans_row(a, i);

		r->all[i] = (struct tracking_scan){
			.at_us = s.at, .status = s.status, .detail = s.detail};
	}
	r->all[n] = (struct tracking_scan){
		.at_us = r->scan.at, .status = r->scan.status, .detail = r->scan.detail};
	r->now = tracking_fold(r->all, n + 1);
	r->known = n;
	return RECORD;
}

static int ask_record(struct flow *fl)
{
	struct recording *r = rpc_state(fl);
	struct tracking_reported_head h = {.tenant = rpc_identity(fl)->tenant,
					   .order_id = r->order,
					   .group_no = r->group_no,
					   .shipment_id = fl->subject,
					   .request_method = REQUEST_TRACKING_EVENT,
					   .request_key = r->key,
					   .fingerprint = r->fingerprint,
					   .cause = id_child(r->order),
					   .tracking_state = str_of(r->now.state),
					   .leg = r->now.leg,
					   .exception = str_of(r->now.exception),
					   .fate = str_of(tracking_fate_name(r->now.fate)),
					   .accepted = r->now.accepted,
					   .known = r->known,
					   .most = SCANS_MAX};

	return store_ask(fl, rpc_app(fl)->store, tracking_reported_unit(&h, &r->scan, 1));
}

static int refuse(struct flow *fl, struct str outcome)
{
	if (str_eq(outcome, STR("not_found")))
		return shipment_not_found(fl, fl->subject);
	return rpc_fail(fl,
			str_eq(outcome, STR("full")) ? ERR_TOO_MANY_SCANS : ERR_LABEL_NOT_BOUGHT);
}

static int got_record(struct flow *fl, const struct answer *a)
{
	struct recording *r = rpc_state(fl);
	struct tracking_reported_row row = tracking_reported_row(a, 0);
	struct ring ring = {.job = row.job_id, .role = ROLE_SHIPPING, .priority = 1};

	if (str_eq(row.outcome, STR("seen")))
		return FIND;
	if (str_eq(row.outcome, STR("stale")))
		return ++r->stale < STALE_MAX ? SCANS : rpc_fail(fl, ERR_CLASH);
	if (!str_eq(row.outcome, STR("recorded")))
		return refuse(fl, row.outcome);
	if (!id_is_zero(ring.job))
		queue_ring(rpc_app(fl)->queue, &ring, 1);
	order_moved(rpc_app(fl), r->order);
	return VIEW;
}

static int ask_find(struct flow *fl)
{
	struct recording *r = rpc_state(fl);

	return ask_request_find(fl, REQUEST_TRACKING_EVENT, r->key);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	struct recording *r = rpc_state(fl);

	if (!got_request_find(fl, r->fingerprint, a, &fl->subject))
		return rpc_fail(fl, fl->err == ERR_NOT_FOUND ? ERR_INTERNAL : fl->err);
	return VIEW;
}

static int ask_view(struct flow *fl)
{
	return ask_shipment_view(fl, fl->subject);
}

static int got_view(struct flow *fl, const struct answer *a)
{
	Orderd__V1__RecordTrackingEventResponse rs =
		ORDERD__V1__RECORD_TRACKING_EVENT_RESPONSE__INIT;

	rs.shipment = got_shipment_view(fl, fl->subject, a);
	return rs.shipment != NULL ? rpc_ok(fl, &rs.base) : FLOW_FAIL;
}

/* clang-format off */
static const struct flow_step record_tracking_event_steps[] = {
	/*           name      ask         got         ms      on error  next                             */
	[PARCEL] = {"parcel", ask_parcel, got_parcel, 5000,   DONE,     TO(SCANS)},
	[SCANS]  = {"scans",  ask_scans,  got_scans,  5000,   DONE,     TO(RECORD)},
	[RECORD] = {"record", ask_record, got_record, 600000, DONE,     TO(SCANS) | TO(FIND) | TO(VIEW)},
	[FIND]   = {"find",   ask_find,   got_find,   5000,   DONE,     TO(VIEW)},
	[VIEW]   = {"view",   ask_view,   got_view,   5000,   DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_RECORD_TRACKING_EVENT = {
	.path = "/orderd.v1.ShippingService/RecordTrackingEvent",
	.name = "record_tracking_event",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__record_tracking_event_request__descriptor,
	.response = &orderd__v1__record_tracking_event_response__descriptor,
	.steps = record_tracking_event_steps,
	.state_size = sizeof(struct recording),
};
