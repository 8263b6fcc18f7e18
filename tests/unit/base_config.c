/*
 * Settings: which source wins, and what is said about a mistake.  Each case is a start
 * of a program in a child process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/config.h"
#include "tests/unit/child.h"

enum { ARGS_MAX = 8 };

struct start {
	const char *file; /* contents of the --config file; NULL: none */
	const char *env_name, *env_value;
	const char *args[ARGS_MAX];
	const char *refuse; /* a field refused after reading */
};

static char path[] = "/tmp/orderd-config-XXXXXX";

/* What a program does with its settings: tells some of them, and what was left over. */
static void program(void *arg)
{
	const struct start *s = arg;
	char *argv[ARGS_MAX + 3] = {(char *)"orderd"};
	char option[64];
	struct config cfg;
	int argc = 1;

	if (s->env_name != NULL)
		setenv(s->env_name, s->env_value, 1); // NOLINT(concurrency-mt-unsafe): one thread
	if (s->file != NULL) {
		(void)snprintf(option, sizeof(option), "--config=%s", path);
		argv[argc++] = option;
	}
	for (int i = 0; i < ARGS_MAX && s->args[i] != NULL; i++)
		argv[argc++] = (char *)s->args[i];
	if (config_read(&cfg, "orderd", argc, argv, &argc) == CONFIG_RUN) {
		printf("drain_s=%d listen=%s left=", (int)cfg.drain_s, cfg.listen);
		for (int i = 1; i < argc; i++)
			printf("%s,", argv[i]);
		printf("\n");
	}
	if (s->refuse != NULL)
		config_refuse(s->refuse, "cannot be %s", "so");
	config_done(&cfg);
}

static void start(struct child *c, const struct start *s)
{
	if (s->file != NULL) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		(void)fputs(s->file, f);
		(void)fclose(f);
	}
	child_run(c, program, (void *)s);
}

static void assert_runs(const struct start *s, const char *out)
{
	struct child c;

	start(&c, s);
	assert_string_equal(c.err, "");
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.out, out);
}

