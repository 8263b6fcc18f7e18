/*
 * VerifyCallRecords: the tenant's chain, a stretch a call, made again (core/store/record_chain.h).
 *
 * A page ends at a link, "seq:hash", which the token seals: the next goes on behind it.  So what is
 * verified is one chain, however many calls it takes and whatever is appended meanwhile.  Rows that
 * are removed between two calls are no break when the chain says that they were.
 *
 * It is no call on record itself: it tells hashes and numbers, and a long chain would become one of
 * its own verifications.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/store/record_chain.h"
#include "core/store/store.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { STRETCH = 500 /* records a call: some two milliseconds of the loop */ };

enum { VERIFY, DONE };

_Static_assert((int)RECORD_LINK_TEXT <= (int)PAGE_PLACE_MAX, "a page ends at a link");

struct verifying {
	struct record_chain from; /* seq 0: the beginning */
	struct record_chain kept; /* seq 0: none was asked for */
};

/* ---- the question ---- */

static void read_kept(struct flow *fl, const Orderd__V1__VerifyCallRecordsRequest *rq,
		      struct record_chain *ret)
{
	struct str hash = may_text(fl, rq->kept_hash, RECORD_HEX - 1, "kept_hash"), link;
	char text[RECORD_LINK_TEXT];
	int n;

	if (rq->kept_seq == 0 && hash.n == 0)
		return;
	if (want_range(fl, rq->kept_seq, 1, INT64_MAX - 1, "kept_seq") < 1 || hash.n >= RECORD_HEX)
		return;
	n = snprintf(text, sizeof(text), "%" PRId64 ":" STR_FMT, rq->kept_seq, STR_ARG(hash));
	link = (struct str){text, (size_t)n};
	if (!record_link_read(link, ret))
		rpc_violation(fl, "it is not 64 hex digits", "kept_hash");
}

/* What a token is bound to: the head that is looked for. */
static struct str kept_text(const struct verifying *v, char text[RECORD_LINK_TEXT])
{
	return str_of(v->kept.seq > 0 ? record_link(&v->kept, text) : "");
}

static bool read_place(struct flow *fl, struct str token)
{
	struct verifying *v = rpc_state(fl);
	char kept[RECORD_LINK_TEXT];
	struct str place = page_token_open(fl, "call_chain", kept_text(v, kept), token);

	return place.p != NULL && record_link_read(place, &v->from);
}

