/*
 * The queue: Redis as dispatcher and as the fast "no" of a hot sale.
 *
 * Redis never holds a fact PostgreSQL lacks.  Losing any suffix of its history, or all
 * of it, costs time only: the janitor rings again, PostgreSQL decides.
 *
 * Keys (one hash tag per command, so they fit Redis Cluster as they are):
 *	{qNN}:<role>:p0..p3   streams of ready job ids, shard NN = 00..63, group "w"
 *	{qNN}:gen             generation; a ring with another one is refused
 *	{iPP}:e               epoch of a stock pool, PP = tenant mod 16
 *	{iPP}:s:<tenant>:<item>  hash location -> available, 30 s to live, loaded on a
 *	                      miss; stamped with epoch and time of loading
 *	{iPP}:h:<hold id>     a hold: what it took; {iPP}:x zset of their expiries
 *	{watch}:orders        a channel: ids of orders that have moved
 *
 * Every command has a deadline (redis_timeout_ms); a lost connection is remade with
 * backoff, and while there is none every ask is answered ERR_QUEUE_UNAVAILABLE in the
 * next turn.  -LOADING, -OOM, -MISCONF, -READONLY and -NOREPLICAS count as "no
 * connection".  Redis 7.0 or newer.  Loop thread only.
 */
#ifndef ORDERD_QUEUE_QUEUE_H
#define ORDERD_QUEUE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/id.h"
#include "core/flow/flow.h"

struct queue;
struct show_board;

enum queue_role {
	ROLE_PAYMENT,
	ROLE_FULFILLMENT,
	ROLE_SHIPPING,
	ROLE_NOTIFICATION,
	ROLE_JANITOR,
	ROLE_COUNT
};

enum { QUEUE_PRIORITIES = 4 }; /* 0 first */

const char *queue_role_name(enum queue_role r); /* "payment" */

struct queue_options {
	const char *address; /* host:port or unix:/path; "" = none: queue_is_up() stays false */
	int timeout_ms;
	int hold_s;
	uint32_t stream_window;
	void (*on_state)(void *arg, bool up); /* may be NULL */
	void *arg;
};

/* Whether this is an address: host:port or unix:/path. */
bool queue_address_ok(const char *address);

struct queue *queue_new(struct loop *l, const struct queue_options *opt); /* up from a later turn */

/* Close the connections and all intakes.  Outstanding questions, and those still asked before
 * on_closed(arg), are answered ERR_QUEUE_UNAVAILABLE; nothing may be asked after it. */
void queue_close(struct queue *q, void (*on_closed)(void *arg), void *arg);
bool queue_is_up(const struct queue *q);

/* Views: pools, version; and of who reads the streams, that (core/base/show.h). */
void queue_offer(const struct queue *q, struct show_board *b);
void queue_offer_streams(const struct queue *q, struct show_board *b);

/* ---- stock holds (orderd) ---- */

struct hold_line {
	int64_t item;
	int32_t location;
	int64_t qty;
	int64_t available; /* what PostgreSQL said a moment ago; loads Redis on a miss */
};

enum hold_outcome {
	HOLD_OK,    /* taken until finished or expired */
	HOLD_DUP,   /* this order holds it already */
	HOLD_SHORT, /* line `short_line` has only `left` */
	HOLD_STALE, /* the pool's epoch is another one; go on without a hold */
};

struct hold_answer {
	enum hold_outcome outcome;
	uint32_t short_line; /* the line with which the sum of its item and location is too much */
	int64_t left;
};

/* Hold all lines of one order or none, in one script.  Lines of one item and location are summed.
 */
int queue_ask_hold(struct flow *fl, struct queue *q, int32_t tenant, struct id order,
		   const struct hold_line *lines, uint32_t n);
const struct hold_answer *queue_hold_answer(const struct answer *a);

/* Settle a hold, fire and forget.  keep: PostgreSQL has reserved it; else the quantities are given
 * back. */
void queue_finish_hold(struct queue *q, int32_t tenant, struct id order, bool keep);

