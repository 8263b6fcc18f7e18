/*
 * Batches: many units, each kind's statement once, one COMMIT, one Sync.
 *
 * What flies is a range of the batch's members: all of them at first, parts of them after
 * a failure (landing.c).  Ranges still to be sent stand in `todo`; there are never more
 * than members.
 *
 * A range of the write lanes:   BEGIN, locks, kinds by rank, stock, COMMIT, Sync
 * A range of the read lane:     (kind, Sync) per kind, each its own transaction
 *
 * Before a statement that touches rows the database is told whose it may see: the tenants of
 * all units of the range, or everybody's for a kind that knows no tenant.  Within a
 * transaction that is said again only when it changes.
 */
#include <assert.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/metric.h"
#include "core/store/internal.h"

void batch_todo(struct batch *b, uint32_t from, uint32_t to, uint8_t tries)
{
	if (from == to)
		return;
	assert(b->n_todo < MEMBERS_MAX);
	b->todo[b->n_todo++] = (struct range){(uint16_t)from, (uint16_t)to, tries};
}

/* ---- taking off ---- */

static uint32_t kinds_of(const struct batch *b, const struct range *r,
			 const struct unit_kind *ret[MEMBERS_MAX])
{
	uint32_t n = 0;

	for (uint32_t i = r->from; i < r->to; i++) {
		const struct unit_kind *k = b->members[i]->u.kind;
		uint32_t at = n;

		while (at > 0 && ret[at - 1]->index > k->index)
			at--;
		if (at > 0 && ret[at - 1] == k)
			continue;
		memmove(&ret[at + 1], &ret[at], (n - at) * sizeof(ret[0]));
		ret[at] = k;
		n++;
	}
	return n;
}

/* Fill `sorted` with the range's units by kind; arrival order stays within each. */
static void sort_range(struct batch *b, const struct range *r, const struct unit_kind *const *kinds,
		       uint32_t n_kinds)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < n_kinds; k++) {
		for (uint32_t i = r->from; i < r->to; i++) {
			if (b->members[i]->u.kind == kinds[k])
				b->sorted[n++] = b->members[i];
		}
	}
	assert(n == (uint32_t)(r->to - r->from));
}

bool batch_take(struct conn *c)
{
	struct batch *b = &c->batch;
	const struct unit_kind *kinds[MEMBERS_MAX + 1];
	struct range all;

	assert(b->n_todo == 0);
	b->n = lane_take(c->lane, b->members);
	b->guilty = 0;
	if (b->n == 0)
		return false;
	all = (struct range){0, (uint16_t)b->n, 0};
	if (c->lane->law->reads) { /* kinds side by side, so that a failing one is a range */
		sort_range(b, &all, kinds, kinds_of(b, &all, kinds));
		memcpy(b->members, b->sorted, b->n * sizeof(b->members[0]));
	}
	batch_todo(b, 0, b->n, 0);
	return true;
}

static uint32_t order_offset(const struct unit_kind *k)
{
	return k->order_id;
}

static uint32_t job_offset(const struct unit_kind *k)
{
	return k->job_id;
}

static uint32_t cause_offset(const struct unit_kind *k)
{
	return k->cause;
}

static bool tell(struct conn *c, enum told told, struct ask *const *asks, uint32_t n)
{
	if (c->batch.told == told)
		return true;
	c->batch.told = told;
	if (told == TOLD_ALL)
		encode_text(&c->enc, "*");
	else
		encode_tenants(&c->enc, asks, n);
	flight_step(c, STEP_OTHER);
	return encoder_send(&c->enc, c->pg, "store_tenants", false) == 1;
}

static enum told told_of(const struct unit_kind *k)
{
	return knows_tenants(k) ? TOLD_TENANTS : TOLD_ALL;
}

