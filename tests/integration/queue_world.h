/*
 * What the tests of the queue share: a loop, a private Redis, a queue, and flows of one
 * question.  Nothing sleeps: the loop runs until a condition holds or the test fails.
 */
#ifndef TESTS_INTEGRATION_QUEUE_WORLD_H
#define TESTS_INTEGRATION_QUEUE_WORLD_H

/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/flow/flow.h"
#include "core/queue/queue.h"
#include "tests/support/redis.h"

enum { WORLD_TIMEOUT_MS = 1000, WORLD_HOLD_S = 2, WORLD_WINDOW = 100 };

struct world {
	struct loop *loop;
	struct redis_server *redis;
	struct queue *queue;
	struct timer tick; /* looks at conditions nothing on the loop tells of */
	int closed;
};

/* cmocka fixtures; *state is the struct world, its queue up and knowing epoch 1. */
int world_open(void **state);
int world_close(void **state);

/* Another queue to the same Redis, as if of another process; wait for it with world_up(). */
struct queue *world_queue(struct world *w, const char *address);
void world_close_queue(struct world *w, struct queue *q);
void world_up(struct world *w, struct queue *q, bool up);

/* Run the loop until holds(arg); fails the test, naming `what`, when that takes too long. */
void world_until(struct world *w, bool (*holds)(void *arg), void *arg, const char *what);
void world_turns(struct world *w, int n); /* so many turns, waiting for nothing */

/* ---- one question ---- */

struct question {
	struct flow fl;
	struct world *w;
	struct queue *queue;
	bool ended;
	/* what to ask */
	int (*ask)(struct flow *fl);
	int32_t tenant;
	struct id order;
	struct hold_line lines[4];
	uint32_t n_lines;
	const int64_t *generation;
	int64_t epoch;
	enum queue_role role;
	/* what came */
	struct hold_answer hold;
	int64_t number;
	uint64_t mask;
	struct stream_state streams[ID_SHARDS * QUEUE_PRIORITIES];
	enum errc cause;
};

/* A question to w->queue, to be filled in, started and waited for. */
struct question question_hold(struct world *w, struct id order, const struct hold_line *lines,
			      uint32_t n);
void question_start(struct question *qu);
void question_wait(struct question *qu);

/* Asked and answered at once.  The error, if any, fails the test. */
struct hold_answer world_hold(struct world *w, struct id order, const struct hold_line *lines,
			      uint32_t n);
int64_t world_expire(struct world *w);
void world_write_epoch(struct world *w, struct queue *q, int64_t epoch);
uint64_t world_write_generations(struct world *w, const int64_t generation[ID_SHARDS]);
void world_streams(struct world *w, enum queue_role role,
		   struct stream_state ret[ID_SHARDS * QUEUE_PRIORITIES]);

#endif
