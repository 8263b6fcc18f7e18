/*
 * Templates: what they put out, what they escape, and where they say no.  That the words
 * are Mustache's is tests/template's to judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/template.h"

#define ROWS(array) (array), sizeof(array) / sizeof((array)[0])

static const struct template_value apple[] = {{"item", .text = {"apple", 5}},
					      {"qty", .text = {"2", 1}}};
static const struct template_value pear[] = {{"item", .text = {"<pear>", 6}},
					     {"qty", .text = {"", 0}}};
static const struct template_table lines[] = {{ROWS(apple)}, {ROWS(pear)}};
static const struct template_value values[] = {
	{"name", .text = {"Ann & \"Bob\"", 11}},
	{"empty", .text = {NULL, 0}},
	{"item", .text = {"outer", 5}},
	{"yes", .kind = TEMPLATE_FLAG, .flag = true},
	{"no", .kind = TEMPLATE_FLAG},
	{"lines", .kind = TEMPLATE_LIST, .rows = lines, .n_rows = 2},
	{"none", .kind = TEMPLATE_LIST},
};
static const struct template_table table = {ROWS(values)};

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct template_result render(const char *source, enum template_mode mode, size_t most)
{
	return template_render(str_of(source), &table, mode, most, &arena);
}

static void puts_out(const char *source, const char *text)
{
	struct template_result r = render(source, TEMPLATE_HTML, 1000);

	assert_int_equal(r.end, TEMPLATE_OK);
	assert_string_equal(r.text.p, text);
	assert_int_equal(r.text.n, strlen(text));
}

static void says_no(const char *source, enum template_end end, uint32_t line)
{
	struct template_result r = render(source, TEMPLATE_HTML, 1000);

	assert_string_equal(template_end_text(r.end), template_end_text(end));
	assert_int_equal(r.line, line);
	assert_null(r.text.p);
}

static void values_stand_in_holes__escaped_unless_raw_or_plain(void **state)
{
	(void)state;
	puts_out("", "");
	puts_out("{ no hole }", "{ no hole }");
	puts_out("Dear {{name}}!", "Dear Ann &amp; &quot;Bob&quot;!");
	puts_out("{{{name}}}/{{& name }}", "Ann & \"Bob\"/Ann & \"Bob\"");
	puts_out("[{{empty}}]", "[]");
	puts_out("{{! nobody\nsees }}x", "x");
	assert_string_equal(render("{{name}}", TEMPLATE_PLAIN, 100).text.p, "Ann & \"Bob\"");
}

static void sections_follow_lists_texts_and_flags(void **state)
{
	(void)state;
	puts_out("{{#lines}}{{qty}}{{^qty}}no{{/qty}} {{item}};{{/lines}}",
		 "2 apple;no &lt;pear&gt;;");
	puts_out("{{#none}}x{{/none}}{{^none}}y{{/none}}", "y");
	puts_out("{{#yes}}a{{/yes}}{{#no}}b{{/no}}{{^yes}}c{{/yes}}{{^no}}d{{/no}}", "ad");
	puts_out("{{#name}}{{item}}{{/name}}{{#empty}}x{{/empty}}", "outer");
	puts_out("{{#lines}}{{#lines}}{{item}},{{/lines}}{{/lines}}",
		 "apple,&lt;pear&gt;,apple,&lt;pear&gt;,");
	puts_out("{{#lines}}{{name}}{{/lines}}{{item}}",
		 "Ann &amp; &quot;Bob&quot;Ann &amp; &quot;Bob&quot;outer");
}

static void line_of_tags_alone__leaves_nothing(void **state)
{
	(void)state;
	puts_out("a\n  {{#yes}}  \nb\n{{/yes}}\nc\n", "a\nb\nc\n");
	puts_out("a\n{{! note }}\nb", "a\nb");
	puts_out("a\n {{name}} \nb", "a\n Ann &amp; &quot;Bob&quot; \nb");
	puts_out("{{#yes}} x\n{{/yes}}", " x\n");
}

static void bad_templates_are_refused__with_their_line(void **state)
{
	(void)state;
	says_no("a\n{{name", TEMPLATE_BAD_TAG, 2);
	says_no("{{}}", TEMPLATE_BAD_TAG, 1);
	says_no("{{a.b}}", TEMPLATE_BAD_TAG, 1);
	says_no("{{> partial}}", TEMPLATE_BAD_TAG, 1);
	says_no("{{=<% %>=}}", TEMPLATE_BAD_TAG, 1);
	says_no("{{{name}}", TEMPLATE_BAD_TAG, 1);
	says_no("x\n{{#yes}}\n\n", TEMPLATE_BAD_SECTION, 2);
	says_no("{{/yes}}", TEMPLATE_BAD_SECTION, 1);
	says_no("{{#yes}}{{#no}}{{/yes}}{{/no}}", TEMPLATE_BAD_SECTION, 1);
	says_no("\n\n{{nobody}}", TEMPLATE_UNKNOWN_NAME, 3);
	says_no("{{#nobody}}{{/nobody}}", TEMPLATE_UNKNOWN_NAME, 1);
	says_no("{{lines}}", TEMPLATE_UNKNOWN_NAME, 1);
	says_no("{{yes}}", TEMPLATE_UNKNOWN_NAME, 1);
	says_no("{{#yes}}{{#yes}}{{#yes}}{{#yes}}{{#yes}}{{#yes}}{{#yes}}{{#yes}}{{#yes}}x",
		TEMPLATE_BAD_SECTION, 1);
}

static void bounds_hold(void **state)
{
	static struct template_table many[1000];
	const struct template_value v = {"l", .kind = TEMPLATE_LIST, .rows = many, .n_rows = 1000};
	const struct template_table top = {&v, 1};
	struct template_result r;

	(void)state;
	assert_int_equal(render("1234567890", TEMPLATE_HTML, 10).end, TEMPLATE_OK);
	assert_int_equal(render("12345678901", TEMPLATE_HTML, 10).end, TEMPLATE_TOO_LARGE);
	assert_int_equal(render("{{name}}", TEMPLATE_HTML, 20).end, TEMPLATE_TOO_LARGE);
	/* Nothing is put out, a milliard times. */
	r = template_render(STR("{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}"), &top, TEMPLATE_HTML, 100,
			    &arena);
	assert_int_equal(r.end, TEMPLATE_TOO_LARGE);
	arena_done(&arena);
	arena_init(&arena, 1024);
	assert_int_equal(render("{{name}}", TEMPLATE_HTML, 100).end, TEMPLATE_TOO_LARGE);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(values_stand_in_holes__escaped_unless_raw_or_plain),
		STORY(sections_follow_lists_texts_and_flags),
		STORY(line_of_tags_alone__leaves_nothing),
		STORY(bad_templates_are_refused__with_their_line),
		STORY(bounds_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
