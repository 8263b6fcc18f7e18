#include "server/watch/feed_place.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int feed_place_cmp(const struct feed_place *a, const struct feed_place *b)
{
	int order;

	if (a->xid != b->xid)
		return a->xid < b->xid ? -1 : 1;
	order = memcmp(&a->order, &b->order, sizeof(a->order)); /* as PostgreSQL compares uuids */
	if (order != 0)
		return order;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

struct str feed_place_write(int64_t epoch, const struct feed_place *p, char buf[FEED_PLACE_SIZE])
{
	char id[ID_TEXT_SIZE];
	int n = snprintf(buf, FEED_PLACE_SIZE, "%" PRId64 ".%" PRId64 ".%s.%" PRId64, epoch, p->xid,
			 id_format(p->order, id), p->seq);

	assert(n > 0 && n < FEED_PLACE_SIZE);
	return (struct str){buf, (size_t)n};
}

bool feed_place_read(struct str text, int64_t *ret_epoch, struct feed_place *ret)
{
	struct str epoch, xid, order, seq;
	long long n_epoch, n_xid, n_seq;

	if (!str_next(&text, '.', &epoch) || !str_next(&text, '.', &xid) ||
	    !str_next(&text, '.', &order) || !str_next(&text, '.', &seq) || text.n > 0)
		return false;
	if (!str_to_i64(epoch, INT64_MIN + 1, INT64_MAX, &n_epoch) ||
	    !str_to_i64(xid, 1, INT64_MAX, &n_xid) || !str_to_i64(seq, 0, INT64_MAX, &n_seq) ||
	    !id_parse(order, &ret->order))
		return false;
	*ret_epoch = n_epoch;
	ret->xid = n_xid;
	ret->seq = n_seq;
	return true;
}
