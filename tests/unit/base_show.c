/*
 * Views: what a table takes, where it ends, how it reads as JSON and as text; and that the
 * view of the settings keeps a password to itself.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/config_rows.h"
#include "core/base/mem.h"
#include "core/base/show.h"
#include "tests/unit/child.h"

static struct show_board board;
static struct config cfg;

static int set_up(void **state)
{
	char name[] = "show", option[] = "--drain-s=7",
	     secret[] = "--postgres=host=x password=hunter2";
	char *argv[] = {name, option, secret, NULL};
	int argc = 3;

	(void)state;
	assert_int_equal(config_read(&cfg, "show", argc, argv, &argc), CONFIG_RUN);
	clock_fake(5000000, 0);
	show_board_init(&board, "orderd", (struct id){.b = {1}}, &cfg);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_fake(-1, -1);
	config_done(&cfg);
	return 0;
}

/* Columns of `timers`: due count> next_ms> */
static void fill_due(struct show *s, const void *arg)
{
	if (!show_row(s))
		return;
	show_text(s, arg);
	show_int(s, INT64_MIN);
	show_nothing(s);
}

static char *rendered(enum show_view v, char *(*render)(const struct show *, size_t *))
{
	struct show *s = show_look(&board, v);
	size_t n;
	char *text = render(s, &n);

	assert_int_equal(strlen(text), n);
	show_free(s);
	return text;
}

static void cells__are_quoted_as_json_wants_it(void **state)
{
	char *text;

	(void)state;
	show_offer(&board, SHOW_timers, fill_due, "a \"quoted\" back\\slash");
	clock_fake(7000000, 0);
	text = rendered(SHOW_timers, show_render_json);
	assert_non_null(strstr(text,
			       "{\"due\":\"a \\\"quoted\\\" back\\\\slash\","
			       "\"count\":-9223372036854775808,\"next_ms\":null}"));
	assert_non_null(strstr(text, "\"program\":\"orderd\""));
	assert_non_null(strstr(text, "\"incarnation\":\"01000000-0000-0000-0000-000000000000\""));
	assert_non_null(strstr(text, "\"uptime_ms\":2000}"));
	assert_non_null(strstr(text,
			       "\"view\":\"timers\",\"truncated\":false,"
			       "\"columns\":[\"due\",\"count\",\"next_ms\"]"));
	free(text);
}

/* What a library says may hold anything; a terminal and a JSON reader get text. */
static void bytes_that_are_no_text__become_question_marks(void **state)
{
	char *text;

	(void)state;
	show_offer(&board, SHOW_timers, fill_due,
		   "a\033[2Jb\xff"
		   "c\xc3\xa9\xc2\x9b"
		   "d\ne\tf\x7f");
	text = rendered(SHOW_timers, show_render_json);
	assert_non_null(strstr(text, "\"a?[2Jb?c\xc3\xa9??d e f?\""));
	free(text);
}

static void long_cell__is_cut_between_two_characters_and_says_so(void **state)
{
	char *words = mem_alloc(2000), *text;

	(void)state;
	memset(words, 'x', SHOW_TEXT_MAX - 1);
	strcat(words, "\xc3\xa9 and more"); /* two bytes, of which one would fit */
	show_offer(&board, SHOW_timers, fill_due, words);
	text = rendered(SHOW_timers, show_render_json);
	assert_non_null(strstr(text, "xx...\""));
	assert_null(strstr(text, "\xc3"));
	free(text);

	show_withdraw(&board, words);
	words[SHOW_TEXT_MAX - 1] = 'y';
	words[SHOW_TEXT_MAX] = '\0'; /* just fits */
	show_offer(&board, SHOW_timers, fill_due, words);
	text = rendered(SHOW_timers, show_render_json);
	assert_non_null(strstr(text, "xxy\""));
	free(text);
	free(words);
}

static void columns__are_as_wide_as_their_widest_cell(void **state)
{
	char *text;

	(void)state;
	show_offer(&board, SHOW_timers, fill_due, "\xc3\xa9t\xc3\xa9 long");
	show_offer(&board, SHOW_timers, fill_due, "");
	text = rendered(SHOW_timers, show_render_text);
	assert_string_equal(text,
			    "due                      count  next_ms\n"
			    "\xc3\xa9t\xc3\xa9 long  -9223372036854775808        -\n"
			    "-         -9223372036854775808        -\n");
	free(text);
}

static void fill_without_end(struct show *s, const void *arg)
{
	int n = 0;

	(void)arg;
	while (show_row(s)) {
		show_text(s, "row");
		show_int(s, n++);
		show_nothing(s);
	}
	assert_false(show_row(s)); /* and stays so */
}

static void table__ends_at_its_bound_and_says_so(void **state)
{
	struct show *s;
	char *text;

	(void)state;
	show_offer(&board, SHOW_timers, fill_without_end, NULL);
	show_offer(&board, SHOW_timers, fill_due, "one more");
	s = show_look(&board, SHOW_timers);
	assert_int_equal(show_rows(s), SHOW_ROWS_MAX);
	assert_true(s->truncated);
	assert_int_equal(show_cell(s, SHOW_ROWS_MAX - 1, 1)->number, SHOW_ROWS_MAX - 1);
	show_free(s);
	text = rendered(SHOW_timers, show_render_text);
	assert_non_null(strstr(text, "\ncut after 1000 rows: there are more\n"));
	free(text);
	text = rendered(SHOW_timers, show_render_json);
	assert_non_null(strstr(text, "\"truncated\":true"));
	free(text);
}

static void fill_with_long_texts(struct show *s, const void *arg)
{
	while (show_row(s)) {
		for (int i = 0; i < 4; i++)
			show_text(s, arg);
	}
}

