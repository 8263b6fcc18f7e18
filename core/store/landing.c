/*
 * Landing: what came back for a range of a batch, and what follows from it.
 *
 * Committed: each unit is answered with its own rows.  Failed: the rule for the SQLSTATE
 * (errors.c) says whether the range is asked again, cut into halves - each its own
 * transaction, order of arrival kept - or given up.  Nothing heard: the members go back
 * to the lane and are asked again on another connection; every statement in db/queries
 * can be asked twice.
 */
#include <assert.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metric.h"
#include "core/store/internal.h"

/* Halving costs two transactions for each bad unit; after this many the fault is not with the
 * units. */
enum { GUILTY_MAX = 8 };

/* ---- landing: success ---- */

static void member_gone(struct batch *b, const struct ask *a)
{
	for (uint32_t i = b->now.from; i < b->now.to; i++) {
		if (b->members[i] == a)
			b->members[i] = NULL;
	}
}

static void answer_unit(struct conn *c, struct ask *a, const struct unit_answer *u)
{
	struct answer answer = {.err = ERR_OK, .body = u};

	member_gone(&c->batch, a);
	if (rows_say_again(u)) {
		metric_add(METRIC_store_again, "undecided", 1);
		ask_set_sent(a, false); /* committed without it */
		lane_put_back(a);
		return;
	}
	metric_add(METRIC_store_units, u->kind->name, 1);
	ask_answer(a, &answer);
}

static void answer_step(struct conn *c, const struct step *s)
{
	struct unit_answer u = {.kind = s->kind, .result = s->result};

	for (uint32_t i = 0; i < s->n; i++) {
		u.first += u.n;
		u.n = rows_slice(s->result, i + 1, u.first) - u.first;
		answer_unit(c, c->batch.sorted[s->from + i], &u);
	}
}

static void fail_step(struct conn *c, const struct step *s, enum errc err)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct ask *a = c->batch.sorted[s->from + i];

		member_gone(&c->batch, a);
		ask_fail(a, err);
	}
}

/* Rows that are not what the header says cannot be read; what was written is written. */
static void settle_step(struct conn *c, const struct step *s)
{
	const char *bad = rows_check(s->kind, s->result, s->n);

	if (bad == NULL) {
		answer_step(c, s);
		return;
	}
	log_error("store_bad_rows", "kind=%s column=%s", s->kind->name, bad);
	lane_set_unhealthy(c->lane, true);
	fail_step(c, s, c->lane->law->reads ? ERR_INTERNAL : ERR_UNKNOWN_OUTCOME);
}

/* ---- landing: failure ---- */

static void fail_range(struct batch *b, const struct range *r, enum errc err)
{
	for (uint32_t i = r->from; i < r->to; i++) {
		struct ask *a = b->members[i];

		b->members[i] = NULL;
		ask_fail(a, err);
	}
}

static void fail_all(struct conn *c, const struct range *r, enum errc err)
{
	struct batch *b = &c->batch;

	lane_set_unhealthy(c->lane, true);
	fail_range(b, r, err);
	while (b->n_todo > 0)
		fail_range(b, &b->todo[--b->n_todo], err);
}

static const char *field_of(const PGresult *r, int field)
{
	const char *text = PQresultErrorField(r, field);

	return text != NULL ? text : "";
}

static void fail_alone(struct conn *c, const struct range *r, const struct error_rule *rule,
		       const PGresult *why)
{
	struct batch *b = &c->batch;
	const char *name = b->members[r->from]->u.kind->name;

	log_warn("store_unit_refused", "kind=%s state=%s constraint=%s why=%s", name,
		 field_of(why, PG_DIAG_SQLSTATE), LOG_Q(field_of(why, PG_DIAG_CONSTRAINT_NAME)),
		 LOG_Q(field_of(why, PG_DIAG_MESSAGE_PRIMARY)));
	fail_range(b, r, rule->alone);
	if (!rule->guilty || ++b->guilty < GUILTY_MAX)
		return;
	log_error("store_batch_given_up", "lane=%s guilty=%u", c->lane->law->name, b->guilty);
	lane_set_unhealthy(c->lane, true);
	while (b->n_todo > 0)
		fail_range(b, &b->todo[--b->n_todo], ERR_INTERNAL);
}

static void halve(struct conn *c, const struct range *r, const struct error_rule *rule,
		  const PGresult *why)
{
	uint32_t middle = (uint32_t)(r->from + r->to) / 2;

	if (r->to - r->from == 1) {
		fail_alone(c, r, rule, why);
		return;
	}
	batch_todo(&c->batch, middle, r->to, r->tries);
	batch_todo(&c->batch, r->from, middle, r->tries); /* on top: who came first flies first */
}

static void put_back(struct batch *b, const struct range *r)
{
	for (uint32_t i = r->from; i < r->to; i++) {
		struct ask *a = b->members[i];

		if (a == NULL)
			continue;
		b->members[i] = NULL;
		lane_put_back(a);
	}
}

