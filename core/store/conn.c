/*
 * One connection: libpq's non-blocking, pipelined side on the loop.
 *
 *	off --> connecting --> flying (prepare) --> idle <--> flying (a range, rollback, replan)
 *	 ^          |              |                 |           |        |
 *	 +----------+--------------+-----------------+-----------+     pausing (before trying again)
 *
 * A flight is a list of steps sent in one go; their results come back in order.  What
 * they mean is decided in batch.c and prepare.c when the last Sync has landed.  A lost
 * connection gives its members back to the lane and is made again after a pause that
 * grows until a batch succeeds.
 *
 * libpq resolves host names blocking; an operator who minds names hostaddr.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "core/flow/backoff.h"
#include "core/store/internal.h"

enum {
	CONNECT_MS = 10 * 1000, /* all hosts of the string together */
	RECONNECT_MIN_MS = 50,
	RECONNECT_MAX_MS = 2000,
	JITTER_MS = 10,    /* clashed batches do not meet again */
	STATEMENTS_MS = 3, /* a flight that takes this many statement_timeouts is lost */
};

/* A plan made while tables were small scans them; look again when statistics have had time to
 * appear. */
static const int64_t replan_at_ms[] = {5000, 60000, 600000};

static struct loop *loop_of(const struct conn *c)
{
	return c->lane->st->loop;
}

/* ---- connecting ---- */

static void on_notice(void *arg, const PGresult *r)
{
	struct conn *c = arg;
	struct batch *b = &c->batch;
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

	/*
	 * "Committed locally": the standby that should have it may not.  The text is
	 * translated, so any warning while COMMIT is awaited counts.
	 */
	if (severity != NULL && strcmp(severity, "WARNING") == 0 && c->flight == FLIGHT_RANGE &&
	    b->at < b->n_steps && b->steps[b->at].what == STEP_COMMIT)
		b->warned = true;
}

/* Let go of the socket and of libpq's state; what to do next is the caller's. */
static void hang_up(struct conn *c)
{
	watch_close(c); /* before libpq closes the descriptor under it */
	steps_clear(&c->batch);
	PQfinish(c->pg);
	c->pg = NULL;
	c->flight = FLIGHT_NONE;
	c->dirty = c->prepare_due = c->replan_due = c->pause_due = c->drop_due = false;
	timer_clear(loop_of(c), &c->timer);
	timer_clear(loop_of(c), &c->replan);
	c->state = CONN_OFF;
}

void conn_lost(struct conn *c, const char *why)
{
	bool was_up = c->up;

	log_warn("store_connection_lost", "lane=%s why=%s", c->lane->law->name, LOG_Q(why));
	if (c->flight == FLIGHT_RANGE)
		batch_note(c, "lost", NULL);
	conn_note_loss(c, why);
	c->up = false;
	hang_up(c);
	batch_give_back(c);
	c->pause_ms = backoff_next_ms(c->pause_ms, RECONNECT_MIN_MS, RECONNECT_MAX_MS);
	timer_set(loop_of(c), &c->timer, clock_mono_ms() + c->pause_ms);
	lane_conn_lost(c->lane, was_up);
}

static const char *why_of(const struct conn *c)
{
	const char *why = c->pg != NULL ? PQerrorMessage(c->pg) : NULL;

	return why != NULL && *why != '\0' ? why : "connection closed";
}

static void connected(struct conn *c)
{
	timer_clear(loop_of(c), &c->timer);
	if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1 ||
	    PQsocket(c->pg) < 0) {
		conn_lost(c, why_of(c));
		return;
	}
	c->replans = 0;
	c->prepare_due = true;
	conn_proceed(c);
}

/* libpq may change its socket between two steps of connecting: the next host, or TLS refused. */
static void go_on_connecting(struct conn *c)
{
	PostgresPollingStatusType next;

	watch_close(c);
	next = PQconnectPoll(c->pg);
	if (next == PGRES_POLLING_FAILED || PQsocket(c->pg) < 0 ||
	    !watch_open(c, PQsocket(c->pg))) {
		conn_lost(c, why_of(c));
		return;
	}
	if (next == PGRES_POLLING_OK)
		connected(c);
	else
		watch_for(c, next == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE);
}

static const char *role_of(const struct lane *l)
{
	const char *own = l->st->opt.role;

	return own != NULL && l->law->role != NULL ? l->law->role : own;
}

