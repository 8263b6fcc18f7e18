/*
 * What stands where on a label, in millimetres from its upper left corner: made once from the
 * text, then drawn (draw.c) or written (zpl.c), so the three formats agree.
 */
#ifndef ORDERD_LABEL_LAYOUT_H
#define ORDERD_LABEL_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/label/label.h"

#define LABEL_WIDTH_MM  101.6
#define LABEL_HEIGHT_MM 152.4
#define MM_PER_INCH     25.4

enum {
	LINES_MAX = 40,       /* the table of layout.c has room for 30 */
	LINE_BYTES_MAX = 256, /* of one line; no letter is narrower than half a millimetre */
	CODE_CHARS_MAX = 30,  /* what fits with bars a reader can tell apart: barcode.c */
	BARS_MAX = 128,       /* three a character, with start, check and stop some hundred */
	QUIET_MODULES = 10,   /* blank on either side: ISO/IEC 15417 */
	SYMBOLS = 2,
};

/* One line of text. */
struct text_line {
	double x, baseline, size;  /* size: height of an em */
	bool bold, centred;        /* centred: on the label, x counts for nothing */
	char text[LINE_BYTES_MAX]; /* UTF-8 without controls */
};

enum symbol_kind { SYMBOL_CODE128, SYMBOL_GS1_128 };

struct bar {
	uint16_t at, width; /* modules */
};

struct symbol {
	enum symbol_kind kind;
	double y, height;
	char data[CODE_CHARS_MAX +
		  1]; /* what a reader says, GS1-128 with its identifier: "00..." */
	int modules;  /* of the whole symbol without its quiet zones */
	int n_bars;
	struct bar bars[BARS_MAX];
};

struct stroke {
	double x, y, width, height;
};

struct layout {
	int n_lines, n_symbols;
	struct text_line lines[LINES_MAX];
	struct symbol symbols[SYMBOLS];
};

/* Lines that part the label, the same on every one. */
extern const struct stroke label_strokes[];
extern const int n_label_strokes;

/* Fill `ret`. */
enum errc label_layout(const struct label_text *t, struct layout *ret);

/* Encode s->data into its bars. */
enum errc symbol_encode(struct symbol *s);

/*
 * Where a symbol stands on a grid of `dpi` dots: its bars are whole dots wide, as wide as they
 * may be, and it is in the middle of the label.
 */
struct symbol_place {
	int module, x; /* dots */
};

struct symbol_place symbol_place(int modules, int dpi);

/* ---- fonts: draw.c ---- */

struct ruler; /* measures text; one thread at a time */

struct ruler *ruler_new(void); /* NULL: there is no font to be had */
void ruler_free(struct ruler *r);
double ruler_width(struct ruler *r, bool bold, double size, const char *text);

/* ---- the formats ---- */

/* Bytes of a format while they come. */
struct output {
	char *p;
	size_t n, room;
	bool full; /* more than a label can be: something is wrong */
};

void output_add(struct output *o, const void *bytes, size_t n);

enum errc label_pdf(const struct layout *l, struct output *o);
enum errc label_png(const struct layout *l, struct output *o);
enum errc label_zpl(const struct layout *l, struct output *o);

#endif
