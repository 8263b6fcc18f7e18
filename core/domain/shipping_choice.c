#include "core/domain/shipping_choice.h"

#include <stdbool.h>
#include <strings.h>

static bool same_word(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static struct str currency_that_counts(const struct shipping_offer *offers, uint32_t n,
				       struct str order_currency)
{
	for (uint32_t i = 0; i < n; i++)
		if (str_eq(str_of(offers[i].price.currency), order_currency))
			return order_currency;
	return n > 0 ? str_of(offers[0].price.currency) : order_currency;
}

/* -1, 0, 1; unknown days are more than any. */
static int compare_days(int32_t a, int32_t b)
{
	uint32_t x = (uint32_t)a, y = (uint32_t)b;

	return (x > y) - (x < y);
}

static int compare_price(const struct shipping_offer *a, const struct shipping_offer *b)
{
	return (a->price.minor > b->price.minor) - (a->price.minor < b->price.minor);
}

static bool is_better(const struct shipping_offer *a, const struct shipping_offer *b, bool fastest)
{
	int price = compare_price(a, b), days = compare_days(a->days, b->days);

	if (fastest)
		return days < 0 || (days == 0 && price < 0);
	return price < 0 || (price == 0 && days < 0);
}

int shipping_choose(const struct shipping_offer *offers, uint32_t n, struct str wanted,
		    struct str order_currency)
{
	bool fastest = same_word(wanted, STR("fastest"));
	bool any = fastest || same_word(wanted, STR("cheapest"));
	struct str currency = currency_that_counts(offers, n, order_currency);
	int best = SHIPPING_NO_OFFER;

	for (uint32_t i = 0; i < n; i++) {
		const struct shipping_offer *o = &offers[i];

		if (!str_eq(str_of(o->price.currency), currency) ||
		    (!any && !same_word(o->service, wanted)))
			continue;
		if (best == SHIPPING_NO_OFFER || is_better(o, &offers[best], fastest))
			best = (int)i;
	}
	return best;
}
