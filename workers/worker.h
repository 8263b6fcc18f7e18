/*
 * The worker process: what main makes at start, what every job may use.
 */
#ifndef ORDERD_WORKERS_WORKER_H
#define ORDERD_WORKERS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/id.h"
#include "core/base/seal.h"
#include "core/base/show.h"
#include "core/flow/loop.h"
#include "core/http/http.h"
#include "core/http/mail.h"
#include "core/queue/queue.h"
#include "core/store/store.h"

struct job_flow;
struct ops_http;
struct janitor;

struct worker {
	struct config cfg;
	struct seal_key contact_key;
	char *gateway_key, *carrier_key; /* secrets, from their files */

	struct {
		char *name, *address;
	} mail_from; /* address NULL: no mails */
	struct mail_server mail_server;
	char *smtp_password;
	/* who holds a lease: this run of this process, not the host */
	struct id incarnation;
	unsigned roles; /* bit per enum queue_role */
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	struct http *http;
	struct ops_http *ops;    /* NULL: not listened for */
	struct show_board board; /* what this process shows of itself */
	struct intake *intake;
	struct janitor *janitor;

	struct job_flow *idle;  /* slots of the pool, linked */
	struct job_flow *slots; /* the pool: concurrency x roles, made at start */
	uint32_t n_slots;
	uint32_t running[ROLE_COUNT];
	uint32_t side_flows;  /* flows that are no jobs: due, sweeps */
	unsigned due_running; /* bit per role: its due flow is on its way */
	unsigned paused;      /* bit per role: its queue is; as known, workers/pause.c */
	bool pauses_asked;    /* a reading of them is on its way */
	bool pauses_known;    /* they were read once */
	int64_t pauses_at_ms; /* the next reading */

	bool draining;
	bool closing;
	bool announced; /* "ready" was printed */
	int64_t drain_until_ms;
	struct timer tick;
	struct supervisor *supervisor;
	int exit_code;
};

static inline bool worker_has(const struct worker *w, enum queue_role r)
{
	return (w->roles & (1U << r)) != 0;
}

/* Whether jobs of this role may be taken, as far as this worker knows; claims decide. */
static inline bool worker_paused(const struct worker *w, enum queue_role r)
{
	return (w->paused & (1U << r)) != 0;
}

/* A flow ended: start what may be started, finish the drain when it was the last. */
void worker_turn(struct worker *w);

#endif
