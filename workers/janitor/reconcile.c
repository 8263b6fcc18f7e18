/*
 * One page is one flow:
 *
 *	walk --> list --> seen --> forget --> done
 *	           +----> given up (`after` is gone: from the start)
 */
#include "workers/janitor/reconcile.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "sql.gen.h"
#include "workers/janitor/round.h"
#include "workers/payment/gateway.h"

enum {
	ARENA = 256 * 1024,    /* a page of a hundred takes 30 KiB */
	LOOK_BACK_S = 1209600, /* two weeks: a card's authorization ends within one */
	KEEP_S = 2592000,      /* 30 days after a payment was last seen */
	FORGET_MOST = 1000,    /* rows a page */
	PAGE_PAUSE_MS = 250,   /* four calls a second; Stripe takes a hundred */
	GATEWAY_MS = 130000,   /* http_timeout_ms ends it before */
};

enum { WALK, LIST, SEEN, FORGET, DONE };

struct reconciler {
	struct round round; /* first: a page being read */
	int64_t since_us, until_us;
	struct str after; /* in the arena, as what the page holds */
	struct gateway_page page;
	bool lost; /* the gateway does not know `after` any more */
	bool more; /* the walk goes on */
};

static struct reconciler *reconciler_of(struct flow *fl)
{
	return (struct reconciler *)fl;
}

static int ask_walk(struct flow *fl)
{
	struct gateway_walk_on_head h = {.look_back_s = LOOK_BACK_S};

	reconciler_of(fl)->more = false;
	return store_ask(fl, reconciler_of(fl)->round.w->store, gateway_walk_on_unit(&h, NULL, 0));
}

static int got_walk(struct flow *fl, const struct answer *a)
{
	struct reconciler *c = reconciler_of(fl);
	struct gateway_walk_on_row r;

	if (answer_rows(a) == 0 || c->round.stopped)
		return DONE;
	r = gateway_walk_on_row(a, 0);
	c->since_us = r.since;
	c->until_us = r.until;
	c->after = arena_str(&fl->arena, r.after);
	return LIST;
}

static int ask_list(struct flow *fl)
{
	struct reconciler *c = reconciler_of(fl);

	return gateway_ask_list(fl, c->round.w, c->since_us, c->after);
}

static int got_list(struct flow *fl, const struct answer *a)
{
	struct reconciler *c = reconciler_of(fl);

	enum errc err = gateway_page(fl, a, &c->page);

	c->lost = err == ERR_NOT_FOUND;
	if (err == ERR_OK || c->lost)
		return SEEN;
	fl->err = err;
	return FLOW_FAIL;
}

static int ask_seen(struct flow *fl)
{
	struct reconciler *c = reconciler_of(fl);
	struct gateway_seen_head h = {
		.until = c->until_us, .after = c->after, .whole = !c->lost && !c->page.more};

	if (c->lost)
		log_warn("gateway_walk_given_up", "after=%s",
			 log_quote(c->after.p, (int)c->after.n));
	if (c->page.more)
		h.next_after = c->page.lines[c->page.n - 1].id;
	return store_ask(fl, c->round.w->store, gateway_seen_unit(&h, c->page.lines, c->page.n));
}

static int got_seen(struct flow *fl, const struct answer *a)
{
	struct reconciler *c = reconciler_of(fl);
	int64_t until = answer_rows(a) > 0 ? gateway_seen_row(a, 0).walked_until : DB_NULL;

	if (until != DB_NULL)
		metric_set(METRIC_gateway_walked_timestamp_seconds, NULL, until / 1000000);
	c->more = c->page.more;
	return c->round.stopped ? DONE : FORGET;
}

static int ask_forget(struct flow *fl)
{
	struct gateway_forget_head h = {.keep_s = KEEP_S, .most = FORGET_MOST};

	return store_ask(fl, reconciler_of(fl)->round.w->store, gateway_forget_unit(&h, NULL, 0));
}

static int got_forget(struct flow *fl, const struct answer *a)
{
	(void)fl, (void)a;
	return DONE;
}

/* clang-format off */
static const struct flow_step reconcile_steps[] = {
	/*           name      ask         got         ms          on error  next */
	[WALK]   = {"walk",   ask_walk,   got_walk,   10000,      DONE,     TO(LIST) | TO(DONE)},
	[LIST]   = {"list",   ask_list,   got_list,   GATEWAY_MS, DONE,     TO(SEEN)},
	[SEEN]   = {"seen",   ask_seen,   got_seen,   10000,      DONE,     TO(FORGET) | TO(DONE)},
	[FORGET] = {"forget", ask_forget, got_forget, 10000,      DONE,     TO(DONE)},
	[DONE]   = {"done"},
};

/* clang-format on */

static int64_t reconcile_pause_ms(struct round *r)
{
	const struct reconciler *c = (struct reconciler *)r;

	if (r->fl.cause != ERR_OK)
		log_warn("gateway_not_read", "step=%s error=%s", r->fl.cause_step,
			 err_name(r->fl.cause));
	return c->more ? PAGE_PAUSE_MS : r->w->cfg.audit_s * 1000;
}

struct reconciler *reconciler_new(struct worker *w)
{
	struct reconciler *c = mem_alloc(sizeof(*c));

	c->round = (struct round){.w = w,
				  .name = "reconcile",
				  .steps = reconcile_steps,
				  .pause_ms = reconcile_pause_ms};
	round_begin(&c->round, ARENA);
	return c;
}

void reconciler_stop(struct reconciler *c)
{
	round_stop(&c->round);
}

bool reconciler_idle(const struct reconciler *c)
{
	return round_idle(&c->round);
}

void reconciler_free(struct reconciler *c)
{
	round_done(&c->round);
	free(c);
}
