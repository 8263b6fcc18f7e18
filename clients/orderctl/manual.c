/*
 * orderctl.1, from the tables of commands: `orderctl help --man`.
 */
#include <stdio.h>
#include <string.h>

#include "exit_codes.h"
#include "help.h"
#include "vocabulary.h"

/* Text that roff shall set as it is. */
static void put(const char *z)
{
	for (const char *p = z; *p != '\0'; p++) {
		if ((*p == '.' || *p == '\'') && (p == z || p[-1] == '\n'))
			fputs("\\&", stdout);
		if (*p == '\\')
			fputs("\\e", stdout);
		else if (*p == '-')
			fputs("\\-", stdout);
		else
			putchar(*p);
	}
}

static void line(const char *z)
{
	put(z);
	putchar('\n');
}

static void put_token(const char *token)
{
	putchar(' ');
	put(token);
}

/* A term and what it means. */
static void entry(const char *term, const char *help)
{
	fputs(".TP\n.B ", stdout);
	line(term);
	line(help != NULL ? help : "");
}

static void option_entries(const struct command *c, const struct usage *u)
{
	char term[USAGE_TOKEN_MAX], all[512];

	for (int i = 0; i < u->n_options; i++) {
		const struct usage_option *o = &u->options[i];

		snprintf(term, sizeof(term), "--%s%s%s", o->name, o->value[0] != '\0' ? " " : "",
			 o->value);
		entry(term, meaning_of_option(c, o->name));
		list_choices(o->value, all, sizeof(all));
		if (all[0] == '\0' || strchr(o->value, '|') != NULL)
			continue;
		fputs(".br\n", stdout);
		line(all);
	}
}

static void command(const struct command *c)
{
	char name[64];
	struct usage u;

	usage_read(&u, c->usage);
	command_name(c, name, sizeof(name));
	printf(".SS ");
	line(name);
	for (int form = 0; form < u.n_forms; form++) {
		printf("%s\\fBorderctl %s\\fR", form > 0 ? ".br\n" : "", name);
		each_usage_token(&u, form, put_token);
		putchar('\n');
	}
	fputs(".PP\n", stdout);
	line(c->about != NULL ? c->about : c->help);
	option_entries(c, &u);
	if (c->examples == NULL)
		return;
	fputs(".PP\n.nf\n", stdout);
	put(c->examples);
	fputs(".fi\n", stdout);
}

void print_manual(command_tables tables)
{
	fputs(".TH ORDERCTL 1 \"\" \"orderd " ORDERD_VERSION
	      "\" \"User Commands\"\n"
	      ".SH NAME\norderctl \\- orders of orderd, for people and scripts\n"
	      ".SH SYNOPSIS\n",
	      stdout);
	line(synopsis);
	fputs(".SH DESCRIPTION\n", stdout);
	line(description);
	fputs(".SH OPTIONS\nEvery command takes these.\n", stdout);
	option_entries(NULL, global_usage());
	fputs(".SH COMMANDS\n", stdout);
	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c))
		command(c);
	fputs(".SH \"EXIT STATUS\"\n", stdout);
#define X(code, name, help) entry(#code, help);
	EXIT_CODES(X)
#undef X
	fputs(".SH ENVIRONMENT\n", stdout);
	for (const struct meaning *m = environment_variables; m->name != NULL; m++)
		entry(m->name, m->help);
}
