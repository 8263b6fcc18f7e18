/*
 * Lists that come in pages: one page, `--limit N` rows or `--all` of them, by the same options
 * everywhere.
 *
 *	static const ProtobufCMessage *jobs_page(struct args *a, struct page *p, struct orderd_error
 **e)
 *	{
 *		... set the request's page_size and page_token, ask, print unless a->json ...
 *		p->rows = rs->n_jobs;
 *		p->next = rs->next_page_token;
 *		return &rs->base;
 *	}
 *
 *	return list_pages(a, jobs_page, &rq, table_new("JOB KIND ..."));
 */
#ifndef ORDERCTL_PAGES_H
#define ORDERCTL_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "args.h"

#define PAGES_USAGE "[--limit N | --all] [--page-size N] [--page-token T]"

struct table;

struct page {
	void *request; /* the command's own, to be asked again for each page */
	struct table *table;
	int32_t size; /* 0: as the server likes */
	ProtobufCBinaryData token;
	/* what came */
	size_t rows;
	ProtobufCBinaryData next;
};

/* Ask for one page and, unless a->json, put its rows into the table.  NULL: *e says why not. */
typedef const ProtobufCMessage *ask_page(struct args *a, struct page *p, struct orderd_error *e);

/* As many pages as are wanted; frees `t`.  Answers the exit code. */
int list_pages(struct args *a, ask_page *ask, void *request, struct table *t);

#endif
