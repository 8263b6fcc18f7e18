/*
 * audit list: calls on record.
 */
#include <inttypes.h>

#include "orderctl.h"
#include "pages.h"
#include "table.h"

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

	return list_pages(a, records_page, &rq,
			  table_new("SEQ> TIME ACTOR ROLE PEER METHOD OBJECT OUTCOME CALLS>"));
}

const struct command audit_commands[] = {
	{"audit", "list", PAGES_USAGE, 0,
	 "calls on record, the latest first: privileged ones, and those that were refused",
	 run_list},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
