/*
 * The label as tables: blocks of paragraphs, barcodes, lines that part them.
 *
 *	+--------------------------+----------------+
 *	| FROM                     | CARRIER        |
 *	| sender                   | service        |
 *	+--------------------------+----------------+
 *	| TO                                        |
 *	|      recipient                            |
 *	+-------------------------------------------+
 *	| ORDER      REFERENCE     PARCEL   WEIGHT  |
 *	+-------------------------------------------+
 *	| TRACKING            ||||||||||            |
 *	+-------------------------------------------+
 *	| SSCC            ||||||||||||||||||        |
 *	+-------------------------------------------+
 *
 * A paragraph has so many lines and no more, and a block's paragraphs, each as long as it may
 * be, end above the next stroke: so nothing overlaps, whatever the text.
 */
#include "core/label/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 512 }; /* of one paragraph; no block shows as much */

/* In units of the size; DejaVu's own, and roomy for a printer's font. */
#define ASCENT      0.93
#define LINE_HEIGHT 1.17

#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACED "\xef\xbf\xbd"

/* ---------------------------------------------------------------- tables */

enum paragraph_name {
	NOTHING,
	CAPTION,
	FROM_NAME,
	FROM_STREET,
	FROM_PLACE,
	CARRIER,
	SERVICE,
	TO_NAME,
	TO_STREET,
	TO_PLACE,
	TO_COUNTRY,
	ORDER_NUMBER,
	REFERENCE,
	PARCEL,
	WEIGHT,
	TRACKING_CODE,
	SSCC,
	PARAGRAPHS
};

struct paragraph {
	enum paragraph_name name;
	double size;
	bool bold;
	int lines; /* at most */
};

enum { PARAGRAPHS_MAX = 4 };

/* clang-format off */
static const struct block {
	double x, y, width;
	const char *caption; /* over the first paragraph; NULL: none */
	struct paragraph paragraphs[PARAGRAPHS_MAX];
} blocks[] = {
	/* x     y     width  caption */
	{ 4.0,   3.2,  56.0, "FROM", {
		{FROM_NAME,     3.2, true,  1},
		{FROM_STREET,   3.0, false, 2},
		{FROM_PLACE,    3.0, false, 2}}},
	{64.0,   3.6,  34.0, NULL, {
		{CARRIER,       6.0, true,  1},
		{SERVICE,       3.5, false, 3}}},
	{ 4.0,  27.6,   9.0, "TO", {{0}}},
	{14.0,  28.4,  84.0, NULL, {
		{TO_NAME,       5.0, true,  2},
		{TO_STREET,     4.4, false, 2},
		{TO_PLACE,      5.0, true,  2},
		{TO_COUNTRY,    5.0, true,  1}}},
	{ 4.0,  69.2,  22.0, "ORDER",     {{ORDER_NUMBER, 3.8, true, 1}}},
	{29.0,  69.2,  29.0, "REFERENCE", {{REFERENCE,    3.8, true, 1}}},
	{61.0,  69.2,  13.0, "PARCEL",    {{PARCEL,       3.8, true, 1}}},
	{77.0,  69.2,  21.5, "WEIGHT",    {{WEIGHT,       3.8, true, 1}}},
	{ 4.0,  78.4,  90.0, "TRACKING",  {{0}}},
	{ 4.0, 105.6,  90.0, "SSCC",      {{0}}},
};

const struct stroke label_strokes[] = {
	{ 3.0,  26.4, 95.6,  0.4},
	{62.0,   3.6,  0.3, 22.0},
	{ 3.0,  68.2, 95.6,  0.4},
	{ 3.0,  77.4, 95.6,  0.4},
	{ 3.0, 104.6, 95.6,  0.4},
};

/* Barcodes and what they say, for people, below them. */
static const struct symbol_row {
	enum symbol_kind kind;
	double y, height, text_y, text_size;
	enum paragraph_name text;
} symbol_rows[SYMBOLS] = {
	{SYMBOL_CODE128,  81.6, 17.0,  99.3, 4.4, TRACKING_CODE},
	{SYMBOL_GS1_128, 108.8, 33.0, 142.6, 4.4, SSCC},
};

/* clang-format on */

const int n_label_strokes = sizeof(label_strokes) / sizeof(label_strokes[0]);

#define CAPTION_SIZE 2.3
#define CAPTION_GAP  0.5

/* ---------------------------------------------------------------- text */

/* What changes the text around it and shows nothing itself: writing direction, joiners, marks. */
static bool is_invisible(const unsigned char *p, size_t n)
{
	if (n == 2)
		return (p[0] == 0xc2 && p[1] == 0xad) || (p[0] == 0xd8 && p[1] == 0x9c);
	if (n != 3)
		return false;
	if (p[0] == 0xe2 && p[1] == 0x80)
		return (p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae);
	if (p[0] == 0xe2 && p[1] == 0x81)
		return p[2] >= 0xa0 && p[2] <= 0xaf;
	return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
}

struct writing {
	char *to;
	size_t n;
};

