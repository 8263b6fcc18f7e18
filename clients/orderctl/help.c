/*
 * orderctl help, help COMMAND, completion: all of it made from the tables of commands.
 */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "orderctl.h"
#include "vocabulary.h"

enum { WIDTH = 80, OPTION_INDENT = 6, COMMAND_INDENT = 20 };

const char *const synopsis = "orderctl [--server TARGET] [--token-file FILE] [--json] COMMAND ...";

const char *const description =
	"orderctl places orders with orderd, shows what became of them and does the work around "
	"them. It prints tables for people or, with --json, one line of JSON per answer, with the "
	"field names of the contract. Times are UTC. Options may stand anywhere; behind -- there "
	"are none.";

const struct meaning environment_variables[] = {
	{"ORDERD_SERVER", "where the server is, when --server does not say it"},
	{"ORDERD_TOKEN_FILE", "the file with the token, when --token-file does not say it"},
	{"ORDERD_TLS_CA", "the server's CAs, when --tls-ca does not say it"},
	{"NO_COLOR", "set to anything: no colour, unless there is --color=always"},
	{"TERM", "dumb: no colour, unless there is --color=always"},
	{NULL, NULL},
};

/* Lines are broken between what is put: at `column` of this one, the next begin at `indent`. */
static int column, indent;

static void put(const char *token, int n)
{
	if (column > indent && column + 1 + n > WIDTH) {
		printf("\n%*s", indent, "");
		column = indent;
	} else if (column > indent) {
		column += printf(" ");
	}
	column += printf("%.*s", n, token);
}

static void put_token(const char *token)
{
	put(token, (int)strlen(token));
}

static void put_sentence(const char *z)
{
	for (z += strspn(z, " "); *z != '\0'; z += strspn(z, " ")) {
		size_t n = strcspn(z, " ");

		put(z, (int)n);
		z += n;
	}
	putchar('\n');
}

/* "  name      what it means", the meanings under each other. */
static void entry(const char *name, int at, const char *help)
{
	int n = printf("  %s", name);

	if (n + 2 > at)
		n = printf("\n") - 1;
	printf("%*s", at - n, "");
	column = indent = at;
	put_sentence(help != NULL ? help : "");
}

static void paragraph(const char *z)
{
	column = indent = 0;
	put_sentence(z);
}

void each_usage_token(const struct usage *u, int form, void (*tell)(const char *token))
{
	char token[USAGE_TOKEN_MAX];

	for (int i = 0; i < u->n_options; i++) {
		if ((u->options[i].forms & 1U << form) == 0)
			continue;
		usage_show_option(u, i, form, token, sizeof(token));
		if (token[0] != '\0')
			tell(token);
	}
	for (int i = 0; i < u->n_words; i++) {
		if (u->words[i].form != form)
			continue;
		usage_show_word(&u->words[i], token, sizeof(token));
		tell(token);
	}
}

static void exit_codes(void)
{
#define X(code, name, help) entry(#code, 6, help);
	EXIT_CODES(X)
#undef X
}

static void option_entries(const struct command *c, const struct usage *u)
{
	char head[USAGE_TOKEN_MAX], all[512];

	for (int i = 0; i < u->n_options; i++) {
		const struct usage_option *o = &u->options[i];
		const char *help = meaning_of_option(c, o->name);

		list_choices(o->value, all, sizeof(all));
		snprintf(head, sizeof(head), "--%s%s%s", o->name, o->value[0] != '\0' ? " " : "",
			 o->value);
		printf("  %s\n%*s", head, OPTION_INDENT, "");
		column = indent = OPTION_INDENT;
		put_sentence(help != NULL ? help : "");
		if (all[0] != '\0' && strchr(o->value, '|') == NULL)
			entry("", OPTION_INDENT, all);
	}
}

void print_command_help(const struct command *c)
{
	char name[64];
	struct usage u;

	usage_read(&u, c->usage);
	command_name(c, name, sizeof(name));
	for (int form = 0; form < u.n_forms; form++) {
		column = printf("%s orderctl %s ", form == 0 ? "usage:" : "   or:", name);
		indent = column;
		each_usage_token(&u, form, put_token);
		putchar('\n');
	}
	putchar('\n');
	paragraph(c->about != NULL ? c->about : c->help);
	if (u.n_words > 0)
		puts("\nWords:");
	for (int i = 0; i < u.n_words; i++)
		entry(u.words[i].name, COMMAND_INDENT, meaning_of_word(u.words[i].name));
	if (u.n_options > 0)
		puts("\nOptions:");
	option_entries(c, &u);
	if (c->examples != NULL)
		printf("\nExamples:\n%s", c->examples);
	puts("\nOptions of every command, exit codes: orderctl help");
}

void print_help(command_tables tables)
{
	char name[64];

	printf("usage: %s\n\n", synopsis);
	paragraph(description);
	puts("\nCommands:");
	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		command_name(c, name, sizeof(name));
		entry(name, COMMAND_INDENT, c->help);
	}
	puts("\nOptions of every command:");
	option_entries(NULL, global_usage());
	puts("\nEnvironment:");
	for (const struct meaning *m = environment_variables; m->name != NULL; m++)
		entry(m->name, COMMAND_INDENT, m->help);
	puts("\nExit codes:");
	exit_codes();
	puts("\nMore about one of them: orderctl help COMMAND");
}

/* ---------------------------------------------------------------- commands */

static int run_help(struct args *a)
{
	const struct command *c;

	if (flag(a, "man")) {
		print_manual(all_commands);
		return EXIT_DONE;
	}
	if (a->n_words == 0) {
		print_help(all_commands);
		return EXIT_DONE;
	}
	c = find_command(all_commands, a->words, a->n_words);
	if (c == NULL)
		no_command(all_commands, a->words, a->n_words);
	print_command_help(c);
	return EXIT_DONE;
}

static int run_completion(struct args *a)
{
	if (strcmp(a->words[0], "bash") != 0)
		usage_error("only bash is known, not %s", a->words[0]);
	print_bash_completion(all_commands);
	return EXIT_DONE;
}

const struct command help_commands[] = {
	{NULL, "help", "[--man] [COMMAND...]", 2, "say how orderctl, or one command, is used",
	 run_help, .offline = true,
	 .options = (const struct meaning[]){{"man", "the manual page, for man(1)"}, {NULL, NULL}},
	 .examples = "  orderctl help place\n"
		     "  orderctl help --man | man -l -\n"},
	{NULL, "completion", "bash", 1, "complete commands, options and values in bash",
	 run_completion, .offline = true,
	 .about = "Print what bash reads to complete the commands, options and values of orderctl.",
	 .examples = "  source <(orderctl completion bash)\n"},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
