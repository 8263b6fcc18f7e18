/*
 * Label: buy the postage of one parcel, once.
 *
 *	find --> create ---> intent --> buy --> record --> done
 *	  |  |      ^          |       ^ | |      ^
 *	  |  v      |          |       | | v      |
 *	  | known --+----------+       | | rerate |        (the offer is gone, or none fits)
 *	  |                    v       | |   |    |
 *	  +------------------> look ---+-+---|----+
 *	                         |           v
 *	                         +-------> hold --> done   (a person sees to it)
 *
 * The carrier has no idempotency keys.  So its parcel, which costs nothing, is made and
 * its id committed before anything is bought; a buy that was not answered is looked at by
 * that id before it is tried again.  A parcel whose id was lost is found by the reference it
 * was made with.
 */
#include <stdio.h>

#include "sql.gen.h"
#include "workers/shipping/carrier.h"
#include "workers/shipping/shipping.h"

enum { FIND, KNOWN, CREATE, INTENT, LOOK, BUY, RERATE, HOLD, RECORD, DONE };

/* Offers change with contracts and prices, not by the minute. */
enum { HOLD_MS = 15 * 60 * 1000 };

struct labelling {
	char reference[ID_TEXT_SIZE + 16];
	struct address from, to;
	int64_t weight_g;
	struct str service, currency; /* what the order asks for, and pays in */
	struct str parcel_id;
	struct carrier_parcel parcel;
	int choice;
	bool fresh;   /* its offers were made for this try */
	bool rerated; /* and were asked for anew, which is done once */
};

int shipping_ask_find(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct shipment_find_head h = {
		.tenant = j->tenant, .order_id = j->order, .group_no = j->group_no};

	return store_ask(fl, worker_of(fl)->store, shipment_find_unit(&h, NULL, 0));
}

/* Once a label was voided the carrier's next parcel is another one, and must not be found as the
 * first. */
static void name_parcel(struct labelling *l, struct id shipment, int32_t labels)
{
	char id[ID_TEXT_SIZE];

	if (labels == 0)
		(void)snprintf(l->reference, sizeof(l->reference), "%s", id_format(shipment, id));
	else
		(void)snprintf(l->reference, sizeof(l->reference), "%s-%d", id_format(shipment, id),
			       (int)labels + 1);
}

static int got_find(struct flow *fl, const struct answer *a)
{
	const struct job *j = job_of(fl);
	struct labelling *l = job_state(fl);
	struct shipment_find_row r;
	struct str opened;

	if (answer_rows(a) == 0)
		return job_fail(fl, ERR_INTERNAL, "its parcel does not exist");
	r = shipment_find_row(a, 0);
	if (!str_eq(r.state, STR("planned")) && !str_eq(r.state, STR("label_intent"))) {
		job_moot(fl);
		return DONE;
	}
	opened = seal_open(&worker_of(fl)->contact_key, j->tenant, j->order, r.sealed, &fl->arena);
	if (opened.p == NULL || !address_unpack(opened, &l->to))
		return job_fail(fl, ERR_PROVIDER_REFUSED,
				"the address does not open: another key sealed it");
	name_parcel(l, r.shipment_id, r.labels);
	l->weight_g = r.weight_g;
	l->service = arena_str(&fl->arena, r.ship_service);
	l->currency = arena_str(&fl->arena, r.currency);
	l->from = (struct address){.name = arena_str(&fl->arena, r.from_name),
				   .street = arena_str(&fl->arena, r.from_street),
				   .city = arena_str(&fl->arena, r.from_city),
				   .region = arena_str(&fl->arena, r.from_region),
				   .postal_code = arena_str(&fl->arena, r.from_postal_code),
				   .country = arena_str(&fl->arena, r.from_country)};
	l->parcel_id = arena_str(&fl->arena, r.remote_id);
	if (l->parcel_id.n > 0)
		return LOOK;
	return j->attempts > 1 ? KNOWN : CREATE;
}

/* An earlier try may have made it and not lived to write down its id. */
static int ask_known(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	return carrier_ask_read(fl, worker_of(fl), str_of(l->reference));
}

