/*
 * docgen: pages that are made from tables of the source.
 *
 *	docgen access        > docs/access.md
 *	docgen configuration > docs/configuration.md
 *	docgen errors        > docs/errors.md
 *	docgen metrics       > docs/metrics.md
 *	docgen states        > docs/states.md
 *	docgen views         > docs/views.md
 *
 * The tests docs_* compare the committed pages with its output.  What is installed
 *(packaging/CMakeLists.txt) is made by every build:
 *
 *	docgen sample                   orderd.conf, each setting commented and with its default
 *	docgen man                      orderd.conf(5)
 *	docgen completion PROGRAM       for bash
 */
#include <stdio.h>
#include <string.h>

#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/metric.h"
#include "core/base/show.h"
#include "core/domain/machine.h"
#include "server/auth/identity.h"
#include "server/auth/policy_table.h"
#include "server/orders/customer_table.h"

static void print_configuration(void)
{
	(void)printf(
		"# Settings\n"
		"\n"
		"Made from `core/base/config_table.h` by `docgen configuration`; a test keeps them "
		"equal.\n"
		"\n"
		"A setting is taken from the command line (`--http-listen=...`), else from the "
		"environment\n"
		"(`ORDERD_HTTP_LISTEN=...`), else from the file named by `--config`, else it has "
		"its default. A file\n"
		"holds lines of `field = value`; `#` at the start of a line or after white space "
		"begins a comment, and a\n"
		"value may stand in double quotes, where `\\\"` and `\\\\` mean the character "
		"itself. Unknown fields, fields\n"
		"given twice and values out of range are mistakes: all of them are reported, and "
		"the program exits with 2.\n"
		"\n"
		"`--check-config` only checks, `--print-config` shows what is in force in the form "
		"`--config` reads.\n"
		"\n");
	config_print_markdown();
}

static void print_sample(void)
{
	(void)printf(
		"# Settings of orderd and orderd-worker; see orderd.conf(5).\n"
		"#\n"
		"# Each stands here with its default: take the # away and give it your value. To "
		"run, "
		"orderd needs at least\n"
		"# postgres, contact_key_file and auth, a worker what its roles do. After a "
		"change:\n"
		"#\n"
		"#     orderd --config=FILE --check-config\n");
	config_print_sample();
}

static void print_man(void)
{
	(void)printf(
		".TH orderd.conf 5 \"\" orderd \"orderd manual\"\n"
		".SH NAME\n"
		"orderd.conf \\- settings of orderd and orderd\\-worker\n"
		".SH DESCRIPTION\n"
		"Lines of\n"
		".IR \"field \" = \" value\" .\n"
		"A\n"
		".B #\n"
		"at the start of a line or after white space begins a comment.\n"
		"A value may stand in double quotes, where \\e\" and \\e\\e mean the character "
		"itself.\n"
		"Unknown fields, fields given twice and values out of range are mistakes: all of "
		"them\n"
		"are reported with their line, and the program exits with 2.\n"
		".PP\n"
		"The environment (ORDERD_FIELD=value) wins over the file, the command line "
		"(\\-\\-field=value)\n"
		"over both.\n"
		".SH SETTINGS\n");
	config_print_man();
	(void)printf(".SH SEE ALSO\n.BR orderd (8),\n.BR orderd\\-worker (8),\n.BR orderctl (1)\n");
}

/* `program` is orderd or orderd-worker: they have the same settings. */
static void print_completion(const char *program)
{
	(void)printf(
		"# bash completion of %s, made from its settings\n"
		"_%s()\n"
		"{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
		"\n"
		"\tCOMPREPLY=()\n"
		"\tif [[ $cur == = ]]; then\n"
		"\t\tcur=\n"
		"\telif [[ $before != = && $before != --config ]]; then\n"
		"\t\tcompopt -o nospace\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W '%s--config= --check-config "
		"--print-config "
		"--version --help",
		program, program, strcmp(program, "orderd") == 0 ? "migrate " : "");
	config_print_options();
	(void)printf(
		"' -- \"$cur\")\n"
		"\t\treturn\n"
		"\tfi\n"
		"\tcompopt -o filenames\n"
		"\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		"}\n"
		"complete -F _%s %s\n",
		program, program);
}

