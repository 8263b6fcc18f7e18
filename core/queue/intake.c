/*
 * An intake: one reader for each of a worker's roles.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/queue/inside.h"
#include "core/queue/reader.h"

struct intake {
	struct intake *next;
	struct queue *q;
	struct reader *readers[ROLE_COUNT]; /* NULL: not a role of this worker */
	uint32_t open;
	bool closing;
};

struct intake *intake_new(struct queue *q, unsigned roles, int lease_ms,
			  uint32_t (*room)(void *arg, enum queue_role r),
			  void (*on_delivery)(void *arg, const struct delivery *d), void *arg)
{
	struct intake *in = mem_alloc(sizeof(*in));

	assert(!q->closing && lease_ms > 0);
	in->q = q;
	in->next = q->intakes;
	q->intakes = in;
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		struct reader_options opt = {.role = (enum queue_role)role,
					     .lease_ms = lease_ms,
					     .room = room,
					     .on_delivery = on_delivery,
					     .arg = arg};

		if ((roles & (1U << role)) != 0)
			in->readers[role] = reader_open(q, &opt);
		if (in->readers[role] != NULL) {
			in->open++;
			q->connections++;
		}
	}
	return in;
}

void intake_kick(struct intake *in)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		if (in->readers[role] != NULL)
			reader_kick(in->readers[role]);
	}
}

static void on_reader_closed(void *arg)
{
	struct intake *in = arg;
	struct queue *q = in->q;

	if (--in->open == 0)
		free(in);
	queue_connection_closed(q);
}

void intake_close(struct intake *in)
{
	struct intake **at = &in->q->intakes;

	assert(!in->closing);
	in->closing = true;
	while (*at != in)
		at = &(*at)->next;
	*at = in->next;
	if (in->open == 0) {
		free(in);
		return;
	}
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		if (in->readers[role] != NULL)
			reader_close(in->readers[role], on_reader_closed, in);
	}
}

void intakes_close(struct queue *q)
{
	while (q->intakes != NULL)
		intake_close(q->intakes); // NOLINT(clang-analyzer-unix.Malloc): it took itself off
}

void intakes_show(const struct queue *q, struct show *s,
		  void (*show_reader)(struct show *s, const struct reader *r))
{
	for (const struct intake *in = q->intakes; in != NULL; in = in->next)
		for (unsigned role = 0; role < ROLE_COUNT; role++)
			if (in->readers[role] != NULL)
				show_reader(s, in->readers[role]);
}
