/*
 * ListCallRecords: a tenant's calls on record, the latest first, by keyset: a page ends at a
 * number.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/store/store.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { PAGE_DEFAULT = 50, RECORD_MEMORY = 2048 /* one on its way */ };

enum { PAGE, DONE };

static bool read_place(struct flow *fl, struct str token, int64_t *ret)
{
	struct str place = page_token_open(fl, "call_records", STR(""), token);
	long long seq;

	if (place.p == NULL || !str_to_i64(place, 1, INT64_MAX, &seq))
		return false;
	*ret = seq;
	return true;
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListCallRecordsRequest *rq = rpc_request(fl);
	struct call_list_head h = {.tenant = rpc_identity(fl)->tenant, .before = INT64_MAX};
	int64_t most = rpc_app(fl)->cfg.max_page;
	int32_t *page = rpc_state(fl);

	*page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (*page == 0)
		*page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	if (rq->page_token.len > 0 && !read_place(fl, text_of(rq->page_token), &h.before))
		rpc_violation(fl, "it is not a token of this list", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	h.most = *page + 1;
	return store_ask(fl, rpc_app(fl)->store, call_list_unit(&h, NULL, 0));
}

static ProtobufCBinaryData hex_text(struct flow *fl, struct str bytes)
{
	char *hex = arena_alloc(&fl->arena, 2 * bytes.n + 1);

	for (size_t i = 0; hex != NULL && i < bytes.n; i++)
		snprintf(hex + 2 * i, 3, "%02x", (uint8_t)bytes.p[i]);
	return data_of(hex != NULL ? str_of(hex) : (struct str){0});
}

static Orderd__V1__CallRecord *record_message(struct flow *fl, const struct call_list_row *r)
{
	Orderd__V1__CallRecord *m = arena_alloc(&fl->arena, sizeof(*m));

	if (m == NULL)
		return NULL;
	orderd__v1__call_record__init(m);
	m->seq = r->seq;
	m->call_id = id_text(fl, r->call_id);
	m->call_time = timestamp_message(fl, r->at);
	m->record_time = timestamp_message(fl, r->recorded_at);
	m->actor = keep_text(fl, r->actor);
	m->role = keep_text(fl, r->role);
	m->peer = keep_text(fl, r->peer);
	m->method = keep_text(fl, r->method);
	m->request_id = keep_text(fl, r->request_key);
	m->object = keep_text(fl, r->object);
	m->status = r->status;
	m->reason = keep_text(fl, r->reason);
	m->calls = r->calls;
	m->trace_id = keep_text(fl, r->trace);
	m->previous_hash = hex_text(fl, r->prev);
	m->hash = hex_text(fl, r->hash);
	return m->hash.data != NULL ? m : NULL;
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ListCallRecordsResponse rs = ORDERD__V1__LIST_CALL_RECORDS_RESPONSE__INIT;
	uint32_t page = (uint32_t) * (int32_t *)rpc_state(fl), n = answer_rows(a);
	char place[24];

	if (!rpc_grow(fl, (size_t)page * RECORD_MEMORY))
		return rpc_fail(fl, ERR_OVERLOADED);
	rs.records = arena_array(&fl->arena, (size_t)page + 1, sizeof(*rs.records));
	if (rs.records == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < n && i < page; i++) {
		struct call_list_row r = call_list_row(a, i);

		if ((rs.records[rs.n_records++] = record_message(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		snprintf(place, sizeof(place), "%" PRId64, r.seq);
	}
	if (n > page) {
		struct str token = page_token_make(fl, "call_records", STR(""), str_of(place));

		if (token.p == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		rs.next_page_token = data_of(token);
	}
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_call_records_steps[] = {
	/*         name    ask       got       ms    on error  next    */
	[PAGE] = {"page", ask_page, got_page, 5000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_CALL_RECORDS = {
	.path = "/orderd.v1.OpsService/ListCallRecords",
	.name = "list_call_records",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_call_records_request__descriptor,
	.response = &orderd__v1__list_call_records_response__descriptor,
	.steps = list_call_records_steps,
	.state_size = sizeof(int32_t),
};