static void conn_connect(struct conn *c)
{
	struct store *st = c->lane->st;
	struct conn_params p;
	char *why = params_make(&p, st->conninfo, st->program, lane_timeout_ms(c->lane),
				c->lane->law->session, role_of(c->lane));

	assert(c->pg == NULL && c->watch == NULL);
	c->state = CONN_CONNECTING;
	if (why == NULL) {
		c->pg = PQconnectStartParams(p.keywords, p.values, 0);
		params_done(&p);
	}
	if (c->pg != NULL)
		PQsetNoticeReceiver(c->pg, on_notice, c);
	if (c->pg == NULL || PQstatus(c->pg) == CONNECTION_BAD || !watch_open(c, PQsocket(c->pg))) {
		conn_lost(c, why != NULL ? why : why_of(c));
		free(why);
		return;
	}
	timer_set(loop_of(c), &c->timer, clock_mono_ms() + CONNECT_MS);
	watch_for(c, UV_WRITABLE); /* as libpq's documentation asks after PQconnectStart */
}

/* ---- flights ---- */

void steps_clear(struct batch *b)
{
	for (uint32_t i = 0; i < b->n_steps; i++) {
		PQclear(b->steps[i].result);
		b->steps[i].result = NULL;
	}
	b->n_steps = b->at = 0;
}

struct step *flight_step(struct conn *c, enum step_kind what)
{
	struct batch *b = &c->batch;

	assert(b->n_steps < STEPS_MAX);
	b->steps[b->n_steps] = (struct step){.what = what};
	return &b->steps[b->n_steps++];
}

bool flight_send_text(struct conn *c, enum step_kind what, const char *prepared)
{
	flight_step(c, what);
	return PQsendQueryPrepared(c->pg, prepared, 0, NULL, NULL, NULL, 1) == 1;
}

bool flight_sync(struct conn *c)
{
	flight_step(c, STEP_SYNC);
	return PQpipelineSync(c->pg) == 1;
}

static bool rollback_send(struct conn *c)
{
	flight_step(c, STEP_OTHER);
	return PQsendQueryParams(c->pg, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 1) == 1 &&
	       flight_sync(c);
}

static bool replan_send(struct conn *c)
{
	flight_step(c, STEP_OTHER);
	return PQsendQueryParams(c->pg, "DISCARD PLANS", 0, NULL, NULL, NULL, NULL, 1) == 1 &&
	       flight_sync(c);
}

