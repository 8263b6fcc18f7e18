/*
 * Label: buy the postage of one parcel, once.
 *
 *	find --> create --> intent --> buy --> record --> done
 *	  |                   |         ^ |       ^
 *	  |                   v         | v       |
 *	  +----------------> look ------+-+-------+
 *
 * The carrier has no idempotency keys.  So its parcel, which costs nothing, is made and
 * its id committed before anything is bought; a buy that was not answered is looked at by
 * that id before it is tried again.
 */
#include "sql.gen.h"
#include "workers/shipping/carrier.h"
#include "workers/shipping/shipping.h"

enum { FIND, CREATE, INTENT, LOOK, BUY, RECORD, DONE };

struct labelling {
	struct id shipment;
	struct address from, to;
	int64_t weight_g;
	struct str parcel_id;
	struct carrier_parcel parcel;
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
	l->shipment = r.shipment_id;
	l->weight_g = r.weight_g;
	l->from = (struct address){.name = arena_str(&fl->arena, r.from_name),
				   .street = arena_str(&fl->arena, r.from_street),
				   .city = arena_str(&fl->arena, r.from_city),
				   .region = arena_str(&fl->arena, r.from_region),
				   .postal_code = arena_str(&fl->arena, r.from_postal_code),
				   .country = arena_str(&fl->arena, r.from_country)};
	l->parcel_id = arena_str(&fl->arena, r.remote_id);
	return l->parcel_id.n > 0 ? LOOK : CREATE;
}

static int ask_create(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	return carrier_ask_create(fl, worker_of(fl), l->shipment, &l->from, &l->to, l->weight_g);
}

static int got_create(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);

	l->parcel = carrier_parcel(fl, a);
	l->parcel_id = l->parcel.id;
	return l->parcel.ok ? INTENT : FLOW_FAIL;
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
		return BUY;
	l->parcel_id =
		arena_str(&fl->arena, stored); /* an earlier try made one: that is the parcel */
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
	if (!l->parcel.ok)
		return FLOW_FAIL;
	return l->parcel.bought ? RECORD : BUY;
}

static int ask_buy(struct flow *fl)
{
	struct labelling *l = job_state(fl);

	if (l->parcel.rate_id.n == 0)
		return job_fail(fl, ERR_PROVIDER_REFUSED, "no carrier offers to take this parcel");
	return carrier_ask_buy(fl, worker_of(fl), l->parcel_id, l->parcel.rate_id);
}

static int got_buy(struct flow *fl, const struct answer *a)
{
	struct labelling *l = job_state(fl);
	struct carrier_parcel p = carrier_parcel(fl, a);

	if (p.buy_again)
		return LOOK;
	if (!p.ok)
		return FLOW_FAIL;
	if (!p.bought)
		return job_fail(fl, ERR_PROVIDER_BROKEN,
				"the carrier sold a label and did not show it");
	l->parcel = p;
	return RECORD;
}

static int ask_record(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct labelling *l = job_state(fl);
	struct label_bought_head h = {
		.tenant = j->tenant,
		.order_id = j->order,
		.group_no = j->group_no,
		.job_id = j->id,
		.epoch = j->epoch,
		.carrier = l->parcel.carrier,
		.service = l->parcel.service,
		.tracking_code = l->parcel.tracking_code,
		.tracker_id = l->parcel.tracker_id,
		.label_url = l->parcel.label_url.p != NULL ? l->parcel.label_url : STR(""),
		.rate_minor = l->parcel.rate_minor,
		.next_job = id_child(j->order)};

	return store_ask(fl, worker_of(fl)->store, label_bought_unit(&h, NULL, 0));
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
static const struct flow_step label_steps[] = {
	/*           name      ask         got         ms      on error  next                                  */
	[FIND]   = {"find",   ask_find,   got_find,   10000,  DONE,     TO(CREATE) | TO(LOOK) | TO(DONE)},
	[CREATE] = {"create", ask_create, got_create, 130000, DONE,     TO(INTENT)}, /* a lost one was never bought */
	[INTENT] = {"intent", ask_intent, got_intent, 30000,  DONE,     TO(BUY) | TO(LOOK) | TO(DONE)},
	[LOOK]   = {"look",   ask_look,   got_look,   130000, DONE,     TO(BUY) | TO(RECORD)},
	[BUY]    = {"buy",    ask_buy,    got_buy,    130000, DONE,     TO(RECORD) | TO(LOOK)}, /* the next try looks first */
	[RECORD] = {"record", ask_record, got_record, 30000,  DONE,     TO(DONE)},
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
