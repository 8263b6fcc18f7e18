/*
 * Which of the carriers' offers is bought, by what the order asked for: "cheapest", "fastest", or a
 * service by its name, whatever its case.
 *
 * Prices of different currencies cannot be compared.  If any offer is in the order's currency, only
 * those count; otherwise those in the currency of the first offer.
 */
#ifndef ORDERD_DOMAIN_SHIPPING_CHOICE_H
#define ORDERD_DOMAIN_SHIPPING_CHOICE_H

#include <stdint.h>

#include "core/base/str.h"
#include "core/domain/money.h"

enum { SHIPPING_DAYS_UNKNOWN = -1, SHIPPING_NO_OFFER = -1 };

struct shipping_offer {
	struct str id, carrier, service;
	struct money price;
	int32_t days; /* until delivery, or SHIPPING_DAYS_UNKNOWN */
};

/*
 * The place of the best offer in the list, or SHIPPING_NO_OFFER.  Cheapest: by price, then days;
 * fastest: by days, unknown ones last, then price; by name: the cheapest of that name.  Of two that
 * are as good the first.
 */
int shipping_choose(const struct shipping_offer *offers, uint32_t n, struct str wanted,
		    struct str order_currency);

#endif
