/*
 * What bash reads to complete orderctl, made from the tables of commands.
 *
 * The script holds lists: the words that may come first, the verbs of each noun, the options of
 * each command, and what an option's value may be.  What it does with them is the same whatever
 * there is in the tables.
 */
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "orderctl.h"
#include "vocabulary.h"

/* Bash parts --color=never at the "=": both ways to write a value are made one. */
static const char opening[] =
	"# bash completion of orderctl, made by `orderctl completion bash`\n"
	"_orderctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev='' command='' i words=() before=()\n"
	"\tlocal next='' options='' values='' kind=word valued='";

static const char words_are_read[] =
	" '\n\n"
	"\tCOMPREPLY=()\n"
	"\t[[ $cur == = ]] && cur=''\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == = ]] || before+=(\"${COMP_WORDS[i]}\")\n"
	"\tdone\n"
	"\t((${#before[@]} > 0)) && prev=${before[-1]}\n"
	"\tfor ((i = 0; i < ${#before[@]}; i++)); do\n"
	"\t\tif [[ $valued == *\" ${before[i]} \"* ]]; then\n"
	"\t\t\t((++i))\n"
	"\t\telif [[ ${before[i]} != -* ]]; then\n"
	"\t\t\twords+=(\"${before[i]}\")\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t[[ $valued == *\" $prev \"* ]] && kind=value\n"
	"\tcase ${words[*]} in\n";

static const char closing[] =
	"\tesac\n"
	"\tcase $kind:$cur in\n"
	"\tfile:*)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\t\treturn\n"
	"\t\t;;\n"
	"\tword:-*) values=$options ;;\n"
	"\tword:*) values=$next ;;\n"
	"\tesac\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
	"}\n"
	"complete -F _orderctl orderctl\n";

/* What tells the part about one command, for each of them. */
static void each(command_tables tables, void (*tell)(const struct command *c, const char *name))
{
	char name[64];

	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		command_name(c, name, sizeof(name));
		tell(c, name);
	}
}

static void option_names(const struct usage *u)
{
	for (int i = 0; i < u->n_options; i++)
		printf(" --%s", u->options[i].name);
}

/* Behind these stands a value, so the word behind them is none of the command's. */
static void valued_options(const struct usage *u)
{
	for (int i = 0; i < u->n_options; i++)
		if (u->options[i].value[0] != '\0')
			printf(" --%s", u->options[i].name);
}

static void command_valued_options(const struct command *c, const char *name)
{
	struct usage u;

	(void)name;
	usage_read(&u, c->usage);
	valued_options(&u);
}

/* A noun's rows stand together, and it is named once. */
static void first_words(command_tables tables)
{
	const char *noun = NULL;

	fputs("next='", stdout);
	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		if (c->noun == NULL)
			printf(" %s", c->verb);
		else if (noun == NULL || strcmp(noun, c->noun) != 0)
			printf(" %s", c->noun);
		noun = c->noun;
	}
	fputs("'", stdout);
}

/* Behind a noun come its verbs. */
static void verbs(command_tables tables)
{
	const char *noun = NULL;

	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		bool same = c->noun != NULL && noun != NULL && strcmp(c->noun, noun) == 0;

		if (noun != NULL && !same)
			puts("' ;;");
		if (c->noun != NULL && !same)
			printf("\t'%s') next='", c->noun);
		if (c->noun != NULL)
			printf(" %s", c->verb);
		noun = c->noun;
	}
	if (noun != NULL)
		puts("' ;;");
}

/* Words that are words as they are, or commands. */
static void next_words(const struct usage *u)
{
	char choice[CHOICE_MAX];

	if (u->n_words > 0 && strcmp(u->words[0].name, "COMMAND") == 0) {
		first_words(all_commands);
		return;
	}
	fputs("next='", stdout);
	for (unsigned i = 0; u->n_words > 0 && choice_at(u->words[0].name, i, choice); i++)
		printf(" %s", choice);
	fputs("'", stdout);
}

static void command_options(const struct command *c, const char *name)
{
	struct usage u;

	usage_read(&u, c->usage);
	printf("\t'%s' | '%s '*) command='%s' options='", name, name, name);
	option_names(&u);
	option_names(global_usage());
	fputs("' ", stdout);
	next_words(&u);
	puts(" ;;");
}

static void option_values(const struct usage *u, const char *command)
{
	char choice[CHOICE_MAX];

	for (int i = 0; i < u->n_options; i++) {
		const struct usage_option *o = &u->options[i];

		if (is_file(o->value))
			printf("\t%s--%s') kind='file' ;;\n", command, o->name);
		if (!choice_at(o->value, 0, choice))
			continue;
		printf("\t%s--%s') values='", command, o->name);
		for (unsigned k = 0; choice_at(o->value, k, choice); k++)
			printf(" %s", choice);
		puts("' ;;");
	}
}

static void command_values(const struct command *c, const char *name)
{
	struct usage u;
	char pattern[80];

	usage_read(&u, c->usage);
	snprintf(pattern, sizeof(pattern), "'%s ", name);
	option_values(&u, pattern);
}

void print_bash_completion(command_tables tables)
{
	fputs(opening, stdout);
	valued_options(global_usage());
	each(tables, command_valued_options);
	fputs(words_are_read, stdout);
	fputs("\t'') ", stdout);
	first_words(tables);
	fputs(" options='", stdout);
	option_names(global_usage());
	puts("' ;;");
	verbs(tables);
	each(tables, command_options);
	puts("\tesac\n\tcase \"$command $prev\" in");
	option_values(global_usage(), "*' ");
	each(tables, command_values);
	fputs(closing, stdout);
}