static const char *status_name(enum err_status s)
{
	switch (s) {
	case ERR_STATUS_OK:
		return "OK";
	case ERR_STATUS_CANCELLED:
		return "CANCELLED";
	case ERR_STATUS_INVALID_ARGUMENT:
		return "INVALID_ARGUMENT";
	case ERR_STATUS_DEADLINE_EXCEEDED:
		return "DEADLINE_EXCEEDED";
	case ERR_STATUS_NOT_FOUND:
		return "NOT_FOUND";
	case ERR_STATUS_ALREADY_EXISTS:
		return "ALREADY_EXISTS";
	case ERR_STATUS_PERMISSION_DENIED:
		return "PERMISSION_DENIED";
	case ERR_STATUS_RESOURCE_EXHAUSTED:
		return "RESOURCE_EXHAUSTED";
	case ERR_STATUS_FAILED_PRECONDITION:
		return "FAILED_PRECONDITION";
	case ERR_STATUS_ABORTED:
		return "ABORTED";
	case ERR_STATUS_OUT_OF_RANGE:
		return "OUT_OF_RANGE";
	case ERR_STATUS_UNIMPLEMENTED:
		return "UNIMPLEMENTED";
	case ERR_STATUS_INTERNAL:
		return "INTERNAL";
	case ERR_STATUS_UNAVAILABLE:
		return "UNAVAILABLE";
	case ERR_STATUS_UNAUTHENTICATED:
		return "UNAUTHENTICATED";
	}
	return "";
}

static void print_details(unsigned tells)
{
	static const struct {
		enum err_detail detail;
		const char *name;
	} names[] = {{ERR_TELLS_PRECONDITION, "PreconditionFailure"},
		     {ERR_TELLS_QUOTA, "QuotaFailure"},
		     {ERR_TELLS_RETRY, "RetryInfo"},
		     {ERR_TELLS_PUSHBACK, "pushback"}};

	const char *before = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((tells & names[i].detail) == 0)
			continue;
		(void)printf("%s%s", before, names[i].name);
		before = ", ";
	}
}

static void print_errors(void)
{
	static const char *const retries[] = {
		[ERR_RETRY_NEVER] = "never, as it is",
		[ERR_RETRY_NOW] = "now",
		[ERR_RETRY_BACKOFF] = "after a pause",
		[ERR_RETRY_FIND_OUT] = "find out first: it may have happened",
	};

	(void)printf(
		"# Errors\n"
		"\n"
		"Made from `core/base/err_table.h` by `docgen errors`; a test keeps them equal.\n"
		"\n"
		"The name is the `reason` of the `google.rpc.ErrorInfo` in a call's status "
		"(domain `orderd`) and the\n"
		"label `error` or `code` in logs and metrics.\n"
		"\n"
		"Every error carries ErrorInfo, and what its row names besides: "
		"PreconditionFailure "
		"(what does not hold),\n"
		"QuotaFailure (whose share is used up), RetryInfo (when to ask again). BadRequest "
		"(the fields at fault) and\n"
		"ResourceInfo (what was not found, or has changed) come with every error that has "
		"them to tell. `pushback` is\n"
		"the trailer `grpc-retry-pushback-ms`, which gRPC libraries obey where they retry: "
		"a pause, or -1, for what\n"
		"asking again cannot help.\n"
		"\n"
		"| reason | gRPC status | ask again | besides | what it says |\n"
		"|---|---|---|---|---|\n");
	for (enum errc e = ERR_OK + 1; e < ERR_COUNT; e++) {
		(void)printf("| `%s` | %s (%d) | %s | ", err_name(e), status_name(err_status(e)),
			     (int)err_status(e), retries[err_retry(e)]);
		print_details(err_details(e));
		(void)printf(" | %s |\n", err_text(e));
	}
}

/* "method_code" is shown as "method, code". */
static void print_label(const char *label)
{
	for (; *label != '\0'; label++) {
		if (*label == '_')
			(void)printf(", ");
		else
			(void)putchar(*label);
	}
}

static void print_metric(const char *kind, const char *name, const char *label, const char *help)
{
	(void)printf("| `orderd_%s%s` | ", name, strcmp(kind, "counter") == 0 ? "_total" : "");
	(void)printf("%s | ", kind);
	print_label(label);
	(void)printf(" | %s |\n", help);
}

