/*
 * GetLabel: a shipment's label, made when it is asked for and not kept.
 *
 *	view --> render --> reply
 */
#include <inttypes.h>

#include "core/label/label.h"
#include "core/store/store.h"
#include "orderd/v1/shipping_service.pb-c.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { VIEW, RENDER, DONE };

struct labelling {
	struct label_text text;
	int64_t number;
	int group;
};

static int ask_view(struct flow *fl)
{
	const Orderd__V1__GetLabelRequest *rq = rpc_request(fl);
	struct label_view_head h;

	fl->subject = want_id(fl, rq->shipment_id, "shipment_id");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	h = (struct label_view_head){.tenant = rpc_identity(fl)->tenant,
				     .shipment_id = fl->subject,
				     .locations = rpc_identity(fl)->locations};
	return store_ask(fl, rpc_app(fl)->store, label_view_unit(&h, NULL, 0));
}

static bool has_label(const struct label_view_row *r)
{
	static const char *const without[] = {"planned", "label_intent", "voiding"};

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		if (str_eq(r->state, str_of(without[i])))
			return false;
	return r->tracking_code.n > 0;
}

/* The copies live in the arena until the label is there. */
static bool keep(struct flow *fl, struct label_text *t, const struct label_view_row *r)
{
	const struct str *const from[] = {&r->from_name,   &r->from_street,      &r->from_city,
					  &r->from_region, &r->from_postal_code, &r->from_country,
					  &r->carrier,     &r->service,          &r->tracking_code,
					  &r->sscc,        &r->reference};
	struct str *const to[] = {&t->from.name,   &t->from.street,      &t->from.city,
				  &t->from.region, &t->from.postal_code, &t->from.country,
				  &t->carrier,     &t->service,          &t->tracking_code,
				  &t->sscc,        &t->reference};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		*to[i] = arena_str(&fl->arena, *from[i]);
		if (to[i]->p == NULL && from[i]->p != NULL)
			return false;
	}
	t->order_number = str_of(arena_printf(&fl->arena, "%" PRId64, r->number));
	t->weight_g = r->weight_g;
	t->group = r->group_no;
	t->groups = r->groups;
	return t->order_number.p != NULL;
}

/* Sealed for its order; what is opened lies in the arena. */
static bool open_recipient(struct flow *fl, struct label_text *t, const struct label_view_row *r)
{
	struct address a;

	if (r->sealed.p == NULL ||
	    !address_unpack(seal_open(&rpc_app(fl)->contact_key, rpc_identity(fl)->tenant,
				      r->order_id, r->sealed, &fl->arena),
			    &a))
		return false;
	t->to = (struct label_party){a.name, a.street, a.city, a.region, a.postal_code, a.country};
	return true;
}

static int got_view(struct flow *fl, const struct answer *a)
{
	struct labelling *g = rpc_state(fl);
	struct label_view_row r;
	char id[ID_TEXT_SIZE];

	if (answer_rows(a) == 0) {
		rpc_about(fl, "orderd.v1.Shipment", str_of(id_format(fl->subject, id)));
		return rpc_fail(fl, ERR_NOT_FOUND);
	}
	r = label_view_row(a, 0);
	rpc_order(fl, r.order_id);
	if (!has_label(&r))
		return rpc_fail(fl, ERR_LABEL_NOT_BOUGHT);
	if (!keep(fl, &g->text, &r))
		return rpc_fail(fl, ERR_TOO_LARGE);
	if (!open_recipient(fl, &g->text, &r))
		return rpc_fail_text(fl, ERR_LABEL_UNPRINTABLE,
				     "the recipient's address cannot be read");
	g->number = r.number;
	g->group = r.group_no;
	return RENDER;
}

static enum label_format format_of(Orderd__V1__LabelFormat f)
{
	if (f == ORDERD__V1__LABEL_FORMAT__LABEL_FORMAT_PNG)
		return LABEL_PNG;
	return f == ORDERD__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL ? LABEL_ZPL : LABEL_PDF;
}

static int ask_render(struct flow *fl)
{
	const Orderd__V1__GetLabelRequest *rq = rpc_request(fl);
	const struct labelling *g = rpc_state(fl);

	return label_ask(fl, &g->text, format_of(rq->format));
}

static int got_render(struct flow *fl, const struct answer *a)
{
	Orderd__V1__GetLabelResponse rs = ORDERD__V1__GET_LABEL_RESPONSE__INIT;
	const struct labelling *g = rpc_state(fl);
	const struct label *l = label_answer(a);

	rs.content = data_of(l->bytes);
	rs.media_type = data_of(str_of(l->media_type));
	rs.file_name = data_of(str_of(arena_printf(&fl->arena, "label-%" PRId64 "-%d.%s", g->number,
						   g->group, l->suffix)));
	rs.sscc = data_of(g->text.sscc);
	rs.tracking_code = data_of(g->text.tracking_code);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step get_label_steps[] = {
	/*           name      ask         got         ms     on error  next       */
	[VIEW]   = {"view",   ask_view,   got_view,   5000,  DONE,     TO(RENDER)},
	[RENDER] = {"render", ask_render, got_render, 10000, DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_GET_LABEL = {
	.path = "/orderd.v1.ShippingService/GetLabel",
	.name = "get_label",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__get_label_request__descriptor,
	.response = &orderd__v1__get_label_response__descriptor,
	.steps = get_label_steps,
	.state_size = sizeof(struct labelling),
};
