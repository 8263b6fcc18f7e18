/*
 * Shipping labels, 4 x 6 inch: a picture for office printers (PDF, PNG) or Zebra's own
 * language for label printers (ZPL).  The tracking code is a Code 128, the SSCC a GS1-128
 * with application identifier 00.
 *
 * Promised: the same text makes the same bytes; a text that is too long is wrapped, then
 * shortened with an ellipsis, and never runs into its neighbour; control characters and
 * whatever is no UTF-8 are replaced; no text reaches a printer as a command.  A code that
 * cannot be printed whole is refused, ERR_LABEL_UNPRINTABLE: a wrong parcel costs more than
 * no label.  Letters the font lacks (DejaVu Sans: no Chinese, no emoji) show as boxes, and all
 * are set from left to right.
 */
#ifndef ORDERD_LABEL_LABEL_H
#define ORDERD_LABEL_LABEL_H

#include <stdint.h>

#include "core/base/str.h"
#include "core/flow/flow.h"

enum label_format { LABEL_PDF, LABEL_PNG, LABEL_ZPL, LABEL_FORMATS };

enum {
	/* Rendering and waiting for a thread; a label takes some 20 ms of one of libuv's four. */
	LABELS_AT_ONCE = 32,
};

struct label_party {
	struct str name, street, city, region, postal_code, country;
};

struct label_text {
	struct label_party from, to;
	struct str carrier, service;
	struct str tracking_code; /* letters, digits and " $%+-./:", at most 30 bytes */
	struct str sscc;          /* 18 digits, the last one right; n == 0: the label has none */
	struct str order_number, reference;
	int64_t weight_g;
	int group, groups; /* this parcel, and of how many */
};

struct label {
	const char *media_type; /* "application/pdf" */
	const char *suffix;     /* "pdf" */
	struct str bytes;
};

/*
 * Render on a thread of libuv's, so that nothing blocks the loop; to be returned by the step's
 * ask().  `t` is copied; its texts live in the flow's arena, or longer, until the answer.
 * ERR_OVERLOADED when LABELS_AT_ONCE are under way.  A flow that gave up keeps its memory until
 * the thread is done with it, as with every question.  Loop thread only; all its flows must have
 * ended before the loop is freed.
 */
int label_ask(struct flow *fl, const struct label_text *t, enum label_format f);

/* The answer; valid inside got(). */
const struct label *label_answer(const struct answer *a);

/* The work itself, on any thread.  Good: ret->bytes.p is the caller's, to be freed. */
enum errc label_render(const struct label_text *t, enum label_format f, struct label *ret);

/* At the end of the process, when no label is being made: what the font libraries keep between
 * two labels is given back. */
void label_forget_fonts(void);

#endif
