/*
 * What the queue shows of itself: its connections to Redis, and its readers.
 */
#include "core/base/show.h"

#include "core/queue/inside.h"
#include "core/queue/reader.h"

static void show_pools(struct show *s, const void *arg)
{
	const struct queue *q = arg;

	redis_show(s, q->redis);
	ear_show(q, s);
	intakes_show(q, s, reader_show_pool);
}

static void show_streams(struct show *s, const void *arg)
{
	intakes_show(arg, s, reader_show_stream);
}

static void show_hiredis(struct show *s, const void *arg)
{
	(void)arg;
	if (!show_row(s))
		return;
	show_text(s, "hiredis");
	show_printf(s, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}

void queue_offer(const struct queue *q, struct show_board *b)
{
	show_offer(b, SHOW_pools, show_pools, q);
	show_offer(b, SHOW_version, show_hiredis, q);
}

void queue_offer_streams(const struct queue *q, struct show_board *b)
{
	show_offer(b, SHOW_streams, show_streams, q);
}
