/*
 * The store: written per order, committed per batch.
 *
 * A flow asks for one unit - everything it wants changed at once, whole or not at all -
 * and waits.  The store gathers the units of all waiting flows and sends them as one
 * pipelined transaction when the previous one has come back: natural group commit, no
 * timer.  Beside a batch that is away another leaves with enough aboard, or after a few
 * milliseconds (core/store/lane.c).  A flow is answered after COMMIT, never before.
 *
 * What is promised:
 *  - a unit is answered with its own rows only; no rows means "already settled";
 *  - at most one unit per key travels at a time in this process, first in, first out;
 *  - every unit may be asked twice: after a lost connection the store does it itself;
 *  - one bad unit harms only itself: a batch that fails is split until it stands alone;
 *  - ERR_DEADLINE is a definite no (it was never sent), ERR_UNKNOWN_OUTCOME is not; what nobody
 *    waits for any more, or could not be answered in time, is not sent;
 *  - a lane takes no more than lane_bound units, and none while all it holds wait too long.
 *
 * Unit kinds are generated from db/queries (see db/README.md).  Loop thread only.
 */
#ifndef ORDERD_STORE_STORE_H
#define ORDERD_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/id.h"
#include "core/base/str.h"
#include "core/flow/flow.h"

/* "null" of an optional int8 or timestamptz column, in and out.  Optional text and bytea: p ==
 * NULL; uuid: all zero. */
#define DB_NULL INT64_MIN

struct show_board;
struct store;
struct unit_kind; /* generated */

/* What the programs act as (db/migrations/0015_row_security.sql), whoever connects; the
 * audit lane as its own. */
#define STORE_SERVER_ROLE "orderd_server"
#define STORE_WORKER_ROLE "orderd_worker"
#define STORE_AUDIT_ROLE  "orderd_audit"

struct store_options {
	const char *conninfo; /* libpq */
	const char *program;  /* application_name */
	const char *role;     /* what it acts as in the database; NULL: its user */
	int order_connections, read_connections; /* 0: this process has no use for the lane */
	int job_connections;                     /* 0 or 1 */
	uint32_t lane_bound;                     /* units waiting per lane */
	int64_t wait_ms; /* a lane whose units all wait longer takes no more; 0: by number alone */
	int statement_timeout_ms;
	int audit_timeout_ms;                 /* of one rule; 0: this process does not audit */
	void (*on_state)(void *arg, bool up); /* may be NULL: all lanes ready / a lane lost its last
						 connection; the audit's does not count */
	void *arg;
};

/* Start connecting; asks wait in the queue until a connection is ready or their deadline passes.
 * While the server is known to be unreachable, asks are answered ERR_STORE_UNAVAILABLE in the next
 * turn. */
struct store *store_new(struct loop *l, const struct store_options *opt);

/* Close the connections; outstanding questions are answered ERR_UNKNOWN_OUTCOME or
 * ERR_STORE_UNAVAILABLE. on_closed(arg) is called once everything is freed. */
void store_close(struct store *st, void (*on_closed)(void *arg), void *arg);

bool store_is_up(const struct store *st);

/* How long the unit has waited that waits longest: about what one asked now has before it. */
int64_t store_backlog_ms(const struct store *st);

/* Views: pools, batches, version (core/base/show.h). */
void store_offer(const struct store *st, struct show_board *b);

/*
 * Whether a unit of that kind would be refused now because its lane is late: for flows that ask
 * other things first, which then would have been asked in vain.  Counts as a refusal.
 */
bool store_is_late(struct store *st, const struct unit_kind *kind);

/* 128-bit key of a unit; zero = none. */
struct key {
	uint64_t w[2];
};

struct key key_of_id(struct id id);
struct key key_of_request(int32_t tenant, int16_t method, struct str request_key);

/* One change, whole or not at all. */
struct unit {
	const struct unit_kind *kind; /* &UNIT_ORDER_PLACE, from db/queries/order_place.sql */
	struct key keys[2];
	const void *head;  /* struct order_place_head, generated */
	const void *lines; /* struct order_place_line[], generated; NULL if the kind has none */
	uint32_t n_lines;
};

/*
 * Queue `u` for the next batch of its kind's lane; returns FLOW_WAIT, to be returned by
 * the step's ask(), or FLOW_FAIL with ERR_TOO_LARGE when the flow's arena is full.  The
 * unit and its head are copied to the arena, so both may stand on the stack; its lines
 * and the texts live in the arena, or longer, until the answer.  Kinds of the read lane
 * take the same door: they travel coalesced, one statement per kind, without a
 * transaction.  The answer's rows are read with the kind's generated X_row(answer, i) and
 * answer_rows(answer).
 */
int store_ask(struct flow *fl, struct store *st, struct unit u);

/* ---- the audit: rules over everything there is, db/audit ---- */

uint32_t audit_count(void);
const char *audit_name(uint32_t rule);

/*
 * Whether a rule holds, on a connection of its own that only reads: it may take as long as
 * audit_timeout_ms and holds up nobody.
 */
int audit_ask(struct flow *fl, struct store *st, uint32_t rule);

struct audit_finding {
	int64_t rows;     /* that break the rule; 0: it holds */
	struct str first; /* a few of them as JSON: ids and numbers, nothing personal; valid inside
			     got() */
};

struct audit_finding audit_finding(const struct answer *a, uint32_t rule);

/* Rows of this unit in the answer; 0 when it was already settled. */
uint32_t answer_rows(const struct answer *a);

#endif
