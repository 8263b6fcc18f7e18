/*
 * The store under test, its questions as one-step flows, and a loop that runs until they
 * are answered.  A question that is never answered fails the test instead of hanging it.
 */
#ifndef ORDERD_TESTS_STORE_WORLD_H
#define ORDERD_TESTS_STORE_WORLD_H

#include "core/flow/flow.h"
#include "core/store/store.h"
#include "sql.gen.h"
#include "tests/support/pg.h"

struct world {
	struct loop *loop;
	struct store *store;
	int out;      /* questions not answered */
	int answered; /* how many ever were: their order */
	bool up, closed;
	int64_t ahead_us;                 /* so far is its clock ahead */
	void (*on_down)(struct world *w); /* may be NULL: a lane has lost its last connection */
	void *arg;
};

/* One question.  Zeroed and kept by the caller until the answer is in. */
struct question {
	struct flow fl;
	struct world *w;
	struct unit u;
	uint32_t deadline_ms;
	enum errc err; /* the answer */
	uint32_t rows;
	int place;                                               /* 1: answered first */
	void (*got)(struct question *q, const struct answer *a); /* may be NULL */
	void *arg;
};

struct world *world_new(const char *conninfo, int order_connections);
extern const char *world_role; /* what the store acts as; NULL: its user */

struct world *world_with(const struct store_options *opt);
void world_free(struct world *w);
void world_wait_up(struct world *w, bool up);
void world_run(struct world *w); /* until every question is answered */
void world_spin(struct world *w, bool (*until)(void *arg), void *arg);
void world_skip(struct world *w, int64_t ms); /* so much time has passed, from this turn on */

/* Memory for heads and lines of a question lives in its flow's arena. */
void question_init(struct question *q, struct world *w);
void question_ask(struct question *q, struct unit u);
void question_done(struct question *q);

struct id test_id(unsigned n); /* a fixed id per number */
struct id fresh_id(void);

#endif
