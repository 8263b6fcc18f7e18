/*
 * The log: one line per event, whatever is in it, and never a wait.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/log_json.h"
#include "tests/unit/child.h"

static void say_one(void *arg)
{
	(void)arg;
	clock_fake(0, 1767323045678901);
	log_open("orderd", LOG_INFO);
	log_debug("hidden", "x=%d", 1);
	log_info("order_placed", "order=%s ms=%d", "0190", 3);
}

static void line_is_logfmt_with_time_and_level(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, say_one, NULL);
	assert_string_equal(c.err,
			    "time=2026-01-02T03:04:05.678Z level=info program=orderd "
			    "event=order_placed order=0190 ms=3\n");
}

static void say_evil(void *arg)
{
	(void)arg;
	log_open("orderd", LOG_INFO);
	log_info("evil", "name=%s raw=%s", LOG_Q("a\"b\\\nlevel=error\xff\xc3\xbc"), "x\ny\x1b");
}

static void text_from_outside_cannot_start_a_line(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, say_evil, NULL);
	assert_non_null(
		strstr(c.err, "name=\"a\\\"b\\\\\\x0alevel=error\\xff\xc3\xbc\" raw=x?y?\n"));
	assert_ptr_equal(strchr(c.err, '\n'), c.err + strlen(c.err) - 1);
}

static void say_much(void *arg)
{
	char text[8192];

	(void)arg;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_open("orderd", LOG_INFO);
	log_info("long", "text=%s", text);
	log_info("long", "text=%s", LOG_Q(text));
}

static void long_values_are_cut(void **state)
{
	struct child c;
	char *second;

	(void)state;
	child_run(&c, say_much, NULL);
	second = strchr(c.err, '\n') + 1;
	assert_int_equal(second - c.err, 2047);
	assert_true(strlen(second) < 640);
	assert_non_null(strstr(second, "xxx...\"\n"));
}

static void quote_cuts_between_characters(void **state)
{
	char text[1024];
	const char *quoted;

	(void)state;
	text[0] = 'a';
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, (const char[2]){'\xc3', '\xbc'}, 2);
	quoted = log_quote(text, 1001);
	assert_memory_equal(quoted + strlen(quoted) - 6, "\xc3\xbc...\"", 6);
	assert_string_equal(LOG_Q(NULL), "\"\"");
	assert_string_equal(log_quote("abc", 2), "\"ab\"");
}

/* The quoted value of a line that is too long has its end, and no half of an escape or a character.
 */
static void say_long_quotes(void *arg)
{
	char text[478];

	(void)arg;
	log_open("orderd", LOG_INFO);
	for (int lead = 0; lead < 12; lead++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = (size_t)lead; i + 2 < sizeof(text); i += 3)
			memcpy(text + i, i % 2 == 0 ? "\xc3\xbc\"" : "\xff\\\\", 3);
		text[sizeof(text) - 1] = '\0';
		log_info("long", "pad=%0*d a=%s b=%s c=%s d=%s", 150 + lead, 1, LOG_Q(text),
			 LOG_Q(text), LOG_Q(text), LOG_Q(text));
	}
}

static void long_line_ends_with_its_quote(void **state)
{
	struct child c;
	int lines = 0;

	(void)state;
	child_run(&c, say_long_quotes, NULL);
	for (char *p = c.err, *end; (end = strchr(p, '\n')) != NULL; p = end + 1, lines++) {
		bool open;
		struct str line = {p, (size_t)(end - p)};

		assert_true(line.n < 2048 && line.n > 2030);
		assert_memory_equal(end - 4, "...\"", 4);
		assert_int_equal(log_cut(line, &open), line.n);
		assert_false(open);
	}
	assert_int_equal(lines, 12);
}

static void say_json(void *arg)
{
	(void)arg;
	clock_fake(0, 1767323045678901);
	assert_true(log_format_choose("json"));
	log_open("orderd", LOG_INFO);
	log_info("evil", "name=%s ms=%d", LOG_Q("a\"b\\\nlevel=error\xff\xc3\xbc"), 3);
	log_info("bare", "raw=%s", "x\ny=\x1b");
}

static void line_may_be_json(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, say_json, NULL);
	assert_string_equal(
		c.err,
		"{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"program\":\"orderd\","
		"\"event\":\"evil\",\"name\":\"a\\\"b\\\\\\u000alevel=error\\\\xff\xc3\xbc\","
		"\"ms\":3}\n"
		"{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"program\":\"orderd\","
		"\"event\":\"bare\",\"raw\":\"x?y=?\"}\n");
}

