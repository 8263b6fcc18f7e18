#include "args.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "suggest.h"
#include "vocabulary.h"

static const char every_command[] =
	"[--server TARGET] [--token-file FILE] [--tls-ca FILE] [--tls-cert FILE] [--tls-key FILE] "
	"[--json] [--deadline MS] [--color auto|always|never] [--help] [--version]";

const struct usage *global_usage(void)
{
	static struct usage u;

	if (u.n_options == 0)
		usage_read(&u, every_command);
	return &u;
}

const struct command *each_command(command_tables *tables, const struct command *c)
{
	c = c == NULL ? **tables : c + 1;
	while (c->verb == NULL) {
		if (*++*tables == NULL)
			return NULL;
		c = **tables;
	}
	return c;
}

/* ---------------------------------------------------------------- reading */

/*
 * Whether --name has a value.  Options may stand before the command's words, so this is asked of
 * all commands; a name has a value everywhere or nowhere, which a test looks after.
 */
static bool takes_value(command_tables tables, const char *name)
{
	const struct usage_option *o = usage_option(global_usage(), name);
	struct usage u;

	if (o != NULL)
		return o->value[0] != '\0';
	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		usage_read(&u, c->usage);
		o = usage_option(&u, name);
		if (o != NULL)
			return o->value[0] != '\0';
	}
	return false;
}

static void add_word(struct args *a, char *word)
{
	if (a->n_words == OPTIONS_MAX)
		usage_error("too many arguments: at most %d words", OPTIONS_MAX);
	a->words[a->n_words++] = word;
}

static void add_option(struct args *a, const char *name, const char *value)
{
	if (a->n_options == OPTIONS_MAX)
		usage_error("too many arguments: at most %d options", OPTIONS_MAX);
	a->names[a->n_options] = name;
	a->values[a->n_options++] = value;
}

/* argv[i] is --name or --name=value; answers the index of the last argument it used. */
static int read_option(struct args *a, command_tables tables, int i, int argc, char **argv)
{
	char *name = argv[i] + 2, *equals = strchr(name, '=');

	if (equals != NULL) {
		*equals++ = '\0';
		add_option(a, name, equals);
		return i;
	}
	if (!takes_value(tables, name)) {
		add_option(a, name, NULL);
		return i;
	}
	if (++i == argc)
		usage_error("--%s needs a value", name);
	if (strncmp(argv[i], "--", 2) == 0)
		usage_error("--%s needs a value, and %s is an option; if it is meant: --%s=%s",
			    name, argv[i], name, argv[i]);
	add_option(a, name, argv[i]);
	return i;
}

static void read_argv(struct args *a, command_tables tables, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				add_word(a, argv[i]);
		} else if (strcmp(argv[i], "-h") == 0) {
			add_option(a, "help", NULL);
		} else if (strncmp(argv[i], "--", 2) == 0) {
			i = read_option(a, tables, i, argc, argv);
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			usage_error(
				"no option is written %s: they begin with two dashes; a word "
				"that begins with one stands behind --",
				argv[i]);
		} else {
			add_word(a, argv[i]);
		}
	}
}

/* ---------------------------------------------------------------- the command */

void command_name(const struct command *c, char *to, size_t room)
{
	snprintf(to, room, "%s%s%s", c->noun != NULL ? c->noun : "", c->noun != NULL ? " " : "",
		 c->verb);
}

const struct command *find_command(command_tables tables, char *const *words, int n_words)
{
	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		int n = c->noun != NULL ? 2 : 1;

		if (n_words < n || strcmp(words[n - 1], c->verb) != 0)
			continue;
		if (c->noun == NULL || strcmp(words[0], c->noun) == 0)
			return c;
	}
	return NULL;
}

_Noreturn void no_command(command_tables tables, char *const *words, int n_words)
{
	struct suggestion first = suggest(words[0]), second = suggest(n_words > 1 ? words[1] : "");
	char verbs[256] = "";
	size_t n = 0;

	for (const struct command *c = each_command(&tables, NULL); c != NULL;
	     c = each_command(&tables, c)) {
		suggest_offer(&first, c->noun != NULL ? c->noun : c->verb);
		if (c->noun == NULL || strcmp(c->noun, words[0]) != 0 || n >= sizeof(verbs))
			continue;
		suggest_offer(&second, c->verb);
		n += (size_t)snprintf(verbs + n, sizeof(verbs) - n, "%s%s", n > 0 ? ", " : "",
				      c->verb);
	}
	if (n > 0 && second.best[0] != '\0')
		usage_error("there is no %s %s; did you mean %s %s?", words[0], words[1], words[0],
			    second.best);
	if (n > 0)
		usage_error("%s is followed by one of: %s", words[0], verbs);
	if (first.best[0] != '\0')
		usage_error("no such command: %s; did you mean %s?", words[0], first.best);
	usage_error("no such command: %s; orderctl help lists them", words[0]);
}

/* ---------------------------------------------------------------- checks */

static _Noreturn void no_option(const struct args *a, const char *name)
{
	struct suggestion s = suggest(name);
	const struct usage *global = global_usage();
	char command[64];

	command_name(a->command, command, sizeof(command));
	for (int i = 0; i < a->usage.n_options; i++)
		suggest_offer(&s, a->usage.options[i].name);
	for (int i = 0; i < global->n_options; i++)
		suggest_offer(&s, global->options[i].name);
	if (s.best[0] != '\0')
		usage_error("%s takes no option --%s; did you mean --%s?", command, name, s.best);
	usage_error("%s takes no option --%s", command, name);
}

