/*
 * What an order costs: the caller's prices, else the catalogue's, times the quantities;
 * the sum of the lines, and the part of it each shipment group has to pay.  The quote has
 * one row or more per line, in order of lines: one per location that has the item.
 */
#include <assert.h>
#include <string.h>

#include "core/store/store.h"
#include "server/orders/placing.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

bool price_lines(struct flow *fl, struct placing *p, const struct answer *quote,
		 struct sourcing_offer *offers, size_t *n_offers)
{
	uint32_t n = answer_rows(quote);
	bool known = true;

	for (uint32_t i = 0; i < n; i++) {
		struct catalog_quote_row r = catalog_quote_row(quote, i);
		struct placing_line *line = &p->lines[r.line];

		assert(r.line >= 0 && (uint32_t)r.line < p->n_lines);
		if (r.item == 0) {
			rpc_violation(fl, "no such item", "lines[%d].sku", r.line);
			known = false;
			continue;
		}
		line->item = p->needs[r.line].item = r.item;
		if (line->title.p == NULL)
			line->title = arena_str(&fl->arena, r.title);
		if (!line->own_price && line->unit.currency[0] == '\0' &&
		    !money_of(r.currency, r.unit_minor, &line->unit))
			known = false;
		if (r.location != 0)
			offers[(*n_offers)++] =
				(struct sourcing_offer){.item = r.item,
							.location = r.location,
							.priority = r.priority,
							.latitude_e6 = r.latitude_e6,
							.longitude_e6 = r.longitude_e6,
							.available = r.available};
	}
	return known;
}

bool price_total(struct flow *fl, struct placing *p)
{
	for (uint32_t i = 0; i < p->n_lines; i++) {
		struct money line;

		if (i == 0) {
			p->total = p->lines[0].unit;
			p->total.minor = 0;
		}
		if (memcmp(p->lines[i].unit.currency, p->total.currency,
			   sizeof(p->total.currency)) != 0)
			rpc_violation(fl, "all lines must be in one currency",
				      "lines[%u].unit_price.currency_code", i);
		else if (!money_times(p->lines[i].unit, p->needs[i].qty, &line) ||
			 !money_add(&p->total, line))
			rpc_violation(fl, "the order's total is larger than an amount may be",
				      "lines[%u].quantity", i);
	}
	return !rpc_has_violations(fl);
}

bool price_is_expected(struct flow *fl, const struct placing *p)
{
	const Orderd__V1__PlaceOrderRequest *rq = rpc_request(fl);
	const Orderd__V1__Money *m = rq->expected_total;

	return m == NULL || (m->amount_minor == p->total.minor &&
			     str_eq(text_of(m->currency_code), str_of(p->total.currency)));
}

bool price_groups(struct flow *fl, struct placing *p, const struct answer *quote)
{
	size_t n = (size_t)p->plan.groups + 1;

	p->group_minor = arena_array(&fl->arena, n, sizeof(*p->group_minor));
	p->group_codes = arena_array(&fl->arena, n, sizeof(*p->group_codes));
	if (p->group_minor == NULL || p->group_codes == NULL)
		return false;
	for (size_t i = 0; i < p->plan.n_shares; i++) {
		const struct sourcing_share *s = &p->plan.shares[i];

		/* No share is larger than its line, and the lines were summed without overflow. */
		p->group_minor[s->group] += s->qty * p->lines[s->line].unit.minor;
		for (uint32_t r = 0; p->group_codes[s->group].p == NULL && r < answer_rows(quote);
		     r++) {
			struct catalog_quote_row row = catalog_quote_row(quote, r);

			if (row.location == s->location)
				p->group_codes[s->group] = arena_str(&fl->arena, row.location_code);
		}
	}
	return true;
}
