#include "pages.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_SIZE_MAX = 200 }; /* the contract's */

static void size_up(struct pages *p)
{
	p->size = p->wanted;
	if (p->single)
		return;
	if (p->size == 0 || p->size > PAGE_SIZE_MAX)
		p->size = PAGE_SIZE_MAX;
	if (p->size > p->left)
		p->size = (int32_t)p->left;
}

void pages_open(struct pages *p, const struct args *a)
{
	const char *limit = option(a, "limit");

	*p = (struct pages){.single = limit == NULL && !flag(a, "all"), .left = INT64_MAX};
	if (limit != NULL)
		p->left = number(limit, "--limit");
	if (p->left <= 0)
		usage_error("--limit is not above 0: %s", limit);
	p->wanted = small_number(option_or(a, "page-size", "0"), "--page-size");
	p->token = text(option(a, "page-token"));
	size_up(p);
}

bool pages_next(struct pages *p, size_t rows, const ProtobufCBinaryData *next)
{
	p->left -= (int64_t)rows;
	p->more = next->len > 0 && next->len <= sizeof(p->bytes);
	if (!p->more)
		return false;
	memcpy(p->bytes, next->data, next->len);
	p->token = (ProtobufCBinaryData){next->len, p->bytes};
	if (p->single || p->left <= 0)
		return false;
	size_up(p);
	return true;
}

/* With --json the answer has its next_page_token. */
void pages_done(const struct pages *p, const struct args *a)
{
	if (!p->more || a->json)
		return;
	fflush(stdout);
	fprintf(stderr, "orderctl: there are more: --all, or --page-token %.*s\n",
		(int)p->token.len, (const char *)p->token.data);
}