/* `err` with %s for the file's path */
static void assert_refused(const struct start *s, const char *err)
{
	char expected[2048];
	char *to = expected;
	struct child c;

	for (const char *p = err; *p != '\0'; p++) {
		if (*p == '@') {
			memcpy(to, path, strlen(path));
			to += strlen(path);
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	start(&c, s);
	assert_string_equal(c.err, expected);
	assert_int_equal(c.exit_code, 2);
}

static void nothing_given_takes_defaults(void **state)
{
	(void)state;
	assert_runs(&(struct start){0}, "drain_s=30 listen=127.0.0.1:7070 left=\n");
}

static void later_source_wins(void **state)
{
	struct start s = {.file = "drain_s = 1\nlisten = a:1 # comment\n"};

	(void)state;
	assert_runs(&s, "drain_s=1 listen=a:1 left=\n");
	s.env_name = "ORDERD_DRAIN_S";
	s.env_value = "2";
	assert_runs(&s, "drain_s=2 listen=a:1 left=\n");
	s.args[0] = "--drain-s=3";
	assert_runs(&s, "drain_s=3 listen=a:1 left=\n");
}

static void file_takes_quotes_comments_and_blank_lines(void **state)
{
	(void)state;
	assert_runs(&(struct start){.file = "# top\n\n\t drain_s=7\r\n"
					    "listen = \"a \\\"b\\\\ # c\"  # why\n"},
		    "drain_s=7 listen=a \"b\\ # c left=\n");
	assert_runs(&(struct start){.file = "listen = http://x/#y"},
		    "drain_s=30 listen=http://x/#y left=\n");
	assert_runs(&(struct start){.file = "listen ="}, "drain_s=30 listen= left=\n");
}

static void other_arguments_are_left_in_place(void **state)
{
	(void)state;
	assert_runs(&(struct start){.args = {"migrate", "--drain-s", "5", "now", "--", "--x"}},
		    "drain_s=5 listen=127.0.0.1:7070 left=migrate,now,--x,\n");
}

static void every_mistake_is_reported_at_its_place(void **state)
{
	(void)state;
	assert_refused(&(struct start){.file = "drain_s = 99999\nlisten\ndrain = 3\n"
					       "auth = \"none\nredis = \"a\" b\n"
					       "sweep_ms = 50\nsweep_ms = 60\n",
				       .env_name = "ORDERD_MAX_LINES",
				       .env_value = "many",
				       .args = {"--max-pages=3", "--arena-kib=64.5"}},
		       "@:1: drain_s: must be a whole number from 0 to 3600 s\n"
		       "@:2: listen: needs a value: field = value\n"
		       "@:3: drain: no such setting; did you mean drain_s?\n"
		       "@:4: auth: the quotes do not end\n"
		       "@:5: redis: something follows the quotes\n"
		       "@:7: sweep_ms: given twice\n"
		       "ORDERD_MAX_LINES: must be a whole number from 1 to 5000 lines\n"
		       "--max-pages: no such setting; did you mean max_page?\n"
		       "--arena-kib: must be a whole number from 64 to 65536 KiB\n");
}

static void command_line_mistakes_are_reported(void **state)
{
	(void)state;
	assert_refused(&(struct start){.args = {"--frobnicate", "--drain-s=1", "--drain-s=2",
						"--listen=a\nb", "--sweep-ms"}},
		       "--frobnicate: no such setting; --help lists them all\n"
		       "--drain-s: given twice\n"
		       "--listen: must be one line of UTF-8 text\n"
		       "--sweep-ms: needs a value\n");
	assert_refused(&(struct start){.args = {"--config=/nowhere/x"}},
		       "--config: /nowhere/x: No such file or directory\n");
	assert_refused(&(struct start){.args = {"--config"}}, "--config: needs a file\n");
}

static void text_over_its_length_is_refused(void **state)
{
	(void)state;
	assert_refused(&(struct start){.args = {"--auth=seventeen-bytes!!"}},
		       "--auth: must have 0 to 16 bytes, has 17\n");
}

static void file_that_is_no_text_is_refused(void **state)
{
	FILE *f = fopen(path, "w");
	char option[64];

	(void)state;
	assert_non_null(f);
	(void)fwrite("listen\0 = x\n", 1, 12, f);
	(void)fclose(f);
	(void)snprintf(option, sizeof(option), "--config=%s", path);
	assert_refused(&(struct start){.args = {option}}, "--config: @: is no text\n");
	f = fopen(path, "w");
	for (int i = 0; i < 70000; i++)
		(void)fputc('#', f);
	(void)fclose(f);
	assert_refused(&(struct start){.args = {option}}, "--config: @: File too large\n");
}

static void mistake_found_later_names_its_source(void **state)
{
	(void)state;
	assert_refused(&(struct start){.file = "\nlisten = a", .refuse = "listen"},
		       "@:2: listen: cannot be so\n");
	assert_refused(&(struct start){.refuse = "log_level"}, "--log-level: cannot be so\n");
}

/* Programs refuse arguments they do not take; that once tripped over an assertion. */
static void mistake_that_is_no_setting_is_named_as_it_is(void **state)
{
	(void)state;
	assert_refused(&(struct start){.args = {"frobnicate"}, .refuse = "arguments"},
		       "arguments: cannot be so\n");
}

static void version_and_help_are_served_before_mistakes(void **state)
{
	struct child c;

	(void)state;
	start(&c, &(struct start){.args = {"--nonsense", "--version"}});
	assert_string_equal(c.out, "orderd " ORDERD_VERSION "\n");
	assert_int_equal(c.exit_code, 0);
	start(&c, &(struct start){.args = {"--help"}});
	assert_non_null(strstr(c.out, "  --http-listen=127.0.0.1:7071\n"));
	assert_non_null(strstr(c.out, "(0..3600 s)"));
	start(&c, &(struct start){.args = {"--check-config"}});
	assert_string_equal(c.out, "the configuration is valid\n");
}

static void printed_settings_are_read_back_the_same(void **state)
{
	static struct child first, second;

	(void)state;
	start(&first, &(struct start){.args = {"--listen=unix:/a b \"c\\\" # d", "--drain-s=12",
					       "--print-config"}});
	assert_non_null(strstr(first.out, "listen = \"unix:/a b \\\"c\\\\\\\" # d\"   # gRPC"));
	start(&second, &(struct start){.file = first.out, .args = {"--print-config"}});
	assert_string_equal(second.err, "");
	assert_string_equal(second.out, first.out);
}

static void read_secret(void *arg)
{
	char *secret = config_secret("gateway_key_file", arg);

	printf("[%s]", secret);
	free(secret);
}

static void secret_is_read_without_its_newline(void **state)
{
	struct child c;
	FILE *f = fopen(path, "w");

	(void)state;
	(void)fputs("sk_test_1\n", f);
	(void)fclose(f);
	child_run(&c, read_secret, path);
	assert_string_equal(c.out, "[sk_test_1]");
	assert_int_equal(truncate(path, 0), 0);
	child_run(&c, read_secret, path);
	assert_int_equal(c.exit_code, 2);
	assert_non_null(strstr(c.err, "is empty"));
	assert_int_equal(truncate(path, 5000), 0);
	child_run(&c, read_secret, path);
	assert_int_equal(c.exit_code, 2);
	assert_non_null(strstr(c.err, "larger than 4 KiB"));
	child_run(&c, read_secret, (void *)"/nowhere/x");
	assert_int_equal(c.exit_code, 2);
	assert_string_equal(c.err, "--gateway-key-file: /nowhere/x: No such file or directory\n");
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_takes_defaults),
		cmocka_unit_test(later_source_wins),
		cmocka_unit_test(file_takes_quotes_comments_and_blank_lines),
		cmocka_unit_test(other_arguments_are_left_in_place),
		cmocka_unit_test(every_mistake_is_reported_at_its_place),
		cmocka_unit_test(command_line_mistakes_are_reported),
		cmocka_unit_test(text_over_its_length_is_refused),
		cmocka_unit_test(file_that_is_no_text_is_refused),
		cmocka_unit_test(mistake_found_later_names_its_source),
		cmocka_unit_test(mistake_that_is_no_setting_is_named_as_it_is),
		cmocka_unit_test(version_and_help_are_served_before_mistakes),
		cmocka_unit_test(printed_settings_are_read_back_the_same),
		cmocka_unit_test(secret_is_read_without_its_newline),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
