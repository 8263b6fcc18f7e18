/*
 * Feeds: every event of a tenant, to whoever follows its orders (WatchOrders).
 *
 * A tenant that is followed has one feed in this process, however many follow it.  Its reader
 * looks when a hint says that something moved, and every watch_poll_ms; what it reads stands in a
 * bounded ring, and wakes those it is for:
 *
 *	hint, poll --> read --> ring --> followers whose customer it is, or who follow all
 *	                                    |  ^
 *	                 fell behind the ring v  | caught up
 *	                                 pages of their own, a few at a time
 *
 * So what a follower costs is its place and a message under way.  PostgreSQL away: followers stay,
 * the next poll asks again.  Loop thread only.
 */
#ifndef ORDERD_SERVER_FEEDS_H
#define ORDERD_SERVER_FEEDS_H

struct app;
struct feeds;
struct show_board;

struct feeds *feeds_new(struct app *app);

/* After the RPC server and the queue: nobody follows any more.  Waits for what is being read. */
void feeds_close(struct feeds *fs, void (*on_closed)(void *arg), void *arg);

/* Something has moved, of whatever tenant. */
void feeds_moved(struct feeds *fs);

/* View: feeds (core/base/show.h). */
void feeds_offer(const struct feeds *fs, struct show_board *b);

#endif
