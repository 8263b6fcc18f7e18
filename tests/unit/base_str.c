/*
 * Which bytes count as text, and numbers in text.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/str.h"

static void text_of_every_script_is_accepted(void **state)
{
	(void)state;
	assert_true(str_is_text(STR("")));
	assert_true(str_is_text(STR("plain\ttext\r\n")));
	assert_true(
		str_is_text(STR("Gr\xc3\xbc\xc3\x9f"
				"e \xe2\x82\xac \xf0\x9f\x93\xa6")));
	assert_true(str_is_text(STR("\xc2\xa0\xef\xbf\xbd\xf4\x8f\xbf\xbf")));
	assert_true(str_is_text((struct str){NULL, 0}));
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const struct str bad[] = {
		{"a\0b", 3},             /* NUL */
		{"\x1b[31m", 5},         /* C0 control */
		{"\x7f", 1},             /* DEL */
		{"\xc2\x85", 2},         /* C1 control NEL */
		{"\xc0\x80", 2},         /* overlong NUL */
		{"\xc1\xbf", 2},         /* overlong */
		{"\xe0\x9f\xbf", 3},     /* overlong */
		{"\xf0\x8f\xbf\xbf", 4}, /* overlong */
		{"\xed\xa0\x80", 3},     /* surrogate */
		{"\xf4\x90\x80\x80", 4}, /* above U+10FFFF */
		{"\xf5\x80\x80\x80", 4},
		{"\x80", 1},     /* continuation alone */
		{"\xe2\x82", 2}, /* cut short */
		{"\xe2\x82x", 3},
		{"ok\xff", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(str_is_text(bad[i]));
}

static void number_in_range_is_read(void **state)
{
	long long v = 0;

	(void)state;
	assert_true(str_to_i64(STR("0"), 0, 10, &v));
	assert_int_equal(v, 0);
	assert_true(str_to_i64(STR("-9223372036854775808"), LLONG_MIN, LLONG_MAX, &v));
	assert_true(v == LLONG_MIN);
	assert_true(str_to_i64(STR("9223372036854775807"), LLONG_MIN, LLONG_MAX, &v));
	assert_true(v == LLONG_MAX);
}

static void number_that_is_none_leaves_the_result_alone(void **state)
{
	static const char *const bad[] = {"",
					  "-",
					  "+1",
					  " 1",
					  "1 ",
					  "0x1",
					  "1e3",
					  "1.0",
					  "11",
					  "-1",
					  "9223372036854775808",
					  "99999999999999999999999999"};
	long long v = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(str_to_i64(str_of(bad[i]), 0, 10, &v));
	assert_false(str_to_i64(STR("-9223372036854775809"), LLONG_MIN, LLONG_MAX, &v));
	assert_int_equal(v, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_every_script_is_accepted),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(number_in_range_is_read),
		cmocka_unit_test(number_that_is_none_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