static void pairs_become_json(void **state)
{
	static const struct {
		const char *line, *json;
	} rows[] = {
		{"", "{}"},
		{"a=1", "{\"a\":1}"},
		{"a=-12.50 b=0", "{\"a\":-12.50,\"b\":0}"},
		{"a=007 b=1. c=.5 d=- e=1e5 f=0x1",
		 "{\"a\":\"007\",\"b\":\"1.\",\"c\":\".5\",\"d\":\"-\","
		 "\"e\":\"1e5\",\"f\":\"0x1\"}"},
		{"a=999999999999999 b=9999999999999999",
		 "{\"a\":999999999999999,\"b\":\"9999999999999999\"}"},
		{"a=\"1\"", "{\"a\":\"1\"}"}, /* a quoted number is somebody's text */
		{"a= b=\"\"", "{\"a\":\"\",\"b\":\"\"}"},
		{"why=no such file b=1", "{\"why\":\"no such file\",\"b\":1}"},
		{"a=\"x b=1\" c=2", "{\"a\":\"x b=1\",\"c\":2}"},
		{"a=\"x\\\" b=\\\\\" c=2", "{\"a\":\"x\\\" b=\\\\\",\"c\":2}"},
		{"a=\"\\x1b\\x00\\xC3\\xzz\\q\"", "{\"a\":\"\\u001b\\u0000\\\\xc3\\\\xzz\\\\q\"}"},
		{"a=\"open", "{\"a\":\"open\"}"},
		{"a=\"open\\", "{\"a\":\"open\\\\\"}"},
		{"a=x\"y\\z", "{\"a\":\"x\\\"y\\\\z\"}"},
	};

	char json[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = log_json(str_of(rows[i].line), json, sizeof(json) - 1);

		json[n] = '\0';
		assert_string_equal(json, rows[i].json);
	}
}

/* Whatever the room: an object, of whole pairs but for the end of the last value. */
static void json_without_room_is_whole(void **state)
{
	const char *line =
		"first=1 second=\"a\\\"b\\xffc\" third=333333 "
		"fourth=\"\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\" e=\"x\"";
	char json[256];

	(void)state;
	for (size_t room = LOG_JSON_LEAST; room < sizeof(json); room++) {
		size_t n, quotes = 0;

		memset(json, '#', sizeof(json));
		n = log_json(str_of(line), json, room);
		assert_true(n <= room && json[0] == '{' && json[n - 1] == '}');
		for (size_t i = 0; i < n; i++) {
			if (json[i] == '\\')
				i++;
			else
				quotes += json[i] == '"';
		}
		assert_int_equal(quotes % 2, 0);
		for (size_t i = room; i < sizeof(json); i++)
			assert_int_equal(json[i], '#');
	}
}

/* A pipe nobody reads fills up: logging goes on, and says so once it is read again. */
static void full_pipe_drops_lines_and_counts_them(void **state)
{
	static char text[1 << 20];
	int saved = dup(STDERR_FILENO);
	int pipe_fds[2];
	ssize_t n;
	size_t lines = 0;
	unsigned long missing = 0;
	char *report;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	(void)fflush(stderr);
	dup2(pipe_fds[1], STDERR_FILENO);
	log_open("orderd", LOG_INFO);
	for (int i = 0; i < 5000; i++)
		log_info("line", "n=%d", i);
	n = read(pipe_fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	log_info("last", "n=%d", 1);
	n += read(pipe_fds[0], text + n, sizeof(text) - 1 - (size_t)n);
	text[n] = '\0';
	dup2(saved, STDERR_FILENO);
	log_open("orderd", LOG_INFO);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(saved);

	for (const char *p = text; (p = strstr(p, "event=line")) != NULL; p++)
		lines++;
	report = strstr(text, "event=log_dropped lines=");
	assert_non_null(report);
	missing = strtoul(report + strlen("event=log_dropped lines="), NULL, 10);
	assert_int_equal(lines + missing, 5000);
	assert_non_null(strstr(report, "event=last"));
}

static void say_to_closed_pipe(void *arg)
{
	int pipe_fds[2];

	(void)arg;
	if (pipe(pipe_fds) != 0)
		_exit(1);
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	log_open("orderd", LOG_INFO);
	close(pipe_fds[0]);
	log_info("nobody", "listens=%d", 0);
	(void)printf("alive\n");
}

static void reader_that_went_away_ends_nothing(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, say_to_closed_pipe, NULL);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.out, "alive\n");
}

static void level_names_are_parsed(void **state)
{
	enum log_level level = LOG_INFO;

	(void)state;
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_false(log_level_parse("loud", &level));
	assert_int_equal(level, LOG_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_logfmt_with_time_and_level),
		cmocka_unit_test(text_from_outside_cannot_start_a_line),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(quote_cuts_between_characters),
		cmocka_unit_test(long_line_ends_with_its_quote),
		cmocka_unit_test(line_may_be_json),
		cmocka_unit_test(pairs_become_json),
		cmocka_unit_test(json_without_room_is_whole),
		cmocka_unit_test(full_pipe_drops_lines_and_counts_them),
		cmocka_unit_test(reader_that_went_away_ends_nothing),
		cmocka_unit_test(level_names_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
