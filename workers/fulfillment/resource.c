/*
 * Resource: an order lacks goods that were not on the shelf; send them from where there are some.
 *
 *	look --> take --+--> done
 *	|  ^            |
 *	+--+            | what was seen is not so any more
 *	   +------------+
 *
 * look reads what is missing and what is free where; the plan is made by the same function
 * as an order's first one.  It reads some lines at a time, and on as long as there is none of
 * them.  What there is, is taken at once: a paid order comes before the next buyer.  take
 * decides, in one unit: it makes the new shipment groups, or holds the order and has the job
 * come again.
 */
#include <stdlib.h>

#include "core/domain/sourcing.h"
#include "sql.gen.h"
#include "workers/fulfillment/fulfillment.h"

enum {
	LOST_MAX = 5,   /* plans that came too late; then it is tried again after a pause */
	LINES_MAX = 32, /* looked for together; with their locations they fit a job's memory */
	/* Above any location's priority: where this order was short already is the last resort. */
	MISSED_PRIORITY = 1000001,
};

enum { LOOK, TAKE, DONE };

struct resourcing {
	int lost;
	int32_t after;               /* lines up to this one were looked for */
	bool more;                   /* there are lines behind it */
	int64_t missing;             /* units of the order, as seen */
	struct sourcing_line *needs; /* what of it can be had */
	int32_t *lines;              /* of the order; needs[i] is of lines[i] */
	size_t n_needs;
	struct sourcing_plan plan;
};

static int ask_look(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct resourcing *r = job_state(fl);
	struct backorder_quote_head h = {.tenant = j->tenant,
					 .order_id = j->order,
					 .after = r->after,
					 .most = LINES_MAX,
					 .places = SOURCING_PLACES_MAX};

	return store_ask(fl, worker_of(fl)->store, backorder_quote_unit(&h, NULL, 0));
}

/* What is free of an item, over all locations considered. */
struct left {
	int64_t item, qty;
};

static int by_place(const void *a, const void *b)
{
	const struct sourcing_offer *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->location != y->location)
		return x->location < y->location ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static int by_item(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	return (x->item > y->item) - (x->item < y->item);
}

static size_t read_offers(const struct answer *a, struct sourcing_offer *offers)
{
	size_t n = 0;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct backorder_quote_row q = backorder_quote_row(a, i);

		if (q.location == 0 || q.available <= 0)
			continue;
		offers[n++] = (struct sourcing_offer){.item = q.item,
						      .location = q.location,
						      .priority = q.priority +
								  (q.missed ? MISSED_PRIORITY : 0),
						      .latitude_e6 = q.latitude_e6,
						      .longitude_e6 = q.longitude_e6,
						      .available = q.available};
	}
	return n;
}

/*
 * An item that is missing on two lines is offered once; of more locations than a plan considers the
 * best are kept, so that all that is counted can be planned.
 */
static size_t tidy_offers(struct sourcing_offer *offers, size_t n)
{
	size_t kept = 0, places = 0;

	qsort(offers, n, sizeof(*offers), by_place);
	for (size_t i = 0; i < n; i++) {
		bool new_place = kept == 0 || offers[kept - 1].location != offers[i].location;

		if (!new_place && offers[kept - 1].item == offers[i].item)
			continue;
		if (new_place && places++ == SOURCING_PLACES_MAX)
			break;
		offers[kept++] = offers[i];
	}
	return kept;
}

static size_t count_left(const struct sourcing_offer *offers, size_t n, struct left *left)
{
	size_t items = 0;

	for (size_t i = 0; i < n; i++)
		left[i] = (struct left){offers[i].item, offers[i].available};
	qsort(left, n, sizeof(*left), by_item);
	for (size_t i = 0; i < n; i++)
		if (items > 0 && left[items - 1].item == left[i].item)
			left[items - 1].qty += left[i].qty;
		else
			left[items++] = left[i];
	return items;
}

/* Of each missing line as much as there is, in order of lines. */
static void read_needs(struct resourcing *r, const struct answer *a, struct left *left, size_t n)
{
	r->missing = 0;
	r->more = false;
	r->n_needs = 0;
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct backorder_quote_row q = backorder_quote_row(a, i);
		struct left *l;

		r->missing = q.missing;
		r->more = q.more;
		if (q.line == r->after)
			continue;
		r->after = q.line;
		l = bsearch(&(struct left){.item = q.item}, left, n, sizeof(*left), by_item);
		if (l == NULL || l->qty == 0)
			continue;
		r->lines[r->n_needs] = q.line;
		r->needs[r->n_needs] = (struct sourcing_line){
			.item = q.item, .qty = l->qty < q.qty ? l->qty : q.qty};
		l->qty -= r->needs[r->n_needs++].qty;
	}
}

