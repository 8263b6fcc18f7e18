#include "server/watch/feed_ring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/seal.h"
#include "server/orders/order_message.h"
#include "server/request.h"
#include "sql.gen.h"

struct feed_page {
	struct arena arena;
	struct feed_event events[FEED_PAGE_EVENTS];
};

static struct feed_page **page_of(struct feed_ring *r, uint64_t n)
{
	return &r->pages[n / FEED_PAGE_EVENTS % FEED_PAGES];
}

void feed_ring_init(struct feed_ring *r, struct feed_place floor)
{
	*r = (struct feed_ring){.floor = floor};
}

static void page_free(struct feed_page **p)
{
	if (*p == NULL)
		return;
	arena_done(&(*p)->arena);
	free(*p);
	*p = NULL;
}

void feed_ring_done(struct feed_ring *r)
{
	for (int i = 0; i < FEED_PAGES; i++)
		page_free(&r->pages[i]);
	r->first = r->end;
}

/* `first` is at a page's beginning, always: pages are given up whole. */
static void give_up_oldest(struct feed_ring *r)
{
	struct feed_page **p = page_of(r, r->first);

	r->floor = (*p)->events[FEED_PAGE_EVENTS - 1].place;
	r->first += FEED_PAGE_EVENTS;
	page_free(p);
}

static struct feed_page *page_for_next(struct feed_ring *r, uint32_t most)
{
	struct feed_page **p = page_of(r, r->end);

	if (r->end % FEED_PAGE_EVENTS > 0)
		return *p;
	while ((r->end - r->first) / FEED_PAGE_EVENTS >= most)
		give_up_oldest(r);
	assert(*p == NULL);
	*p = mem_alloc(sizeof(**p));
	arena_init(&(*p)->arena, FEED_PAGE_BYTES);
	return *p;
}

bool feed_ring_push(struct feed_ring *r, const struct feed_events_row *row, struct id whose,
		    uint32_t most)
{
	struct feed_page *p = page_for_next(r, most < FEED_PAGES ? most : FEED_PAGES);
	struct feed_event *e = &p->events[r->end % FEED_PAGE_EVENTS];

	*e = (struct feed_event){.place = feed_row_place(row), .whose = whose};
	e->message = feed_event_message(&p->arena, row);
	if (e->message == NULL)
		return false;
	r->end++;
	return true;
}

const struct feed_event *feed_ring_at(const struct feed_ring *r, uint64_t n)
{
	assert(n >= r->first && n < r->end);
	return &r->pages[n / FEED_PAGE_EVENTS % FEED_PAGES]->events[n % FEED_PAGE_EVENTS];
}

bool feed_ring_find(const struct feed_ring *r, const struct feed_place *place, uint64_t *ret)
{
	uint64_t low = r->first, high = r->end;

	if (feed_place_cmp(place, &r->floor) < 0)
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (feed_place_cmp(&feed_ring_at(r, middle)->place, place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return true;
}

struct id feed_whose(int32_t tenant, struct str customer)
{
	char text[REQUEST_KEY_MAX + 32];
	uint8_t digest[DIGEST_BYTES];
	struct id whose;
	int n = snprintf(text, sizeof(text), "%d|" STR_FMT, tenant, STR_ARG(customer));

	if (n >= (int)sizeof(text))
		n = (int)sizeof(text) - 1; /* no customer that is stored has such a name */
	digest_sha256((struct str){text, (size_t)n}, digest);
	memcpy(&whose, digest, sizeof(whose));
	return whose;
}

struct feed_place feed_row_place(const struct feed_events_row *row)
{
	return (struct feed_place){row->xid, row->order_id, row->seq};
}

static bool keep(struct arena *a, struct str s, ProtobufCBinaryData *ret)
{
	*ret = data_of(arena_str(a, s));
	return ret->data != NULL;
}

Orderd__V1__OrderFeedEvent *feed_event_message(struct arena *a, const struct feed_events_row *row)
{
	struct order_events_row e = {.seq = row->seq,
				     .at = row->at,
				     .kind = row->kind,
				     .from_state = row->from_state,
				     .to_state = row->to_state,
				     .group_no = row->group_no,
				     .detail = row->detail,
				     .actor = row->actor};
	Orderd__V1__OrderFeedEvent *m = arena_alloc(a, sizeof(*m));
	char id[ID_TEXT_SIZE];

	if (m == NULL)
		return NULL;
	orderd__v1__order_feed_event__init(m);
	m->order_number = row->number;
	m->event = event_message(a, &e);
	if (m->event == NULL || !keep(a, str_of(id_format(row->order_id, id)), &m->order_id) ||
	    !keep(a, row->customer, &m->customer))
		return NULL;
	return m;
}