static void judge(struct conn *c, struct range r, const struct error_rule *rule,
		  const PGresult *why)
{
	struct batch *b = &c->batch;
	enum store_action action = rule->action;

	metric_add(METRIC_store_again, rule->reason, 1);
	if ((action == DO_AGAIN || action == DO_PREPARE) && r.tries >= rule->tries)
		action = rule->then;
	switch (action) {
	case DO_AGAIN:
	case DO_PREPARE:
		batch_todo(b, r.from, r.to, (uint8_t)(r.tries + 1));
		c->pause_due |= rule->jitter;
		c->prepare_due |= action == DO_PREPARE;
		break;
	case DO_HALVE:
		halve(c, &r, rule, why);
		break;
	case DO_RECONNECT:
		put_back(b, &r);
		c->drop_due = true;
		break;
	case DO_FAIL:
		log_error("store_statement_failed", "lane=%s state=%s why=%s", c->lane->law->name,
			  field_of(why, PG_DIAG_SQLSTATE),
			  LOG_Q(field_of(why, PG_DIAG_MESSAGE_PRIMARY)));
		fail_all(c, &r, rule->alone);
		break;
	}
}

static const struct error_rule *rule_of(const PGresult *why)
{
	const char *state = PQresultErrorField(why, PG_DIAG_SQLSTATE);

	return error_rule_of(state != NULL ? state : "08000",
			     PQresultErrorField(why, PG_DIAG_CONSTRAINT_NAME));
}

/* The first error among steps [from, to), if any; what follows an error is "aborted", not wrong. */
static const PGresult *first_error(const struct batch *b, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		ExecStatusType s = PQresultStatus(b->steps[i].result);

		if (s == PGRES_FATAL_ERROR || s == PGRES_BAD_RESPONSE || s == PGRES_NONFATAL_ERROR)
			return b->steps[i].result;
	}
	return NULL;
}

/* ---- landing ---- */

static bool is_doubtful(const struct batch *b)
{
	return b->warned || strcmp(PQcmdStatus(b->steps[b->n_steps - 2].result), "COMMIT") != 0;
}

/* Before it is judged: that answers flows, which may ask again. */
static void note_landing(struct conn *c)
{
	const struct batch *b = &c->batch;
	const PGresult *why = first_error(b, 0, b->n_steps);

	if (why != NULL)
		batch_note(c, rule_of(why)->reason, PQresultErrorField(why, PG_DIAG_SQLSTATE));
	else if (c->lane->law->reads)
		batch_note(c, "read", NULL);
	else
		batch_note(c, is_doubtful(b) ? "doubtful" : "committed", NULL);
}

static void land_writes(struct conn *c)
{
	struct batch *b = &c->batch;
	const PGresult *why = first_error(b, 0, b->n_steps);
	const struct step *commit = &b->steps[b->n_steps - 2];
	struct range r = b->now;

	assert(commit->what == STEP_COMMIT);
	if (why != NULL) {
		const struct error_rule *rule = rule_of(why);

		c->dirty = true;
		for (uint32_t i = r.from; i < r.to && rule->action != DO_RECONNECT; i++)
			ask_set_sent(b->members[i], false); /* the server said no: rolled back */
		judge(c, r, rule, why);
		return;
	}
	if (is_doubtful(b)) {
		log_error("store_commit_doubtful", "lane=%s tag=%s", c->lane->law->name,
			  LOG_Q(PQcmdStatus(commit->result)));
		fail_range(b, &r, ERR_UNKNOWN_OUTCOME);
		return;
	}
	c->pause_ms = 0;
	lane_set_unhealthy(c->lane, false);
	for (uint32_t i = 0; i < b->n_steps; i++) {
		if (b->steps[i].what == STEP_UNITS)
			settle_step(c, &b->steps[i]);
	}
}

/* tenants, kind, Sync: three steps for each kind */
static void land_reads(struct conn *c)
{
	struct batch *b = &c->batch;
	struct range now = b->now;

	for (uint32_t i = 0; i + 2 < b->n_steps; i += 3) {
		const PGresult *why = first_error(b, i, i + 2);
		const struct step *s = &b->steps[i + 1];
		struct range r = {(uint16_t)(now.from + s->from),
				  (uint16_t)(now.from + s->from + s->n), now.tries};

		if (why != NULL) {
			judge(c, r, rule_of(why), why);
			continue;
		}
		c->pause_ms = 0;
		settle_step(c, s);
	}
}

void batch_landed(struct conn *c)
{
	int64_t us = clock_mono_us() - c->batch.sent_us;

	metric_observe_us(METRIC_store_batch_seconds, c->lane->law->name, us);
	lane_batch_took(c->lane, us / 1000);
	note_landing(c);
	if (c->lane->law->reads)
		land_reads(c);
	else
		land_writes(c);
	encoder_trim(&c->enc);
}

/* ---- losing it ---- */

void batch_give_back(struct conn *c)
{
	struct batch *b = &c->batch;
	struct range all = {0, (uint16_t)b->n, 0};

	put_back(b, &all);
	b->n = b->n_todo = 0;
}

void batch_fail(struct conn *c)
{
	struct batch *b = &c->batch;

	for (uint32_t i = 0; i < b->n; i++) {
		struct ask *a = b->members[i];

		b->members[i] = NULL;
		if (a != NULL)
			ask_fail(a, a->sent ? ERR_UNKNOWN_OUTCOME : ERR_STORE_UNAVAILABLE);
	}
	b->n = b->n_todo = 0;
}
