/*
 * PDF and PNG from one drawing routine, with cairo.
 *
 * Bars and strokes stand on the dots of a 300 dpi printer, which is what the PNG is made of and
 * what the PDF, though it has no dots, is mostly printed with.
 */
#include <cairo-pdf.h>
#include <cairo.h>
#include <fontconfig/fontconfig.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/label/layout.h"

enum { DPI = 300 };

/* Points of PDF, 1/72 inch. */
#define POINTS_PER_MM (72 / MM_PER_INCH)
#define DOTS_PER_MM   (DPI / MM_PER_INCH)

static const char font[] = "DejaVu Sans"; /* Debian: fonts-dejavu-core */

static void use_font(cairo_t *c, bool bold, double size)
{
	cairo_select_font_face(c, font, CAIRO_FONT_SLANT_NORMAL,
			       bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(c, size);
}

/* Letters are as wide on paper as in the plan, at every resolution. */
static void no_hints(cairo_t *c)
{
	cairo_font_options_t *o = cairo_font_options_create();

	cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
	cairo_set_font_options(c, o);
	cairo_font_options_destroy(o);
}

/* ---------------------------------------------------------------- measuring */

#define RULER_SIZE 64.0

struct ruler {
	cairo_surface_t *surface;
	cairo_t *c[2];        /* regular, bold */
	double ascii[2][128]; /* widths at RULER_SIZE; 0: not asked yet */
};

struct ruler *ruler_new(void)
{
	struct ruler *r = mem_alloc(sizeof(*r));

	r->surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
	for (int bold = 0; bold < 2; bold++) {
		r->c[bold] = cairo_create(r->surface);
		no_hints(r->c[bold]);
		use_font(r->c[bold], bold, RULER_SIZE);
		if (ruler_width(r, bold, 1, "x") > 0)
			continue;
		ruler_free(r);
		return NULL;
	}
	return r;
}

void ruler_free(struct ruler *r)
{
	if (r == NULL)
		return;
	for (int bold = 0; bold < 2; bold++)
		if (r->c[bold] != NULL)
			cairo_destroy(r->c[bold]);
	cairo_surface_destroy(r->surface);
	free(r);
}

double ruler_width(struct ruler *r, bool bold, double size, const char *text)
{
	bool single = text[0] > 0 && text[1] == '\0';
	double *known = single ? &r->ascii[bold][(unsigned char)text[0]] : NULL;
	cairo_text_extents_t e;

	if (known != NULL && *known > 0)
		return *known * size / RULER_SIZE;
	cairo_text_extents(r->c[bold], text, &e);
	if (known != NULL)
		*known = e.x_advance;
	return e.x_advance * size / RULER_SIZE;
}

/* ---------------------------------------------------------------- drawing */

static double on_dots(double mm)
{
	return round(mm * DOTS_PER_MM) / DOTS_PER_MM;
}

static void draw_box(cairo_t *c, double x, double y, double width, double height)
{
	cairo_rectangle(c, on_dots(x), on_dots(y), on_dots(width), on_dots(height));
}

static void draw_line(cairo_t *c, const struct text_line *line)
{
	cairo_text_extents_t e;
	double x = line->x;

	use_font(c, line->bold, line->size);
	if (line->centred) {
		cairo_text_extents(c, line->text, &e);
		x = (LABEL_WIDTH_MM - e.x_advance) / 2;
	}
	cairo_move_to(c, x, line->baseline);
	cairo_show_text(c, line->text);
}

static void draw_symbol(cairo_t *c, const struct symbol *s)
{
	struct symbol_place at = symbol_place(s->modules, DPI);

	for (int i = 0; i < s->n_bars; i++)
		draw_box(c, (at.x + s->bars[i].at * at.module) / DOTS_PER_MM, s->y,
			 s->bars[i].width * at.module / DOTS_PER_MM, s->height);
	cairo_fill(c);
}

/* On a surface whose unit is `per_mm` to a millimetre. */
static void draw(cairo_t *c, const struct layout *l, double per_mm)
{
	cairo_scale(c, per_mm, per_mm);
	no_hints(c);
	for (int i = 0; i < n_label_strokes; i++)
		draw_box(c, label_strokes[i].x, label_strokes[i].y, label_strokes[i].width,
			 label_strokes[i].height);
	cairo_fill(c);
	for (int i = 0; i < l->n_symbols; i++)
		draw_symbol(c, &l->symbols[i]);
	for (int i = 0; i < l->n_lines; i++)
		draw_line(c, &l->lines[i]);
}

/* ---------------------------------------------------------------- formats */

static cairo_status_t write_to(void *arg, const unsigned char *bytes, unsigned n)
{
	struct output *o = arg;

	output_add(o, bytes, n);
	return o->full ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static enum errc ended(cairo_t *c, cairo_surface_t *surface, cairo_status_t written)
{
	bool good = written == CAIRO_STATUS_SUCCESS && cairo_status(c) == CAIRO_STATUS_SUCCESS &&
		    cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;

	cairo_destroy(c);
	cairo_surface_destroy(surface);
	return good ? ERR_OK : ERR_INTERNAL;
}

enum errc label_pdf(const struct layout *l, struct output *o)
{
	/* One fixed time: a label asked for again is the same file. */
	static const char made[] = "2020-01-01T00:00:00Z";
	cairo_surface_t *s = cairo_pdf_surface_create_for_stream(
		write_to, o, LABEL_WIDTH_MM * POINTS_PER_MM, LABEL_HEIGHT_MM * POINTS_PER_MM);
	cairo_t *c = cairo_create(s);

	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, "Shipping label");
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATOR, "orderd");
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, made);
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_MOD_DATE, made);
	draw(c, l, POINTS_PER_MM);
	cairo_show_page(c);
	cairo_surface_finish(s);
	return ended(c, s, CAIRO_STATUS_SUCCESS);
}

/* Behind a PNG's signature and header comes the chunk that says 300 dpi, so that it prints at its
 * size: 11,811 dots a metre both ways, and the chunk's checksum. */
static void add_resolution(struct output *o)
{
	static const unsigned char phys[] = {0,    0,    0, 9,    'p',  'H',  'Y',
					     's',  0,    0, 0x2e, 0x23, 0,    0,
					     0x2e, 0x23, 1, 0x78, 0xa5, 0x3f, 0x76};

	enum { HEADER = 8 + 25 };

	size_t rest = o->n - HEADER;

	output_add(o, phys, sizeof(phys)); /* for the room */
	if (o->full)
		return;
	memmove(o->p + HEADER + sizeof(phys), o->p + HEADER, rest);
	memcpy(o->p + HEADER, phys, sizeof(phys));
}

enum errc label_png(const struct layout *l, struct output *o)
{
	/* Eight bits of grey a dot.  cairo calls them opacity: paper is opaque, ink takes away. */
	cairo_surface_t *s =
		cairo_image_surface_create(CAIRO_FORMAT_A8, (int)(LABEL_WIDTH_MM * DOTS_PER_MM),
					   (int)(LABEL_HEIGHT_MM * DOTS_PER_MM));
	cairo_t *c = cairo_create(s);
	cairo_status_t written;

	cairo_paint(c);
	cairo_set_operator(c, CAIRO_OPERATOR_CLEAR);
	draw(c, l, DOTS_PER_MM);
	written = cairo_surface_write_to_png_stream(s, write_to, o);
	if (written == CAIRO_STATUS_SUCCESS)
		add_resolution(o);
	return ended(c, s, written);
}

void label_forget_fonts(void)
{
	cairo_debug_reset_static_data();
	FcFini();
}
