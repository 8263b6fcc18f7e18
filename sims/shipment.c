/*
 * Shipments: rated when created, bought once, refunded while nobody has scanned them.
 */
#include <stdlib.h>
#include <string.h>

#include "sims/carrier.h"
#include "sims/carrier_part.h"
#include "sims/gateway_part.h"
#include "sims/journal.h"

enum { PAGE_DEFAULT = 20, PAGE_MAX = 100 };

/* ---- create ---- */

/* A nested object as it came, with an id, a kind and the times of its shipment. */
static json_t *nested(struct call *c, const json_t *came, const char *kind, const char *prefix,
		      const char *at)
{
	json_t *object = must(json_deep_copy(came));
	char id[SIM_ID_SIZE];

	call_new_hex_id(c, prefix, id);
	if (json_object_get(object, "id") == NULL)
		set_text(object, "id", id);
	set_text(object, "object", kind);
	set_text(object, "mode", "test");
	set_text(object, "created_at", at);
	set_text(object, "updated_at", at);
	return object;
}

static bool create_valid(struct call *c, const json_t *came)
{
	static const char *const needed[] = {"to_address", "from_address", "parcel"};
	const json_t *weight;
	size_t i;

	for (i = 0; i < 3; i++)
		if (!json_is_object(json_object_get(came, needed[i]))) {
			carrier_refuse(c, 422, "PARAMETER.REQUIRED", needed[i],
				       "Missing required parameter.");
			return false;
		}
	weight = json_object_get(json_object_get(came, "parcel"), "weight");
	if (json_number_value(weight) > 0)
		return true;
	carrier_refuse(c, 422, "PARCEL.PARAMETERS.INVALID", "parcel.weight",
		       "Weight must be above 0.");
	return false;
}

static void fill(struct call *c, json_t *shipment, const json_t *came, const char *at)
{
	static const char *const as_came[] = {"reference", "options", "customs_info", "is_return"};
	json_t *to = nested(c, json_object_get(came, "to_address"), "Address", "adr_", at);
	json_t *from = nested(c, json_object_get(came, "from_address"), "Address", "adr_", at);
	size_t i;

	json_object_set_new(shipment, "to_address", to);
	json_object_set_new(shipment, "from_address", from);
	json_object_set(shipment, "buyer_address", to);
	json_object_set(shipment, "return_address", from);
	json_object_set_new(shipment, "parcel",
			    nested(c, json_object_get(came, "parcel"), "Parcel", "prcl_", at));
	for (i = 0; i < 4; i++)
		if (json_object_get(came, as_came[i]) != NULL)
			json_object_set(shipment, as_came[i], json_object_get(came, as_came[i]));
}

void shipment_create(struct call *c)
{
	const json_t *came = json_object_get(c->json, "shipment");
	json_t *shipment;
	char id[SIM_ID_SIZE];
	char at[32];

	if (!create_valid(c, came))
		return;
	shipment = json_literal(
		"{'id':null,'object':'Shipment','mode':'test','created_at':null,'updated_at':null,"
		"'status':'unknown','reference':null,'tracking_code':null,'is_return':false,"
		"'options':{},'messages':[],'batch_id':null,'batch_status':null,"
		"'batch_message':null,'customs_info':null,'insurance':null,'order_id':null,"
		"'postage_label':null,'selected_rate':null,'tracker':null,'scan_form':null,"
		"'refund_status':null,'usps_zone':1,'forms':[],'fees':[]}");
	call_new_hex_id(c, "shp_", id);
	carrier_time(sim_now_us(c->sim), at);
	set_text(shipment, "id", id);
	set_text(shipment, "created_at", at);
	set_text(shipment, "updated_at", at);
	fill(c, shipment, came, at);
	shipment_rate(c, shipment);
	call_put(c, shipment);
	call_answer(c, 201, shipment, "created");
}

/* ---- read ---- */

/* By id or by reference; NULL after an answer. */
static json_t *shipment_meant(struct call *c)
{
	json_t *shipment = journal_get(c->journal, c->id);

	if (shipment == NULL)
		shipment = journal_find(c->journal, "Shipment", c->id);
	if (shipment != NULL && strcmp(text_in(shipment, "object"), "Shipment") == 0)
		return shipment;
	json_decref(shipment);
	carrier_missing(c);
	return NULL;
}

/* What changes by itself: the tracker, and a refund that is through after a while. */
static json_t *shipment_now(struct call *c, json_t *take_shipment)
{
	json_t *tracker = json_object_get(take_shipment, "tracker");
	int64_t refunded_us = int_in(take_shipment, "sim_refunded_us");
	json_t *view;

	if (!json_is_object(tracker))
		return take_shipment;
	view = must(json_copy(take_shipment));
	json_object_del(view, "sim_refunded_us");
	if (refunded_us > 0 && refunded_us <= sim_now_us(c->sim))
		set_text(view, "refund_status", "refunded");
	tracker = tracker_now(c->sim, journal_get(c->journal, text_in(tracker, "id")));
	set_text(view, "status", text_in(tracker, "status"));
	json_object_set_new(view, "tracker", tracker);
	json_decref(take_shipment);
	return view;
}

