#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orderctl.h"

static const struct command *const tables[] = {
	order_commands,    payment_commands,     stock_commands, label_commands,
	shipping_commands, fulfillment_commands, key_commands};

static void help(void)
{
	puts("usage: orderctl [--server TARGET] [--token-file FILE] [--tls-ca FILE]\n"
	     "                [--tls-cert FILE --tls-key FILE] [--json] [--deadline MS] COMMAND "
	     "...\n");
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct command *c = tables[t]; c->verb != NULL; c++)
			printf("  %s%s%s %s\n      %s\n", c->noun != NULL ? c->noun : "",
			       c->noun != NULL ? " " : "", c->verb, c->usage, c->help);
	puts("\nTARGET is host:port or unix:/path, by default $ORDERD_SERVER or 127.0.0.1:7070.\n"
	     "The token file holds an API key or a JWT, by default $ORDERD_TOKEN_FILE names it; a "
	     "token is never an argument, where others could read it.  --tls-ca, by default "
	     "$ORDERD_TLS_CA, holds the server's CAs and means TLS.\n"
	     "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the outcome is not known: repeat "
	     "with the same --request-id.");
}

static bool is_flag(const char *name)
{
	static const char *const flags[] = {"json",          "help",   "version",
					    "validate-only", "events", "wait-for-payment",
					    "manual",        "revoked"};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(name, flags[i]) == 0)
			return true;
	return false;
}

static void read_args(struct args *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *name = argv[i], *equals;

		if (a->n_options == OPTIONS_MAX || a->n_words == OPTIONS_MAX)
			usage_error("too many arguments");
		if (strncmp(name, "--", 2) != 0) {
			a->words[a->n_words++] = name;
			continue;
		}
		name += 2;
		equals = strchr(name, '=');
		if (equals != NULL)
			*equals++ = '\0';
		if (is_flag(name)) {
			if (equals != NULL)
				usage_error("--%s takes no value", name);
			equals = (char *)"yes";
		} else if (equals == NULL) {
			if (++i == argc)
				usage_error("--%s needs a value", name);
			equals = argv[i];
		}
		a->names[a->n_options] = name;
		a->values[a->n_options++] = equals;
	}
}

/* The command's words come first; what is left over is its own. */
static const struct command *find_command(struct args *a)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct command *c = tables[t]; c->verb != NULL; c++) {
			int n = c->noun != NULL ? 2 : 1;

			if (a->n_words < n || strcmp(a->words[n - 1], c->verb) != 0)
				continue;
			if (c->noun != NULL && strcmp(a->words[0], c->noun) != 0)
				continue;
			a->n_words -= n;
			memmove(a->words, a->words + n, (size_t)a->n_words * sizeof(a->words[0]));
			return c;
		}
	return NULL;
}

/* Whether `usage` has --name, and not only as the beginning of another option. */
static bool mentions(const char *usage, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(usage, "--"); p != NULL; p = strstr(p + 2, "--"))
		if (strncmp(p + 2, name, n) == 0 && strchr(" ]", p[2 + n]) != NULL)
			return true;
	return false;
}

static const char every_command[] =
	"--server --token-file --tls-ca --tls-cert --tls-key --json --deadline";

/*
 * What no command knows is a typing mistake, and a silent one could place another order than was
 * meant.
 */
static void check_args(const struct args *a, const struct command *c)
{
	for (int i = 0; i < a->n_options; i++)
		if (!mentions(c->usage, a->names[i]) && !mentions(every_command, a->names[i]))
			usage_error("%s takes no option --%s", c->verb, a->names[i]);
	if (a->n_words > c->words_max)
		usage_error("%s does not take this: %s", c->verb, a->words[c->words_max]);
}

/* The option, else the variable; NULL when neither says anything. */
static const char *setting(const struct args *a, const char *name, const char *variable)
{
	const char *v = option_or(a, name, getenv(variable)); /* banned-ok: for people's shells */

	return v != NULL && *v != '\0' ? v : NULL;
}

static struct orderd_client *connect_to(const struct args *a)
{
	struct orderd_client_options opt = {
		.target = setting(a, "server", "ORDERD_SERVER"),
		.token_file = setting(a, "token-file", "ORDERD_TOKEN_FILE"),
		.tls_ca = setting(a, "tls-ca", "ORDERD_TLS_CA"),
		.tls_cert = option(a, "tls-cert"),
		.tls_key = option(a, "tls-key"),
	};
	struct orderd_client *client;
	struct orderd_error e;

	if (opt.target == NULL)
		opt.target = "127.0.0.1:7070";
	client = orderd_client_new_with(&opt, &e);
	if (client == NULL)
		usage_error("%s", e.message);
	return client;
}

int main(int argc, char **argv)
{
	static struct args a;
	const struct command *c;
	int code;

	read_args(&a, argc, argv);
	if (flag(&a, "version")) {
		puts("orderctl " ORDERD_VERSION);
		return 0;
	}
	if (flag(&a, "help") || a.n_words == 0) {
		help();
		return a.n_words == 0 && !flag(&a, "help") ? EXIT_USAGE : 0;
	}
	c = find_command(&a);
	if (c == NULL)
		usage_error("no such command: %s (see orderctl --help)", a.words[0]);
	check_args(&a, c);
	a.json = flag(&a, "json");
	a.deadline_ms = small_number(option_or(&a, "deadline", "10000"), "--deadline");
	if (a.deadline_ms <= 0)
		usage_error("--deadline is not above 0: %d", a.deadline_ms);
	a.client = connect_to(&a);
	code = c->run(&a);
	orderd_client_free(a.client);
	return code;
}