static void print_metrics(void)
{
	(void)printf(
		"# Metrics\n"
		"\n"
		"Made from `core/base/metric_table.h` by `docgen metrics`; a test keeps them "
		"equal.\n"
		"\n"
		"Shown at `/metrics` as Prometheus text. Histograms are in seconds, with buckets "
		"from 0.5 ms to 10 min.\n"
		"A metric keeps 256 label values; further ones are counted as `other`.\n"
		"\n"
		"`orderd` shows them on `http_listen`, `orderd-worker` on `worker_http_listen`, "
		"`orderd-sim` on its one port, each\n"
		"with the `process_*` metrics of every Prometheus client library and "
		"`orderd_build_info{version}`. A metric without\n"
		"labels is shown by all of them, 0 where nobody counts it. What the janitor counts "
		"in the database\n"
		"(`orderd_queue_ready` and its like) is the same of every worker with that role: "
		"take the `max`. Rules for\n"
		"alerts are in `deploy/prometheus/orderd.rules.yml`.\n"
		"\n"
		"| metric | kind | labels | what it counts |\n"
		"|---|---|---|---|\n");
#define COUNTER                    "counter"
#define GAUGE                      "gauge"
#define HISTOGRAM                  "histogram"
#define X(kind, name, label, help) print_metric(kind, #name, label, help);
	METRIC_TABLE(X)
#undef X
}

static void print_machine(const struct machine *m)
{
	(void)printf("\n## %s\n\n| from | to | why |\n|---|---|---|\n", m->title);
	for (size_t i = 0; i < m->n_moves; i++) {
		const struct move *v = &m->moves[i];

		(void)printf("| %s | %s | %s |\n", v->from != NULL ? v->from : "", v->to, v->why);
	}
}

static void print_states(void)
{
	(void)printf(
		"# States\n"
		"\n"
		"Made from `core/domain/*_table.h` by `docgen states`; a test keeps them equal. "
		"`orderctl inspect states`\n"
		"draws them as mermaid diagrams. No `from`: it begins there. The database refuses "
		"every other move of an\n"
		"order and of a unit of goods.\n");
	for (size_t i = 0; i < MACHINES; i++)
		print_machine(&machines[i]);
}

static void print_views(void)
{
	(void)printf(
		"# Views\n"
		"\n"
		"Made from `core/base/show_table.h` by `docgen views`; a test keeps them equal.\n"
		"\n"
		"What orderd and its workers show of themselves while they run: at `GET /show` and "
		"`GET /show/VIEW` of the\n"
		"operators' port (JSON for `Accept: application/json` or `?format=json`), by "
		"`OpsService.Inspect`, and with\n"
		"`orderctl inspect VIEW`. A table has %d rows at most and says when there would "
		"be more.\n"
		"No names, addresses of customers, or secrets are in any of them.\n"
		"\n"
		"| view | what it shows | columns |\n"
		"|---|---|---|\n",
		(int)SHOW_ROWS_MAX);
	for (enum show_view v = 0; v < SHOW_VIEWS; v++) {
		(void)printf("| `%s` | %s | ", show_name(v), show_about(v));
		for (const char *p = show_columns(v); *p != '\0'; p++)
			if (*p == ' ')
				(void)printf(", ");
			else if (*p != '>')
				(void)putchar(*p);
		(void)printf(" |\n");
	}
}

/* "/orderd.v1.OrderService/GetOrder" is shown as "OrderService/GetOrder". */
static const char *short_path(const char *path)
{
	static const char ours[] = "/orderd.v1.";

	return strncmp(path, ours, sizeof(ours) - 1) == 0 ? path + sizeof(ours) - 1 : path + 1;
}

static void print_access_row(const char *path, const char *scope, const char *record,
			     const char *const reach[ROLES])
{
	(void)printf("| `%s` | %s | %s", short_path(path), scope, record);
	for (int r = 0; r < ROLES; r++)
		(void)printf(" | %s", reach[r]);
	(void)printf(" |\n");
}

/* One row of a table of words, with what is told of a detail. */
static void print_told(const char *word, const char *detail)
{
	(void)printf("| `%s` | %s |\n", word, detail);
}