void shipment_get(struct call *c)
{
	json_t *shipment = shipment_meant(c);

	if (shipment != NULL)
		call_answer(c, 200, shipment_now(c, shipment), "read");
}

static bool asked_for(const struct call *c, const json_t *shipment)
{
	const char *purchased = text_in(c->query, "purchased");
	const char *reference = json_string_value(json_object_get(c->query, "reference"));

	if (strcmp(purchased, "true") == 0 && !json_is_object(json_object_get(shipment, "tracker")))
		return false;
	return reference == NULL || strcmp(reference, text_in(shipment, "reference")) == 0;
}

void shipment_list(struct call *c)
{
	const json_t *ids = journal_ids(c->journal, "Shipment");
	const char *before = json_string_value(json_object_get(c->query, "before_id"));
	const char *size = json_string_value(json_object_get(c->query, "page_size"));
	long limit = size != NULL ? strtol(size, NULL, 10) : PAGE_DEFAULT;
	json_t *page = must(json_array());
	size_t i = json_array_size(ids);
	bool more = false;

	if (limit < 1 || limit > PAGE_MAX)
		limit = PAGE_DEFAULT;
	while (before != NULL && i > 0 &&
	       strcmp(json_string_value(json_array_get(ids, i)) != NULL
			      ? json_string_value(json_array_get(ids, i))
			      : "",
		      before) != 0)
		i--;
	while (i-- > 0 && !more) {
		json_t *shipment =
			journal_get(c->journal, json_string_value(json_array_get(ids, i)));

		more = asked_for(c, shipment) && json_array_size(page) == (size_t)limit;
		if (asked_for(c, shipment) && !more)
			json_array_append_new(page, shipment_now(c, shipment));
		else
			json_decref(shipment);
	}
	call_answer(c, 200, json_pack("{s:o, s:b}", "shipments", page, "has_more", more ? 1 : 0),
		    "listed");
}

void shipment_rerate(struct call *c)
{
	json_t *shipment = shipment_meant(c);

	if (shipment == NULL)
		return;
	shipment_rate(c, shipment);
	call_put(c, shipment);
	call_answer(c, 200, shipment, "rated");
}

/* ---- buy ---- */

static json_t *label_new(struct call *c, const json_t *shipment)
{
	const char *format = text_in(json_object_get(shipment, "options"), "label_format");
	const char *id = text_in(shipment, "id");
	const char *host = c->host != NULL ? c->host : "127.0.0.1";
	json_t *label = json_literal(
		"{'id':null,'object':'PostageLabel','created_at':null,'updated_at':null,"
		"'date_advance':0,'integrated_form':'none','label_date':null,'label_resolution':"
		"203,"
		"'label_size':'4x6','label_type':'default','label_file_type':'application/pdf',"
		"'label_url':null,'label_pdf_url':null,'label_zpl_url':null,'label_epl2_url':null,"
		"'label_file':null,'mode':'test'}");
	char label_id[SIM_ID_SIZE];
	char at[32];
	bool zpl = strcmp(format, "ZPL") == 0;

	call_new_hex_id(c, "pl_", label_id);
	carrier_time(sim_now_us(c->sim), at);
	set_text(label, "id", label_id);
	set_text(label, "created_at", at);
	set_text(label, "updated_at", at);
	set_text(label, "label_date", at);
	if (zpl)
		set_text(label, "label_file_type", "application/zpl");
	json_object_set_new(
		label, "label_url",
		must(json_sprintf("http://%s/_sim/labels/%s.%s", host, id, zpl ? "zpl" : "pdf")));
	return label;
}

/* USPS: 22 digits from 94001; UPS: 1Z and 16 more; the rest from the shipment's own id, so it is
 * this parcel's alone. */
static void tracking_code_new(const json_t *shipment, const char *carrier, char ret[32])
{
	bool ups = strcmp(carrier, "UPS") == 0;
	const char *id = text_in(shipment, "id") + 4;
	size_t head = ups ? 2 : 5;
	size_t n = ups ? 18 : 22;
	size_t i;

	memcpy(ret, ups ? "1Z" : "94001", head);
	for (i = head; i < n; i++) {
		int c = (unsigned char)id[i - head];

		ret[i] = (char)('0' + (c >= 'a' ? c - 'a' : c - '0') % 10);
	}
	ret[n] = '\0';
}

static int64_t minor_of(const char *decimal)
{
	const char *point = strchr(decimal, '.');

	return strtoll(decimal, NULL, 10) * 100 +
	       (point != NULL ? strtoll(point + 1, NULL, 10) : 0);
}

static void label_fact(struct call *c, const json_t *shipment, const char *kind)
{
	const json_t *rate = json_object_get(shipment, "selected_rate");

	call_fact(c, json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "time_us",
			       (json_int_t)sim_now_us(c->sim), "kind", kind, "shipment",
			       text_in(shipment, "id"), "reference", text_in(shipment, "reference"),
			       "tracking_code", text_in(shipment, "tracking_code"), "rate_minor",
			       (json_int_t)minor_of(text_in(rate, "rate"))));
}

