/*
 * Who watches which order, and the one reader that looks after all of them.
 *
 * A hint, or a second without one, makes a watcher due.  The reader takes up to WATCH_ROUND
 * due watchers and asks one question for all: what happened behind your sequence, how is your
 * order now.  So a thousand watchers are a handful of statements a second, not a thousand.
 *
 *	hint, poll, or all of what is held was sent
 *	      |
 *	      v
 *	     due --> a round of the reader --> held --> sent one by one --> due, or idle
 *
 * PostgreSQL away: rounds fail, watchers stay, the next poll asks again.  Loop thread only.
 */
#ifndef ORDERD_SERVER_WATCHES_H
#define ORDERD_SERVER_WATCHES_H

#include "core/base/id.h"

struct app;
struct config;
struct show_board;
struct watches;

struct watches *watches_new(struct app *app);

/* After the RPC server and the queue: nobody watches any more and no hint will come.  Waits for a
 * round under way. */
void watches_close(struct watches *ws, void (*on_closed)(void *arg), void *arg);

/* View: watches (core/base/show.h). */
void watches_offer(const struct watches *ws, struct show_board *b);

/* How often watches are looked at: who is too slow, who hears nothing. */
int64_t watch_tick_ms(const struct config *cfg);

/* Hear hints: from when somebody first watches anything. */
void watches_listen(struct watches *ws);

/*
 * A unit that wrote an event of this order has been committed: wake who watches it, here and
 * elsewhere.  Needless for an order nobody can know of yet, such as one just placed.
 */
void order_moved(struct app *app, struct id order);

/* One was placed: nobody watches it, but feeds tell of it. */
void order_placed(struct app *app);

#endif
