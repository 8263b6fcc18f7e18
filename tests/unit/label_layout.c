/*
 * What stands on a label: nothing runs into its neighbour, whatever the texts are; texts that
 * cannot be printed are replaced, codes that cannot be are refused; and what a printer of
 * Zebra's is told is what we mean, not what a customer is called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/label/label.h"
#include "core/label/layout.h"

static struct label_text parcel(void)
{
	return (struct label_text){
		.from = {STR("Nordlager"), STR("Hafenstraße 12"), STR("Berlin"), STR(""),
			 STR("10115"), STR("DE")},
		.to = {STR("Zoë Łukasiewicz"), STR("Rynek 3"), STR("Kraków"), STR(""),
		       STR("31-042"), STR("PL")},
		.carrier = STR("USPS"),
		.service = STR("Priority"),
		.tracking_code = STR("EZ1000000001"),
		.sscc = STR("034567890000000019"),
		.order_number = STR("100042"),
		.reference = STR("PO-77"),
		.weight_g = 1250,
		.group = 1,
		.groups = 2,
	};
}

static struct label_text all_texts(struct str s)
{
	return (struct label_text){.from = {s, s, s, s, s, s},
				   .to = {s, s, s, s, s, s},
				   .carrier = s,
				   .service = s,
				   .tracking_code = STR("MWMWMWMWMWMWMWMWMWMWMWMWMWMWMW"),
				   .sscc = STR("034567890000000019"),
				   .order_number = s,
				   .reference = s,
				   .weight_g = INT64_MAX,
				   .group = INT32_MAX,
				   .groups = INT32_MIN};
}

static struct layout laid;

static void lay_out(struct label_text t)
{
	assert_int_equal(label_layout(&t, &laid), ERR_OK);
}

static const struct text_line *line_that_begins(const char *text)
{
	for (int i = 0; i < laid.n_lines; i++)
		if (strncmp(laid.lines[i].text, text, strlen(text)) == 0)
			return &laid.lines[i];
	fail_msg("no line begins with %s", text);
	return NULL;
}

static bool has_line(const char *text)
{
	for (int i = 0; i < laid.n_lines; i++)
		if (strcmp(laid.lines[i].text, text) == 0)
			return true;
	return false;
}

/* ---------------------------------------------------------------- geometry */

enum { BOXES_MAX = LINES_MAX + SYMBOLS + 16 };

struct box {
	double x, y, x_end, y_end;
	const char *what;
};

/* Letters from the height of an accented capital to the depth of a g. */
static struct box box_of_line(struct ruler *r, const struct text_line *l)
{
	double width = ruler_width(r, l->bold, l->size, l->text);
	double x = l->centred ? (LABEL_WIDTH_MM - width) / 2 : l->x;

	return (struct box){x, l->baseline - 0.93 * l->size, x + width,
			    l->baseline + 0.23 * l->size, l->text};
}

static struct box box_of_symbol(const struct symbol *s, int dpi)
{
	struct symbol_place at = symbol_place(s->modules, dpi);
	double quiet = QUIET_MODULES * at.module * MM_PER_INCH / dpi;
	double x = at.x * MM_PER_INCH / dpi;

	return (struct box){x - quiet, s->y, x + s->modules * at.module * MM_PER_INCH / dpi + quiet,
			    s->y + s->height, s->data};
}

static int all_boxes(struct ruler *r, struct box boxes[BOXES_MAX])
{
	int n = 0;

	for (int i = 0; i < laid.n_lines; i++)
		boxes[n++] = box_of_line(r, &laid.lines[i]);
	for (int i = 0; i < laid.n_symbols; i++)
		boxes[n++] = box_of_symbol(&laid.symbols[i], 300);
	for (int i = 0; i < n_label_strokes; i++) {
		const struct stroke *s = &label_strokes[i];

		boxes[n++] = (struct box){s->x, s->y, s->x + s->width, s->y + s->height, "-"};
	}
	return n;
}

static bool overlap(const struct box *a, const struct box *b)
{
	return a->x < b->x_end && b->x < a->x_end && a->y < b->y_end && b->y < a->y_end;
}