static int got_known(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);

	l->parcel = carrier_parcel(fl, a);
	if (l->parcel.missing)
		return CREATE;
	if (!l->parcel.ok)
		return carrier_fail(fl, &l->parcel);
	l->parcel_id = l->parcel.id;
	return INTENT;
}

static int ask_create(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	return carrier_ask_create(fl, worker_of(fl), l->reference, &l->from, &l->to, l->weight_g);
}

static int got_create(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);

	l->parcel = carrier_parcel(fl, a);
	l->parcel_id = l->parcel.id;
	l->fresh = true;
	return l->parcel.ok ? INTENT : carrier_fail(fl, &l->parcel);
}

/* What is to be done with a parcel that is written down and in front of us. */
static int go_on(struct labelling *l)
{
	if (l->parcel.bought)
		return RECORD;
	l->choice = shipping_choose(l->parcel.offers, l->parcel.n_offers, l->service, l->currency);
	if (l->choice != SHIPPING_NO_OFFER)
		return BUY;
	return l->fresh ? HOLD : RERATE;
}

static int ask_intent(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct labelling *l = job_state(fl);
	struct label_intent_head h = {.tenant = j->tenant,
				      .order_id = j->order,
				      .group_no = j->group_no,
				      .job_id = j->id,
				      .epoch = j->epoch,
				      .remote_id = l->parcel_id};

	return store_ask(fl, worker_of(fl)->store, label_intent_unit(&h, NULL, 0));
}

static int got_intent(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);
	struct str stored;

	if (answer_rows(a) == 0) {
		job_settled(fl); /* somebody else has the job */
		return DONE;
	}
	stored = label_intent_row(a, 0).remote_id;
	if (str_eq(stored, l->parcel_id))
		return go_on(l);
	l->parcel_id =
		arena_str(&fl->arena, stored); /* an earlier try made one: that is the parcel */
	l->fresh = false;
	return LOOK;
}

static int ask_look(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	return carrier_ask_read(fl, worker_of(fl), l->parcel_id);
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);

	l->parcel = carrier_parcel(fl, a);
	return l->parcel.ok ? go_on(l) : carrier_fail(fl, &l->parcel);
}

static int ask_buy(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	return carrier_ask_buy(fl, worker_of(fl), l->parcel_id, l->parcel.offers[l->choice].id);
}

/* An offer that is gone is asked for anew, once; then it is somebody else's turn to think. */
static int got_buy(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);
	struct carrier_parcel p = carrier_parcel(fl, a);

	if (p.buy_again)
		return LOOK;
	if (p.refused && !l->rerated)
		return RERATE;
	if (p.refused)
		return job_fail(fl, ERR_PROVIDER_BUSY,
				"the carrier does not sell what it offers: " STR_FMT,
				STR_ARG(p.code));
	if (!p.ok)
		return carrier_fail(fl, &p);
	if (!p.bought)
		return job_fail(fl, ERR_PROVIDER_BROKEN,
				"the carrier sold a label and did not show it");
	if (p.n_offers == 0) { /* those it was chosen from */
		p.offers = l->parcel.offers;
		p.n_offers = l->parcel.n_offers;
	}
	l->parcel = p;
	return RECORD;
}

static int ask_rerate(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	return carrier_ask_rerate(fl, worker_of(fl), l->parcel_id);
}

static int got_rerate(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);

	l->parcel = carrier_parcel(fl, a);
	l->fresh = l->rerated = true;
	return l->parcel.ok ? go_on(l) : carrier_fail(fl, &l->parcel);
}

