#include "server/fulfillment/fulfillment_read.h"

#include <stddef.h>
#include <string.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/orders/order_message.h"
#include "server/orders/order_read.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum {
	ROW_MEMORY =
		3072,  /* bytes of a fulfilment order of one line on its way, its address at most */
	HOLDS_MAX = 8, /* reasons there can be */
};

/* In the order of the contract's enum, from 1; the CHECK on fulfillment_order.state has the same.
 */
static const char *const states[] = {"open", "picked", "packed", "closed", "cancelled"};

enum { STATES = sizeof(states) / sizeof(states[0]) };

_Static_assert((int)ORDERD__V1__FULFILLMENT_ORDER_STATE__FULFILLMENT_ORDER_STATE_CANCELLED ==
		       (int)STATES,
	       "fulfilment order states in step");

const char *fulfillment_order_state_name(Orderd__V1__FulfillmentOrderState state)
{
	return (int)state >= 1 && (int)state <= (int)STATES ? states[(int)state - 1] : NULL;
}

static Orderd__V1__FulfillmentOrderState state_message(struct str state)
{
	for (int i = 0; i < (int)STATES; i++)
		if (str_eq(str_of(states[i]), state))
			return (Orderd__V1__FulfillmentOrderState)(i + 1);
	return ORDERD__V1__FULFILLMENT_ORDER_STATE__FULFILLMENT_ORDER_STATE_UNSPECIFIED;
}

int ask_fulfillment(struct flow *fl, struct id fulfillment)
{
	struct fulfillment_list_head h = {.tenant = rpc_identity(fl)->tenant,
					  .fulfillment_id = fulfillment,
					  .most = 1,
					  .most_lines = INT32_MAX,
					  .locations = rpc_identity(fl)->locations};

	return store_ask(fl, rpc_app(fl)->store, fulfillment_list_unit(&h, NULL, 0));
}

int no_such_fulfillment(struct flow *fl, struct id fulfillment)
{
	char text[ID_TEXT_SIZE];

	rpc_about(fl, "orderd.v1.FulfillmentOrder", str_of(id_format(fulfillment, text)));
	return rpc_fail(fl, ERR_NOT_FOUND);
}

bool fulfillment_room(struct flow *fl, uint32_t rows)
{
	if (rows <= ORDER_LINES_ORDINARY || rpc_grow(fl, (size_t)rows * ROW_MEMORY))
		return true;
	rpc_fail(fl, ERR_OVERLOADED);
	return false;
}

static Orderd__V1__FulfillmentLine *line_message(struct flow *fl,
						 const struct fulfillment_list_row *r)
{
	Orderd__V1__FulfillmentLine *l = arena_alloc(&fl->arena, sizeof(*l));
	bool picked = !str_eq(r->state, STR("open")) && !str_eq(r->state, STR("cancelled"));

	if (l == NULL)
		return NULL;
	orderd__v1__fulfillment_line__init(l);
	l->line = r->line;
	l->sku = keep_text(fl, r->sku);
	l->title = keep_text(fl, r->title);
	l->quantity = r->qty;
	l->picked = picked ? r->qty : 0;
	return l;
}

/* "inventory,payment" */
static bool add_holds(struct flow *fl, Orderd__V1__FulfillmentOrder *f, struct str reasons)
{
	if (reasons.n == 0)
		return true;
	f->holds = arena_array(&fl->arena, HOLDS_MAX, sizeof(*f->holds));
	while (f->holds != NULL && f->n_holds < HOLDS_MAX) {
		const char *comma = memchr(reasons.p, ',', reasons.n);
		size_t n = comma != NULL ? (size_t)(comma - reasons.p) : reasons.n;

		f->holds[f->n_holds++] = keep_text(fl, (struct str){reasons.p, n});
		if (comma == NULL)
			break;
		reasons = (struct str){comma + 1, reasons.n - n - 1};
	}
	return f->holds != NULL;
}

static Orderd__V1__FulfillmentOrder *without_lines(struct flow *fl,
						   const struct fulfillment_list_row *r)
{
	Orderd__V1__FulfillmentOrder *f = arena_alloc(&fl->arena, sizeof(*f));

	if (f == NULL)
		return NULL;
	orderd__v1__fulfillment_order__init(f);
	f->fulfillment_order_id = id_text(fl, r->fulfillment_id);
	f->order_id = id_text(fl, r->order_id);
	f->order_number = r->number;
	f->group = r->group_no;
	f->location = keep_text(fl, r->location_code);
	f->state = state_message(r->state);
	f->ship_to = address_opened(fl, &rpc_app(fl)->contact_key, rpc_identity(fl)->tenant,
				    r->order_id, r->sealed);
	f->ship_service = keep_text(fl, r->ship_service);
	f->create_time = timestamp_message(fl, r->created_at);
	f->update_time = timestamp_message(fl, r->updated_at);
	f->shipment_id = id_text(fl, r->shipment_id);
	return add_holds(fl, f, r->holds) ? f : NULL;
}

Orderd__V1__FulfillmentOrder *fulfillment_message(struct flow *fl, const struct answer *rows,
						  uint32_t *at)
{
	struct fulfillment_list_row r = fulfillment_list_row(rows, *at);
	Orderd__V1__FulfillmentOrder *f = without_lines(fl, &r);
	uint32_t end = *at;

	while (end < answer_rows(rows) &&
	       id_eq(fulfillment_list_row(rows, end).fulfillment_id, r.fulfillment_id))
		end++;
	if (f == NULL)
		return NULL;
	f->lines = arena_array(&fl->arena, end - *at, sizeof(*f->lines));
	if (f->lines == NULL)
		return NULL;
	for (; *at < end; (*at)++) {
		r = fulfillment_list_row(rows, *at);
		if ((f->lines[f->n_lines++] = line_message(fl, &r)) == NULL)
			return NULL;
	}
	return f;
}
