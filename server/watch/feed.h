/*
 * The inside of feeds, for feeds.c (who follows what, and the turns), feed.c (the reader of one
 * tenant), feed_catch.c (pages for those who are behind) and watch_orders.c (a follower's stream).
 */
#ifndef ORDERD_SERVER_FEED_H
#define ORDERD_SERVER_FEED_H

#include "core/flow/flow.h"
#include "server/watch/feed_ring.h"
#include "server/watch/feeds.h"
#include "server/watch/watch_callers.h"
#include "server/watch/watch_table.h"

enum {
	FEED_READ = 256,       /* events of one question of a feed */
	FEED_SEND = 64,        /* events of one message */
	FEED_PAUSE_MS = 20,    /* between two questions of a feed, so that hints share one */
	FEED_TURN = 256,       /* followers served in one turn of the loop */
	FEED_CATCHERS = 8,     /* pages being read for those behind */
	FEED_PAGES_ALL = 2048, /* of all rings together, some 50 KiB each */
	FEED_ARENA = 32 * 1024,
	FEED_CATCH_ARENA = 256 * 1024,
};

struct feed {
	struct feeds *fs;
	struct feed *next, *prev;
	int32_t tenant;
	uint32_t n; /* who follows it */

	struct flow reader;
	struct timer next_read;
	int64_t read_at_ms; /* not before */
	int64_t held_ms;    /* the next pause while something is held up */
	int64_t next_ms;    /* when what was read says; 0: when something moves */
	bool reading;
	bool again;  /* something moved meanwhile */
	bool orphan; /* nobody follows it any more: freed when the read is over */

	bool known; /* was read; else what follows means nothing */
	int64_t epoch;
	struct feed_place upto; /* everything before it is in the ring, or was */
	int64_t held_since_us;  /* an event is committed, and waits; 0: none */
	struct feed_ring ring;
};

struct feed_catcher;

enum follower_state {
	FOLLOWER_NEW,    /* its feed is not known yet */
	FOLLOWER_BEHIND, /* of the ring */
	FOLLOWER_JOINED,
};

struct follower {
	struct watch_entry entry;   /* first; by whose events it wants */
	struct watch_caller caller; /* who follows */
	struct follower *next, *prev;
	struct follower *next_in, *prev_in; /* in the one queue it may stand in */
	struct follower_queue *in;          /* NULL: none */
	struct feed_catcher *catcher;       /* reads a page for it; NULL: none does */
	struct flow *fl;                    /* the call's */
	struct feed *feed;
	struct str customer; /* whose events; empty: everybody's */

	enum follower_state state;
	bool pending; /* joined: there are events in the ring, from `at` on, that may be its */
	bool has_token, greeted;
	uint64_t at;
	int64_t epoch;
	struct feed_place place; /* said in the last message; a joined one's that has nothing
				    pending is as far as the feed's */
	struct feed_place taken; /* of the last message flow control has let go */

	int64_t sending_since_ms; /* 0: no message is on its way */
	int64_t quiet_since_ms, known_since_ms;
};

/* Whoever waits for a turn, first in, first out. */
struct follower_queue {
	struct follower *first, *last;
};

struct feed_catcher {
	struct feeds *fs;
	struct flow fl;
	struct follower *w; /* NULL: it has gone */
	bool busy;
};

struct feeds {
	struct app *app;
	struct watch_table followers; /* by whose events they want */
	struct follower *all;
	int64_t n;
	struct feed *first;
	uint32_t n_feeds;
	uint32_t reading; /* flows under way, orphans' too */

	struct follower_queue ready, behind;
	struct feed_catcher catchers[FEED_CATCHERS];
	bool moved; /* something has: all feeds are due in the next turn */
	struct timer turn, tick;
	int64_t poll_at_ms;

	void (*on_closed)(void *arg);
	void *closed_arg;
};

/* ---- feeds.c ---- */

void feeds_add(struct feeds *fs, struct follower *w, int32_t tenant);
void feeds_remove(struct feeds *fs, struct follower *w);
void feeds_ready(struct feeds *fs,
		 struct follower *w); /* follower_serve() in one of the next turns */
void feeds_behind(struct feeds *fs, struct follower *w); /* a page for it, when there is room */
void feeds_read_done(struct feeds *fs);                  /* a flow is over */
void queue_push(struct follower_queue *q, struct follower *w);
struct follower *queue_pop(struct follower_queue *q);
void queue_leave(struct follower *w);

/* ---- feed.c ---- */

struct feed *feed_new(struct feeds *fs, int32_t tenant);
void feed_left(struct feed *f); /* nobody follows it: it is off the list, and goes */
void feed_due(struct feed *f);

/* ---- feed_catch.c ---- */

void feed_catchers_init(struct feeds *fs);
void feed_catchers_done(struct feeds *fs);
void feed_catch(struct feeds *fs); /* as many of those behind as there are catchers */

/* ---- watch_orders.c ---- */

void follower_settle(struct follower *w); /* its feed is known now */
void follower_serve(struct follower *w);  /* joined, and it may have something pending */
/* A page of its own: what is in it, and where that ends. */
void follower_caught(struct follower *w, Orderd__V1__OrderFeedEvent **events, size_t n,
		     struct feed_place upto);
void follower_look(struct follower *w, int64_t now_ms); /* now and then */

#endif
