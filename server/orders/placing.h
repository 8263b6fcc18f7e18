/*
 * An order on its way in, as the files of PlaceOrder share it: place_order.c is the flow,
 * place_price.c says what the order costs, place_reply.c how it is answered.
 */
#ifndef ORDERD_SERVER_PLACING_H
#define ORDERD_SERVER_PLACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/id.h"
#include "core/base/str.h"
#include "core/domain/address.h"
#include "core/domain/money.h"
#include "core/domain/sourcing.h"
#include "core/flow/flow.h"
#include "core/queue/queue.h"
#include "orderd/v1/order_service.pb-c.h"
#include "sql.gen.h"

/* One line as ordered, priced. */
struct placing_line {
	struct str sku, title;
	int64_t item;
	struct money unit;
	bool own_price; /* the caller named it; else the catalogue does */
};

struct placing {
	struct id order;
	struct str request_id, fingerprint, customer;
	struct str fallbacks; /* tokens of payment methods, one a line */
	struct placing_line *lines;
	struct sourcing_line *needs; /* n_lines, as placing_line; quantities are here */
	uint32_t n_lines;
	struct sourcing_plan plan;
	int64_t *group_minor;    /* per group, from 1 */
	struct str *group_codes; /* of their locations */
	struct money total;
	struct address ship_to;
	struct id hold;
	bool held;               /* Redis may hold the goods for us: to be settled */
	enum errc refusal;       /* what find answers when it finds nothing */
	struct ring *rings;      /* per group: the jobs that start its payment */
	Orderd__V1__Order *seen; /* accepted by an earlier call */
};

/* ---- what it costs; `quote` is the answer of catalog_quote ---- */

/*
 * Prices and titles of the lines, and what each location offers of them: `offers` has room
 * for every row of the quote.  false: an item is unknown, violations say which.
 */
bool price_lines(struct flow *fl, struct placing *p, const struct answer *quote,
		 struct sourcing_offer *offers, size_t *n_offers);

/* The sum of the lines; false: they have no sum, violations say why. */
bool price_total(struct flow *fl, struct placing *p);

/* The caller named no total, or this one. */
bool price_is_expected(struct flow *fl, const struct placing *p);

/* What each shipment group of the plan comes to and where it leaves from; false: no room. */
bool price_groups(struct flow *fl, struct placing *p, const struct answer *quote);

/* ---- how it is answered ---- */

/* The order as it was stored a moment ago (`row`), or would have been (NULL: validate_only). */
int reply_placed(struct flow *fl, const struct placing *p, const struct order_place_row *row);

#endif
