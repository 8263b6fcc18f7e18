/*
 * audit list, audit verify: calls on record, and whether they are as they were.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "pages.h"
#include "table.h"
#include "terminal.h"

static void record_rows(struct table *t, Orderd__V1__CallRecord *const *records, size_t n)
{
	char when[TIME_ROOM];

	for (size_t i = 0; i < n; i++) {
		const Orderd__V1__CallRecord *r = records[i];

		print_time_to(when, sizeof(when), r->call_time, 0);
		table_cell(t, "%" PRId64, r->seq);
		table_cell(t, "%s", when);
		table_cell(t, "%.*s", BYTES(r->actor));
		table_cell(t, "%.*s", BYTES(r->role));
		table_cell(t, "%.*s", BYTES(r->peer));
		table_cell(t, "%.*s", BYTES(r->method));
		table_cell(t, "%.*s", BYTES(r->object));
		table_cell(t, "%.*s", BYTES(r->reason));
		table_cell(t, "%" PRId64, r->calls);
	}
	table_page(t);
}

static const ProtobufCMessage *records_page(struct args *a, struct page *p, struct orderd_error *e)
{
	Orderd__V1__ListCallRecordsRequest *rq = p->request;
	Orderd__V1__ListCallRecordsResponse *rs;

	rq->page_size = p->size;
	rq->page_token = p->token;
	rs = orderd_list_call_records(a->client, rq, a->deadline_ms, e);
	if (rs == NULL)
		return NULL;
	if (!a->json)
		record_rows(p->table, rs->records, rs->n_records);
	p->rows = rs->n_records;
	p->next = rs->next_page_token;
	return &rs->base;
}

static int run_list(struct args *a)
{
	Orderd__V1__ListCallRecordsRequest rq = ORDERD__V1__LIST_CALL_RECORDS_REQUEST__INIT;
	Google__Protobuf__Timestamp after, before;

	rq.method = text(option(a, "method"));
	rq.actor = text(option(a, "actor"));
	rq.outcome = (Orderd__V1__CallOutcome)enum_option(a, "outcome",
							  &orderd__v1__call_outcome__descriptor);
	rq.reason = text(option(a, "reason"));
	rq.object = text(option(a, "object"));
	rq.recorded_after = time_option(a, "recorded-after", &after);
	rq.recorded_before = time_option(a, "recorded-before", &before);
	return list_pages(a, records_page, &rq,
			  table_new("SEQ> TIME ACTOR ROLE PEER METHOD OBJECT OUTCOME CALLS>"));
}

/* ---------------------------------------------------------------- verify */

struct verified {
	int64_t records; /* in all calls so far */
	int64_t removed_seq;
	Orderd__V1__KeptHead kept;
};

/* "4711:9f..." */
static void read_head(const struct args *a, Orderd__V1__VerifyCallRecordsRequest *rq)
{
	const char *z = option(a, "head"), *colon = z != NULL ? strchr(z, ':') : NULL;
	char seq[24];

	if (z == NULL)
		return;
	if (colon == NULL || (size_t)(colon - z) >= sizeof(seq))
		usage_error("--head is not SEQ:HASH: %s", z);
	snprintf(seq, sizeof(seq), "%.*s", (int)(colon - z), z);
	rq->kept_seq = number(seq, "--head");
	rq->kept_hash = text(colon + 1);
	if (rq->kept_seq <= 0 || rq->kept_hash.len == 0)
		usage_error("--head is not SEQ:HASH: %s", z);
}

static const char *words_of(Orderd__V1__KeptHead kept)
{
	if (kept == ORDERD__V1__KEPT_HEAD__KEPT_HEAD_CONTAINED)
		return "it is in the chain";
	if (kept == ORDERD__V1__KEPT_HEAD__KEPT_HEAD_NOT_CONTAINED)
		return "it is not in the chain, which was made anew or lost its end";
	if (kept == ORDERD__V1__KEPT_HEAD__KEPT_HEAD_REMOVED)
		return "it is older than what is kept: nobody can tell";
	return "it was not come to";
}

