/*
 * Trackers: a parcel's scans are a script and the time since its label was bought, so
 * nothing has to run for them to advance and a restart does not hold a parcel up.
 *
 *	0 pre_transit, 1 in_transit, 2 out_for_delivery, 3 delivered	times --scan-ms
 *
 * Tracking codes EZ1000000001 to EZ7000000007 always show the one status EasyPost
 * documents for them.
 */
#include <stdlib.h>
#include <string.h>

#include "sims/carrier_part.h"
#include "sims/gateway_part.h"
#include "sims/journal.h"

struct scan {
	const char *status;
	const char *detail;
	const char *message;
};

static const struct scan script[] = {
	{"pre_transit", "label_created", "Label created"},
	{"in_transit", "arrived_at_facility", "Arrived at facility"},
	{"out_for_delivery", "out_for_delivery", "Out for delivery"},
	{"delivered", "arrived_at_destination", "Delivered"},
};

static const struct scan constant[] = {
	{"pre_transit", "label_created", "Label created"},
	{"in_transit", "arrived_at_facility", "Arrived at facility"},
	{"out_for_delivery", "out_for_delivery", "Out for delivery"},
	{"delivered", "arrived_at_destination", "Delivered"},
	{"return_to_sender", "return", "Returned to sender"},
	{"failure", "delivery_exception", "Could not be delivered"},
	{"unknown", "unknown", "No information"},
};

enum { SCANS = sizeof(script) / sizeof(script[0]) };

static int constant_of(const char *code)
{
	return strlen(code) == 12 && strncmp(code, "EZ", 2) == 0 && code[2] >= '1' && code[2] <= '7'
		       ? code[2] - '1'
		       : -1;
}

static json_t *detail_new(const struct scan *scan, const char *at)
{
	json_t *detail = json_literal(
		"{'object':'TrackingDetail','message':null,'description':'','status':null,"
		"'status_detail':null,'datetime':null,'source':'USPS','carrier_code':'',"
		"'tracking_location':{'object':'TrackingLocation','city':'SAN FRANCISCO',"
		"'state':'CA','country':'US','zip':'94105'}}");

	set_text(detail, "message", scan->message);
	set_text(detail, "status", scan->status);
	set_text(detail, "status_detail", scan->detail);
	set_text(detail, "datetime", at);
	return detail;
}

json_t *tracker_now(const struct sim *s, json_t *take_tracker)
{
	int64_t begun_us = int_in(take_tracker, "sim_begun_us");
	int64_t step_us = s->scan_ms * 1000;
	int64_t done = step_us > 0 ? (sim_now_us(s) - begun_us) / step_us : SCANS - 1;
	int fixed = constant_of(text_in(take_tracker, "tracking_code"));
	json_t *details = must(json_array());
	const struct scan *last = script;
	char at[32] = "";
	int64_t i;

	if (done > SCANS - 1)
		done = SCANS - 1;
	if (fixed >= 0)
		done = 0;
	for (i = 0; i <= done; i++) {
		last = fixed >= 0 ? &constant[fixed] : &script[i];
		carrier_time(begun_us + i * step_us, at);
		json_array_append_new(details, detail_new(last, at));
	}
	set_text(take_tracker, "status", last->status);
	set_text(take_tracker, "status_detail", last->detail);
	set_text(take_tracker, "updated_at", at);
	json_object_set_new(take_tracker, "tracking_details", details);
	json_object_del(take_tracker, "sim_begun_us");
	return take_tracker;
}

json_t *tracker_new(struct call *c, const char *tracking_code, const char *carrier,
		    const json_t *shipment)
{
	json_t *tracker = json_literal(
		"{'id':null,'object':'Tracker','mode':'test','tracking_code':null,'status':null,"
		"'status_detail':null,'created_at':null,'updated_at':null,'signed_by':null,"
		"'weight':null,'est_delivery_date':null,'shipment_id':null,'carrier':null,"
		"'tracking_details':[],'fees':[],'carrier_detail':null,'public_url':null}");
	char id[SIM_ID_SIZE];
	char at[32];
	int64_t now_us = sim_now_us(c->sim);

	call_new_hex_id(c, "trk_", id);
	carrier_time(now_us, at);
	set_text(tracker, "id", id);
	set_text(tracker, "tracking_code", tracking_code);
	set_text(tracker, "created_at", at);
	set_text(tracker, "carrier", carrier);
	if (shipment != NULL)
		set_text(tracker, "shipment_id", text_in(shipment, "id"));
	set_int(tracker, "sim_begun_us", now_us);
	call_put(c, tracker);
	json_decref(tracker); /* the put keeps it */
	return tracker_now(c->sim, must(json_deep_copy(tracker)));
}

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
	json_t *tracker = journal_get(c->journal, c->id);

	if (tracker == NULL)
		tracker = journal_find(c->journal, "Tracker", c->id);
	if (tracker != NULL && strcmp(text_in(tracker, "object"), "Tracker") == 0) {
		call_answer(c, 200, tracker_now(c->sim, tracker), "read");
		return;
	}
	json_decref(tracker);
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