/* Of the units a shared statement is for. */
static enum told told_of_shared(const struct batch *b, uint32_t n,
				uint32_t (*offset_of)(const struct unit_kind *))
{
	enum told ret = TOLD_NOTHING;

	for (uint32_t i = 0; i < n && ret != TOLD_ALL; i++) {
		const struct unit_kind *k = b->sorted[i]->u.kind;

		if (offset_of(k) != UNIT_NONE)
			ret = told_of(k);
	}
	return ret;
}

static bool send_shared(struct conn *c, uint32_t n, const struct shared_statement *s,
			uint32_t (*offset_of)(const struct unit_kind *))
{
	enum told told = told_of_shared(&c->batch, n, offset_of);

	if (s == NULL || told == TOLD_NOTHING)
		return true;
	if (!tell(c, told, c->batch.sorted, n))
		return false;
	if (encode_pairs(&c->enc, c->batch.sorted, n, offset_of) == 0)
		return true;
	flight_step(c, STEP_OTHER);
	return encoder_send(&c->enc, c->pg, s->name, true) == 1;
}

static bool send_kind(struct conn *c, uint32_t from, uint32_t n)
{
	struct batch *b = &c->batch;
	struct step *s = flight_step(c, STEP_UNITS);

	s->kind = b->sorted[from]->u.kind;
	s->from = (uint16_t)from;
	s->n = (uint16_t)n;
	encode_units(&c->enc, s->kind, b->sorted + from, n);
	return encoder_send(&c->enc, c->pg, s->kind->name, true) == 1;
}

static uint32_t same_kind(const struct batch *b, uint32_t from, uint32_t n)
{
	uint32_t to = from + 1;

	while (to < n && b->sorted[to]->u.kind == b->sorted[from]->u.kind)
		to++;
	return to - from;
}

static bool send_writes(struct conn *c, uint32_t n)
{
	const struct sql_catalogue *sql = &SQL_CATALOGUE;
	struct batch *b = &c->batch;

	b->told = TOLD_NOTHING;
	if (!flight_send_text(c, STEP_OTHER, "store_begin") ||
	    !send_shared(c, n, sql->lock_orders, order_offset) ||
	    !send_shared(c, n, sql->lock_jobs, job_offset))
		return false;
	for (uint32_t from = 0, m; from < n; from += m) {
		m = same_kind(b, from, n);
		if (!tell(c, told_of(b->sorted[from]->u.kind), b->sorted, n) ||
		    !send_kind(c, from, m))
			return false;
	}
	for (uint32_t i = 0; i < n; i++)
		ask_set_sent(b->sorted[i],
			     true); /* from here on a lost connection leaves the outcome open */
	return send_shared(c, n, sql->stock_lock, cause_offset) &&
	       send_shared(c, n, sql->stock_apply, cause_offset) &&
	       flight_send_text(c, STEP_COMMIT, "store_commit") && flight_sync(c);
}

static bool send_reads(struct conn *c, uint32_t n)
{
	struct batch *b = &c->batch;

	for (uint32_t from = 0, m; from < n; from += m) {
		m = same_kind(b, from, n);
		b->told = TOLD_NOTHING; /* each its own transaction */
		if (!tell(c, told_of(b->sorted[from]->u.kind), b->sorted + from, m) ||
		    !send_kind(c, from, m) || !flight_sync(c))
			return false;
	}
	return true;
}

bool batch_send_range(struct conn *c)
{
	struct batch *b = &c->batch;
	const struct unit_kind *kinds[MEMBERS_MAX + 1];
	uint32_t n;

	b->now = b->todo[--b->n_todo];
	n = (uint32_t)(b->now.to - b->now.from);
	sort_range(b, &b->now, kinds, kinds_of(b, &b->now, kinds));
	b->warned = false;
	b->sent_us = clock_mono_us();
	metric_add(METRIC_store_batches, c->lane->law->name, 1);
	return c->lane->law->reads ? send_reads(c, n) : send_writes(c, n);
}