static void put(struct writing *w, const char *p, size_t n)
{
	if (*p == ' ' && (w->n == 0 || w->to[w->n - 1] == ' '))
		return;
	if (w->n + n + sizeof(ELLIPSIS) > TEXT_BYTES_MAX)
		return; /* no block shows as much */
	memcpy(w->to + w->n, p, n);
	w->n += n;
}

/* Characters that can be printed, one blank where there were blanks or controls. */
static void put_text(struct writing *w, struct str s)
{
	while (s.n > 0) {
		size_t n = str_char_length(s);
		const unsigned char *p = (const unsigned char *)s.p;

		if (n == 0 && *p == 0xc2 && s.n > 1 && (p[1] & 0xc0) == 0x80)
			n = 2; /* a C1 control */
		if (n <= 2 && (*p <= ' ' || *p == 0x7f || (*p == 0xc2 && n == 2 && p[1] <= 0xa0)))
			put(w, " ", 1);
		else if (n == 0)
			put(w, REPLACED, sizeof(REPLACED) - 1);
		else if (!is_invisible(p, n))
			put(w, s.p, n);
		if (n == 0)
			n = 1;
		s.p += n;
		s.n -= n;
	}
}

/* Countries that write the town first, then region and postal code. */
static bool town_first(struct str country)
{
	static const char list[][3] = {"US", "CA", "AU", "GB", "NZ", "IE", "IN", "ZA"};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (str_eq(country, str_of(list[i])))
			return true;
	return false;
}

static void put_place(struct writing *w, const struct label_party *p)
{
	bool first = town_first(p->country);

	if (!first) {
		put_text(w, p->postal_code);
		put_text(w, STR(" "));
	}
	put_text(w, p->city);
	if (p->region.n > 0) {
		put_text(w, STR(", "));
		put_text(w, p->region);
	}
	if (first) {
		put_text(w, STR(" "));
		put_text(w, p->postal_code);
	}
}

static void put_weight(struct writing *w, int64_t grams)
{
	char text[32];

	if (grams <= 0)
		return;
	snprintf(text, sizeof(text), "%" PRId64 ".%03d kg", grams / 1000, (int)(grams % 1000));
	put_text(w, str_of(text));
}

static void put_parcel(struct writing *w, int group, int groups)
{
	char text[32];

	snprintf(text, sizeof(text), "%d / %d", group, groups);
	put_text(w, str_of(text));
}

static void put_from_place(struct writing *w, const struct label_party *p)
{
	put_place(w, p);
	put_text(w, STR(", "));
	put_text(w, p->country);
}

static void put_sscc(struct writing *w, struct str sscc)
{
	if (sscc.n > 0)
		put_text(w, STR("(00) "));
	put_text(w, sscc);
}

/* Paragraphs that are a text as it is; NULL: the others. */
static const struct str *plain_text(const struct label_text *t, enum paragraph_name name)
{
	const struct str *const texts[PARAGRAPHS] = {
		[FROM_NAME] = &t->from.name,   [FROM_STREET] = &t->from.street,
		[CARRIER] = &t->carrier,       [SERVICE] = &t->service,
		[TO_NAME] = &t->to.name,       [TO_STREET] = &t->to.street,
		[TO_COUNTRY] = &t->to.country, [ORDER_NUMBER] = &t->order_number,
		[REFERENCE] = &t->reference,   [TRACKING_CODE] = &t->tracking_code,
	};

	return texts[name];
}

/* What a paragraph says of this parcel. */
static void write_paragraph(const struct label_text *t, enum paragraph_name name,
			    char to[TEXT_BYTES_MAX])
{
	const struct str *plain = plain_text(t, name);
	struct writing w = {.to = to};

	if (plain != NULL)
		put_text(&w, *plain);
	else if (name == FROM_PLACE)
		put_from_place(&w, &t->from);
	else if (name == TO_PLACE)
		put_place(&w, &t->to);
	else if (name == PARCEL)
		put_parcel(&w, t->group, t->groups);
	else if (name == WEIGHT)
		put_weight(&w, t->weight_g);
	else if (name == SSCC)
		put_sscc(&w, t->sscc);
	while (w.n > 0 && to[w.n - 1] == ' ')
		w.n--;
	to[w.n] = '\0';
}

/* ---------------------------------------------------------------- lines */

struct laying {
	struct layout *l;
	struct ruler *ruler;
};

/* Bytes of whole characters at the beginning of `text` that fit into `width`. */
static size_t that_fit(struct ruler *r, const struct paragraph *p, const char *text, double width)
{
	size_t at = 0, n;
	double used = 0;

	while ((n = str_char_length(str_of(text + at))) > 0) {
		char c[8];

		memcpy(c, text + at, n);
		c[n] = '\0';
		used += ruler_width(r, p->bold, p->size, c);
		if (used > width || at + n + sizeof(ELLIPSIS) > LINE_BYTES_MAX)
			break;
		at += n;
	}
	return at;
}