static void buy(struct call *c, json_t *shipment, json_t *rate)
{
	char code[32];

	tracking_code_new(shipment, text_in(rate, "carrier"), code);
	set_text(shipment, "tracking_code", code);
	json_object_set(shipment, "selected_rate", rate);
	json_object_set_new(shipment, "postage_label", label_new(c, shipment));
	if (json_is_string(json_object_get(c->json, "insurance")))
		json_object_set(shipment, "insurance", json_object_get(c->json, "insurance"));
	call_put(c, shipment);
	json_object_set_new(shipment, "tracker",
			    tracker_new(c, code, text_in(rate, "carrier"), shipment));
	set_text(shipment, "status", text_in(json_object_get(shipment, "tracker"), "status"));
	label_fact(c, shipment, "label");
}

void shipment_buy(struct call *c)
{
	json_t *shipment = shipment_meant(c);
	json_t *rate;

	if (shipment == NULL)
		return;
	rate = rate_chosen(shipment, text_in(json_object_get(c->json, "rate"), "id"));
	if (json_is_object(json_object_get(shipment, "postage_label"))) {
		carrier_refuse(c, 422, "SHIPMENT.POSTAGE.EXISTS", NULL,
			       "Postage for this shipment has been bought already.");
		json_decref(shipment);
	} else if (rate == NULL) {
		carrier_refuse(c, 422, "SHIPMENT.MISSING_RATE", "rate",
			       "The rate is not one of this shipment's.");
		json_decref(shipment);
	} else if (rate_expired(c->sim, rate)) {
		/* EasyPost's list of codes (TErrorCode of its Node SDK) has none of its own for
		 * this; MISSING_RATE is what a rate that is no longer offered is refused with. */
		carrier_refuse(c, 422, "SHIPMENT.MISSING_RATE", "rate",
			       "The rate has expired; ask for new ones.");
		json_decref(shipment);
	} else {
		buy(c, shipment, rate);
		call_answer(c, 200, shipment, "bought");
	}
}

/* ---- refund ---- */

/* The money comes back later, and the parcel goes nowhere. */
static void refund(struct call *c, json_t *shipment)
{
	set_text(shipment, "refund_status", "submitted");
	set_int(shipment, "sim_refunded_us", sim_now_us(c->sim) + c->sim->refund_s * 1000000);
	label_fact(c, shipment, "label_refund");
	call_put(c, shipment);
	tracker_cancel(c, text_in(json_object_get(shipment, "tracker"), "id"));
}

/* A label is taken back while the parcel has not been seen; asking again changes nothing. */
void shipment_refund(struct call *c)
{
	json_t *shipment = shipment_meant(c);
	json_t *now;
	bool seen;

	if (shipment == NULL)
		return;
	if (!json_is_object(json_object_get(shipment, "tracker"))) {
		carrier_refuse(c, 422, "SHIPMENT.REFUND.UNAVAILABLE", NULL,
			       "There is no postage to refund.");
		json_decref(shipment);
		return;
	}
	now = shipment_now(c, json_incref(shipment));
	seen = strcmp(text_in(now, "status"), "pre_transit") != 0;
	json_decref(now);
	if (text_in(shipment, "refund_status")[0] == '\0' && seen) {
		carrier_refuse(c, 422, "SHIPMENT.REFUND.UNAVAILABLE", NULL,
			       "The parcel is under way already.");
		json_decref(shipment);
		return;
	}
	if (text_in(shipment, "refund_status")[0] == '\0')
		refund(c, shipment);
	call_answer(c, 200, shipment_now(c, shipment), "refund submitted");
}

/* ---- label ---- */

void shipment_label(struct call *c)
{
	const char *format = text_in(c->query, "file_format");
	const char *field = strcmp(format, "ZPL") == 0 ? "label_zpl_url" : "label_pdf_url";
	json_t *shipment = shipment_meant(c);
	json_t *label = json_object_get(shipment, "postage_label");
	const char *type = strcmp(format, "ZPL") == 0 ? "zpl" : "pdf";

	if (shipment == NULL)
		return;
	if (!json_is_object(label)) {
		carrier_refuse(c, 422, "SHIPMENT.POSTAGE.REQUIRED", NULL, "There is no label yet.");
		json_decref(shipment);
		return;
	}
	if (strcmp(format, "ZPL") != 0 && strcmp(format, "PDF") != 0) {
		carrier_refuse(c, 422, "SHIPMENT.POSTAGE.INVALID_FORMAT", "file_format",
			       "There is no label in this format.");
		json_decref(shipment);
		return;
	}
	json_object_set_new(label, field,
			    must(json_sprintf("http://%s/_sim/labels/%s.%s",
					      c->host != NULL ? c->host : "127.0.0.1",
					      text_in(shipment, "id"), type)));
	call_answer(c, 200, shipment_now(c, shipment), "label");
}