static int got_look(struct flow *fl, const struct answer *a)
{
	struct resourcing *r = job_state(fl);
	size_t n = (size_t)answer_rows(a) + 1;
	struct sourcing_offer *offers = arena_array(&fl->arena, n, sizeof(*offers));
	struct left *left = arena_array(&fl->arena, n, sizeof(*left));
	struct sourcing_question q = {.offers = offers};

	r->needs = arena_array(&fl->arena, n, sizeof(*r->needs));
	r->lines = arena_array(&fl->arena, n, sizeof(*r->lines));
	if (offers == NULL || left == NULL || r->needs == NULL || r->lines == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the missing lines do not fit");
	q.n_offers = tidy_offers(offers, read_offers(a, offers));
	read_needs(r, a, left, count_left(offers, q.n_offers, left));
	if (r->n_needs == 0 && r->more)
		return LOOK;
	q.lines = r->needs;
	q.n_lines = r->n_needs;
	r->plan = (struct sourcing_plan){0};
	/* There is enough of each, so only memory can lack. */
	if (r->n_needs > 0 && sourcing_plan(&q, &fl->arena, &r->plan) != SOURCING_OK)
		return job_fail(fl, ERR_TOO_LARGE, "the plan for what is missing does not fit");
	return TAKE;
}

static struct order_resourced_line *shares_of(struct flow *fl, const struct resourcing *r)
{
	struct order_resourced_line *shares =
		arena_array(&fl->arena, r->plan.n_shares + 1, sizeof(*shares));
	bool *seen = arena_array(&fl->arena, (size_t)r->plan.groups + 1, sizeof(*seen));

	if (shares == NULL || seen == NULL)
		return NULL;
	for (size_t i = 0; i < r->plan.n_shares; i++) {
		const struct sourcing_share *s = &r->plan.shares[i];

		shares[i] = (struct order_resourced_line){.line = r->lines[s->line],
							  .item = r->needs[s->line].item,
							  .location = s->location,
							  .qty = s->qty,
							  .group_no = s->group};
		if (!seen[s->group])
			shares[i].job_id = id_child(job_of(fl)->order);
		seen[s->group] = true;
	}
	return shares;
}

static int ask_take(struct flow *fl)
{
	const struct job *j = job_of(fl);
	struct resourcing *r = job_state(fl);
	struct order_resourced_line *shares = shares_of(fl, r);
	struct order_resourced_head h = {.tenant = j->tenant,
					 .order_id = j->order,
					 .group_no = j->group_no,
					 .job_id = j->id,
					 .epoch = j->epoch,
					 .cause = id_child(j->order),
					 .backordered = r->missing,
					 .more = r->more};

	if (!r->more) /* else it comes back at once */
		h.delay_ms = worker_of(fl)->cfg.resource_retry_s * 1000;
	if (shares == NULL)
		return job_fail(fl, ERR_TOO_LARGE, "the plan does not fit");
	return store_ask(fl, worker_of(fl)->store,
			 order_resourced_unit(&h, shares, (uint32_t)r->plan.n_shares));
}

static int got_take(struct flow *fl, const struct answer *a)
{
	struct resourcing *r = job_state(fl);

	if (answer_rows(a) > 0 && str_eq(order_resourced_row(a, 0).outcome, STR("lost"))) {
		r->after = 0;
		if (++r->lost < LOST_MAX)
			return LOOK;
		return job_fail(fl, ERR_CLASH, "the stock is in motion");
	}
	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct order_resourced_row row = order_resourced_row(a, i);

		job_ring(fl, row.job_id, row.kind);
	}
	/* Redis knows of more than there is now. */
	for (size_t i = 0; i < r->n_needs; i++)
		queue_forget_stock(worker_of(fl)->queue, job_of(fl)->tenant, r->needs[i].item);
	job_settled(fl);
	return DONE;
}

/* clang-format off */
static const struct flow_step resource_steps[] = {
	/*         name    ask       got       ms     on error  next                */
	[LOOK] = {"look", ask_look, got_look, 10000, DONE,     TO(LOOK) | TO(TAKE)},
	[TAKE] = {"take", ask_take, got_take, 30000, DONE,     TO(LOOK) | TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct job_kind JOB_FULFILLMENT_RESOURCE = {
	.name = "fulfillment.resource",
	.role = ROLE_FULFILLMENT,
	.priority = 1,
	.steps = resource_steps,
	.state_size = sizeof(struct resourcing),
};