static int ask_hold(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct labelling *l = job_state(fl);
	struct label_held_head h = {.tenant = j->tenant,
				    .order_id = j->order,
				    .group_no = j->group_no,
				    .job_id = j->id,
				    .epoch = j->epoch,
				    .delay_ms = HOLD_MS};

	h.why = str_of(
		l->parcel.n_offers == 0
			? "no carrier offers to take this parcel"
			: arena_printf(&fl->arena,
				       "none of %u offers is what the order asks for: " STR_FMT,
				       l->parcel.n_offers, STR_ARG(l->service)));
	if (h.why.p == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the reason does not fit");
	return store_ask(fl, worker_of(fl)->store, label_held_unit(&h, NULL, 0));
}

static int got_hold(struct flow *fl, const struct answer *a)
{
	(void)a;
	job_settled(fl); /* put off */
	return DONE;
}

static struct str some(struct str s)
{
	return s.p != NULL ? s : STR("");
}

static struct label_bought_line offer_line(const struct shipping_offer *o, bool chosen)
{
	return (struct label_bought_line){
		.rate_id = o->id,
		.carrier = some(o->carrier),
		.service = some(o->service),
		.rate_minor = o->price.minor,
		.currency = str_of(o->price.currency),
		.delivery_days = o->days == SHIPPING_DAYS_UNKNOWN ? DB_NULL : o->days,
		.chosen = chosen};
}

/* All offers, and the bought one even if it is no longer among them. */
static uint32_t offer_lines(const struct carrier_parcel *p, struct label_bought_line *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_offers; i++)
		if (!str_eq(p->offers[i].id, p->bought_offer.id))
			ret[n++] = offer_line(&p->offers[i], false);
	if (p->bought_offer.id.n > 0)
		ret[n++] = offer_line(&p->bought_offer, true);
	return n;
}

static int ask_record(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct labelling *l = job_state(fl);
	const struct carrier_parcel *p = &l->parcel;
	struct label_bought_line *lines = arena_array(&fl->arena, p->n_offers + 1, sizeof(*lines));
	struct label_bought_head h = {.tenant = j->tenant,
				      .order_id = j->order,
				      .group_no = j->group_no,
				      .job_id = j->id,
				      .epoch = j->epoch,
				      .carrier = some(p->bought_offer.carrier),
				      .service = some(p->bought_offer.service),
				      .tracking_code = p->tracking_code,
				      .tracking_url = p->tracking_url,
				      .tracker_id = p->tracker_id,
				      .label_url = some(p->label_url),
				      .rate_minor = p->bought_offer.price.minor,
				      .currency = str_of(p->bought_offer.price.currency),
				      .next_job = id_child(j->order)};

	if (lines == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the carrier's offers do not fit");
	return store_ask(fl, worker_of(fl)->store,
			 label_bought_unit(&h, lines, offer_lines(p, lines)));
}

static int got_record(struct flow *fl, const struct answer *a)
{
	if (answer_rows(a) > 0) {
		struct label_bought_row r = label_bought_row(a, 0);

		job_ring(fl, r.job_id, r.kind);
	}
	job_settled(fl);
	return DONE;
}

/* clang-format off */
#define GO_ON (TO(BUY) | TO(RECORD) | TO(RERATE) | TO(HOLD)) /* go_on() */

static const struct flow_step label_steps[] = {
	/*          name      ask                got         ms      on error next */
	[FIND]   = {"find",   shipping_ask_find, got_find,   10000,  DONE,    TO(KNOWN) | TO(CREATE) | TO(LOOK) | TO(DONE)},
	[KNOWN]  = {"known",  ask_known,         got_known,  130000, DONE,    TO(CREATE) | TO(INTENT)},
	[CREATE] = {"create", ask_create,        got_create, 130000, DONE,    TO(INTENT)}, /* a lost one was never bought */
	[INTENT] = {"intent", ask_intent,        got_intent, 30000,  DONE,    GO_ON | TO(LOOK) | TO(DONE)},
	[LOOK]   = {"look",   ask_look,          got_look,   130000, DONE,    GO_ON},
	[BUY]    = {"buy",    ask_buy,           got_buy,    130000, DONE,    TO(RECORD) | TO(LOOK) | TO(RERATE)}, /* the next try looks first */
	[RERATE] = {"rerate", ask_rerate,        got_rerate, 130000, DONE,    GO_ON},
	[HOLD]   = {"hold",   ask_hold,          got_hold,   30000,  DONE,    TO(DONE)},
	[RECORD] = {"record", ask_record,        got_record, 30000,  DONE,    TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct job_kind JOB_SHIPPING_LABEL = {
	.name = "shipping.label",
	.role = ROLE_SHIPPING,
	.priority = 1,
	.steps = label_steps,
	.state_size = sizeof(struct labelling),
};