static int verdict(const struct verified *v, bool broken, bool wanted)
{
	if (broken || v->kept == ORDERD__V1__KEPT_HEAD__KEPT_HEAD_NOT_CONTAINED)
		return EXIT_BROKEN;
	return wanted && v->kept != ORDERD__V1__KEPT_HEAD__KEPT_HEAD_CONTAINED ? EXIT_NOT_FOUND
									       : EXIT_DONE;
}

static void print_verified(const struct args *a, const struct verified *v,
			   const Orderd__V1__VerifyCallRecordsResponse *last)
{
	struct table *t = fields_new();

	progress_end();
	field(t, "Verified", "%" PRId64 " records", v->records);
	if (v->removed_seq > 0)
		field(t, "Removed", "those up to %" PRId64 ", for their age", v->removed_seq);
	if (last->broken_seq != 0)
		field(t, "Broken", "at %" PRId64 ": %.*s", last->broken_seq,
		      BYTES(last->broken_why));
	if (last->seq > 0)
		field(t, last->broken_seq != 0 ? "Whole up to" : "Head", "%" PRId64 ":%.*s",
		      last->seq, BYTES(last->hash));
	if (option(a, "head") != NULL)
		field(t, "Kept head", "%s", words_of(v->kept));
	table_print(t);
}

/* The call behind `before` was not answered. */
static int lost_at(const struct args *a, const Orderd__V1__VerifyCallRecordsRequest *rq,
		   const Orderd__V1__VerifyCallRecordsResponse *before,
		   const struct orderd_error *e)
{
	progress_end();
	if (rq->page_token.len > 0)
		fprintf(stderr, "orderctl: to go on where it ended: --page-token %.*s\n",
			BYTES(rq->page_token));
	if (before != NULL)
		done_with(&before->base); /* the token was its */
	return print_error(a, e);
}

static int run_verify(struct args *a)
{
	Orderd__V1__VerifyCallRecordsRequest rq = ORDERD__V1__VERIFY_CALL_RECORDS_REQUEST__INIT;
	Orderd__V1__VerifyCallRecordsResponse *rs = NULL, *before = NULL;
	struct verified v = {0};
	struct orderd_error e;
	int code;

	read_head(a, &rq);
	rq.page_token = text(option(a, "page-token"));
	do {
		rs = orderd_verify_call_records(a->client, &rq, a->deadline_ms, &e);
		if (rs == NULL)
			return lost_at(a, &rq, before, &e);
		if (before != NULL)
			done_with(&before->base);
		before = rs;
		v.records += rs->verified;
		v.removed_seq = rs->removed_seq;
		if (rs->kept != ORDERD__V1__KEPT_HEAD__KEPT_HEAD_UNSPECIFIED)
			v.kept = rs->kept;
		if (a->json)
			print_json(&rs->base);
		else
			progress("%" PRId64 " records verified", v.records);
		rq.page_token = rs->next_page_token;
	} while (rq.page_token.len > 0);
	if (!a->json)
		print_verified(a, &v, rs);
	code = verdict(&v, rs->broken_seq != 0, rq.kept_seq > 0);
	done_with(&rs->base);
	return code;
}

const struct command audit_commands[] = {
	{"audit", "list",
	 "[--method METHOD] [--actor ACTOR] [--outcome CALL_OUTCOME] [--reason NAME] [--object ID] "
	 "[--recorded-after TIME] [--recorded-before TIME] " PAGES_USAGE,
	 0, "calls on record, the latest first: privileged ones, and those that were refused",
	 run_list,
	 .options =
		 (const struct meaning[]){{"reason", "only with this error's name: SCOPE_MISSING"},
					  {NULL, NULL}},
	 .examples = "  orderctl audit list --outcome refused --recorded-after "
		     "2026-01-31T00:00:00Z --all\n"
		     "  orderctl audit list --actor key:shop --method AdjustStock\n"},
	{"audit", "verify", "[--head SEQ:HASH] [--page-token T]", 0,
	 "make the hashes of all calls on record again: nothing was changed, removed or put "
	 "between",
	 run_verify,
	 .about = "Verify the tenant's chain from its oldest record to its head, and print that "
		  "head. "
		  "Keep it where nobody who can write the database can reach it: with --head a "
		  "later verification tells whether it still is part of the chain.",
	 .examples = "  orderctl audit verify\n"
		     "  orderctl audit verify --head "
		     "4711:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