static void print_customer_view(void)
{
	(void)printf(
		"\n"
		"## What a customer is told\n"
		"\n"
		"Made from `server/orders/customer_table.h`. A caller bound to a customer, of "
		"whatever role and by whatever call or stream, is\n"
		"told states, sums and where its goods are, and not who in the shop or which "
		"part of it has done what: no `actor` of an\n"
		"event, no `source` of a scan, no `sourcing_reasons`. What is not in these lists "
		"is "
		"the shop's own.\n"
		"\n"
		"Events of another kind are `" CUSTOMER_EVENT_OTHER
		"`, without a detail; "
		"their sequence, time and states are as they are, so that\n"
		"nothing lacks.\n"
		"\n"
		"| event | detail |\n"
		"|---|---|\n");
/* clang-format off */
#define NOTHING "-"
#define DETAIL  "yes"
#define CODE    "a code of the list below"
/* clang-format on */
#define X(word, detail) print_told(word, detail);
	CUSTOMER_EVENT_TABLE(X)
	(void)printf(
		"\n"
		"Holds for another reason are left out.\n"
		"\n"
		"| hold | detail |\n"
		"|---|---|\n");
	CUSTOMER_HOLD_TABLE(X)
#undef X
	(void)printf(
		"\n"
		"Why a payment was refused, when it is not one of these, is "
		"`" CUSTOMER_CODE_OTHER "`:");
#define X(word) (void)printf("\n- `%s`", word);
	CUSTOMER_CODE_TABLE(X)
#undef X
	(void)printf("\n");
}

static void print_access(void)
{
	(void)printf(
		"# Access\n"
		"\n"
		"Made from `server/auth/policy_table.h` by `docgen access`; a test keeps them "
		"equal. Who calls:\n"
		"[authentication.md](authentication.md).\n"
		"\n"
		"A call that has no row, or a `-` for the caller's role, is `PERMISSION_DENIED`. "
		"`grpc.health.v1.Health/Check` alone is\n"
		"everybody's.\n"
		"\n"
		"- **all**: everything of the caller's tenant.\n"
		"- **own**: what belongs to the customer the caller is bound to. What is another "
		"customer's, or another tenant's, is answered\n"
		"  as if it were not there. A credential of any role may be bound to a customer; "
		"it "
		"may then call what customers may call.\n"
		"- **at**: what is at the locations that the credential names, and all of the "
		"tenant's if it names none. What is at another\n"
		"  location - fulfilment orders, parcels and their labels, stock and its movements "
		"- is answered as if it were not there. A\n"
		"  credential of any role but `customer` may name locations; it may then call what "
		"has **at** for `mes`.\n"
		"- **site**: what all tenants share; for callers of `operator_tenant` "
		"([configuration.md](configuration.md)), else `NOT_OPERATOR`.\n"
		"- **scope**: a credential that names scopes (`scopes` of an API key, `scope` of a "
		"token) may call what has one of them, else\n"
		"  `SCOPE_MISSING`; one that names none may call all that its role may.\n"
		"- **record**: each call is put on record; of the others those that were refused.\n"
		"\n"
		"| call | scope | record");
#define X(name, text) (void)printf(" | %s", text);
	ROLE_TABLE(X)
#undef X
	(void)printf(" |\n|---|---|---");
#define X(name, text) (void)printf("|---");
	ROLE_TABLE(X)
#undef X
	(void)printf("|\n");
#define NO    "-"
#define OWN   "own"
#define AT    "at"
#define ALL   "all"
#define SITE  "site"
#define LOUD  "yes"
#define QUIET ""
#define X(path, scope, record, ...) \
	print_access_row(path, scope, record, (const char *[ROLES]){__VA_ARGS__});
	POLICY_TABLE(X)
#undef X
	print_customer_view();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} pages[] = {
		{"access", print_access}, {"configuration", print_configuration},
		{"errors", print_errors}, {"metrics", print_metrics},
		{"states", print_states}, {"views", print_views},
		{"sample", print_sample}, {"man", print_man},
	};

	for (size_t i = 0; argc == 2 && i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(argv[1], pages[i].name) == 0) {
			pages[i].print();
			return fflush(stdout) == 0 ? 0 : 1;
		}
	}
	if (argc == 3 && strcmp(argv[1], "completion") == 0) {
		print_completion(argv[2]);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	(void)fprintf(stderr,
		      "usage: docgen access|configuration|errors|metrics|states|views|sample|man\n"
		      "       docgen completion PROGRAM\n");
	return 2;
}
