/*
 * Trackers: a parcel's scans are a script (scan.c) and the time since its label was bought, so
 * nothing has to run for them to advance and a restart does not hold a parcel up.  Only for
 * events somebody has to look at the right moment; `sim_told` counts the scans that were told.
 *
 * Tracking codes EZ1000000001 to EZ7000000007 always show the one status EasyPost
 * documents for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sims/carrier.h"
#include "sims/carrier_part.h"
#include "sims/gateway_part.h"
#include "sims/hook.h"
#include "sims/journal.h"
#include "sims/schedule.h"

/* Of the codes EZ1 to EZ7. */
static const char *const constant[][3] = {
	{"pre_transit", "label_created", "Label created"},
	{"in_transit", "arrived_at_facility", "Arrived at facility"},
	{"out_for_delivery", "out_for_delivery", "Out for delivery"},
	{"delivered", "arrived_at_destination", "Delivered"},
	{"return_to_sender", "return", "Returned to sender"},
	{"failure", "delivery_exception", "Could not be delivered"},
	{"unknown", "unknown", "No information"},
};

static int constant_of(const char *code)
{
	return strlen(code) == 12 && strncmp(code, "EZ", 2) == 0 && code[2] >= '1' && code[2] <= '7'
		       ? code[2] - '1'
		       : -1;
}

/* ---- as of now ---- */

static json_t *detail_new(const json_t *tracker, const json_t *scan)
{
	json_t *detail = json_literal(
		"{'object':'TrackingDetail','message':null,'description':'','status':null,"
		"'status_detail':null,'datetime':null,'source':null,'carrier_code':'',"
		"'tracking_location':{'object':'TrackingLocation','city':null,"
		"'state':null,'country':'US','zip':null}}");
	char at[32];

	set_text(detail, "message", text_in(scan, "message"));
	set_text(detail, "status", text_in(scan, "status"));
	set_text(detail, "status_detail", text_in(scan, "status_detail"));
	set_text(detail, "datetime", carrier_time(scan_time_us(tracker, scan, "at_ms"), at));
	set_text(detail, "source", text_in(tracker, "carrier"));
	set_text(json_object_get(detail, "tracking_location"), "city", text_in(scan, "city"));
	return detail;
}

/* The first `n` scans as the vendor shows them. */
static json_t *shown(const json_t *tracker, const json_t *scans, size_t n)
{
	static const char *const own[] = {"sim_begun_us", "sim_script", "sim_scans",
					  "sim_told",     "sim_from",   "sim_to"};
	const json_t *last = json_array_get(scans, n - 1);
	json_t *view = must(json_copy((json_t *)tracker));
	json_t *details = must(json_array());
	char at[32];
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(details, detail_new(tracker, json_array_get(scans, i)));
	set_text(view, "status", text_in(last, "status"));
	set_text(view, "status_detail", text_in(last, "status_detail"));
	set_text(view, "updated_at", carrier_time(scan_time_us(tracker, last, "after_ms"), at));
	json_object_set_new(view, "finalized", json_boolean(n == json_array_size(scans)));
	json_object_set_new(view, "tracking_details", details);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		json_object_del(view, own[i]);
	return view;
}

/* A tracker whose code always shows the same. */
static json_t *constant_scans(const char *const scan[3])
{
	return must(json_pack("[{s:i, s:i, s:s, s:s, s:s, s:s}]", "after_ms", 0, "at_ms", 0,
			      "status", scan[0], "status_detail", scan[1], "message", scan[2],
			      "city", "SAN FRANCISCO"));
}

json_t *tracker_now(struct sim *s, json_t *take_tracker)
{
	int fixed = constant_of(text_in(take_tracker, "tracking_code"));
	json_t *scans = fixed >= 0 ? constant_scans(constant[fixed]) : scans_of(s, take_tracker);
	json_t *view = shown(take_tracker, scans, scans_seen(s, take_tracker, scans));

	json_decref(scans);
	json_decref(take_tracker);
	return view;
}

/* ---- telling ---- */

static void tell(struct call *c, const char *description, const char *before, json_t *take_view)
{
	char id[SIM_ID_SIZE];
	char at[32];

	call_new_hex_id(c, "evt_", id);
	carrier_time(sim_now_us(c->sim), at);
	call_event(c, description,
		   json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s*}, s:o, s:s, s:[o], s:[]}",
			     "id", id, "object", "Event", "mode", "test", "created_at", at,
			     "updated_at", at, "description", description, "previous_attributes",
			     "status", before, "result", take_view, "status", "pending",
			     "pending_urls", hook_url(c->sim->carrier_hook), "completed_urls"));
}