static int ask_verify(struct flow *fl)
{
	const Orderd__V1__VerifyCallRecordsRequest *rq = rpc_request(fl);
	struct verifying *v = rpc_state(fl);
	struct call_verify_head h = {.tenant = rpc_identity(fl)->tenant, .most = STRETCH + 1};

	read_kept(fl, rq, &v->kept);
	if (!rpc_has_violations(fl) && rq->page_token.len > 0 &&
	    !read_place(fl, text_of(rq->page_token)))
		rpc_violation(fl, "it is not a token of a verification with this head",
			      "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	h.after = v->from.seq;
	return store_ask(fl, rpc_app(fl)->store, call_verify_unit(&h, NULL, 0));
}

/* ---- the answer ---- */

struct stretch {
	struct record_chain chain; /* where it has come to */
	struct record_chain kept;
	Orderd__V1__VerifyCallRecordsResponse rs;
};

static struct record_row row_of(const struct call_verify_row *r)
{
	return (struct record_row){.fields = {r->tenant, r->seq, r->call_id, r->at_us,
					      r->recorded_us, r->actor, r->role, r->peer, r->method,
					      r->request_key, r->object, r->status, r->reason,
					      r->calls, r->trace},
				   .prev = r->prev,
				   .hash = r->hash};
}

static void look_for_kept(struct stretch *s)
{
	if (s->kept.seq == 0 || s->kept.seq != s->chain.seq)
		return;
	s->rs.kept = record_link_is(&s->chain, &s->kept)
			     ? ORDERD__V1__KEPT_HEAD__KEPT_HEAD_CONTAINED
			     : ORDERD__V1__KEPT_HEAD__KEPT_HEAD_NOT_CONTAINED;
}

static void break_at(struct stretch *s, int64_t seq, const char *why)
{
	s->rs.broken_seq = seq;
	s->rs.broken_why = data_of(str_of(why));
}

/* Behind the page before, or behind what was removed: whichever is later. */
static void start_at(struct stretch *s, const struct record_chain *from, struct str cut)
{
	struct record_chain left;

	s->chain = *from;
	if (!record_chain_start(&left, cut)) {
		break_at(s, 1, "what it says of older rows is not legible");
		return;
	}
	s->rs.removed_seq = left.seq;
	if (left.seq > from->seq) {
		s->chain = left;
		if (s->kept.seq > from->seq && s->kept.seq < left.seq)
			s->rs.kept = ORDERD__V1__KEPT_HEAD__KEPT_HEAD_REMOVED;
		look_for_kept(s);
	}
}

static void end_at(struct stretch *s, const struct call_verify_row *r)
{
	const char *why = NULL;

	if (r->head_seq != DB_NULL)
		why = record_chain_end(&s->chain, r->head_seq, r->head_hash);
	else if (s->chain.seq > 0)
		why = "it has no head";
	if (why != NULL)
		break_at(s, s->chain.seq > 0 ? s->chain.seq : 1, why);
	else if (s->kept.seq > s->chain.seq)
		s->rs.kept = ORDERD__V1__KEPT_HEAD__KEPT_HEAD_NOT_CONTAINED;
}

/* true: there is more behind it. */
static bool walk(struct stretch *s, const struct answer *a, const struct record_chain *from)
{
	struct call_verify_row r = call_verify_row(a, 0);
	uint32_t n = r.seq.p != NULL ? answer_rows(a) : 0;
	int64_t seq;

	start_at(s, from, r.cut);
	for (uint32_t i = 0; i < n && i < STRETCH && s->rs.broken_seq == 0; i++) {
		struct call_verify_row at = call_verify_row(a, i);
		struct record_row row = row_of(&at);
		const char *why = record_chain_add(&s->chain, &row, &seq);

		if (why != NULL)
			break_at(s, seq, why);
		else
			look_for_kept(s);
		s->rs.verified += why == NULL;
	}
	if (n <= STRETCH && s->rs.broken_seq == 0)
		end_at(s, &r);
	return n > STRETCH && s->rs.broken_seq == 0;
}

static int got_verify(struct flow *fl, const struct answer *a)
{
	struct stretch s = {.rs = ORDERD__V1__VERIFY_CALL_RECORDS_RESPONSE__INIT};
	struct verifying *v = rpc_state(fl);
	char link[RECORD_LINK_TEXT], kept[RECORD_LINK_TEXT], hash[RECORD_HEX];
	struct str token;

	s.kept = v->kept;
	if (walk(&s, a, &v->from)) {
		token = page_token_make(fl, "call_chain", kept_text(v, kept),
					str_of(record_link(&s.chain, link)));
		if (token.p == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
		s.rs.next_page_token = data_of(token);
	}
	record_hex(s.chain.hash, hash);
	s.rs.seq = s.chain.seq;
	if (s.chain.seq > 0)
		s.rs.hash = data_of(str_of(hash));
	return rpc_ok(fl, &s.rs.base);
}

/* clang-format off */
static const struct flow_step verify_call_records_steps[] = {
	/*           name      ask         got         ms    on error  next    */
	[VERIFY] = {"verify", ask_verify, got_verify, 5000, DONE,     TO(DONE)},
	[DONE]   = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_VERIFY_CALL_RECORDS = {
	.path = "/orderd.v1.OpsService/VerifyCallRecords",
	.name = "verify_call_records",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__verify_call_records_request__descriptor,
	.response = &orderd__v1__verify_call_records_response__descriptor,
	.steps = verify_call_records_steps,
	.state_size = sizeof(struct verifying),
};
