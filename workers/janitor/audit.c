#include "workers/janitor/audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/store/store.h"
#include "workers/janitor/round.h"

enum {
	ARENA = 64 * 1024,
	REST = 9,           /* times what the rule took */
	REST_LEAST_MS = 50, /* small tables: not one rule after the other without a breath */
	ANSWER_MS = 20000,  /* beyond audit_timeout_s, for connecting and for the way */
};

enum { RULE, DONE };

struct audit {
	struct round round; /* first: one rule being asked */
	uint32_t rule;
	int64_t asked_us;
};

static struct audit *audit_of(struct flow *fl)
{
	return (struct audit *)fl;
}

static void count(const char *rule, const char *outcome)
{
	char label[96];

	(void)snprintf(label, sizeof(label), "%s|%s", rule, outcome);
	metric_add(METRIC_audit_runs, label, 1);
}

static int ask_rule(struct flow *fl)
{
	struct audit *a = audit_of(fl);
	const struct worker *w = a->round.w;

	a->asked_us = clock_mono_us();
	fl->deadline_ms = clock_mono_ms() + w->cfg.audit_timeout_s * 1000 + ANSWER_MS;
	return audit_ask(fl, w->store, a->rule);
}

static int got_rule(struct flow *fl, const struct answer *answer)
{
	struct audit *a = audit_of(fl);
	const char *rule = audit_name(a->rule);
	struct audit_finding f = audit_finding(answer, a->rule);
	int64_t before = metric_value(METRIC_invariant_violations, rule);

	if (f.rows > 0)
		log_error("audit_broken", "check=%s rows=%lld first=%s", rule, (long long)f.rows,
			  log_quote(f.first.p, (int)f.first.n));
	else if (before > 0)
		log_info("audit_mended", "check=%s rows_before=%lld", rule, (long long)before);
	metric_set(METRIC_invariant_violations, rule, f.rows);
	metric_set(METRIC_audit_answered_timestamp_seconds, rule, clock_wall_us() / 1000000);
	metric_observe_us(METRIC_audit_seconds, rule, clock_mono_us() - a->asked_us);
	count(rule, f.rows > 0 ? "broken" : "holds");
	return DONE;
}

/* clang-format off */
static const struct flow_step audit_steps[] = {
	/*         name    ask       got       ms          on error  next */
	[RULE] = {"rule", ask_rule, got_rule, UINT32_MAX, DONE,     TO(DONE)},
	[DONE] = {"done"},
};

/* clang-format on */

/* While the database is away every rule would say so: the round ends. */
static bool goes_on(struct audit *a)
{
	enum errc err = a->round.fl.cause;

	if (err != ERR_OK) {
		log_warn("audit_not_asked", "check=%s error=%s", audit_name(a->rule),
			 err_name(err));
		count(audit_name(a->rule), "failed");
	}
	a->rule = err == ERR_STORE_UNAVAILABLE ? 0 : (a->rule + 1) % audit_count();
	return a->rule != 0;
}

static int64_t audit_pause_ms(struct round *r)
{
	struct audit *a = (struct audit *)r;
	int64_t rest_ms = (clock_mono_us() - a->asked_us) * REST / 1000;

	if (rest_ms < REST_LEAST_MS)
		rest_ms = REST_LEAST_MS;
	return rest_ms + (goes_on(a) ? 0 : r->w->cfg.audit_s * 1000);
}

struct audit *audit_new(struct worker *w)
{
	struct audit *a = mem_alloc(sizeof(*a));

	a->round = (struct round){
		.w = w, .name = "audit", .steps = audit_steps, .pause_ms = audit_pause_ms};
	round_begin(&a->round, ARENA);
	return a;
}

void audit_stop(struct audit *a)
{
	round_stop(&a->round);
}

void audit_free(struct audit *a)
{
	round_done(&a->round);
	free(a);
}
