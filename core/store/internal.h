/*
 * Inside the store: who waits, who flies, on which connection.
 *
 *	store_ask() --> lane.blocked --(first of its keys)--> lane.ready --> conn.batch --> answered
 *	                                                          ^              |
 *	                                                          +--------------+ connection lost,
 *"again"
 *
 * An ask holds its keys from store_ask() to its answer, whatever list it stands in.
 */
#ifndef ORDERD_STORE_INTERNAL_H
#define ORDERD_STORE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libpq-fe.h>

#include "core/base/late.h"
#include "core/flow/flow.h"
#include "core/flow/loop.h"
#include "core/store/store.h"
#include "core/store/unit.h"

enum {
	MEMBERS_MAX = 256,                /* units of one batch, the largest cap of any lane */
	STEPS_MAX = 3 * MEMBERS_MAX + 16, /* a read takes three: tenants, statement, Sync */
	PARAMS_MAX = 2 * 64 + 1,          /* columns of head and line, and the lines' ordinal */
	SHARED_PARAMS = 2,
};

/* ---- one question ---- */

enum ask_place { ASK_BLOCKED, ASK_READY, ASK_FLYING };

struct ask {
	struct op op;
	struct unit u;
	struct lane *lane;
	struct ask *prev, *next; /* neighbours in the lane's list */
	struct ask *behind[2];   /* who asked next for keys[i] */
	uint64_t seq;            /* arrival */
	int64_t ready_ms;        /* since when it could leave */
	uint32_t bytes;          /* on the wire, roughly */
	uint8_t blocked_on;      /* keys somebody else holds */
	uint8_t place;           /* enum ask_place */
	bool sent;               /* it may be committed already */
};

struct ask_list {
	struct ask *first, *last;
	uint32_t n;
};

/* ---- keys (keys.c) ---- */

struct key_slot {
	struct key key;           /* zero: free */
	struct ask *first, *last; /* first holds the key, the others wait in order */
};

struct key_table {
	struct key_slot *slots;
	size_t n_slots, used; /* n_slots is a power of two, never more than half used */
	uint64_t seed;
};

void keys_init(struct key_table *t);
void keys_done(struct key_table *t);
void keys_take(struct key_table *t, struct ask *a); /* sets a->blocked_on */
/* `a` leaves; calls unblocked() for everybody who now holds all their keys. */
void keys_release(struct key_table *t, struct ask *a, void (*unblocked)(struct ask *next));

/* ---- lanes (lane.c) ---- */

struct lane_law {
	const char *name;             /* metric label */
	uint32_t units, lines, bytes; /* caps of a batch; a larger unit travels alone */
	uint32_t join;                /* units a batch has at least that leaves beside another */
	bool reads;                   /* no transaction, own Sync per kind */
	const char *session;          /* settings of its connections, besides everybody's */
	const char *role;             /* acted as instead of the program's own; NULL: that */
};

/* A batch that has come back, or got lost with its connection; show.c. */
struct batch_note {
	int64_t at_us, sent_us;
	uint16_t conn, units, statements;
	const char *outcome; /* lives for ever */
	char sqlstate[6];
};

enum { LANE_NOTES = 64 };

struct lane {
	struct store *st;
	const struct lane_law *law;
	enum store_lane id;
	struct ask_list ready, blocked;
	struct conn *conns;
	int n_conns, n_up;  /* n_up: connected and prepared */
	bool down;          /* nothing up, and the last attempt to connect failed */
	bool unhealthy;     /* the last batch failed by our own mistake */
	struct timer sweep; /* drops what nobody waits for while nothing leaves */
	struct late late;   /* what waits in `ready` */
	int64_t usual_ms;   /* what its batches have taken lately */
	struct batch_note notes[LANE_NOTES];
	uint64_t n_notes;  /* ever; the latest is at (n_notes - 1) % LANE_NOTES */
	struct timer join; /* units too few to leave beside another have waited long enough */
	bool impatient;    /* they have */
};

