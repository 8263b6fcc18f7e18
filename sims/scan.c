/*
 * Scans: what happens to a parcel, as a script.  A scan shows `after_ms` from the label's
 * purchase on and says it happened at `at_ms`, which need not be the same: late news is what
 * followers of parcels stumble over.  The first scan of every parcel is its label.
 *
 * The script of a parcel is chosen when its label is bought: by its recipient's postal code or
 * name, as a test has set it (POST /_sim/scans) or as the table here has it; and a test may give
 * a parcel under way another one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sims/carrier.h"
#include "sims/carrier_part.h"
#include "sims/gateway_part.h"
#include "sims/journal.h"

enum { STEPS_MAX = 8, SCANS_MAX = 100 };

#define AFTER_MAX_MS (INT64_C(366) * 86400 * 1000)

enum place { ON_THE_WAY, SENDER, RECIPIENT };

struct step {
	int shows; /* times --scan-ms after the purchase; 0 ends the script */
	int says;  /* when it happened, the same way */
	const char *status;
	const char *detail;
	const char *message;
	enum place place;
};

struct script {
	const char *zip;
	const char *name; /* of the recipient */
	struct step steps[STEPS_MAX];
};

/* clang-format off */
static const struct script scripts[] = {
	{"", "", { /* everybody else */
		{1, 1, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{2, 2, "out_for_delivery", "out_for_delivery", "Out for delivery", RECIPIENT},
		{3, 3, "delivered", "arrived_at_destination", "Delivered", RECIPIENT},
	}},
	{"99001", "Sim Returned", {
		{1, 1, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{2, 2, "out_for_delivery", "out_for_delivery", "Out for delivery", RECIPIENT},
		{3, 3, "return_to_sender", "refused", "Refused by the recipient", RECIPIENT},
		{4, 4, "return_to_sender", "return", "On the way back to the sender", ON_THE_WAY},
		{5, 5, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{6, 6, "delivered", "arrived_at_destination", "Delivered to the sender", SENDER},
	}},
	{"99002", "Sim Exception", {
		{1, 1, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{2, 2, "out_for_delivery", "out_for_delivery", "Out for delivery", RECIPIENT},
		{3, 3, "failure", "delivery_exception", "Nobody was at home", RECIPIENT},
		{4, 4, "out_for_delivery", "out_for_delivery", "Out for delivery", RECIPIENT},
		{5, 5, "delivered", "arrived_at_destination", "Delivered", RECIPIENT},
	}},
	{"99003", "Sim Jumbled", {
		{1, 1, "in_transit", "departed_origin_facility", "Departed origin", ON_THE_WAY},
		{2, 1, "in_transit", "departed_origin_facility", "Departed origin", ON_THE_WAY},
		{3, 4, "delivered", "arrived_at_destination", "Delivered", RECIPIENT},
		{4, 3, "out_for_delivery", "out_for_delivery", "Out for delivery", RECIPIENT},
		{5, 2, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{6, 4, "delivered", "arrived_at_destination", "Delivered", RECIPIENT},
		{7, 2, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
	}},
	{"99004", "Sim Pickup", {
		{1, 1, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{2, 2, "in_transit", "held", "Held at the recipient's request", ON_THE_WAY},
		{3, 3, "available_for_pickup", "arrived_at_pickup_location", "Ready to be picked up", RECIPIENT},
		{4, 4, "delivered", "arrived_at_destination", "Picked up by the recipient", RECIPIENT},
	}},
	{"99005", "Sim Lost", {
		{1, 1, "in_transit", "arrived_at_facility", "Arrived at facility", ON_THE_WAY},
		{2, 2, "in_transit", "delayed", "Delayed", ON_THE_WAY},
		{3, 3, "failure", "lost", "Lost", ON_THE_WAY},
	}},
};

/* clang-format on */

enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

/* EasyPost's documented values (docs.easypost.com, "Tracker"), each between spaces. */
static const char statuses[] =
	" unknown pre_transit in_transit out_for_delivery delivered "
	"available_for_pickup return_to_sender failure cancelled error ";
static const char details[] =
	" address_correction arrived_at_destination arrived_at_facility "
	"arrived_at_pickup_location awaiting_information cancelled damaged delayed "
	"delivery_exception departed_facility departed_origin_facility expired failure held "
	"in_transit label_created lost missorted out_for_delivery "
	"received_at_destination_facility received_at_origin_facility refused return "
	"status_update transferred_to_destination_carrier transit_exception unknown "
	"weather_delay ";

/* ---- the scans of a tracker ---- */

static json_t *scan_new(int64_t after_ms, int64_t at_ms, const struct step *step, const char *city)
{
	return must(json_pack("{s:I, s:I, s:s, s:s, s:s, s:s}", "after_ms", (json_int_t)after_ms,
			      "at_ms", (json_int_t)at_ms, "status", step->status, "status_detail",
			      step->detail, "message", step->message, "city", city));
}

static json_t *label_scan(const json_t *tracker)
{
	static const struct step step = {0,     0, "pre_transit", "label_created", "Label created",
					 SENDER};

	return scan_new(0, 0, &step, text_in(tracker, "sim_from"));
}

json_t *scans_of(const struct sim *s, const json_t *tracker)
{
	json_t *own = json_object_get(tracker, "sim_scans");
	json_t *scans;
	const struct step *step;
	const char *cities[] = {"MEMPHIS", text_in(tracker, "sim_from"),
				text_in(tracker, "sim_to")};

	if (own != NULL)
		return json_incref(own);
	scans = must(json_array());
	json_array_append_new(scans, label_scan(tracker));
	for (step = scripts[int_in(tracker, "sim_script") % SCRIPTS].steps; step->shows > 0; step++)
		json_array_append_new(scans,
				      scan_new(step->shows * s->scan_ms, step->says * s->scan_ms,
					       step, cities[step->place]));
	return scans;
}

/* What has been seen stays, and is followed by `more`, whose times count from now. */
void scans_follow(struct sim *s, json_t *tracker, const json_t *more)
{
	json_t *scans = scans_of(s, tracker);
	size_t seen = scans_seen(s, tracker, scans);
	int64_t now_ms = (sim_now_us(s) - int_in(tracker, "sim_begun_us")) / 1000;
	json_t *all = must(json_array());
	json_t *scan;
	size_t i;

	for (i = 0; i < seen; i++)
		json_array_append(all, json_array_get(scans, i));
	json_array_foreach(more, i, scan)
	{
		scan = must(json_deep_copy(scan));
		set_int(scan, "after_ms", int_in(scan, "after_ms") + now_ms);
		set_int(scan, "at_ms", int_in(scan, "at_ms") + now_ms);
		json_array_append_new(all, scan);
	}
	json_decref(scans);
	json_object_set_new(tracker, "sim_scans", all);
}

size_t scans_seen(const struct sim *s, const json_t *tracker, const json_t *scans)
{
	int64_t now_us = sim_now_us(s);
	size_t n = 1;

	while (n < json_array_size(scans) &&
	       scan_time_us(tracker, json_array_get(scans, n), "after_ms") <= now_us)
		n++;
	return n;
}

int64_t scan_time_us(const json_t *tracker, const json_t *scan, const char *field)
{
	return int_in(tracker, "sim_begun_us") + int_in(scan, field) * 1000;
}

/* ---- which script ---- */

/* Set by a test for this "zip" or "name"; NULL: none. */
static json_t *set_for(struct journal *j, const char *field, const char *value)
{
	json_t *found;
	char *id;

	if (asprintf(&id, "sim_script %s %s", field, value) < 0)
		must(NULL);
	found = journal_get(j, id);
	free(id);
	return found;
}

void scans_choose(struct call *c, json_t *tracker, const json_t *to)
{
	const char *zip = text_in(to, "zip");
	const char *name = text_in(to, "name");
	json_t *set = set_for(c->journal, "zip", zip);
	json_t *scans;
	int i;

	if (set == NULL)
		set = set_for(c->journal, "name", name);
	if (set != NULL) {
		scans = must(json_array());
		json_array_append_new(scans, label_scan(tracker));
		json_array_extend(scans, json_object_get(set, "scans"));
		json_object_set_new(tracker, "sim_scans", scans);
		json_decref(set);
		return;
	}
	for (i = SCRIPTS - 1; i > 0; i--)
		if (strcmp(scripts[i].zip, zip) == 0 || strcasecmp(scripts[i].name, name) == 0)
			break;
	set_int(tracker, "sim_script", i);
}

/* ---- POST /_sim/scans ---- */

static bool one_of(const char *list, const char *word)
{
	char spaced[64];

	snprintf(spaced, sizeof(spaced), " %s ", word);
	return strchr(word, ' ') == NULL && word[0] != '\0' && strstr(list, spaced) != NULL;
}

static bool time_in(const json_t *scan, const char *field, int64_t least)
{
	const json_t *value = json_object_get(scan, field);

	return json_is_integer(value) && json_integer_value(value) >= least &&
	       json_integer_value(value) <= AFTER_MAX_MS;
}

/* A copy with every field; or NULL and what is wrong. */
static json_t *scan_read(const json_t *came, int64_t least_ms, const char **ret_wrong)
{
	json_t *scan =
		must(json_literal("{'after_ms':0,'at_ms':0,'status':'','status_detail':"
				  "'status_update','message':'','city':'MEMPHIS'}"));

	json_object_set(scan, "at_ms", json_object_get(came, "after_ms"));
	if (json_object_update_existing(scan, (json_t *)came) != 0)
		*ret_wrong = "a scan must be an object";
	else if (!time_in(scan, "after_ms", least_ms))
		*ret_wrong = "after_ms must be in 0..31622400000 and not go down";
	else if (!time_in(scan, "at_ms", -AFTER_MAX_MS))
		*ret_wrong = "at_ms must be in -31622400000..31622400000";
	else if (!one_of(statuses, text_in(scan, "status")))
		*ret_wrong = "status must be one of the vendor's";
	else if (!one_of(details, text_in(scan, "status_detail")))
		*ret_wrong = "status_detail must be one of the vendor's";
	else
		return scan;
	json_decref(scan);
	return NULL;
}

static json_t *scans_read(const json_t *came, const char **ret_wrong)
{
	json_t *scans = must(json_array());
	json_t *scan;
	int64_t least_ms = 0;
	size_t i;

	if (!json_is_array(came) || json_array_size(came) > SCANS_MAX)
		*ret_wrong = "scans must be an array of at most 100";
	json_array_foreach(came, i, scan)
	{
		scan = *ret_wrong == NULL ? scan_read(scan, least_ms, ret_wrong) : NULL;
		if (scan == NULL)
			break;
		least_ms = int_in(scan, "after_ms");
		json_array_append_new(scans, scan);
	}
	return scans;
}

/* For every parcel bought later for this postal code or name. */
static void script_keep(struct call *c, const char *field, const char *value, const json_t *scans)
{
	call_answer(c, 200,
		    json_pack("{s:o, s:s, s:O}", "id",
			      json_sprintf("sim_script %s %s", field, value), "object",
			      "sim_script", "scans", scans),
		    "script kept");
	call_put(c, c->reply);
}

const char *carrier_script(struct call *c)
{
	const char *wrong = NULL;
	const char *code = text_in(c->json, "tracking_code");
	const char *zip = text_in(c->json, "zip");
	const char *name = text_in(c->json, "name");
	json_t *scans = scans_read(json_object_get(c->json, "scans"), &wrong);

	if (wrong != NULL)
		;
	else if ((code[0] != '\0') + (zip[0] != '\0') + (name[0] != '\0') != 1)
		wrong = "one of tracking_code, zip and name is wanted";
	else if (code[0] != '\0')
		tracker_script(c, code, scans);
	else if (zip[0] != '\0')
		script_keep(c, "zip", zip, scans);
	else
		script_keep(c, "name", name, scans);
	json_decref(scans);
	return wrong;
}
