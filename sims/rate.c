/*
 * Rates: what each carrier asks for a parcel and how long it takes.  A function of weight and
 * country, so a test can know them; each is an offer for --rate-life-s of the simulated clock.
 */
#include <stdio.h>
#include <string.h>

#include "sims/carrier_part.h"
#include "sims/gateway_part.h"

struct service {
	const char *carrier;
	const char *name;
	int base_minor;   /* USD */
	int per_oz_minor; /* each begun ounce */
	int days;
};

static const struct service domestic[] = {
	{"USPS", "GroundAdvantage", 450, 8, 5},
	{"USPS", "Priority", 795, 12, 2},
	{"USPS", "Express", 2695, 20, 1},
	{"UPS", "Ground", 825, 6, 3},
};

static const struct service abroad[] = {
	{"USPS", "FirstClassPackageInternationalService", 1525, 30, 14},
	{"USPS", "PriorityMailInternational", 4150, 45, 8},
	{"UPS", "Expedited", 5200, 60, 4},
};

static int64_t price_minor(const struct service *s, double weight_oz)
{
	int64_t ounces = (int64_t)weight_oz;

	if ((double)ounces < weight_oz)
		ounces++;
	return s->base_minor + s->per_oz_minor * ounces;
}

static json_t *rate_new(struct call *c, const json_t *shipment, const struct service *s,
			double weight_oz)
{
	int64_t minor = price_minor(s, weight_oz);
	char id[SIM_ID_SIZE];
	char price[32];
	char at[32];
	json_t *rate;

	call_new_hex_id(c, "rate_", id);
	carrier_time(sim_now_us(c->sim), at);
	snprintf(price, sizeof(price), "%lld.%02lld", (long long)minor / 100,
		 (long long)minor % 100);
	rate = json_literal(
		"{'id':null,'object':'Rate','created_at':null,'updated_at':null,"
		"'mode':'test','service':null,'carrier':null,'rate':null,"
		"'currency':'USD','retail_rate':null,'retail_currency':null,"
		"'list_rate':null,'list_currency':'USD','billing_type':'easypost',"
		"'delivery_days':0,'delivery_date':null,"
		"'delivery_date_guaranteed':false,'est_delivery_days':0,"
		"'shipment_id':null,'carrier_account_id':null}");
	set_text(rate, "id", id);
	set_text(rate, "created_at", at);
	set_text(rate, "updated_at", at);
	set_text(rate, "carrier", s->carrier);
	set_text(rate, "carrier_account_id", strcmp(s->carrier, "UPS") == 0 ? "ca_ups" : "ca_usps");
	set_text(rate, "service", s->name);
	set_text(rate, "rate", price);
	set_text(rate, "list_rate", price);
	set_int(rate, "delivery_days", s->days);
	set_int(rate, "est_delivery_days", s->days);
	set_text(rate, "shipment_id", text_in(shipment, "id"));
	return rate;
}

/* Nobody delivers to postal code 00000: a shipment without rates, with each carrier's message why.
 */
void shipment_rate(struct call *c, json_t *shipment)
{
	const json_t *to = json_object_get(shipment, "to_address");
	const json_t *from = json_object_get(shipment, "from_address");
	bool home = strcmp(text_in(to, "country"), text_in(from, "country")) == 0;
	const struct service *services = home ? domestic : abroad;
	size_t n =
		home ? sizeof(domestic) / sizeof(domestic[0]) : sizeof(abroad) / sizeof(abroad[0]);
	double weight_oz =
		json_number_value(json_object_get(json_object_get(shipment, "parcel"), "weight"));
	json_t *rates = must(json_array());
	size_t i;

	json_object_set_new(shipment, "rates", rates);
	if (strcmp(text_in(to, "zip"), "00000") == 0) {
		json_object_set_new(shipment, "messages",
				    json_literal("[{'carrier':'USPS','type':'rate_error',"
						 "'message':'No service to this address.',"
						 "'carrier_account_id':'ca_usps'},"
						 "{'carrier':'UPS','type':'rate_error',"
						 "'message':'The postal code is not served.',"
						 "'carrier_account_id':'ca_ups'}]"));
		return;
	}
	for (i = 0; i < n; i++)
		json_array_append_new(rates, rate_new(c, shipment, &services[i], weight_oz));
}

json_t *rate_chosen(const json_t *shipment, const char *id)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(shipment, "rates"), i, one)
	{
		if (strcmp(text_in(one, "id"), id) == 0)
			return one;
	}
	return NULL;
}

bool rate_expired(const struct sim *s, const json_t *rate)
{
	return sim_now_s(s) >= carrier_time_s(text_in(rate, "created_at")) + s->rate_life_s;
}