/* A word of a closed list, as the list spells it. */
static void check_choice(const struct usage_option *o, const char **value)
{
	struct suggestion s = suggest(*value);
	char choice[CHOICE_MAX], all[512];

	if (is_open(o->value))
		return;
	for (unsigned i = 0; choice_at(o->value, i, choice); i++) {
		suggest_offer(&s, choice);
		if (strcasecmp(choice, *value) != 0)
			continue;
		for (char *p = (char *)(uintptr_t)*value; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p); /* argv is ours to change */
		return;
	}
	list_choices(o->value, all, sizeof(all));
	if (s.best[0] != '\0')
		usage_error("--%s is %s, not %s; did you mean %s?", o->name, all, *value, s.best);
	usage_error("--%s is %s, not %s", o->name, all, *value);
}

static void check_option(const struct args *a, int i)
{
	const struct usage_option *o = usage_option(&a->usage, a->names[i]);
	const char **value = (const char **)(uintptr_t)&a->values[i];

	if (o == NULL)
		o = usage_option(global_usage(), a->names[i]);
	if (o == NULL)
		no_option(a, a->names[i]);
	if (o->value[0] == '\0' && *value != NULL)
		usage_error("--%s takes no value", o->name);
	if (o->value[0] != '\0')
		check_choice(o, value);
}

static bool form_has_words(const struct usage *u, int form)
{
	for (int i = 0; i < u->n_words; i++)
		if (u->words[i].form == form)
			return true;
	return false;
}

/* Of one bracket no two are given. */
static void check_brackets(const struct args *a)
{
	const char *given[USAGE_OPTIONS_MAX + 1] = {NULL};

	for (int i = 0; i < a->n_options; i++) {
		const struct usage_option *o = usage_option(&a->usage, a->names[i]);

		if (o == NULL || o->one_of == 0)
			continue;
		if (given[o->one_of] != NULL && strcmp(given[o->one_of], o->name) != 0)
			usage_error("--%s does not go with --%s", o->name, given[o->one_of]);
		given[o->one_of] = o->name;
	}
}

/* The form all of this goes with; forms are not mixed. */
static int choose_form(const struct args *a)
{
	const struct usage *u = &a->usage;
	unsigned left = (1U << u->n_forms) - 1;
	const char *decided = NULL;
	int form = 0;

	for (int i = 0; i < a->n_options; i++) {
		const struct usage_option *o = usage_option(u, a->names[i]);

		if (o == NULL)
			continue;
		if ((left & o->forms) == 0)
			usage_error("--%s does not go with --%s", o->name, decided);
		if ((left & o->forms) != left)
			decided = o->name;
		left &= o->forms;
	}
	while ((left & 1U << form) == 0)
		form++;
	if (a->n_words > 0 && decided != NULL && !form_has_words(u, form))
		usage_error("this does not go with --%s: %s", decided, a->words[0]);
	return form;
}

static void check_needed(const struct args *a)
{
	const struct usage *u = &a->usage;
	const char *meaning;
	int k = 0;

	for (int i = 0; i < u->n_options; i++) {
		if ((u->options[i].needed & 1U << a->form) == 0 || flag(a, u->options[i].name))
			continue;
		meaning = meaning_of_option(a->command, u->options[i].name);
		usage_error("--%s is required%s%s", u->options[i].name, meaning != NULL ? ": " : "",
			    meaning != NULL ? meaning : "");
	}
	for (int i = 0; i < u->n_words; i++) {
		if (u->words[i].form != a->form)
			continue;
		if (u->words[i].needed && k >= a->n_words) {
			meaning = meaning_of_word(u->words[i].name);
			usage_error("%s is required%s%s", u->words[i].name,
				    meaning != NULL ? ": " : "", meaning != NULL ? meaning : "");
		}
		k++;
	}
}

static void check(struct args *a)
{
	char name[64];

	for (int i = 0; i < a->n_options; i++)
		check_option(a, i);
	check_brackets(a);
	a->form = choose_form(a);
	command_name(a->command, name, sizeof(name));
	if (a->n_words > a->command->words_max)
		usage_error("%s does not take this: %s", name, a->words[a->command->words_max]);
	check_needed(a);
}

void args_read(struct args *a, command_tables tables, int argc, char **argv)
{
	int n;

	read_argv(a, tables, argc, argv);
	if (a->n_words == 0) {
		if (a->n_options == 0 || flag(a, "help") || flag(a, "version"))
			return;
		usage_error("--%s stands for no command: orderctl help lists them", a->names[0]);
	}
	a->command = find_command(tables, a->words, a->n_words);
	if (a->command == NULL)
		no_command(tables, a->words, a->n_words);
	usage_error_is_about(a->command);
	n = a->command->noun != NULL ? 2 : 1;
	a->n_words -= n;
	memmove(a->words, a->words + n, (size_t)a->n_words * sizeof(a->words[0]));
	usage_read(&a->usage, a->command->usage);
	if (!flag(a, "help"))
		check(a);
}
