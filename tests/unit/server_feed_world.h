/*
 * The world of a feed's test: a database of events, gRPC calls whose messages are taken when the
 * test says so, a clock.  It is linked in place of core/store/store.c, core/queue and
 * server/runtime.
 */
#ifndef TESTS_SERVER_FEED_WORLD_H
#define TESTS_SERVER_FEED_WORLD_H

#include "server/app.h"
#include "server/page_token.h"
#include "server/runtime/rpc.h"
#include "server/watch/feed.h"
#include "sql.gen.h"

enum { POLL_MS = 1000, EVENTS_MAX = 4000, CALLS = 40 };

extern struct app app;

/* ---- the database: events in their order, those below the horizon are final ---- */

extern struct feed_events_row events[EVENTS_MAX];
extern uint32_t n_events;
extern int64_t horizon, epoch;

void commit_events(uint32_t n); /* final at once; every third is ada's, the others are bob's */

extern uint32_t answered;       /* questions */
uint32_t asked(void);           /* and not answered yet */
void answer_all(enum errc err); /* with what the database has now */

/* Something has moved, somebody says. */
extern void (*hear)(void *arg, struct id order);
extern void *hear_arg;

void later(int64_t ms);

/* ---- calls ---- */

struct call {
	struct flow fl; /* first */
	Orderd__V1__WatchOrdersRequest request;
	struct identity who;
	struct follower state;
	bool open, sending, stuck;
	enum errc end;
	char token[PAGE_TOKEN_SIZE]; /* of the last message */
	uint32_t messages, empty, n_seen;
	int64_t seen[EVENTS_MAX]; /* numbers of events */
};

extern struct call *calls; /* CALLS */
extern bool violation;

struct call *open_call(int n, const char *token, const char *customer);
void close_call(struct call *c);
void take_message(struct call *c); /* the one on its way */

/* Everything that is on its way arrives, and is followed by more, until nothing moves. */
void settle(void);

/* Numbers of final events from `from` on that are the customer's, each once and in order. */
void saw_all(const struct call *c, uint32_t from, const char *customer);

int set_up(void **state);
int tear_down(void **state);

#endif
