/*
 * A worker whose store, queue and providers are this test: every question a flow asks
 * stands in a list until the test answers it, and time goes on only when it says so.
 *
 * It is linked in place of core/store/store.c, core/queue and core/http/http.c; all else
 * (flows, jobs, the loop, the generated units) is the real thing.
 */
#ifndef ORDERD_TESTS_WORKER_WORLD_H
#define ORDERD_TESTS_WORKER_WORLD_H

#include "core/flow/flow.h"
#include "sql.gen.h"
#include "workers/job.h"
#include "workers/worker.h"

enum { WORLD_QUESTIONS_MAX = 64, WORLD_RINGS_MAX = 64 };

/* One question nobody has answered yet. */
struct question {
	struct op op;   /* first */
	char what[160]; /* a unit's name, a function of queue.h, "POST http://..." or "MAIL to" */
	struct unit unit;
	const struct http_request *http;
	const struct mail *mail;
};

extern struct world {
	struct worker w;
	bool queue_up;
	uint32_t acks, beats, kicks, forgotten, hints;
	struct ring rings[WORLD_RINGS_MAX];
	uint32_t n_rings;
	int64_t epoch_known, epoch_asked; /* queue_know_epoch(), queue_ask_epoch() */
} world;

extern const struct id JOB, ORDER, NEXT; /* of one shard, as in life */

int world_set_up(void **state);    /* two flows per role, a pool, Redis up */
int world_tear_down(void **state); /* asserts that nothing is left at work */

/* The oldest open question; the test fails when it is not this one, or when there is none. */
struct question *world_asked(const char *what);
bool world_asks(const char *what); /* is it the oldest open one? */
void world_asked_nothing(void);

/* Answers; `rows` are the kind's generated row structs. */
#define WORLD_ROWS(q, ...) world_rows(q, __VA_ARGS__, 1, sizeof(*(__VA_ARGS__)))
void world_rows(struct question *q, const void *rows, uint32_t n, size_t row_size);
void world_no_rows(struct question *q);
void world_fails(struct question *q, enum errc err);
void world_says(struct question *q, int status, const char *body);
void world_replies(struct question *q, enum mail_verdict verdict, int code, const char *status);
void world_answers(struct question *q, const void *body); /* of the queue */

void world_turn(void);
void world_later(int64_t ms); /* time passes, then a turn */

/* A job of this kind was delivered and claimed: epoch 3, group 1 of 2. */
void world_job(const char *kind, int32_t attempts, int32_t deaths);

#endif
