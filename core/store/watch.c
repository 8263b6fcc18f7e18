/*
 * Watching a connection's socket with libuv.
 *
 * libuv's handle lives until its close callback, longer than the socket it watched and
 * sometimes longer than the connection, so it is an object of its own.
 */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/store/internal.h"

struct watch {
	uv_poll_t poll;
	struct conn *c;
	struct store *st;
	int events;
};

static void on_poll(uv_poll_t *h, int status, int events)
{
	const struct watch *w = h->data;

	conn_on_socket(w->c, status, events);
}

static void on_closed(uv_handle_t *h)
{
	struct watch *w = h->data;
	struct store *st = w->st;

	free(w);
	store_watch_closed(st);
}

bool watch_open(struct conn *c, int fd)
{
	struct watch *w = mem_alloc(sizeof(*w));

	*w = (struct watch){.c = c, .st = c->lane->st};
	if (uv_poll_init(loop_uv(w->st->loop), &w->poll, fd) != 0) {
		free(w);
		return false;
	}
	w->poll.data = w;
	w->st->watches++;
	c->watch = w;
	return true;
}

void watch_for(struct conn *c, int events)
{
	if (c->watch->events == events)
		return;
	c->watch->events = events;
	(void)uv_poll_start(&c->watch->poll, events, on_poll); /* fails on a closing handle only */
}

void watch_close(struct conn *c)
{
	if (c->watch == NULL)
		return;
	uv_close((uv_handle_t *)&c->watch->poll, on_closed); /* no event comes after this */
	c->watch = NULL;
}
