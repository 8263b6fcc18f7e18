/*
 * A letter to a customer: what is known of an order, put into the words of templates/.
 * Pure: no I/O, no clock, no settings.
 */
#ifndef ORDERD_WORKERS_LETTER_H
#define ORDERD_WORKERS_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

enum {
	LETTER_LINES_MAX = 20,  /* more are counted, not listed: a mail is no invoice */
	LETTER_TITLE_MAX = 120, /* bytes of a title that are shown */
	LETTER_BYTES_MAX = 128 * 1024,
};

struct letter_line {
	struct str title, sku; /* the sku stands for an empty title */
	int64_t quantity, unit_minor;
};

struct letter_facts {
	struct str template; /* of template_table.h */
	struct str kind;     /* of the event */
	struct str shop, name;
	int64_t order_number;
	bool partly; /* of an order in several parcels, one */
	struct str currency;
	int64_t total_minor; /* of the order */
	/* absent or empty where there is none; URLs that are not http(s) are left out */
	struct str carrier, tracking_code, tracking_url, action_url;
	const struct letter_line *lines;
	uint32_t n_lines;
	int64_t all_lines; /* n_lines and those not listed */
};

struct letter {
	struct str subject; /* one line */
	struct str text, html;
};

/* NULL, or why there is no letter: no such template, one that is wrong, no room. */
const char *letter_write(const struct letter_facts *f, struct arena *a, struct letter *ret);

/* `pattern` with the code, percent-encoded, in place of {code}; NULL: no room. */
char *letter_tracking_url(struct arena *a, const char *pattern, struct str code);

#endif