static void texts_together__are_bounded_too(void **state)
{
	char *words = mem_alloc(2000);
	struct show *s;

	(void)state;
	memset(words, 'x', 1999);
	show_offer(&board, SHOW_states, fill_with_long_texts, words);
	s = show_look(&board, SHOW_states);
	assert_true(s->truncated);
	assert_in_range(show_rows(s), 400, SHOW_ROWS_MAX - 1);
	show_free(s);
	free(words);
}

static void view__is_found_while_it_is_offered(void **state)
{
	static const char *const hostile[] = {"flows",     "nothing",  "VIEWS", "views ",
					      "../config", "config\n", "%00",   "timers\0x"};
	enum show_view v;
	char *names;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		assert_false(show_find(&board, str_of(hostile[i]), &v));
	assert_false(show_find(&board, STR("views\0"), &v));
	assert_true(show_find(&board, STR(""), &v));
	assert_int_equal(v, SHOW_views);

	show_offer(&board, SHOW_timers, fill_due, "mine");
	assert_true(show_find(&board, STR("timers"), &v));
	names = show_names(&board);
	assert_string_equal(names, "views, config, version, memory, timers");
	free(names);
	show_withdraw(&board, "mine");
	assert_false(show_find(&board, STR("timers"), &v));
}

static void several_parts__have_rows_for_one_view(void **state)
{
	struct show *s;

	(void)state;
	show_offer(&board, SHOW_timers, fill_due, "first");
	show_offer(&board, SHOW_timers, fill_due, "second");
	s = show_look(&board, SHOW_timers);
	assert_int_equal(show_rows(s), 2);
	assert_string_equal(show_cell(s, 1, 0)->text, "second");
	show_free(s);
}

static void fill_half_a_row(struct show *s, const void *arg)
{
	(void)arg;
	if (show_row(s))
		show_text(s, "half");
}

static void fill_words_for_figures(struct show *s, const void *arg)
{
	(void)arg;
	if (!show_row(s))
		return;
	show_text(s, "due");
	show_text(s, "many");
	show_nothing(s);
}

static void look_at_half_a_row(void *arg)
{
	(void)arg;
	show_offer(&board, SHOW_timers, fill_half_a_row, NULL);
	show_free(show_look(&board, SHOW_timers));
}

static void look_at_words_for_figures(void *arg)
{
	(void)arg;
	show_offer(&board, SHOW_timers, fill_words_for_figures, NULL);
	show_free(show_look(&board, SHOW_timers));
}

static void row_that_is_not_its_views__aborts(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, look_at_half_a_row, NULL);
	assert_int_equal(c.signal, SIGABRT);
	child_run(&c, look_at_words_for_figures, NULL);
	assert_int_equal(c.signal, SIGABRT);
}

/* ---- the settings ---- */

static void every_setting__says_where_it_came_from(void **state)
{
	char *text = rendered(SHOW_config, show_render_json);
	struct show *s = show_look(&board, SHOW_config);

	(void)state;
	assert_int_equal(show_rows(s), SETTINGS);
	show_free(s);
	assert_non_null(strstr(text,
			       "{\"setting\":\"drain_s\",\"value\":\"7\",\"unit\":\"s\","
			       "\"source\":\"option\",\"line\":null}"));
	assert_non_null(strstr(text,
			       "{\"setting\":\"lease_s\",\"value\":\"15\",\"unit\":\"s\","
			       "\"source\":\"default\",\"line\":null}"));
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "\"postgres\",\"value\":\"(not shown"));
	free(text);
}

static void value_with_a_password__is_known_however_it_is_written(void **state)
{
	static const char *const secret[] = {"host=x password=hunter2",
					     "host=x PASSWORD = 'hunter2'",
					     "postgresql://orderd:hunter2@db/orderd",
					     "https://key@gateway.example/",
					     "postgresql://db/orderd?password=hunter2",
					     "postgresql://db/?p%61ssword=hunter2",
					     "postgresql://db/?%70%41ssword=hunter2",
					     "host=x sslpassword=hunter2"};
	static const char *const open[] = {"",
					   "host=/run/postgresql dbname=orderd user=orderd",
					   "/etc/orderd/gateway.key",
					   "https://gateway.example/a@b",
					   "Shop <orders@shop.example>",
					   "127.0.0.1:7070",
					   "postgresql://db/orderd?user=orderd",
					   "%",
					   "%7",
					   "100%"};

	(void)state;
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		assert_true(config_holds_secret(secret[i]));
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		assert_false(config_holds_secret(open[i]));
}

static void process__tells_its_version_and_memory(void **state)
{
	char *text = rendered(SHOW_version, show_render_text);
	struct show *s = show_look(&board, SHOW_memory);

	(void)state;
	assert_non_null(strstr(text, show_program_version()));
	assert_non_null(strstr(text, "OpenSSL"));
	free(text);
	assert_string_equal(show_cell(s, 0, 0)->text, "resident");
	assert_in_range(show_cell(s, 0, 1)->number, 1, INT64_C(1) << 40);
	show_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cells__are_quoted_as_json_wants_it),
		TEST(bytes_that_are_no_text__become_question_marks),
		TEST(long_cell__is_cut_between_two_characters_and_says_so),
		TEST(columns__are_as_wide_as_their_widest_cell),
		TEST(table__ends_at_its_bound_and_says_so),
		TEST(texts_together__are_bounded_too),
		TEST(view__is_found_while_it_is_offered),
		TEST(several_parts__have_rows_for_one_view),
		TEST(row_that_is_not_its_views__aborts),
		TEST(every_setting__says_where_it_came_from),
		TEST(value_with_a_password__is_known_however_it_is_written),
		TEST(process__tells_its_version_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
