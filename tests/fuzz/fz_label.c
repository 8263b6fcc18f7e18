/*
 * A label with any texts: its lines are text without controls and as many as there is room for, and
 * its ZPL holds as many of the printer's own characters as a label whose texts are plain.  What
 * cannot be printed is refused.
 */
#include "core/label/label.h"
#include "core/label/layout.h"
#include "tests/fuzz/fuzz.h"

/* Between two inputs fontconfig keeps what it knows of fonts, behind pointers that the leak checker
 * does not see. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

static struct label_text take_text(struct input *in)
{
	struct label_text t = {.weight_g = take_i64(in, 8),
			       .group = (int)take_i64(in, 2),
			       .groups = (int)take_i64(in, 2)};
	struct str *const texts[] = {
		&t.from.name,        &t.from.street,  &t.from.city,      &t.from.region,
		&t.from.postal_code, &t.from.country, &t.to.name,        &t.to.street,
		&t.to.city,          &t.to.region,    &t.to.postal_code, &t.to.country,
		&t.carrier,          &t.service,      &t.order_number,   &t.reference,
	};
	uint8_t how = take_u8(in);

	/* Mostly codes that can be printed: the texts are what is looked at. */
	t.tracking_code = how % 4 == 0 ? take_str(in, take_u8(in)) : STR("EZ1000000001");
	t.sscc = how % 4 == 1 ? take_str(in, take_u8(in) % 20) : STR("034567890000000019");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = take_str(in, take_u8(in) * (how > 127 ? 4U : 1U));
	return t;
}

static void lines_are_text(const struct layout *l)
{
	MUST(l->n_lines <= LINES_MAX && l->n_symbols >= 1 && l->n_symbols <= SYMBOLS);
	for (int i = 0; i < l->n_lines; i++) {
		struct str s = str_of(l->lines[i].text);

		MUST(s.n > 0 && str_is_text(s));
		for (size_t k = 0; k < s.n; k++)
			MUST((unsigned char)s.p[k] >= ' ');
	}
}

/* Commands by their count: what the tables of the layout make of so many lines and symbols. */
static void printer_is_told_nothing_else(const struct layout *l, struct str zpl)
{
	int carets = 0, expected = 9 + 1 + 1; /* the first line, ^PQ, ^XZ */

	for (size_t i = 0; i < zpl.n; i++) {
		MUST(zpl.p[i] != '~');
		carets += zpl.p[i] == '^';
	}
	expected += n_label_strokes * 3 + l->n_symbols * 6;
	for (int i = 0; i < l->n_lines; i++)
		expected += l->lines[i].centred ? 6 : 5;
	MUST(carets == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct layout l;
	static bool registered;
	struct input in = {data, size};
	uint8_t format = take_u8(&in);
	struct label_text t = take_text(&in);
	enum errc err = label_layout(&t, &l);
	struct label label;

	if (!registered)
		registered = atexit(label_forget_fonts) == 0;
	MUST(err == ERR_OK || err == ERR_LABEL_UNPRINTABLE);
	if (err != ERR_OK)
		return 0;
	lines_are_text(&l);
	MUST(label_render(&t, LABEL_ZPL, &label) == ERR_OK);
	printer_is_told_nothing_else(&l, label.bytes);
	free((void *)(uintptr_t)label.bytes.p);
	if (format >= 16) /* drawing takes its time */
		return 0;
	MUST(label_render(&t, format % 2 == 0 ? LABEL_PDF : LABEL_PNG, &label) == ERR_OK);
	free((void *)(uintptr_t)label.bytes.p);
	return 0;
}