static void flush(struct conn *c)
{
	int left = PQflush(c->pg);

	if (left < 0)
		conn_lost(c, why_of(c));
	else
		watch_for(c, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static void take_off(struct conn *c, enum flight flight, bool (*send)(struct conn *c))
{
	int64_t patience_ms = (int64_t)STATEMENTS_MS * lane_timeout_ms(c->lane) + CONNECT_MS;

	steps_clear(&c->batch);
	c->state = CONN_FLYING;
	c->flight = flight;
	if (!send(c)) {
		conn_lost(c, why_of(c));
		return;
	}
	timer_set(loop_of(c), &c->timer, clock_mono_ms() + patience_ms);
	flush(c);
}

static void pause_before_next(struct conn *c)
{
	c->pause_due = false;
	c->state = CONN_PAUSING;
	timer_set(loop_of(c), &c->timer, clock_mono_ms() + 1 + (int64_t)random_below(JITTER_MS));
}

/* In this order: tidy up, be able to work, finish what was begun, then take something new. */
void conn_proceed(struct conn *c)
{
	c->state = CONN_IDLE;
	if (c->drop_due)
		conn_lost(c, "the server cannot write now");
	else if (c->dirty)
		take_off(c, FLIGHT_ROLLBACK, rollback_send);
	else if (c->prepare_due)
		take_off(c, FLIGHT_PREPARE, prepare_send);
	else if (c->pause_due)
		pause_before_next(c);
	else if (c->batch.n_todo > 0)
		take_off(c, FLIGHT_RANGE, batch_send_range);
	else if (c->replan_due)
		take_off(c, FLIGHT_REPLAN, replan_send);
	else if (batch_take(c))
		take_off(c, FLIGHT_RANGE, batch_send_range);
}

static void set_replan(struct conn *c)
{
	int64_t before = c->replans > 0 ? replan_at_ms[c->replans - 1] : 0;

	if (c->replans < sizeof(replan_at_ms) / sizeof(replan_at_ms[0]))
		timer_set(loop_of(c), &c->replan,
			  clock_mono_ms() + replan_at_ms[c->replans] - before);
}

static void prepared(struct conn *c)
{
	c->prepare_due = false;
	if (c->up)
		return;
	c->up = true;
	set_replan(c);
	lane_conn_up(c->lane);
}

static void landed(struct conn *c)
{
	enum flight flight = c->flight;

	timer_clear(loop_of(c), &c->timer);
	c->flight = FLIGHT_NONE;
	if (flight == FLIGHT_PREPARE && !prepare_landed(c)) {
		conn_lost(c, "the statements cannot be prepared");
		return;
	}
	if (flight == FLIGHT_PREPARE)
		prepared(c);
	else if (flight == FLIGHT_ROLLBACK)
		c->dirty = false;
	else if (flight == FLIGHT_REPLAN)
		c->replan_due = false;
	else
		batch_landed(c);
	steps_clear(&c->batch);
	conn_proceed(c);
}

/* ---- results ---- */

static void keep_result(struct step *s, PGresult *r)
{
	if (s->result == NULL)
		s->result = r;
	else
		PQclear(r); /* a second result for one statement: nothing we send has one */
	s->answered = true;
}

/* Read what has arrived; false when libpq has nothing more to give now. */
static bool read_result(struct conn *c)
{
	struct batch *b = &c->batch;
	struct step *s = &b->steps[b->at];
	PGresult *r;

	if (PQisBusy(c->pg))
		return false;
	r = PQgetResult(c->pg);
	if (r == NULL && !s->answered)
		return false;
	if (r == NULL) {
		b->at++; /* the end of one statement's results */
		return true;
	}
	keep_result(s, r);
	if (PQresultStatus(r) == PGRES_PIPELINE_SYNC)
		b->at++;
	return PQstatus(c->pg) != CONNECTION_BAD;
}

static void read_results(struct conn *c)
{
	struct batch *b = &c->batch;

	if (PQconsumeInput(c->pg) != 1) {
		conn_lost(c, why_of(c));
		return;
	}
	if (c->state != CONN_FLYING) {
		(void)PQisBusy(c->pg); /* notices only */
		return;
	}
	while (b->at < b->n_steps && read_result(c))
		;
	if (PQstatus(c->pg) == CONNECTION_BAD)
		conn_lost(c, why_of(c));
	else if (b->at == b->n_steps)
		landed(c);
}

void conn_on_socket(struct conn *c, int status, int events)
{
	const struct watch *w = c->watch;

	if (c->state == CONN_CONNECTING) {
		go_on_connecting(c);
		return;
	}
	if (status < 0) {
		conn_lost(c, uv_strerror(status));
		return;
	}
	if ((events & UV_WRITABLE) != 0)
		flush(c);
	if (c->watch == w && (events & UV_READABLE) != 0) /* flushing may have lost it */
		read_results(c);
}

/* ---- timers ---- */

static void on_timer(struct timer *t)
{
	struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));

	switch (c->state) {
	case CONN_OFF:
		conn_connect(c);
		break;
	case CONN_CONNECTING:
		conn_lost(c, "connecting took too long");
		break;
	case CONN_FLYING:
		conn_lost(c, "the server did not answer");
		break;
	case CONN_PAUSING:
		conn_proceed(c);
		break;
	case CONN_IDLE:
		break;
	}
}

static void on_replan(struct timer *t)
{
	struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, replan));

	c->replan_due = true;
	c->replans++;
	set_replan(c);
	if (c->state == CONN_IDLE)
		conn_proceed(c);
}

/* In the next turn: who made the store gets no callback before it has its pointer. */
void conn_connect_soon(struct conn *c)
{
	timer_set(loop_of(c), &c->timer, clock_mono_ms());
}

void conn_init(struct conn *c, struct lane *l)
{
	*c = (struct conn){.lane = l, .timer.on_due = on_timer, .replan.on_due = on_replan};
}

void conn_close(struct conn *c)
{
	if (c->up)
		c->lane->n_up--;
	c->up = false;
	hang_up(c);
	batch_fail(c);
	free(c->enc.p);
	c->enc = (struct encoder){0};
}