static void scan_due(struct call *c);

/* Come back when scan `n` is due, if there is one. */
static void await(struct sim *s, const json_t *tracker, const json_t *scans, size_t n)
{
	if (n < json_array_size(scans))
		schedule_at(s->schedule,
			    scan_time_us(tracker, json_array_get(scans, n), "after_ms"), scan_due,
			    text_in(tracker, "id"));
}

/* One event for each scan, though several have become due at once. */
static void tell_news(struct call *c, json_t *tracker, const json_t *scans, size_t seen)
{
	size_t n = (size_t)int_in(tracker, "sim_told");

	set_int(tracker, "sim_told", (json_int_t)seen);
	call_put(c, tracker);
	for (; n < seen; n++)
		tell(c, "tracker.updated",
		     n > 0 ? text_in(json_array_get(scans, n - 1), "status") : NULL,
		     shown(tracker, scans, n + 1));
}

/* While nobody listens nothing is told, and who starts to listen is told the rest at once. */
static void scan_due(struct call *c)
{
	json_t *tracker;
	json_t *scans;
	size_t seen;

	c->journal = c->sim->carrier;
	tracker = journal_get(c->journal, c->id);
	scans = scans_of(c->sim, tracker);
	seen = scans_seen(c->sim, tracker, scans);
	if (!call_heard(c)) {
		await(c->sim, tracker, scans, seen);
	} else if (seen > (size_t)int_in(tracker, "sim_told")) {
		tell_news(c, tracker, scans, seen);
		await(c->sim, tracker, scans, seen);
	}
	json_decref(scans);
	json_decref(tracker);
}

void carrier_recall(struct sim *s, const json_t *object)
{
	json_t *scans;
	size_t next;

	if (strcmp(text_in(object, "object"), "Tracker") != 0 ||
	    constant_of(text_in(object, "tracking_code")) >= 0)
		return;
	scans = scans_of(s, object);
	next = hook_listens(s->carrier_hook) && int_in(object, "sim_told") > 0
		       ? (size_t)int_in(object, "sim_told")
		       : scans_seen(s, object, scans);
	await(s, object, scans, next);
	json_decref(scans);
}

/* ---- made and changed ---- */

static void follow(json_t *tracker, const json_t *shipment)
{
	const json_t *parcel = json_object_get(shipment, "parcel");

	set_text(tracker, "shipment_id", text_in(shipment, "id"));
	set_text(tracker, "sim_from", text_in(json_object_get(shipment, "from_address"), "city"));
	set_text(tracker, "sim_to", text_in(json_object_get(shipment, "to_address"), "city"));
	/* Real, so that it is written with a point: the SDK's check of webhooks counts on it. */
	json_object_set_new(tracker, "weight",
			    json_real(json_number_value(json_object_get(parcel, "weight"))));
}

json_t *tracker_new(struct call *c, const char *tracking_code, const char *carrier,
		    const json_t *shipment)
{
	json_t *tracker = json_literal(
		"{'id':null,'object':'Tracker','mode':'test','tracking_code':null,'status':null,"
		"'status_detail':null,'created_at':null,'updated_at':null,'signed_by':null,"
		"'weight':null,'est_delivery_date':null,'shipment_id':null,'carrier':null,"
		"'tracking_details':[],'fees':[],'carrier_detail':null,'public_url':null,"
		"'is_return':false,'finalized':false}");
	char id[SIM_ID_SIZE];
	char at[32];
	int64_t now_us = sim_now_us(c->sim);

	call_new_hex_id(c, "trk_", id);
	carrier_time(now_us, at);
	set_text(tracker, "id", id);
	set_text(tracker, "tracking_code", tracking_code);
	set_text(tracker, "created_at", at);
	set_text(tracker, "carrier", carrier);
	json_object_set_new(tracker, "public_url",
			    must(json_sprintf("http://%s/_sim/track/%s",
					      c->host != NULL ? c->host : "127.0.0.1", id)));
	if (shipment != NULL)
		follow(tracker, shipment);
	set_int(tracker, "sim_begun_us", now_us);
	set_int(tracker, "sim_told", 1);
	scans_choose(c, tracker, json_object_get(shipment, "to_address"));
	call_put(c, tracker);
	carrier_recall(c->sim, tracker);
	tracker = tracker_now(c->sim, tracker); /* the put keeps it */
	if (call_heard(c))
		tell(c, "tracker.created", NULL, must(json_deep_copy(tracker)));
	return tracker;
}