void lane_init(struct lane *l, struct store *st, enum store_lane id, int n_conns);
bool lane_is_late(struct lane *l); /* one more would be refused; counted */
void lane_ask(struct lane *l, struct ask *a);
void lane_put_back(struct ask *a);                /* to its place by arrival; it keeps its keys */
void lane_batch_took(struct lane *l, int64_t ms); /* one has come back */
uint32_t lane_take(struct lane *l, struct ask *members[MEMBERS_MAX]);
void lane_kick(struct lane *l); /* idle connections take what is ready */
void lane_conn_up(struct lane *l);
void lane_conn_lost(struct lane *l, bool was_up);
void lane_set_unhealthy(struct lane *l, bool unhealthy);
int lane_timeout_ms(const struct lane *l); /* of one statement */
void lane_close(struct lane *l);           /* answers everybody waiting */

void ask_answer(struct ask *a,
		const struct answer *answer); /* releases its keys; `a` is gone afterwards */
void ask_fail(struct ask *a, enum errc err);
void ask_set_sent(struct ask *a, bool sent); /* whether a lost answer leaves the outcome open */

/* ---- what the server said (rows.c, errors.c) ---- */

/* The answer.body of a unit. */
struct unit_answer {
	const struct unit_kind *kind;
	const PGresult *result;
	uint32_t first, n; /* rows */
};

/* Whether every row can be read as the kind's header promises, for units 1..n_units; NULL or why
 * not. */
const char *rows_check(const struct unit_kind *kind, const PGresult *r, uint32_t n_units);
uint32_t rows_slice(const PGresult *r, uint32_t ordinal,
		    uint32_t from); /* first row behind those of `ordinal` */
bool rows_say_again(const struct unit_answer *a);

enum store_action { DO_AGAIN, DO_HALVE, DO_PREPARE, DO_RECONNECT, DO_FAIL };

struct error_rule {
	const char *state;      /* SQLSTATE or the beginning of one */
	const char *constraint; /* beginning of the constraint's name, or NULL */
	enum store_action action;
	uint8_t tries; /* DO_AGAIN, DO_PREPARE: as often as this, then `then` */
	bool jitter;   /* wait 1-10 ms before asking again */
	enum store_action then;
	enum errc alone;    /* answer of a unit that fails by itself */
	bool guilty;        /* such a unit counts against the batch */
	const char *reason; /* metric label */
};

const struct error_rule *error_rule_of(const char *sqlstate, const char *constraint);

/* ---- binary arrays (encode.c) ---- */

struct encoder {
	char *p;
	size_t n, cap;
	size_t start[PARAMS_MAX + 1];
	int n_params;
};

uint32_t unit_bytes(const struct unit *u);
void encode_units(struct encoder *e, const struct unit_kind *kind, struct ask *const *asks,
		  uint32_t n);
/* (tenant, id) of every unit whose kind has the offset; returns how many there are. */
uint32_t encode_pairs(struct encoder *e, struct ask *const *asks, uint32_t n,
		      uint32_t (*offset_of)(const struct unit_kind *));
/* One text parameter: the tenants of all units that have one, each once, as {1,2}. */
void encode_tenants(struct encoder *e, struct ask *const *asks, uint32_t n);
void encode_text(struct encoder *e, const char *text); /* one text parameter */
bool knows_tenants(const struct unit_kind *k);         /* false: it works across them */
void encoder_trim(struct encoder *e);                  /* give a large buffer back */
/* Send as the parameters of a prepared statement; 0 as PQsendQueryPrepared(). */
int encoder_send(const struct encoder *e, PGconn *pg, const char *statement, bool binary);

/* ---- batches (batch.c) ---- */

struct range {
	uint16_t from, to;
	uint8_t tries;
};

enum step_kind { STEP_OTHER, STEP_UNITS, STEP_COMMIT, STEP_SYNC };

struct step {
	enum step_kind what;
	const struct unit_kind *kind; /* STEP_UNITS */
	uint16_t from, n;             /* STEP_UNITS: its units in batch.sorted */
	PGresult *result;
	bool answered;
};

enum flight { FLIGHT_NONE, FLIGHT_PREPARE, FLIGHT_ROLLBACK, FLIGHT_RANGE, FLIGHT_REPLAN };

/* Whose rows the transaction that is sent may see. */
enum told { TOLD_NOTHING, TOLD_TENANTS, TOLD_ALL };

