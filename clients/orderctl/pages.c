#include "pages.h"

#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "table.h"

enum { PAGE_SIZE_MAX = 200, PAGE_TOKEN_MAX = 1024 }; /* the contract's; room for its tokens */

/* How much of the list is wanted. */
struct pages {
	bool single, more;
	int32_t wanted; /* --page-size */
	int64_t left;   /* rows */
	uint8_t bytes[PAGE_TOKEN_MAX];
};

static void size_up(const struct pages *all, struct page *p)
{
	p->size = all->wanted;
	if (all->single)
		return;
	if (p->size == 0 || p->size > PAGE_SIZE_MAX)
		p->size = PAGE_SIZE_MAX;
	if (p->size > all->left)
		p->size = (int32_t)all->left;
}

static void open_pages(struct pages *all, struct page *p, const struct args *a)
{
	const char *limit = option(a, "limit");

	*all = (struct pages){.single = limit == NULL && !flag(a, "all"), .left = INT64_MAX};
	if (limit != NULL)
		all->left = number(limit, "--limit");
	if (all->left <= 0)
		usage_error("--limit is not above 0: %s", limit);
	all->wanted = small_number(option_or(a, "page-size", "0"), "--page-size");
	p->token = text(option(a, "page-token"));
	size_up(all, p);
}

/* false: that was the last page wanted. */
static bool go_on(struct pages *all, struct page *p)
{
	all->left -= (int64_t)p->rows;
	all->more = p->next.len > 0 && p->next.len <= sizeof(all->bytes);
	if (!all->more)
		return false;
	memcpy(all->bytes, p->next.data, p->next.len);
	p->token = (ProtobufCBinaryData){p->next.len, all->bytes};
	if (all->single || all->left <= 0)
		return false;
	size_up(all, p);
	return true;
}

/* With --json the answer has its next_page_token. */
static void tell_more(const struct pages *all, const struct page *p, const struct args *a)
{
	if (!all->more || a->json)
		return;
	fflush(stdout);
	fprintf(stderr, "orderctl: there are more: --all, or --page-token %.*s\n",
		(int)p->token.len, (const char *)p->token.data);
}

int list_pages(struct args *a, ask_page *ask, void *request, struct table *t)
{
	struct page p = {.request = request, .table = t};
	const ProtobufCMessage *rs;
	struct orderd_error e;
	struct pages all;
	bool more;

	open_pages(&all, &p, a);
	do {
		rs = ask(a, &p, &e);
		if (rs == NULL)
			break;
		if (a->json)
			print_json(rs);
		more = go_on(&all, &p);
		done_with(rs);
	} while (more);
	table_free(t);
	if (rs == NULL)
		return print_error(a, &e);
	tell_more(&all, &p, a);
	return EXIT_DONE;
}