/* PostgreSQL's numbers of this item have changed otherwise: forget ours, they load again on a miss.
 */
void queue_forget_stock(struct queue *q, int32_t tenant, int64_t item);

/* ---- jobs ---- */

struct ring {
	struct id job; /* carries the shard */
	enum queue_role role;
	uint8_t priority;
};

/* Say that jobs are ready, fire and forget, coalesced per turn.  Skipped when Redis is down, a
 * stream is full or the generation is another one: the janitor's sweep will find them. */
void queue_ring(struct queue *q, const struct ring *rings, uint32_t n);

/* One delivered entry.  Ack it when the job is settled (done, retried, buried or somebody else's).
 */
struct delivery {
	struct id job;
	enum queue_role role;
	uint8_t priority;
	char entry[32]; /* stream entry id, "1526919030474-55" */
};

struct intake;

/*
 * Read the streams of `roles` (bit mask) with blocking XREADGROUP, each role on a connection
 * of its own, as the random consumer name made at start.  on_delivery is called from the
 * loop while room(arg, role) says that more jobs of that role may start; it takes a copy.
 * More may have been read than there is room for: it waits here, the urgent first, until
 * intake_kick().  Entries another consumer took and did not acknowledge for lease_ms are
 * claimed over (XAUTOCLAIM); so are our own of jobs that take longer and send no
 * queue_beat().  Group and streams are made when missing.
 */
struct intake *intake_new(struct queue *q, unsigned roles, int lease_ms,
			  uint32_t (*room)(void *arg, enum queue_role r),
			  void (*on_delivery)(void *arg, const struct delivery *d), void *arg);
void intake_kick(struct intake *in);  /* there is room again */
void intake_close(struct intake *in); /* stop reading; what was not started is left to the sweep */

void queue_ack(struct queue *q,
	       const struct delivery *d); /* XACK + XDEL in one script, coalesced per turn */
void queue_beat(struct queue *q,
		const struct delivery *d); /* heartbeat of a long job: XCLAIM JUSTID */

/* ---- hints: an order has moved ---- */

/*
 * Tell whoever watches orders that this one has a new event, fire and forget, coalesced per
 * turn.  A hint that is lost (no Redis, a full turn, a lost connection) costs time only: who
 * watches an order also polls it.
 */
void queue_hint(struct queue *q, struct id order);

/* Hear the hints of all processes, this one's included, on a connection of its own, from now until
 * queue_close(); asked once. */
void queue_on_hint(struct queue *q, void (*on_hint)(void *arg, struct id order), void *arg);

/* ---- generations and rebuilding (janitor) ---- */

/* Set the shards' generations and re-create groups; asks one question.  gen[64] from PostgreSQL;
 * only shards whose Redis generation differs are touched.  Answer: which shards were (re)made, as a
 * 64-bit mask. */
int queue_ask_generations(struct flow *fl, struct queue *q, const int64_t gen[ID_SHARDS]);
uint64_t queue_generations_made(const struct answer *a);
void queue_know_generations(struct queue *q,
			    const int64_t gen[ID_SHARDS]); /* what rings of this process carry */
void queue_know_epoch(struct queue *q, int64_t epoch);     /* what holds of this process carry */
int queue_ask_epoch(struct flow *fl, struct queue *q,
		    int64_t epoch); /* write it to every pool whose epoch differs */

/* When the group last delivered an entry of this stream: the entry's time in Unix ms, and how many
 * entries wait. */
struct stream_state {
	int64_t last_delivered_ms; /* 0: never */
	int64_t waiting;           /* entries not yet delivered */
};

int queue_ask_streams(struct flow *fl, struct queue *q,
		      enum queue_role role); /* all shards and priorities of a role */
const struct stream_state *
queue_streams(const struct answer *a); /* [shard * QUEUE_PRIORITIES + priority] */

/* Release holds whose time is over; asks one question per pool turn.  Answer: how many were. */
int queue_ask_expire_holds(struct flow *fl, struct queue *q);
int64_t queue_expired_holds(const struct answer *a);

#endif
