/*
 * Flows: work that waits, as a table of steps.
 *
 * A step asks one backend one question and reads the one answer.  ask() starts the
 * question; got() sees good answers only.  Errors, timeouts and cancels take the row's
 * on_error edge, and the first of them is kept as the flow's cause.  The table is the
 * story, and its names serve the log, the metrics, fault injection and the drawing.
 *
 *	static const struct flow_step pay_steps[] = {
 *		//          name      ask         got         ms    on error  next
 *		[CLAIM]  = {"claim",  ask_claim,  got_claim,  500,  DONE,  TO(CHARGE) | TO(DONE)},
 *		[CHARGE] = {"charge", ask_charge, got_charge, 5000, PARK,  TO(RECORD)},
 *		...
 *		[DONE]   = {"done"},
 *	};
 *
 * Laws, asserted by the runner:
 *  - one question in flight per flow; an ask never answers before it has returned;
 *  - every waiting step has a deadline; the flow's own deadline cuts it short.  A flow is
 *    cut once, by its deadline or by flow_cancel(): the steps after that undo and answer,
 *    and each of them has its own step's deadline;
 *  - a step moves only along its `next` or on_error edge;
 *  - the row without ask and got is the end.  There `done` runs, once, and not before
 *    every question this flow ever asked has been answered: a question that was given
 *    up (deadline) still owns its memory in the flow's arena, its answer is dropped.
 *
 * Loop thread only.
 */
#ifndef ORDERD_FLOW_FLOW_H
#define ORDERD_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/id.h"
#include "core/base/trace.h"
#include "loop.h"

enum {
	FLOW_WAIT = -1,     /* ask: an answer will come */
	FLOW_FAIL = -2,     /* ask, got: fl->err says why; take the on_error edge */
	FLOW_HOPS_MAX = 64, /* steps without a wait between them; more is a loop in the table */
};

#define TO(step) (UINT64_C(1) << (step))

/*
 * What a backend says.  `body` belongs to the backend and is valid inside got() only;
 * each backend has accessors for its own kind (store: generated X_row(), queue:
 * queue_*(), http: http_*()).  Keep things by copying them to the arena.
 */
struct answer {
	enum errc err;
	const void *body;
};

struct flow;
struct show;

/* One question on its way.  Embedded in the backend's request, which lives in fl->arena. */
struct op {
	struct flow *fl;
	bool given_up;       /* the flow went on without it; a backend may skip work not yet sent */
	int64_t deadline_ms; /* when the flow stops waiting; clock_mono_ms() */
	enum errc late; /* what running into the deadline means: ERR_DEADLINE (a definite no), until
			 * the backend has sent the question and says e.g. ERR_UNKNOWN_OUTCOME */
	enum errc failed; /* set by op_fail() until the ready queue delivers it */
	struct task task;
	/* Who was asked, for people: "postgres", and if there are several of it, which: "order".
	 * Set by the backend, NULL for nothing; both as long as the op. */
	const char *backend, *of_it;
};

struct flow_step {
	const char *name;
	int (*ask)(struct flow *fl);                         /* next step, FLOW_WAIT or FLOW_FAIL */
	int (*got)(struct flow *fl, const struct answer *a); /* next step or FLOW_FAIL */
	uint32_t deadline_ms;                                /* longest wait for the answer */
	int on_error;
	uint64_t next; /* TO(..) of every step ask() or got() may name */
};

struct flow {
	const char *name; /* "place_order"; log and metrics */
	const struct flow_step *steps;
	struct loop *loop;
	struct arena arena;
	int at;
	enum errc err;   /* the latest error; ERR_OK if the last answer was good */
	enum errc cause; /* the first error; a step that made good may set it back to ERR_OK */
	const char *cause_step; /* where that was; NULL: nowhere */
	struct id subject;      /* the order or job this is about, for the log; may be zero */
	struct trace trace;     /* what is asked outside is asked in it; may be none */
	bool quiet;             /* its owner logs how it ended */
	int64_t started_us;
	int64_t deadline_ms; /* of the whole flow; 0 = none */
	struct op *op;       /* the question being waited for */
	uint32_t ops_out;    /* questions not answered yet, given up ones included */
	bool running;        /* inside an ask or got */
	bool cut;            /* the deadline passed, or a cancel took effect */
	bool ended;
	enum errc cancelled;          /* flow_cancel()'s reason until the ready queue delivers it */
	struct timer timer;           /* of the question being waited for */
	struct task turn;             /* delivers a cancel, and the end */
	struct flow *older, *younger; /* neighbours in loop_flows(), from flow_start() to done() */
	void (*done)(struct flow *fl); /* owner takes its memory back */
};

/*
 * Start at step `at`.  name, steps, loop, done and an initialised arena must be set, all else
 * zero but at, subject and deadline_ms; the first ask runs before this returns.  `done` always
 * comes from the ready queue, never from inside flow_start() or op_answer().
 */
void flow_start(struct flow *fl);

/* Somebody outside ended the wait (caller cancelled, drain, hard deadline): on_error edge with
 * `why`, from the ready queue. Later steps still run (they undo and answer).  No effect on a flow
 * that was cut before or has ended. */
void flow_cancel(struct flow *fl, enum errc why);

/* ---- for backends ---- */

/* Register the question just started; `op` must stay valid until op_answer().  To be returned by
 * ask: FLOW_WAIT. */
int op_ask(struct flow *fl, struct op *op);

/* Deliver the answer from the backend's event handler, never from inside an ask.  got() and
 * the next ask run before this returns; `op` must not be touched afterwards. */
void op_answer(struct op *op, const struct answer *a);

/* Deliver an error through the ready queue; may be called inside an ask after op_ask(). */
void op_fail(struct op *op, enum errc err);

/* ---- for people ---- */

/* A view's next cell: who is being waited for, "postgres:order"; NULL: nobody. */
void op_show(struct show *s, const struct op *op);

/* Fault injection for tests: NULL, or called at each step before its ask.  Returning an error fails
 * the step there. */
extern enum errc (*flow_fault)(const struct flow *fl, const struct flow_step *step);

#endif