static void assert_nothing_overlaps(void)
{
	struct ruler *r = ruler_new();
	struct box boxes[BOXES_MAX];
	int n = all_boxes(r, boxes);

	ruler_free(r);
	for (int i = 0; i < n; i++) {
		const struct box *a = &boxes[i];

		if (a->x < 1 || a->y < 1 || a->x_end > LABEL_WIDTH_MM - 1 ||
		    a->y_end > LABEL_HEIGHT_MM - 1)
			fail_msg("off the label: %s", a->what);
		for (int k = 0; k < i; k++)
			if (overlap(a, &boxes[k]))
				fail_msg("'%s' (%.2f, %.2f) runs into '%s' (%.2f, %.2f)", a->what,
					 a->x, a->y, boxes[k].what, boxes[k].x_end, boxes[k].y_end);
	}
}

static void nothing_overlaps_on_an_ordinary_label(void **state)
{
	(void)state;
	lay_out(parcel());
	assert_nothing_overlaps();
}

static void nothing_overlaps_however_long_the_texts(void **state)
{
	static const char *const units[] = {
		"W",        "i",         "Ö",    "W ", "word ",        "\xf0\x9f\x98\x80",
		"\xcc\x88", "a\xcc\x88", "\xff", "\n", "\xe4\xb8\xad", "^XZ",
		"ǅ"};
	char text[1201];

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		size_t n = strlen(units[u]), at = 0;

		for (; at + n < sizeof(text); at += n)
			memcpy(text + at, units[u], n);
		lay_out(all_texts((struct str){text, at}));
		assert_true(laid.n_lines <= LINES_MAX);
		assert_nothing_overlaps();
	}
}

static void bars_are_wide_enough_for_cheap_readers_and_for_gs1(void **state)
{
	static const int dpis[] = {203, 300};
	struct label_text t = all_texts(STR("x")); /* the longest code there may be */

	(void)state;
	lay_out(t);
	for (int i = 0; i < 2; i++) {
		double dot = MM_PER_INCH / dpis[i];

		assert_true(symbol_place(laid.symbols[0].modules, dpis[i]).module * dot >= 0.25);
		assert_true(symbol_place(laid.symbols[1].modules, dpis[i]).module * dot >= 0.495);
	}
	assert_true(laid.symbols[1].height >= 31.75); /* what GS1 asks for on parcels */
	assert_int_equal(laid.symbols[1].modules, 156);
}

/* ---------------------------------------------------------------- texts */

static void long_text_is_wrapped_at_blanks_and_then_shortened(void **state)
{
	struct label_text t = parcel();

	(void)state;
	t.to.name = STR("Gesellschaft zur Erforschung langer Firmennamen mit beschränkter Haftung");
	lay_out(t);
	assert_non_null(line_that_begins("Gesellschaft zur"));
	assert_true(has_line("Gesellschaft zur Erforschung"));
	assert_non_null(strstr(line_that_begins("langer Firmennamen")->text, "…"));
}

static void services_of_carriers_stand_in_one_line(void **state)
{
	static const struct str services[] = {STR("GroundAdvantage"), STR("FEDEX_2_DAY"),
					      STR("UPSStandard"), STR("Express Saver")};
	struct label_text t = parcel();

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		t.service = services[i];
		lay_out(t);
		assert_true(has_line(services[i].p));
	}
}

static void word_longer_than_its_line_is_cut_and_goes_on(void **state)
{
	struct label_text t = parcel();
	const char *first;

	(void)state;
	t.to.name = STR("MMMMMMMMMMMMMMMMMMMMMMMM");
	lay_out(t);
	first = line_that_begins("MMMM")->text;
	assert_null(strstr(first, "…"));
	assert_true(has_line("MMMMMMMM")); /* 16 of them fit */
	assert_int_equal(strlen(first), 16);
}

