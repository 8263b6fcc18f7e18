/*
 * From a code to the widths of its bars, with zint, which knows the symbologies.
 *
 * zint only warns of a wrong check digit; here every warning is a failure.
 */
#include <string.h>
#include <zint.h>

#include "core/label/layout.h"

/*
 * A bar of one module.  0.25 mm, two dots of a 203 dpi printer, is as fine as cheap readers take;
 * GS1 wants at least 0.495 mm on parcels, which an SSCC's 156 modules get; more than 0.6 mm helps
 * nobody.
 */
#define MODULE_MAX_MM 0.6
/* Nobody prints on the outermost of a label. */
#define EDGE_MM       1.5

/* 203 dpi, subset B throughout: 11 modules a character, 35 for start, check and stop.  In tenths of
 * a millimetre, because an assertion has no fractions. */
_Static_assert((11 * CODE_CHARS_MAX + 35 + 2 * QUIET_MODULES) * 2 * 254 <= (1016 - 2 * 15) * 203,
	       "the longest code has two dots for a module");

struct symbol_place symbol_place(int modules, int dpi)
{
	double dots_per_mm = dpi / MM_PER_INCH;
	int widest = (int)(MODULE_MAX_MM * dots_per_mm);
	int module =
		(int)((LABEL_WIDTH_MM - 2 * EDGE_MM) * dots_per_mm) / (modules + 2 * QUIET_MODULES);

	if (module > widest)
		module = widest;
	return (struct symbol_place){
		.module = module,
		.x = ((int)(LABEL_WIDTH_MM * dots_per_mm) - modules * module) / 2,
	};
}

static void set_up(struct zint_symbol *z, const struct symbol *s)
{
	z->symbology = s->kind == SYMBOL_GS1_128 ? BARCODE_GS1_128 : BARCODE_CODE128;
	z->input_mode = s->kind == SYMBOL_GS1_128 ? GS1_MODE : DATA_MODE;
	z->show_hrt = 0;
	z->warn_level = WARN_FAIL_ALL;
}

/* The bars lie in a row, in units of the vector's own. */
static bool take_bars(const struct zint_symbol *z, struct symbol *s)
{
	const struct zint_vector_rect *r = z->vector->rectangles;
	double unit = (double)z->vector->width / z->width;

	s->modules = z->width;
	for (s->n_bars = 0; r != NULL; r = r->next) {
		if (s->n_bars == BARS_MAX)
			return false;
		s->bars[s->n_bars++] = (struct bar){(uint16_t)(r->x / unit + 0.5),
						    (uint16_t)(r->width / unit + 0.5)};
	}
	return s->n_bars > 0;
}

enum errc symbol_encode(struct symbol *s)
{
	struct zint_symbol *z = ZBarcode_Create();
	enum errc err = ERR_LABEL_UNPRINTABLE;
	char text[CODE_CHARS_MAX + 4];
	size_t n = strlen(s->data);

	if (z == NULL)
		return ERR_INTERNAL;
	set_up(z, s);
	if (s->kind == SYMBOL_GS1_128 && n > 2) { /* "[00]1234": zint's way to mark identifiers */
		text[0] = '[';
		memcpy(text + 1, s->data, 2);
		text[3] = ']';
		memcpy(text + 4, s->data + 2, n - 2);
		n += 2;
	} else {
		memcpy(text, s->data, n);
	}
	if (ZBarcode_Encode_and_Buffer_Vector(z, (unsigned char *)text, (int)n, 0) == 0 &&
	    take_bars(z, s))
		err = ERR_OK;
	ZBarcode_Delete(z);
	return err;
}