static json_t *tracker_load(struct call *c, const char *name)
{
	json_t *tracker = journal_get(c->journal, name);

	if (tracker == NULL)
		tracker = journal_find(c->journal, "Tracker", name);
	if (tracker != NULL && strcmp(text_in(tracker, "object"), "Tracker") == 0)
		return tracker;
	json_decref(tracker);
	return NULL;
}

static void follow_with(struct call *c, json_t *tracker, const json_t *scans)
{
	scans_follow(c->sim, tracker, scans);
	call_put(c, tracker);
	carrier_recall(c->sim, tracker);
}

void tracker_script(struct call *c, const char *code, const json_t *scans)
{
	json_t *tracker = tracker_load(c, code);

	if (tracker == NULL || constant_of(code) >= 0) {
		json_decref(tracker);
		carrier_missing(c);
		return;
	}
	follow_with(c, tracker, scans);
	call_answer(c, 200, tracker_now(c->sim, tracker), "script kept");
}

void tracker_cancel(struct call *c, const char *id)
{
	json_t *tracker = tracker_load(c, id);
	json_t *scans = json_literal(
		"[{'after_ms':0,'at_ms':0,'status':'cancelled','status_detail':"
		"'cancelled','message':'Label refunded','city':''}]");

	follow_with(c, tracker, scans);
	json_decref(scans);
	json_decref(tracker);
}

/* ---- endpoints ---- */

/* One tracker per code, as at the vendor: creating it again gives the one there is. */
void tracker_create(struct call *c)
{
	const json_t *came = json_object_get(c->json, "tracker");
	const char *code = text_in(came, "tracking_code");
	const char *carrier = text_in(came, "carrier");
	json_t *tracker;

	if (code[0] == '\0') {
		carrier_refuse(c, 422, "PARAMETER.REQUIRED", "tracking_code",
			       "Missing required parameter.");
		return;
	}
	tracker = journal_find(c->journal, "Tracker", code);
	if (tracker != NULL)
		tracker = tracker_now(c->sim, tracker);
	else
		tracker = tracker_new(c, code, carrier[0] != '\0' ? carrier : "USPS", NULL);
	call_answer(c, 200, tracker, "tracked");
}

void tracker_get(struct call *c)
{
	json_t *tracker = tracker_load(c, c->id);

	if (tracker != NULL)
		call_answer(c, 200, tracker_now(c->sim, tracker), "read");
	else
		carrier_missing(c);
}

/* Of one tracking_code: what the vendor's list is used for. */
void tracker_list(struct call *c)
{
	const char *code = text_in(c->query, "tracking_code");
	json_t *tracker = journal_find(c->journal, "Tracker", code);
	json_t *page = must(json_array());

	if (tracker != NULL)
		json_array_append_new(page, tracker_now(c->sim, tracker));
	call_answer(c, 200, json_pack("{s:o, s:b}", "trackers", page, "has_more", 0), "listed");
}

/* The page behind public_url: one line per scan. */
char *carrier_track(struct sim *s, const char *id)
{
	json_t *tracker = journal_get(s->carrier, id);
	json_t *detail;
	char *text;
	size_t i;

	if (tracker == NULL || strcmp(text_in(tracker, "object"), "Tracker") != 0) {
		json_decref(tracker);
		return NULL;
	}
	tracker = tracker_now(s, tracker);
	text = must(strdup(text_in(tracker, "tracking_code")));
	json_array_foreach(json_object_get(tracker, "tracking_details"), i, detail)
	{
		const json_t *place = json_object_get(detail, "tracking_location");
		char *more;

		if (asprintf(&more, "%s\n%s  %s  %s  %s", text, text_in(detail, "datetime"),
			     text_in(detail, "status"), text_in(detail, "message"),
			     text_in(place, "city")) < 0)
			must(NULL);
		free(text);
		text = more;
	}
	json_decref(tracker);
	return text;
}
