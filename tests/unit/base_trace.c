/*
 * Trace context: what W3C calls valid is taken, all else begins a trace of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/trace.h"

#define ID   "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void valid_parent_is_taken(void **state)
{
	static const struct {
		const char *parent;
		int flags;
	} rows[] = {
		{"00-" ID "-" SPAN "-00", 0},
		{"00-" ID "-" SPAN "-01", 1},
		{"00-" ID "-" SPAN "-03", 1}, /* other flags are left behind */
		{"00-" ID "-" SPAN "-fe", 0},
		{"01-" ID "-" SPAN "-01", 1}, /* a version to come */
		{"cc-" ID "-" SPAN "-01-what-the-future-will-be-like", 1},
		{"fe-" ID "-" SPAN "-01-", 1},
		{"00-00000000000000000000000000000001-0000000000000001-00", 0},
	};

	char text[TRACE_TEXT_SIZE];
	struct trace t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(trace_parse(str_of(rows[i].parent), &t));
		assert_int_equal(t.flags, rows[i].flags);
		assert_memory_equal(trace_text(&t, text), rows[i].parent + 3, 32);
	}
}

static void what_is_no_parent_is_ignored(void **state)
{
	static const char *const rows[] = {
		"",
		"00",
		"00-" ID "-" SPAN "-0",
		"00-" ID "-" SPAN,
		"00-" ID "-" SPAN "-01-",
		"00-" ID "-" SPAN "-01 ",
		"00-" ID "-" SPAN "-01.",
		"01-" ID "-" SPAN "-01.more",
		"ff-" ID "-" SPAN "-01",
		"FF-" ID "-" SPAN "-01",
		"0g-" ID "-" SPAN "-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"00-" ID "-B7AD6B7169203331-01",
		"00-" ID "-" SPAN "-0F",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" ID "-0000000000000000-01",
		"00_" ID "-" SPAN "-01",
		"00-" ID "_" SPAN "-01",
		"00-" ID "-" SPAN "_01",
		"00-0af7651916cd43dd8448eb211c80319-" SPAN "-010",
		" 00-" ID "-" SPAN "-01",
		"00-0af7651916cd43dd8448eb211c80319\n-" SPAN "-01",
	};
	struct trace t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(trace_parse(str_of(rows[i]), &t));
		assert_true(trace_is_none(&t) && t.flags == 0);
	}
	assert_false(trace_parse((struct str){NULL, 0}, &t));
}

static void huge_parent_is_ignored(void **state)
{
	size_t n = 1 << 20;
	char *huge = malloc(n);
	struct trace t;

	(void)state;
	memset(huge, 'a', n);
	assert_false(trace_parse((struct str){huge, n}, &t));
	memcpy(huge, "00-" ID "-" SPAN "-01-", 56);
	assert_false(trace_parse((struct str){huge, n}, &t));
	free(huge);
}

/* Not one byte of it may be another. */
static void any_wrong_byte_is_seen(void **state)
{
	char parent[] = "00-" ID "-" SPAN "-01";
	struct trace t;

	(void)state;
	for (size_t i = 0; i < sizeof(parent) - 1; i++) {
		char was = parent[i];

		for (int c = 0; c < 256; c++) {
			bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

			if (i < 2) /* its version: any but ff */
				continue;
			parent[i] = (char)c;
			assert_int_equal(trace_parse(str_of(parent), &t),
					 was == '-' ? c == '-' : hex);
			assert_false(c == 0 && trace_parse((struct str){parent, 55}, &t));
		}
		parent[i] = was;
	}
}

static void what_is_handed_on_is_the_same_trace_and_another_span(void **state)
{
	char first[TRACE_PARENT_SIZE], second[TRACE_PARENT_SIZE];
	struct trace t, again;

	(void)state;
	assert_true(trace_parse(STR("00-" ID "-" SPAN "-01"), &t));
	assert_int_equal(strlen(trace_parent(&t, first)), 55);
	trace_parent(&t, second);
	assert_true(trace_parse(str_of(first), &again));
	assert_memory_equal(&t, &again, sizeof(t));
	assert_memory_equal(first, second, 36);
	assert_memory_not_equal(first + 36, second + 36, 16);
	assert_memory_not_equal(first + 36, SPAN, 16);
	assert_string_equal(first + 52, "-01");
}

static void stored_trace_comes_back(void **state)
{
	struct trace t = trace_new(), none = {.flags = 0}, other = trace_new();
	struct trace back = trace_stored(trace_bytes(&t));
	char text[TRACE_TEXT_SIZE];

	(void)state;
	assert_false(trace_is_none(&t));
	assert_int_equal(t.flags, 0);
	assert_memory_not_equal(&t, &other, sizeof(t));
	assert_memory_equal(&t, &back, sizeof(t));
	assert_null(trace_bytes(&none).p);
	assert_string_equal(trace_text(&none, text), "none");
	for (size_t n = 0; n < TRACE_BYTES; n++) {
		back = trace_stored((struct str){(const char *)&t, n});
		assert_true(trace_is_none(&back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_parent_is_taken),
		cmocka_unit_test(what_is_no_parent_is_ignored),
		cmocka_unit_test(huge_parent_is_ignored),
		cmocka_unit_test(any_wrong_byte_is_seen),
		cmocka_unit_test(what_is_handed_on_is_the_same_trace_and_another_span),
		cmocka_unit_test(stored_trace_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
