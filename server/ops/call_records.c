/*
 * ListCallRecords: a tenant's calls on record, the latest first, by keyset: a page ends at a
 * number.
 *
 * A filter for which there is no index of its own looks at RECORD_SCAN records a call, so a page
 * may be short, and its token goes on behind the last one looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/store/record_chain.h"
#include "core/store/store.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "server/app.h"
#include "server/auth/policy.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "server/runtime/rpc_record.h"
#include "sql.gen.h"

enum {
	PAGE_DEFAULT = 50,
	RECORD_SCAN = 1000,
	RECORD_MEMORY = 2048, /* one on its way */
};

enum { PAGE, DONE };

struct listing {
	int32_t page;
	char filter[RECORD_HEX]; /* hash of what is asked for but where and how much */
};

/* ---- the question ---- */

/* PauseQueue, or its path; what is on record of calls of other versions has its path. */
static struct str want_method(struct flow *fl, ProtobufCBinaryData value)
{
	struct str name = may_text(fl, value, CALL_TEXT_MAX, "method");

	if (name.n == 0 || name.p[0] == '/' || str_eq(name, STR(RECORD_CUT_METHOD)))
		return name;
	for (size_t i = 0; i < policy_of_orderd.n_rows; i++) {
		const char *path = policy_of_orderd.rows[i].path;

		if (str_eq(name, str_of(strrchr(path, '/') + 1)))
			return str_of(path);
	}
	rpc_violation(fl, "there is no such method", "method");
	return name;
}

static struct str outcome_of(Orderd__V1__CallOutcome outcome)
{
	static const char *const names[] = {
		[ORDERD__V1__CALL_OUTCOME__CALL_OUTCOME_OK] = "ok",
		[ORDERD__V1__CALL_OUTCOME__CALL_OUTCOME_REFUSED] = "refused",
		[ORDERD__V1__CALL_OUTCOME__CALL_OUTCOME_FAILED] = "failed",
	};

	if (outcome == ORDERD__V1__CALL_OUTCOME__CALL_OUTCOME_UNSPECIFIED)
		return STR("");
	return str_of(names[outcome]); /* the runtime lets no other in */
}

/* Nothing was on record before 1970. */
static int64_t time_of(const Google__Protobuf__Timestamp *t)
{
	int64_t us = t != NULL ? timestamp_us(t) : DB_NULL;

	return t != NULL && us < 0 ? 0 : us;
}

static struct str any(struct str s)
{
	return s.n > 0 ? s : (struct str){0};
}

static struct call_list_head read_filter(struct flow *fl,
					 const Orderd__V1__ListCallRecordsRequest *rq)
{
	struct call_list_head h = {.tenant = rpc_identity(fl)->tenant,
				   .object = any(may_text(fl, rq->object, CALL_TEXT_MAX, "object")),
				   .actor = any(may_text(fl, rq->actor, CALL_TEXT_MAX, "actor")),
				   .reason = any(may_text(fl, rq->reason, CALL_TEXT_MAX, "reason")),
				   .method = any(want_method(fl, rq->method)),
				   .outcome = any(outcome_of(rq->outcome)),
				   .since = time_of(rq->recorded_after),
				   .until = time_of(rq->recorded_before),
				   .before = INT64_MAX,
				   .scan = RECORD_SCAN};

	if (h.since != DB_NULL && h.until != DB_NULL && h.until <= h.since)
		rpc_violation(fl, "it is not after recorded_after", "recorded_before");
	return h;
}

/* false: the arena is full. */
static bool note_filter(struct flow *fl, struct listing *l)
{
	Orderd__V1__ListCallRecordsRequest body =
		*(const Orderd__V1__ListCallRecordsRequest *)rpc_request(fl);
	struct str digest;

	body.page_size = 0;
	body.page_token = (ProtobufCBinaryData){0};
	digest = request_fingerprint(fl, &body.base);
	if (digest.p != NULL)
		record_hex((const uint8_t *)digest.p, l->filter);
	return digest.p != NULL;
}

static bool read_place(struct flow *fl, struct str token, int64_t *ret)
{
	struct listing *l = rpc_state(fl);
	struct str place = page_token_open(fl, "call_records", str_of(l->filter), token);
	long long seq;

	if (place.p == NULL || !str_to_i64(place, 1, INT64_MAX, &seq))
		return false;
	*ret = seq;
	return true;
}

static int ask_page(struct flow *fl)
{
	const Orderd__V1__ListCallRecordsRequest *rq = rpc_request(fl);
	struct call_list_head h = read_filter(fl, rq);
	int64_t most = rpc_app(fl)->cfg.max_page;
	struct listing *l = rpc_state(fl);

	l->page = (int32_t)want_range(fl, rq->page_size, 0, most, "page_size");
	if (l->page == 0)
		l->page = (int32_t)(PAGE_DEFAULT < most ? PAGE_DEFAULT : most);
	if (!note_filter(fl, l))
		return rpc_fail(fl, ERR_TOO_LARGE);
	if (rq->page_token.len > 0 && !read_place(fl, text_of(rq->page_token), &h.before))
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	h.most = l->page + 1;
	return store_ask(fl, rpc_app(fl)->store, call_list_unit(&h, NULL, 0));
}

/* ---- the answer ---- */

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

static struct str make_token(struct flow *fl, int64_t last)
{
	struct listing *l = rpc_state(fl);
	char place[24];

	snprintf(place, sizeof(place), "%" PRId64, last);
	return page_token_make(fl, "call_records", str_of(l->filter), str_of(place));
}

static int got_page(struct flow *fl, const struct answer *a)
{
	Orderd__V1__ListCallRecordsResponse rs = ORDERD__V1__LIST_CALL_RECORDS_RESPONSE__INIT;
	size_t page = (size_t)((struct listing *)rpc_state(fl))->page;
	struct call_list_row r, last = {0};
	uint32_t n = answer_rows(a);
	bool more = false;

	if (!rpc_grow(fl, page * RECORD_MEMORY))
		return rpc_fail(fl, ERR_OVERLOADED);
	rs.records = arena_array(&fl->arena, page + 1, sizeof(*rs.records));
	if (rs.records == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < n && !more; i++) {
		r = call_list_row(a, i);
		more = r.hit && rs.n_records == page;
		if (!more)
			last = r;
		if (r.hit && !more && (rs.records[rs.n_records++] = record_message(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	if (more || (n > 0 && last.full)) {
		rs.next_page_token = data_of(make_token(fl, last.seq));
		if (rs.next_page_token.len == 0)
			return rpc_fail(fl, ERR_TOO_LARGE);
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
	.state_size = sizeof(struct listing),
};
