/*
 * orderctl's command line: usage lines, argument vectors, slips, and who is sent away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clients/orderctl/args.h"
#include "clients/orderctl/exit_codes.h"
#include "clients/orderctl/suggest.h"
#include "clients/orderctl/usage.h"
#include "clients/orderctl/vocabulary.h"
#include "tests/unit/child.h"
#include "tests/unit/ctl.h"

enum { ARGV_MAX = 80 };

static int run(struct args *a)
{
	(void)a;
	return EXIT_DONE;
}

static const struct command one[] = {
	{NULL, "get", "[--events] [--tag TAG]... [--limit N | --all] ORDER", 1, "get", run},
	{NULL, "put", "--name N [--dry-run] ORDER [SKU=QTY...] | --file FILE --many [--batch B]",
	 OPTIONS_MAX, "put", run},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
static const struct command two[] = {
	{"stock", "show", "SKU...", OPTIONS_MAX, "show", run},
	{"stock", "label", "[--format pdf|png|zpl] [--ship cheapest|fastest|NAME]", 0, "l", run},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
static const struct command *const tables[] = {one, two, NULL};

/* argv of blank-separated words; "_" is an empty one. */
struct line {
	char text[512];
	char *argv[ARGV_MAX];
	int argc;
};

static void split(struct line *l, const char *z)
{
	char *save = NULL;

	snprintf(l->text, sizeof(l->text), "orderctl %s", z);
	l->argc = 0;
	for (char *w = strtok_r(l->text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		if (strcmp(w, "_") == 0)
			*w = '\0';
		l->argv[l->argc++] = w;
	}
}

static struct line line; /* what `parsed` points into */
static struct args parsed;

static struct args *parse(const char *z)
{
	split(&line, z);
	parsed = (struct args){0};
	args_read(&parsed, tables, line.argc, line.argv);
	return &parsed;
}

static void parse_in_child(void *arg)
{
	parse(arg);
}

static void assert_refused(const char *z, const char *says)
{
	struct child c;

	child_run(&c, parse_in_child, (void *)(uintptr_t)z);
	if (c.exit_code != EXIT_USAGE || strstr(c.err, says) == NULL ||
	    strncmp(c.err, "orderctl: ", 10) != 0)
		FAIL_SAYING("%s: %d %s", z, c.exit_code, c.err);
}

/* ---------------------------------------------------------------- usage lines */

static void usage_line_is_taken_apart(void **state)
{
	const struct usage_option *o;
	struct usage u;

	(void)state;
	usage_read(
		&u,
		"--site SITE [--format pdf|png]  [--dry-run]\n [--tag T]... ORDER [L=\"A B\"...]");
	assert_int_equal(u.n_forms, 1);
	assert_int_equal(u.n_options, 4);
	o = usage_option(&u, "site");
	assert_string_equal(o->value, "SITE");
	assert_int_equal(o->needed, 1);
	o = usage_option(&u, "format");
	assert_string_equal(o->value, "pdf|png");
	assert_int_equal(o->needed, 0);
	assert_string_equal(usage_option(&u, "dry-run")->value, "");
	assert_true(usage_option(&u, "tag")->repeats);
	assert_null(usage_option(&u, "forma"));
	assert_int_equal(u.n_words, 2);
	assert_string_equal(u.words[0].name, "ORDER");
	assert_true(u.words[0].needed && !u.words[0].repeats);
	assert_string_equal(u.words[1].name, "L=\"A B\"");
	assert_true(!u.words[1].needed && u.words[1].repeats);
}

static void forms_share_what_they_name_alike(void **state)
{
	const struct usage_option *file;
	struct usage u;

	(void)state;
	usage_read(&u, "--name N WORD | --file F [--dry] | --file F --many [--dry]");
	assert_int_equal(u.n_forms, 3);
	file = usage_option(&u, "file");
	assert_int_equal(file->forms, 6);
	assert_int_equal(file->needed, 6);
	assert_int_equal(usage_option(&u, "many")->needed, 4);
	assert_string_equal(usage_option(&u, "many")->value, "");
	assert_int_equal(usage_option(&u, "name")->forms, 1);
	assert_int_equal(u.words[0].form, 0);
}

static void one_of_a_bracket_is_given(void **state)
{
	char token[128];
	struct usage u;

	(void)state;
	usage_read(&u, "[--limit N | --all] [--format a|b]\n  [--ids F] [--x | --y Y | --z]...");
	assert_int_equal(u.n_options, 7);
	assert_int_equal(usage_option(&u, "limit")->one_of, 1);
	assert_int_equal(usage_option(&u, "all")->one_of, 1);
	assert_string_equal(usage_option(&u, "all")->value, "");
	assert_int_equal(usage_option(&u, "format")->one_of, 0);
	assert_string_equal(usage_option(&u, "format")->value, "a|b");
	assert_int_equal(usage_option(&u, "z")->one_of, 2);
	usage_show_option(&u, 0, 0, token, sizeof(token));
	assert_string_equal(token, "[--limit N | --all]");
	usage_show_option(&u, 1, 0, token, sizeof(token));
	assert_string_equal(token, "");
	usage_show_option(&u, 2, 0, token, sizeof(token));
	assert_string_equal(token, "[--format a|b]");
}

/* ---------------------------------------------------------------- argument vectors */

static void options_stand_anywhere(void **state)
{
	static const char *const lines[] = {
		"get --events --json --tag=a --tag b x --server s",
		"--json --tag a get x --server=s --tag b --events",
		"--events --server s --tag a --json get --tag b -- x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ProtobufCBinaryData tags[OPTIONS_MAX];
		struct args *a = parse(lines[i]);

		assert_ptr_equal(a->command, &one[0]);
		assert_int_equal(a->n_words, 1);
		assert_string_equal(a->words[0], "x");
		assert_true(flag(a, "json") && flag(a, "events"));
		assert_string_equal(option(a, "server"), "s");
		assert_int_equal(options(a, "tag", tags), 2);
		assert_memory_equal(tags[0].data, "a", 1);
		assert_string_equal(option(a, "tag"), "b"); /* the last one counts */
	}
}

static void words_behind_two_dashes_are_words(void **state)
{
	struct args *a = parse("put --name n -- --x -y --");

	(void)state;
	assert_int_equal(a->n_words, 3);
	assert_string_equal(a->words[0], "--x");
	assert_string_equal(a->words[1], "-y");
	assert_string_equal(a->words[2], "--");
}

static void value_may_be_empty_or_begin_with_a_dash(void **state)
{
	(void)state;
	assert_string_equal(option(parse("get x --tag _"), "tag"), "");
	assert_string_equal(option(parse("get x --tag="), "tag"), "");
	assert_string_equal(option(parse("get x --tag -5"), "tag"), "-5");
	assert_string_equal(option(parse("get x --tag=--json"), "tag"), "--json");
	assert_string_equal(option(parse("get x --tag a=b=c"), "tag"), "a=b=c");
	assert_string_equal(parse("get -")->words[0], "-");
}

static void help_and_version_are_asked_without_the_rest(void **state)
{
	(void)state;
	assert_ptr_equal(parse("get --help")->command, &one[0]);
	assert_ptr_equal(parse("-h put --nonsense")->command, &one[1]);
	assert_null(parse("--version")->command);
	assert_null(parse("")->command);
	assert_ptr_equal(parse("stock show -h")->command, &two[0]);
}

static void choice_is_spelled_as_in_the_list(void **state)
{
	(void)state;
	assert_string_equal(option(parse("stock label --format PDF"), "format"), "pdf");
	assert_string_equal(option(parse("stock label --ship Whatever"), "ship"), "Whatever");
	assert_string_equal(option(parse("stock label --color Never"), "color"), "never");
}

static void form_is_found_by_its_options(void **state)
{
	(void)state;
	assert_int_equal(parse("put --name n x a=1")->form, 0);
	assert_int_equal(parse("put --file f --many")->form, 1);
	assert_int_equal(parse("put --many --file f --batch b --json")->form, 1);
}

static void what_is_wrong_is_said(void **state)
{
	static const char *const lines[][2] = {
		{"gte x", "did you mean get?"},
		{"stock shwo x", "did you mean stock show?"},
		{"stock", "followed by one of: show, label"},
		{"wholly-different", "orderctl help lists them"},
		{"get x --evnts", "did you mean --events?"},
		{"get x --sever s", "did you mean --server?"},
		{"get x --format pdf", "get takes no option --format"},
		{"get x --limit 3 --all", "--all does not go with --limit"},
		{"get x --events=yes", "--events takes no value"},
		{"get x --tag", "--tag needs a value"},
		{"get x --tag --json", "--tag=--json"},
		{"get", "ORDER is required"},
		{"get x y", "get does not take this: y"},
		{"get -x", "two dashes"},
		{"get --= x", "no option --"},
		{"put x", "--name is required"},
		{"put --name n", "ORDER is required"},
		{"put --file f", "--many is required"},
		{"put --file f --name n", "--name does not go with --file"},
		{"put --file f --many x", "does not go with --file: x"},
		{"stock label --format gif", "--format is pdf, png or zpl, not gif"},
		{"stock label --format pfd", "did you mean pdf?"},
		{"stock label --color purple", "auto, always or never"},
		{"--json", "--json stands for no command"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_refused(lines[i][0], lines[i][1]);
}

static void as_many_as_there_is_room_for_and_not_one_more(void **state)
{
	char full[512] = "put --name n", *end = full + strlen(full);
	struct args *a;

	(void)state;
	for (int i = 0; i < OPTIONS_MAX - 1; i++)
		end += snprintf(end, 3, " w");
	a = parse(full); /* "put" is the sixty-fourth */
	assert_int_equal(a->n_words, OPTIONS_MAX - 1);
	snprintf(end, 3, " w");
	assert_refused(full, "too many arguments");
	snprintf(full, sizeof(full), "get");
	end = full + 3;
	for (int i = 0; i < OPTIONS_MAX; i++)
		end += snprintf(end, 5, " -h");
	assert_int_equal(parse(full)->n_options, OPTIONS_MAX);
	snprintf(end, 5, " -h");
	assert_refused(full, "too many arguments");
}

static void number_in_child(void *arg)
{
	small_number(arg, "it");
}

static void number_is_whole_and_in_range(void **state)
{
	static const char *const bad[] = {
		"", "x", "1x", " ", "1.5", "2147483648", "99999999999999999999"};
	struct child c;

	(void)state;
	assert_int_equal(number("-9223372036854775808", "it"), INT64_MIN);
	assert_int_equal(small_number("2147483647", "it"), INT32_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		child_run(&c, number_in_child, (void *)(uintptr_t)bad[i]);
		assert_int_equal(c.exit_code, EXIT_USAGE);
	}
}

/* ---------------------------------------------------------------- slips */

static const char *nearest(const char *typed)
{
	static const char *const there_are[] = {"place", "payment", "payments",   "cancel",
						"get",   "list",    "fulfillment"};
	static struct suggestion s;

	s = suggest(typed);
	for (size_t i = 0; i < sizeof(there_are) / sizeof(there_are[0]); i++)
		suggest_offer(&s, there_are[i]);
	return s.best;
}

static void slip_finds_its_word_and_anything_else_none(void **state)
{
	char long_word[200];

	(void)state;
	assert_string_equal(nearest("plaec"), "place");  /* two changed places */
	assert_string_equal(nearest("cancl"), "cancel"); /* one left out */
	assert_string_equal(nearest("listt"), "list");   /* one too many */
	assert_string_equal(nearest("GET"), "get");      /* another case */
	assert_string_equal(nearest("paymant"), "payment");
	assert_string_equal(nearest("ful"), "fulfillment"); /* cut short */
	assert_string_equal(nearest("zzz"), "");
	assert_string_equal(nearest("xy"), "");
	assert_string_equal(nearest(""), "");
	memset(long_word, 'a', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_string_equal(nearest(long_word), "");
}

static void list_of_choices_reads_like_a_sentence(void **state)
{
	char all[256];

	(void)state;
	list_choices("pdf|png|NAME", all, sizeof(all));
	assert_string_equal(all, "pdf or png");
	assert_true(is_open("pdf|png|NAME"));
	assert_false(is_open("pdf|png"));
	assert_true(is_open("FILE"));
	list_choices("LABEL_FORMAT", all, sizeof(all));
	assert_string_equal(all, "pdf, png or zpl");
	assert_false(is_open("LABEL_FORMAT"));
	list_choices("ID", all, sizeof(all));
	assert_string_equal(all, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_line_is_taken_apart),
		cmocka_unit_test(forms_share_what_they_name_alike),
		cmocka_unit_test(one_of_a_bracket_is_given),
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(words_behind_two_dashes_are_words),
		cmocka_unit_test(value_may_be_empty_or_begin_with_a_dash),
		cmocka_unit_test(help_and_version_are_asked_without_the_rest),
		cmocka_unit_test(choice_is_spelled_as_in_the_list),
		cmocka_unit_test(form_is_found_by_its_options),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(as_many_as_there_is_room_for_and_not_one_more),
		cmocka_unit_test(number_is_whole_and_in_range),
		cmocka_unit_test(slip_finds_its_word_and_anything_else_none),
		cmocka_unit_test(list_of_choices_reads_like_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
