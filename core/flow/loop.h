/*
 * One libuv loop, its timers and its ready queue.
 *
 * All domain work of a process runs on one thread: here.  Other threads reach it through
 * a mailbox and nothing else.
 */
#ifndef ORDERD_FLOW_LOOP_H
#define ORDERD_FLOW_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct flow;
struct loop;
struct show_board;

/* A point in time somebody waits for.  Embedded in its owner; zero-initialised is unset. */
struct timer {
	int64_t at_ms; /* clock_mono_ms() */
	uint32_t slot; /* place in the loop's heap plus one; 0 = not set */
	void (*on_due)(struct timer *t);
};

/* Something to be run in the next turn.  Embedded in its owner; runs once per loop_post(). */
struct task {
	struct task *next;
	bool posted;
	void (*run)(struct task *t);
};

struct loop *loop_new(void);
/* Every other handle must have been closed, every timer cleared, every listener taken off. */
void loop_free(struct loop *l);
uv_loop_t *loop_uv(struct loop *l);

void loop_run(struct loop *l);  /* until loop_stop() */
void loop_stop(struct loop *l); /* loop thread: return when this turn is over */

/* (Re)set or clear a timer; on_due runs once, from the loop, never from here. */
void timer_set(struct loop *l, struct timer *t, int64_t at_ms);
void timer_clear(struct loop *l, struct timer *t);

/* Run `t` later in this turn or in the next, in order of posting.  Posting it twice before it ran
 * is one run. */
void loop_post(struct loop *l, struct task *t);
void loop_unpost(struct loop *l, struct task *t);

/* Call on_turn_end(arg) after the events of each turn have been handled (uv_check): the moment to
 * send batches. */
void loop_on_turn_end(struct loop *l, void (*on_turn_end)(void *arg), void *arg);
/* The same pair again, to stop it; not from within a turn end. */
void loop_off_turn_end(struct loop *l, void (*on_turn_end)(void *arg), void *arg);

/*
 * SIGTERM and SIGINT: `on_drain(arg)` once; a second signal exits the process with 1.
 * The signals must have been blocked before other threads were started; this unblocks
 * them in the calling thread alone, which is the one that runs the loop.
 */
void loop_on_drain(struct loop *l, void (*on_drain)(void *arg), void *arg);

/* The flows at work on this loop; flow.c keeps the list.  The oldest is first. */
struct flow_list {
	struct flow *first, *last;
	uint32_t n;
};

struct flow_list *loop_flows(struct loop *l);

/* Views of this loop: timers, flows, memory, version (core/base/show.h). */
void loop_offer(struct loop *l, struct show_board *b);

/* Timers that are set: all, and how many of them are due within each of `n` waits (ms, rising).
 * Answers the earliest one's time, clock_mono_ms(); 0: none is set. */
int64_t loop_count_timers(const struct loop *l, const int64_t *within_ms, uint32_t *ret_counts,
			  size_t n);
/* SIGHUP: `on_hangup(arg)` each time; blocked before other threads were started, likewise. */
void loop_on_hangup(struct loop *l, void (*on_hangup)(void *arg), void *arg);

#endif
