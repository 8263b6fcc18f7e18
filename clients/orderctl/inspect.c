/*
 * inspect: a view of the orderd that answers, as a table; its state machines as diagrams.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "orderctl.h"
#include "table.h"

enum { COLUMNS_MAX = 16 }; /* of a table for people */

static bool is(ProtobufCBinaryData b, const char *z)
{
	return b.len == strlen(z) && memcmp(b.data, z, b.len) == 0;
}

/* ---- a table ---- */

/* "flow subject age_ms>", as table.h wants it. */
static void print_table(const Orderd__V1__InspectResponse *rs)
{
	char headings[COLUMNS_MAX * 32] = "";
	size_t n = 0;
	struct table *t;

	if (rs->n_columns == 0 || rs->n_columns > COLUMNS_MAX) {
		print_json(&rs->base); /* an orderd that knows more than we do */
		return;
	}
	for (size_t c = 0; c < rs->n_columns && n < sizeof(headings); c++)
		n += (size_t)snprintf(headings + n, sizeof(headings) - n, "%s%.*s%s",
				      c > 0 ? " " : "", (int)rs->columns[c]->name.len,
				      (const char *)rs->columns[c]->name.data,
				      rs->columns[c]->figures ? ">" : "");
	t = table_new(headings);
	for (size_t r = 0; r < rs->n_rows; r++)
		for (size_t c = 0; c < rs->n_columns; c++) {
			ProtobufCBinaryData cell = {0};

			if (c < rs->rows[r]->n_cells)
				cell = rs->rows[r]->cells[c];
			table_cell(t, "%.*s", cell.len > 0 ? (int)cell.len : 1,
				   cell.len > 0 ? (const char *)cell.data : "-");
		}
	table_print(t);
	if (rs->truncated)
		printf("cut after %zu rows: there are more\n", rs->n_rows);
}

/* ---- diagrams ---- */

/* A colon or a semicolon would end the label. */
static void print_label(ProtobufCBinaryData why)
{
	for (size_t i = 0; i < why.len; i++)
		putchar(strchr(":;", why.data[i]) != NULL ? ',' : why.data[i]);
}

static void print_state(ProtobufCBinaryData state)
{
	if (state.len == 0)
		fputs("[*]", stdout); /* mermaid's beginning, and end */
	else
		printf("%.*s", (int)state.len, (const char *)state.data);
}

static bool same(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

enum { MACHINE, FROM, TO, WHY, MOVE_CELLS };

/* Whether nothing leads out of `to` of row `r`, and no row before has said so. */
static bool ends_first_here(const Orderd__V1__InspectResponse *rs, size_t r)
{
	const ProtobufCBinaryData *row = rs->rows[r]->cells;

	for (size_t k = 0; k < rs->n_rows; k++) {
		const ProtobufCBinaryData *other = rs->rows[k]->cells;

		if (!same(other[MACHINE], row[MACHINE]))
			continue;
		if (same(other[FROM], row[TO]) || (k < r && same(other[TO], row[TO])))
			return false;
	}
	return true;
}

static void print_machine(const Orderd__V1__InspectResponse *rs, size_t first)
{
	ProtobufCBinaryData machine = rs->rows[first]->cells[MACHINE];

	printf("%s%%%% %.*s\nstateDiagram-v2\n", first > 0 ? "\n" : "", (int)machine.len,
	       (const char *)machine.data);
	for (size_t r = first; r < rs->n_rows; r++) {
		const ProtobufCBinaryData *row = rs->rows[r]->cells;

		if (!same(row[MACHINE], machine))
			continue;
		fputs("    ", stdout);
		print_state(row[FROM]);
		printf(" --> %.*s: ", (int)row[TO].len, (const char *)row[TO].data);
		print_label(row[WHY]);
		putchar('\n');
		if (ends_first_here(rs, r))
			printf("    %.*s --> [*]\n", (int)row[TO].len, (const char *)row[TO].data);
	}
}

/* One diagram per machine, a blank line between two. */
static bool print_mermaid(const Orderd__V1__InspectResponse *rs)
{
	for (size_t r = 0; r < rs->n_rows; r++)
		if (rs->rows[r]->n_cells < MOVE_CELLS)
			return false;
	for (size_t r = 0; r < rs->n_rows; r++)
		if (r == 0 || !same(rs->rows[r]->cells[MACHINE], rs->rows[r - 1]->cells[MACHINE]))
			print_machine(rs, r);
	return true;
}

/* ---- the command ---- */

static int look(struct args *a, const char *view)
{
	Orderd__V1__InspectRequest rq = ORDERD__V1__INSPECT_REQUEST__INIT;
	Orderd__V1__InspectResponse *rs;
	struct orderd_error e;

	rq.view = text(view);
	rs = orderd_inspect(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (a->json)
		print_json(&rs->base);
	else if (!is(rs->view, "states") || !print_mermaid(rs))
		print_table(rs);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return 0;
}

/* Until somebody stops it, or orderd does not answer. */
static int watch(struct args *a, const char *view, int seconds)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		int code;

		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout); /* a screen is drawn anew, a file goes on */
		code = look(a, view);
		if (code != 0)
			return code;
		if (fflush(stdout) != 0)
			return EXIT_REFUSED; /* nobody reads it any more */
		next.tv_sec += seconds;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
	}
}

enum { WATCH_MAX_S = 86400 };

static int run_inspect(struct args *a)
{
	const char *view = a->n_words > 0 ? a->words[0] : NULL;
	const char *every = option(a, "watch");
	int seconds;

	if (every == NULL)
		return look(a, view);
	seconds = small_number(every, "--watch");
	if (seconds < 1 || seconds > WATCH_MAX_S)
		usage_error("--watch is from 1 to %d seconds: %d", WATCH_MAX_S, seconds);
	return watch(a, view, seconds);
}

const struct command inspect_commands[] = {
	{NULL, "inspect", "[--watch SECONDS] [VIEW]", 1,
	 "what the orderd that answers is doing: a view, or which there are; states as mermaid",
	 run_inspect},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
