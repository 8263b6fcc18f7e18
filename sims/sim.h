/*
 * orderd-sim: stand-ins for the outside world that speak the vendors' own wire APIs.
 *
 * One request is one `struct call`: web.c fills in what came, a part (gateway.c,
 * carrier.c, control.c) decides under the simulator's one lock, the decision is in the
 * journal before web.c sends the answer.  What was never answered may still have
 * happened; what was answered is never forgotten.
 *
 * What happens by itself (schedule.c) is a call nobody waits for.  The events of a call
 * are part of its journal line; hook.c sends them from there.
 */
#ifndef ORDERD_SIMS_SIM_H
#define ORDERD_SIMS_SIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum {
	SIM_BODY_MAX = 256 * 1024, /* bytes of a request */
	SIM_CONNECTIONS_MAX = 512, /* one thread each */
	SIM_FAULTS_MAX = 64,
	SIM_ID_SIZE = 64, /* any id with its prefix and a NUL */
};

struct journal;
struct facts;
struct faults;
struct hook;
struct schedule;

struct sim {
	pthread_mutex_t lock; /* everything below, and every decision */
	struct journal *gateway;
	struct journal *carrier;
	struct facts *facts;
	struct faults *faults;
	struct hook *gateway_hook;
	struct hook *carrier_hook;
	struct schedule *schedule;
	json_t *in_flight;      /* idempotency keys of calls not answered yet */
	int64_t clock_offset_s; /* moved by POST /_sim/clock */
	int64_t scan_ms;        /* between two scans of a parcel */
	int64_t rate_life_s;    /* how long a rate can be bought */
	int64_t refund_s;       /* from a label's refund asked for to refunded */
	int64_t auth_life_s;    /* how long an authorization can be captured */
	uint64_t seed;
	uint64_t requests; /* served by this process, for request ids */
};

struct call {
	struct sim *sim;

	/* what came */
	const char *method;
	const char *path;
	const char *host;    /* of the Host header; for URLs in answers */
	const char *auth;    /* Authorization, or NULL */
	const char *key;     /* Idempotency-Key, or NULL */
	const char *version; /* Stripe-Version, or NULL */
	const char *trace;   /* traceparent, or NULL */
	const char *body;    /* NUL-terminated */
	size_t body_n;
	json_t *query;        /* flat: name -> text */
	json_t *form;         /* the same of a form body; never NULL */
	json_t *json;         /* of a JSON body, or NULL */
	char id[SIM_ID_SIZE]; /* what the route's * stood for */

	/* what it changed */
	struct journal *journal; /* NULL: nothing of this call is kept */
	json_t *puts;            /* objects, new versions */
	json_t *facts;
	json_t *events; /* {"type", "body", "fault"?, "ms"?} */
	const char *decision;
	bool saved; /* the answer is kept under the idempotency key */
	unsigned ids_made;

	/* the answer */
	int status;
	json_t *reply;
	char *text; /* instead of reply */
	const char *text_type;
	bool replayed;
	bool in_flight;           /* holds sim->in_flight[key] */
	int64_t retry_after_s;    /* 0: no such header */
	const char *should_retry; /* Stripe-Should-Retry, or NULL */
	int64_t wait_ms;
	char request_id[32];
	bool hang_up; /* close the connection instead of answering */
};

void call_open(struct call *c, struct sim *sim);
void call_close(struct call *c); /* all but what web.c put there */

/* Decide one call from its path to its answer; takes and leaves the lock, returns when the decision
 * is on disk. */
void sim_serve(struct call *c);

/* After the answer is on its way (or will never be): let go of the idempotency key. */
void sim_served(struct call *c);

/* A call nobody waits for, with `id` in its id; under the lock. */
void sim_act(struct sim *sim, void (*act)(struct call *c), const char *id);

int64_t sim_now_s(const struct sim *s); /* wall clock plus offset */
int64_t sim_now_us(const struct sim *s);

/* ---- for the parts; under the lock ---- */

void call_answer(struct call *c, int status, json_t *take_reply, const char *decision);
void call_put(struct call *c, json_t *object); /* borrows and keeps a reference */
void call_fact(struct call *c, json_t *take_fact);

/* Does anybody want events of this call's vendor?  Then let them have one; it is sent when the
 * call is in the journal. */
bool call_heard(const struct call *c);
void call_event(struct call *c, const char *type, json_t *take_body);

/* `prefix` and 24 letters and digits, or 32 hex digits; never given out before. */
void call_new_id(struct call *c, const char *prefix, char ret[SIM_ID_SIZE]);
void call_new_hex_id(struct call *c, const char *prefix, char ret[SIM_ID_SIZE]);

/* Does `path` follow `pattern`, whose one * stands for one segment, copied to ret? */
bool path_matches(const char *pattern, const char *path, char ret[SIM_ID_SIZE]);

/* JSON written with ' for ", so that templates can be read in C. */
json_t *json_literal(const char *text);

/* The simulator is a test tool: without memory it stops. */
void *must(void *p);

#endif