struct batch {
	struct ask *members[MEMBERS_MAX]; /* in order of arrival (reads: kind, arrival); NULL once
					     answered */
	uint32_t n;
	struct range todo[MEMBERS_MAX]; /* disjoint, last first; covers everybody not answered or
					   flying */
	uint32_t n_todo;
	struct range now; /* what flies */
	uint32_t guilty;
	struct ask *sorted[MEMBERS_MAX]; /* of `now`, by kind */
	struct step steps[STEPS_MAX];
	uint32_t n_steps, at;
	int64_t sent_us;
	enum told told; /* said last */
	bool warned;    /* the server warned while COMMIT was awaited */
};

/* ---- connections (conn.c) ---- */

enum conn_state { CONN_OFF, CONN_CONNECTING, CONN_FLYING, CONN_PAUSING, CONN_IDLE };

struct watch;

struct conn {
	struct lane *lane;
	PGconn *pg;
	struct watch *watch;
	enum conn_state state;
	enum flight flight;
	bool up;    /* prepared at least once since connecting */
	bool dirty; /* a failed transaction is still open */
	bool prepare_due, replan_due;
	bool pause_due; /* wait a little before the next range */
	bool drop_due;  /* reconnect when the flight has been judged */
	unsigned replans;
	int64_t pause_ms;   /* last pause before connecting again */
	struct timer timer; /* of the present state */
	struct timer replan;
	struct encoder enc;
	uint64_t batches, losses; /* since the start, for people */
	char last_error[128];     /* why it was lost the last time */
	struct batch batch;
};

void conn_init(struct conn *c, struct lane *l);
void conn_connect_soon(struct conn *c);
void conn_proceed(
	struct conn *c); /* the next thing to do on a connection that is up and not flying */
void conn_lost(struct conn *c, const char *why);
void conn_close(struct conn *c); /* for good */

void conn_on_socket(struct conn *c, int status, int events);

/* The connection's socket (watch.c).  Close before libpq closes the descriptor under it. */
bool watch_open(struct conn *c, int fd);
void watch_for(struct conn *c, int events); /* UV_READABLE, UV_WRITABLE */
void watch_close(struct conn *c);

/* For people who look (show.c). */
void batch_note(struct conn *c, const char *outcome, const char *sqlstate); /* may be NULL */
void conn_note_loss(struct conn *c, const char *why);

/* Used by batch.c and conn.c on each other. */
struct step *flight_step(struct conn *c, enum step_kind what);
bool flight_send_text(struct conn *c, enum step_kind what,
		      const char *prepared); /* no parameters */
bool flight_sync(struct conn *c);
bool batch_take(struct conn *c); /* new members from the lane; false: nothing to do */
bool batch_send_range(struct conn *c);
/* Range [from, to) shall fly; the one named last flies first. */
void batch_todo(struct batch *b, uint32_t from, uint32_t to, uint8_t tries);
void batch_landed(struct conn *c);    /* every Sync of the range has come back */
void batch_give_back(struct conn *c); /* connection lost: members to the head of the lane */
void batch_fail(struct conn *c);      /* closing */
bool prepare_send(struct conn *c);
bool prepare_landed(struct conn *c); /* false: logged, reconnect later */
void steps_clear(struct batch *b);

/* ---- the store (store.c) ---- */

struct store {
	struct loop *loop;
	struct store_options opt;
	char *conninfo;
	char *program;
	struct key_table keys;
	struct lane lanes[STORE_LANES];
	struct task turn; /* sends what this turn asked */
	struct task closing_task;
	uint64_t seq;
	unsigned watches; /* poll handles not closed yet */
	bool up, closing;
	void (*on_closed)(void *arg);
	void *closed_arg;
};

void store_state_changed(struct store *st);
void store_watch_closed(struct store *st);

/* libpq parameters: the user's string, our defaults beneath, our settings on top. */
struct conn_params {
	const char *keywords[80];
	const char *values[80];
	PQconninfoOption *parsed;
	char *options;
};

/* NULL, or why the string cannot be read (heap). */
char *params_make(struct conn_params *p, const char *conninfo, const char *program,
		  int statement_timeout_ms, const char *session,
		  const char *role); /* session: more of `options`; role: acted as, or NULL */
void params_done(struct conn_params *p);

/* Blocking; session and role as above; NULL after saying why on `out`. */
PGconn *store_connect(const char *conninfo, const char *program, const char *session,
		      const char *role, FILE *out);

#endif