static void what_cannot_be_printed_is_a_blank_a_mark_or_nothing(void **state)
{
	struct label_text t = parcel();

	(void)state;
	t.to.name =
		STR("  A\tB\r\nC\x01\x7f"
		    "D\xc2\x85"
		    "E\xc2\xa0"
		    "F  ");
	t.to.street = STR("x\xff y\xe2\x82 z\xed\xa0\x80");
	t.from.name =
		STR("1\xe2\x80\xae"
		    "2\xe2\x80\x8b"
		    "3\xef\xbb\xbf"
		    "4\xc2\xad"
		    "5");
	t.reference = (struct str){"P\0Q", 3};
	lay_out(t);
	assert_true(has_line("A B C D E F"));
	assert_true(has_line(
		"x\xef\xbf\xbd y\xef\xbf\xbd\xef\xbf\xbd z\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
	assert_true(has_line("12345"));
	assert_true(has_line("P Q"));
}

static void town_and_postal_code_stand_as_the_country_writes_them(void **state)
{
	struct label_text t = parcel();

	(void)state;
	lay_out(t);
	assert_true(has_line("31-042 Kraków"));
	assert_true(has_line("PL"));
	assert_true(has_line("10115 Berlin, DE"));
	t.to = (struct label_party){STR("A"),  STR("1 Main St"), STR("Austin"),
				    STR("TX"), STR("78701"),     STR("US")};
	lay_out(t);
	assert_true(has_line("Austin, TX 78701"));
}

static void what_is_unknown_is_left_out(void **state)
{
	struct label_text t = parcel();

	(void)state;
	lay_out(t);
	assert_true(has_line("SSCC") && has_line("(00) 034567890000000019") &&
		    has_line("1.250 kg"));
	assert_int_equal(laid.n_symbols, 2);
	t.sscc = (struct str){0};
	t.weight_g = 0;
	lay_out(t);
	assert_false(has_line("SSCC"));
	assert_false(has_line("1.250 kg"));
	assert_int_equal(laid.n_symbols, 1);
	assert_true(has_line("EZ1000000001"));
}

/* ---------------------------------------------------------------- codes */

static void code_that_makes_no_barcode_is_refused(void **state)
{
	static const struct str tracking[] = {
		{NULL, 0},  {"", 0},    {"A^B", 3},      {"A~B", 3},
		{"A_B", 3}, {"A>B", 3}, {"A\nB", 3},     {"A\0B", 3},
		{" A", 2},  {"A ", 2},  {"\xc3\xa4", 2}, {"1234567890123456789012345678901", 31}};
	static const struct str sscc[] = {STR("034567890000000010"), STR("03456789000000001"),
					  STR("0034567890000000019"), STR("03456789000000001x"),
					  STR("^34567890000000019")};

	(void)state;
	for (size_t i = 0; i < sizeof(tracking) / sizeof(tracking[0]); i++) {
		struct label_text t = parcel();

		t.tracking_code = tracking[i];
		assert_int_equal(label_layout(&t, &laid), ERR_LABEL_UNPRINTABLE);
	}
	for (size_t i = 0; i < sizeof(sscc) / sizeof(sscc[0]); i++) {
		struct label_text t = parcel();

		t.sscc = sscc[i];
		assert_int_equal(label_layout(&t, &laid), ERR_LABEL_UNPRINTABLE);
	}
}

/* ---------------------------------------------------------------- bytes */

static char *rendered(struct label_text t, enum label_format f, size_t *ret_n)
{
	struct label l;

	assert_int_equal(label_render(&t, f, &l), ERR_OK);
	*ret_n = l.bytes.n;
	return (char *)(uintptr_t)l.bytes.p;
}

static void same_text_is_the_same_bytes_and_other_text_is_not(void **state)
{
	struct label_text other = parcel();

	(void)state;
	other.to.name = STR("Somebody Else");
	for (int f = 0; f < LABEL_FORMATS; f++) {
		size_t n[3];
		char *p[3] = {rendered(parcel(), (enum label_format)f, &n[0]),
			      rendered(parcel(), (enum label_format)f, &n[1]),
			      rendered(other, (enum label_format)f, &n[2])};

		assert_int_equal(n[0], n[1]);
		assert_memory_equal(p[0], p[1], n[0]);
		assert_false(n[0] == n[2] && memcmp(p[0], p[2], n[0]) == 0);
		for (int i = 0; i < 3; i++)
			free(p[i]);
	}
}

/* The box of a letter that the font lacks is another picture, and so is every other letter. */
static void letters_beyond_ascii_show(void **state)
{
	static const char *const letters[] = {
		"\xf4\x8f\xbf\xbd", "u", "ü", "L", "Ł", "ß", "É", "Ж", "Ω", "ő", "ş"};

	enum { N = sizeof(letters) / sizeof(letters[0]) };

	char *pictures[N];
	size_t n[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		struct label_text t = parcel();

		t.to.name = str_of(letters[i]);
		pictures[i] = rendered(t, LABEL_PNG, &n[i]);
		for (int k = 0; k < i; k++)
			assert_false(n[i] == n[k] && memcmp(pictures[i], pictures[k], n[i]) == 0);
	}
	for (int i = 0; i < N; i++)
		free(pictures[i]);
}

static void picture_says_how_large_it_is(void **state)
{
	static const char head[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\xb0\0\0\7\x08\x08";
	size_t n;
	char *p = rendered(parcel(), LABEL_PNG, &n);

	(void)state;
	assert_true(n > 64);
	assert_memory_equal(p, head, sizeof(head) - 1); /* 1200 x 1800, 8 bits */
	assert_memory_equal(p + 33, "\0\0\0\x09pHYs\0\0\x2e\x23\0\0\x2e\x23\1", 17);
	assert_memory_equal(p + n - 8, "IEND\xae\x42\x60\x82", 8);
	free(p);
}

/* What an ordinary label is made of; a customer's text adds none and changes none. */
static size_t count_of(const char *p, size_t n, const char *what)
{
	size_t found = 0, len = strlen(what);

	for (size_t i = 0; i + len <= n; i++)
		found += memcmp(p + i, what, len) == 0;
	return found;
}

static void text_is_no_command_to_a_printer(void **state)
{
	struct label_text t = parcel(), plain = parcel();
	size_t n, n_plain;
	char *p, *p_plain;

	(void)state;
	plain.to.name = STR("aXA bJA c5E dXZ");
	t.to.name = STR("^XA~JA_5E^XZ");
	t.to.street = STR("^FS^FD\\&\n^XZ");
	p = rendered(t, LABEL_ZPL, &n);
	p_plain = rendered(plain, LABEL_ZPL, &n_plain);
	assert_int_equal(count_of(p, n, "^"), count_of(p_plain, n_plain, "^"));
	assert_int_equal(count_of(p, n, "~"), 0);
	assert_int_equal(count_of(p, n, "^XA"), 1);
	assert_int_equal(count_of(p, n, "^XZ"), 1);
	assert_int_equal(count_of(p, n, "^FH_^FD_5EXA_7EJA_5F5E_5EXZ^FS"), 1);
	assert_int_equal(count_of(p, n, "^FH_^FD_5EFS_5EFD_5C& _5EXZ^FS"), 1);
	assert_int_equal(count_of(p, n, "^FD>:EZ1000000001^FS"), 1);
	assert_int_equal(count_of(p, n, "^FD(00)034567890000000019^FS"), 1);
	free(p);
	free(p_plain);
}

static int forget_fonts(void **state)
{
	(void)state;
	label_forget_fonts();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_overlaps_on_an_ordinary_label),
		cmocka_unit_test(nothing_overlaps_however_long_the_texts),
		cmocka_unit_test(bars_are_wide_enough_for_cheap_readers_and_for_gs1),
		cmocka_unit_test(long_text_is_wrapped_at_blanks_and_then_shortened),
		cmocka_unit_test(services_of_carriers_stand_in_one_line),
		cmocka_unit_test(word_longer_than_its_line_is_cut_and_goes_on),
		cmocka_unit_test(what_cannot_be_printed_is_a_blank_a_mark_or_nothing),
		cmocka_unit_test(town_and_postal_code_stand_as_the_country_writes_them),
		cmocka_unit_test(what_is_unknown_is_left_out),
		cmocka_unit_test(code_that_makes_no_barcode_is_refused),
		cmocka_unit_test(same_text_is_the_same_bytes_and_other_text_is_not),
		cmocka_unit_test(letters_beyond_ascii_show),
		cmocka_unit_test(picture_says_how_large_it_is),
		cmocka_unit_test(text_is_no_command_to_a_printer),
	};

	return cmocka_run_group_tests(tests, NULL, forget_fonts);
}
