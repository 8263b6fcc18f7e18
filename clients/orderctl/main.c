#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "orderctl.h"
#include "terminal.h"

enum { DEADLINE_MS = 10000 };

static const struct command *const tables[] = {place_commands,       order_commands,
					       payment_commands,     stock_commands,
					       label_commands,       shipping_commands,
					       fulfillment_commands, ops_commands,
					       inspect_commands,     key_commands,
					       audit_commands,       bench_commands,
					       help_commands,        NULL};

const command_tables all_commands = tables;

static void read_server(struct args *a)
{
	const char *variable = getenv("ORDERD_SERVER"); /* banned-ok: for people's shells */

	a->server = option(a, "server");
	a->server_from = "--server";
	if (a->server != NULL && *a->server == '\0')
		usage_error("--server is empty: it is host:port or unix:/path");
	if (a->server != NULL)
		return;
	a->server = variable;
	a->server_from = "$ORDERD_SERVER";
	if (a->server != NULL && *a->server != '\0')
		return;
	a->server = "127.0.0.1:7070";
	a->server_from = "the default: there is neither --server nor $ORDERD_SERVER";
}

/* The option, else the variable; NULL when neither says anything. */
static const char *setting(const struct args *a, const char *name, const char *variable)
{
	const char *v = option_or(a, name, getenv(variable)); /* banned-ok: for people's shells */

	return v != NULL && *v != '\0' ? v : NULL;
}

/* What cannot be used is wrong usage: nobody was asked. */
static void connect_to(struct args *a)
{
	struct orderd_error e;

	a->reach = (struct orderd_client_options){
		.target = a->server,
		.token_file = setting(a, "token-file", "ORDERD_TOKEN_FILE"),
		.tls_ca = setting(a, "tls-ca", "ORDERD_TLS_CA"),
		.tls_cert = option(a, "tls-cert"),
		.tls_key = option(a, "tls-key"),
	};
	a->client = orderd_client_new_with(&a->reach, &e);
	if (a->client == NULL)
		usage_error("%s", e.message);
}

static void read_deadline(struct args *a)
{
	const char *z = option(a, "deadline");

	a->deadline_ms = z != NULL ? small_number(z, "--deadline") : DEADLINE_MS;
	if (a->deadline_ms <= 0)
		usage_error("--deadline is not above 0: %d", a->deadline_ms);
}

/* What could not be written was not said. */
static int finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fputs("orderctl: what was answered could not be written to standard output\n", stderr);
	return code == EXIT_DONE ? EXIT_REFUSED : code;
}

int main(int argc, char **argv)
{
	static struct args a;
	int code;

	args_read(&a, tables, argc, argv);
	if (flag(&a, "version")) {
		puts("orderctl " ORDERD_VERSION);
		return finish(EXIT_DONE);
	}
	if (a.command == NULL) {
		print_help(tables);
		return finish(flag(&a, "help") ? EXIT_DONE : EXIT_USAGE);
	}
	if (flag(&a, "help")) {
		print_command_help(a.command);
		return finish(EXIT_DONE);
	}
	terminal_open(option(&a, "color"));
	a.json = flag(&a, "json");
	read_deadline(&a);
	read_server(&a);
	if (!a.command->offline)
		connect_to(&a);
	code = a.command->run(&a);
	orderd_client_free(a.client);
	return finish(code);
}
