/*
 * Tables and blocks of fields: widths, colours, and text that is not ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clients/orderctl/enums.h"
#include "clients/orderctl/table.h"
#include "clients/orderctl/terminal.h"
#include "clients/orderctl/text.h"
#include "orderd/client.h"
#include "tests/unit/child.h"
#include "tests/unit/ctl.h"

static void print_a_table(void *arg)
{
	struct table *t = table_new("NUMBER> NAME HELD_FOR");

	terminal_open(arg);
	table_cell(t, "%d", 7);
	table_cell(t, "%s", "\xe8\x8c\xb6\xe8\x8c\xb6"); /* two characters, four columns */
	table_state(t, "DECLINED");
	table_page(t);
	table_cell(t, "%d", 1234567);
	table_cell(t, "%s", "");
	table_cell(t, "%s", "x");
	table_print(t);
}

static void columns_are_as_wide_as_what_is_in_them(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, print_a_table, (void *)(uintptr_t) "never");
	assert_string_equal(c.out,
			    "NUMBER  NAME  HELD FOR\n"
			    "     7  \xe8\x8c\xb6\xe8\x8c\xb6  DECLINED\n"
			    "1234567  -     x\n");
	child_run(&c, print_a_table, (void *)(uintptr_t) "always");
	assert_non_null(strstr(c.out, "\xe8\x8c\xb6  \033[31mDECLINED\033[0m\n"));
	assert_non_null(strstr(c.out, "NUMBER  NAME  HELD FOR\n"));
	child_run(&c, print_a_table, (void *)(uintptr_t) "auto"); /* a child's stdout is a file */
	assert_null(strchr(c.out, '\033'));
}

static void print_fields(void *arg)
{
	struct table *t = fields_new();

	(void)arg;
	terminal_open("never");
	field(t, "A", "%d", 1);
	field(t, "Left out", "%s", "");
	field_state(t, "Left out, too", "");
	field_state(t, "Longer", "OPEN");
	table_print(t);
}

static void empty_fields_are_left_out(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, print_fields, NULL);
	assert_string_equal(c.out, "A       1\nLonger  OPEN\n");
}

static void text_of_others_cannot_move_the_cursor(void **state)
{
	static const struct {
		const char *text, *clean;
		int columns;
	} rows[] = {
		{"plain", "plain", 5},
		{"\033[2J\a\x7f", "?[2J?\?", 6},
		{"a\tb\r\nc", "a b  c", 6},
		{"Stra\xc3\x9f"
		 "e",
		 "Stra\xc3\x9f"
		 "e",
		 6},
		{"e\xcc\x81", "e\xcc\x81", 1},               /* an accent on the letter before */
		{"\xff\xc3(\xe8\x8c", "?\?(?\?", 5},         /* no UTF-8, and cut short */
		{"\xc2\x9b", "??", 2},                       /* CSI as one character */
		{"\xe2\x80\xae", "???", 3},                  /* right to left from here on */
		{"\xf0\x9f\x93\xa6", "\xf0\x9f\x93\xa6", 2}, /* a parcel */
	};

	char z[64];

	(void)state;
	terminal_open("never");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strncpy(z, rows[i].text, sizeof(z) - 1); /* banned-ok: zeros behind it */
		assert_int_equal(text_clean(z), rows[i].columns);
		assert_string_equal(z, rows[i].clean);
	}
}

static void each_state_has_a_colour(void **state)
{
	static const ProtobufCEnumDescriptor *const enums[] = {
		&orderd__v1__order_state__descriptor, &orderd__v1__payment_state__descriptor,
		&orderd__v1__fulfillment_state__descriptor,
		&orderd__v1__fulfillment_order_state__descriptor};
	char word[64];

	(void)state;
	for (size_t i = 0; i < sizeof(enums) / sizeof(enums[0]); i++)
		for (unsigned k = 0; enum_word(enums[i], k, word, sizeof(word)); k++)
			if (state_color(word) == COLOR_NONE)
				FAIL_SAYING("%s has none: terminal.c", word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
		cmocka_unit_test(empty_fields_are_left_out),
		cmocka_unit_test(text_of_others_cannot_move_the_cursor),
		cmocka_unit_test(each_state_has_a_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
