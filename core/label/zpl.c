/*
 * ZPL II, Zebra's language for label printers, 203 dpi, UTF-8 (^CI28).
 *
 * Texts come from strangers and ^, ~ and _ are the printer's own: every field is announced by
 * ^FH_ and holds these, the backslash and all controls as _XX.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/label/layout.h"

enum { DPI = 203, WIDTH = 812, HEIGHT = 1218 }; /* dots; printers count eight to a millimetre */

static int dots(double mm)
{
	return (int)(mm * 8 + 0.5);
}

static void add(struct output *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct output *o, const char *fmt, ...)
{
	char text[160];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	output_add(o, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void add_field(struct output *o, const char *text)
{
	add(o, "^FH_^FD");
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < ' ' || c == 0x7f || strchr("^~_\\", c) != NULL)
			add(o, "_%02X", c);
		else
			output_add(o, p, 1);
	}
	add(o, "^FS\n");
}

static void add_line(struct output *o, const struct text_line *line)
{
	int height = dots(line->size);

	if (line->centred) /* the printer knows how wide its letters are */
		add(o, "^FO0,%d^A0N,%d,%d^FB%d,1,0,C,0", dots(line->baseline) - height * 3 / 4,
		    height, height, WIDTH);
	else
		add(o, "^FT%d,%d^A0N,%d,%d", dots(line->x), dots(line->baseline), height, height);
	add_field(o, line->text);
}

/* Digits in pairs, subset C, when there is nothing else; else subset B, one symbol a character. */
static bool in_pairs(const struct symbol *s)
{
	size_t n = strlen(s->data);

	return n % 2 == 0 && strspn(s->data, "0123456789") == n;
}

/*
 * The printer encodes by itself; how many modules it needs is known beforehand, because the
 * subset is told to it: 11 a symbol, with start and check 22, stop 13, and 11 for GS1's FNC1.
 */
static void add_symbol(struct output *o, const struct symbol *s)
{
	bool gs1 = s->kind == SYMBOL_GS1_128;
	int n = (int)strlen(s->data), symbols = in_pairs(s) ? n / 2 : n;
	int modules = 11 * symbols + 35 + (gs1 ? 11 : 0);
	struct symbol_place at = symbol_place(modules, DPI);

	add(o, "^FO%d,%d^BY%d,3^BCN,%d,N,N,N,%c", at.x, dots(s->y), at.module, dots(s->height),
	    gs1 ? 'D' : 'N');
	if (gs1)
		add(o, "^FH_^FD(%.2s)%s^FS\n", s->data, s->data + 2);
	else
		add(o, "^FH_^FD>%c%s^FS\n", in_pairs(s) ? ';' : ':', s->data);
}

static void add_stroke(struct output *o, const struct stroke *s)
{
	int width = dots(s->width), height = dots(s->height);

	add(o, "^FO%d,%d^GB%d,%d,%d^FS\n", dots(s->x), dots(s->y), width, height,
	    width < height ? width : height);
}

enum errc label_zpl(const struct layout *l, struct output *o)
{
	/* What an earlier label may have left behind - origin, orientation - is set, too. */
	add(o, "^XA^CI28^PW%d^LL%d^LH0,0^LS0^LT0^PON^FWN\n", WIDTH, HEIGHT);
	for (int i = 0; i < n_label_strokes; i++)
		add_stroke(o, &label_strokes[i]);
	for (int i = 0; i < l->n_symbols; i++)
		add_symbol(o, &l->symbols[i]);
	for (int i = 0; i < l->n_lines; i++)
		add_line(o, &l->lines[i]);
	add(o, "^PQ1^XZ\n");
	return ERR_OK;
}
