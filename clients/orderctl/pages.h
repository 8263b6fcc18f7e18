/*
 * Lists that come in pages: one page, `--limit N` rows or `--all` of them, by the same options
 * everywhere.
 *
 *	struct pages p;
 *
 *	pages_open(&p, a);
 *	do {
 *		rq.page_size = p.size;
 *		rq.page_token = p.token;
 *		... ask, print ...
 *	} while (pages_next(&p, rs->n_orders, &rs->next_page_token));
 *	pages_done(&p, a);
 */
#ifndef ORDERCTL_PAGES_H
#define ORDERCTL_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"

#define PAGES_USAGE "[--limit N | --all] [--page-size N] [--page-token T]"

enum { PAGE_TOKEN_MAX = 1024 };

struct pages {
	int32_t size; /* of the next page; 0: as the server likes */
	ProtobufCBinaryData token;
	bool single, more;
	int32_t wanted; /* --page-size */
	int64_t left;   /* rows */
	uint8_t bytes[PAGE_TOKEN_MAX];
};

void pages_open(struct pages *p, const struct args *a);

/* `rows` have come, `next` is where it goes on.  false: that was the last page wanted. */
bool pages_next(struct pages *p, size_t rows, const ProtobufCBinaryData *next);

/* Say on stderr how to go on, when there is more. */
void pages_done(const struct pages *p, const struct args *a);

#endif
