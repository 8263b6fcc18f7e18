/*
 * ListStockMovements: the ledger of an item, a location or an order, newest first, by keyset:
 * a page ends at (time, cause, number within the cause).
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/store/store.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { PAGE_DEFAULT = 50, FILTER_SIZE = REQUEST_SKU_MAX + REQUEST_CODE_MAX + ID_TEXT_SIZE + 8 };

_Static_assert((int)FILTER_SIZE <= (int)PAGE_FILTER_MAX, "a token is of this filter");

enum { PAGE, DONE };

struct listing {
	struct str sku, location;
	struct id order;
	int32_t page;
};

static struct str filter_of(struct flow *fl, char text[FILTER_SIZE])
{
	const struct listing *l = rpc_state(fl);
	char id[ID_TEXT_SIZE];
	int n = snprintf(text, FILTER_SIZE, STR_FMT "|" STR_FMT "|%s", STR_ARG(l->sku),
			 STR_ARG(l->location), id_format(l->order, id));

	return (struct str){text, (size_t)n};
}

/* "<microseconds>.<cause>.<number>" */
static bool open_token(struct flow *fl, struct str token, struct movement_list_head *h)
{
	char text[FILTER_SIZE];
	struct str place = page_token_open(fl, "stock_movements", filter_of(fl, text), token);
	const char *dot = place.p != NULL ? memchr(place.p, '.', place.n) : NULL;
	size_t at = dot != NULL ? (size_t)(dot - place.p) : 0;
	long long us, number;

	if (dot == NULL || place.n < at + 1 + ID_TEXT_SIZE ||
	    !str_to_i64((struct str){place.p, at}, INT64_MIN + 1, INT64_MAX, &us) ||
	    !id_parse((struct str){dot + 1, ID_TEXT_SIZE - 1}, &h->before_cause) ||
	    !str_to_i64((struct str){dot + 1 + ID_TEXT_SIZE, place.n - at - 1 - ID_TEXT_SIZE}, 0,
			INT32_MAX, &number))
		return false;
	h->before_at = us;
	h->before_n = number;
	return true;
}

static struct str make_token(struct flow *fl, const struct movement_list_row *last)
{
	char filter[FILTER_SIZE], place[PAGE_PLACE_MAX], id[ID_TEXT_SIZE];
	int n = snprintf(place, sizeof(place), "%" PRId64 ".%s.%" PRId64, last->at,
			 id_format(last->cause, id), last->movement);

	return page_token_make(fl, "stock_movements", filter_of(fl, filter),
			       (struct str){place, (size_t)n});
}

static void read_request(struct flow *fl, struct listing *l)
{
	const Orderd__V1__ListStockMovementsRequest *rq = rpc_request(fl);
	int64_t most = rpc_app(fl)->cfg.max_page;

	l->sku = may_text(fl, rq->sku, REQUEST_SKU_MAX, "sku");
	l->location = may_text(fl, rq->location, REQUEST_CODE_MAX, "location");
	if (rq->order_id.len > 0)
		l->order = want_id(fl, rq->order_id, "order_id");
	if (rq->sku.len == 0 && rq->location.len == 0 && rq->order_id.len == 0)
		rpc_violation(fl, "it, location or order_id is required", "sku");
	l->page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (l->page == 0)
		l->page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListStockMovementsRequest *rq = rpc_request(fl);
	struct listing *l = rpc_state(fl);
	struct movement_list_head h;

	read_request(fl, l);
	h = (struct movement_list_head){.tenant = rpc_identity(fl)->tenant,
					.order_id = l->order,
					.before_at = DB_NULL,
					.before_n = DB_NULL,
					.locations = rpc_identity(fl)->locations,
					.most = l->page + 1};
	if (l->sku.n > 0)
		h.sku = l->sku;
	if (l->location.n > 0)
		h.location_code = l->location;
	if (!rpc_has_violations(fl) && rq->page_token.len > 0 &&
	    !open_token(fl, text_of(rq->page_token), &h))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store, movement_list_unit(&h, NULL, 0));
}

static Orderd__V1__StockMovement *movement_from_row(struct flow *fl,
						    const struct movement_list_row *r)
{
	Orderd__V1__StockMovement *m = arena_alloc(&fl->arena, sizeof(*m));

	if (m == NULL)
		return NULL;
	orderd__v1__stock_movement__init(m);
	m->sku = keep_text(fl, r->sku);
	m->location = keep_text(fl, r->location_code);
	m->from_bucket = keep_text(fl, r->from_bucket);
	m->to_bucket = keep_text(fl, r->to_bucket);
	m->quantity = r->qty;
	m->order_id = id_text(fl, r->order_id);
	m->line = r->line != DB_NULL ? (int32_t)r->line : 0;
	m->cause = id_text(fl, r->cause);
	m->event_time = timestamp_message(fl, r->at);
	return m->event_time != NULL ? m : NULL;
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ListStockMovementsResponse rs = ORDERD__V1__LIST_STOCK_MOVEMENTS_RESPONSE__INIT;
	struct listing *l = rpc_state(fl);
	uint32_t n = answer_rows(a), shown = n > (uint32_t)l->page ? (uint32_t)l->page : n;

	rs.movements = arena_array(&fl->arena, shown + 1, sizeof(*rs.movements));
	if (rs.movements == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < shown; i++) {
		struct movement_list_row r = movement_list_row(a, i);

		if ((rs.movements[rs.n_movements++] = movement_from_row(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		if (i + 1 == shown && n > shown)
			rs.next_page_token = data_of(make_token(fl, &r));
	}
	if (n > shown && rs.next_page_token.len == 0)
		return rpc_fail(fl, ERR_TOO_LARGE);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_stock_movements_steps[] = {
	/*         name    ask       got       ms    on error  next    */
	[PAGE] = {"page", ask_page, got_page, 5000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_STOCK_MOVEMENTS = {
	.path = "/orderd.v1.InventoryService/ListStockMovements",
	.name = "list_stock_movements",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_stock_movements_request__descriptor,
	.response = &orderd__v1__list_stock_movements_response__descriptor,
	.steps = list_stock_movements_steps,
	.state_size = sizeof(struct listing),
};