/* Where the line ends: at the last blank that fits, or in the middle of a word too long. */
static size_t break_at(const char *text, size_t fit)
{
	for (size_t n = fit; n > 0; n--)
		if (text[n] == ' ')
			return n;
	return fit > 0 ? fit : str_char_length(str_of(text));
}

static struct text_line *add_line(struct layout *l, const struct paragraph *p, const char *text,
				  size_t n, const char *end)
{
	struct text_line *line = &l->lines[l->n_lines++];

	*line = (struct text_line){.size = p->size, .bold = p->bold};
	snprintf(line->text, sizeof(line->text), "%.*s%s", (int)n, text, end);
	return line;
}

/* Lay `text` from height *y on, in the paragraph's lines at most, and move *y below them. */
static void lay_paragraph(struct laying *g, const struct block *b, const struct paragraph *p,
			  const char *text, double *y)
{
	for (int i = 0; i < p->lines && *text != '\0'; i++) {
		size_t n = that_fit(g->ruler, p, text, b->width);
		const char *end = "";
		struct text_line *line;

		if (text[n] != '\0' && i == p->lines - 1) {
			double room = b->width - ruler_width(g->ruler, p->bold, p->size, ELLIPSIS);

			n = that_fit(g->ruler, p, text, room);
			end = ELLIPSIS;
		} else if (text[n] != '\0') {
			n = break_at(text, n);
		}
		line = add_line(g->l, p, text, n, end);
		line->x = b->x;
		line->baseline = *y + p->size * ASCENT;
		*y += p->size * LINE_HEIGHT;
		text += n;
		text += *text == ' ';
	}
}

static void lay_block(struct laying *g, const struct label_text *t, const struct block *b)
{
	static const struct paragraph caption = {CAPTION, CAPTION_SIZE, false, 1};
	char text[TEXT_BYTES_MAX];
	double y = b->y;

	if (b->caption != NULL) {
		lay_paragraph(g, b, &caption, b->caption, &y);
		y += CAPTION_GAP;
	}
	for (int i = 0; i < PARAGRAPHS_MAX && b->paragraphs[i].name != NOTHING; i++) {
		write_paragraph(t, b->paragraphs[i].name, text);
		lay_paragraph(g, b, &b->paragraphs[i], text, &y);
	}
}

/* ---------------------------------------------------------------- barcodes */

/* What every Code 128 printer prints the same way; no carrier's codes hold anything else. */
static bool is_code(struct str s)
{
	static const char others[] = " $%+-./:";

	if (s.n == 0 || s.n > CODE_CHARS_MAX || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      memchr(others, c, sizeof(others) - 1) != NULL))
			return false;
	}
	return true;
}

/* What it says stands below it, whole: smaller if it must be. */
static void lay_symbol_text(struct laying *g, const struct label_text *t,
			    const struct symbol_row *row)
{
	struct paragraph p = {row->text, row->text_size, true, 1};
	char text[TEXT_BYTES_MAX];
	struct text_line *line;
	double width;

	write_paragraph(t, row->text, text);
	width = ruler_width(g->ruler, p.bold, p.size, text);
	if (width > LABEL_WIDTH_MM - 8)
		p.size *= (LABEL_WIDTH_MM - 8) / width;
	line = add_line(g->l, &p, text, strlen(text), "");
	line->centred = true;
	line->baseline = row->text_y + row->text_size * ASCENT;
}

static enum errc lay_symbol(struct laying *g, const struct label_text *t,
			    const struct symbol_row *row)
{
	struct str code = row->kind == SYMBOL_GS1_128 ? t->sscc : t->tracking_code;
	const char *identifier = row->kind == SYMBOL_GS1_128 ? "00" : "";
	struct symbol *s = &g->l->symbols[g->l->n_symbols++];

	if (!is_code(code) || (row->kind == SYMBOL_GS1_128 && code.n != 18))
		return ERR_LABEL_UNPRINTABLE;
	s->kind = row->kind;
	s->y = row->y;
	s->height = row->height;
	snprintf(s->data, sizeof(s->data), "%s" STR_FMT, identifier, STR_ARG(code));
	lay_symbol_text(g, t, row);
	return symbol_encode(s);
}

/* ---------------------------------------------------------------- the label */

/* The block that names the SSCC stands last in its table, and so does its symbol. */
static enum errc lay(struct laying *g, const struct label_text *t)
{
	int without = t->sscc.n == 0; /* 1: leave out the last */
	int n_blocks = (int)(sizeof(blocks) / sizeof(blocks[0]));

	for (int i = 0; i < n_blocks - without; i++)
		lay_block(g, t, &blocks[i]);
	for (int i = 0; i < SYMBOLS - without; i++) {
		enum errc err = lay_symbol(g, t, &symbol_rows[i]);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum errc label_layout(const struct label_text *t, struct layout *ret)
{
	struct laying g = {.l = ret, .ruler = ruler_new()};
	enum errc err = ERR_INTERNAL;

	ret->n_lines = ret->n_symbols = 0;
	if (g.ruler != NULL)
		err = lay(&g, t);
	ruler_free(g.ruler);
	return err;
}
