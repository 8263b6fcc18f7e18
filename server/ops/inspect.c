/*
 * Inspect: a view of this process (core/base/show.h), as its operators' port shows it too.
 * Nothing is waited for: the look is taken on the loop thread, and is bounded.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/show.h"
#include "orderd/v1/ops_service.pb-c.h"
#include "server/app.h"
#include "server/methods.h"
#include "server/request.h"
#include "server/runtime/rpc.h"

enum { LOOK, DONE };

/* Longer than any view's name, shorter than what is worth a look-up. */
enum { VIEW_NAME_MAX = 64 };

static ProtobufCBinaryData text(const char *z)
{
	return data_of(str_of(z));
}

/* false: the arena is full. */
static bool set_cell(struct flow *fl, const struct show_cell *c, ProtobufCBinaryData *ret)
{
	const char *z = c->kind == SHOW_TEXT ? c->text : "";

	if (c->kind == SHOW_INT)
		z = arena_printf(&fl->arena, "%" PRId64, c->number);
	*ret = text(z);
	return z != NULL;
}

static bool set_row(struct flow *fl, const struct show *s, size_t row, Orderd__V1__ViewRow *ret)
{
	*ret = (Orderd__V1__ViewRow)ORDERD__V1__VIEW_ROW__INIT;
	ret->n_cells = s->n_columns;
	ret->cells = arena_array(&fl->arena, s->n_columns, sizeof(*ret->cells));
	for (size_t c = 0; ret->cells != NULL && c < s->n_columns; c++)
		if (!set_cell(fl, show_cell(s, row, c), &ret->cells[c]))
			return false;
	return ret->cells != NULL;
}

static bool set_rows(struct flow *fl, const struct show *s, Orderd__V1__InspectResponse *rs)
{
	size_t n = show_rows(s);
	Orderd__V1__ViewRow *rows = arena_array(&fl->arena, n, sizeof(*rows));

	rs->rows = arena_array(&fl->arena, n, sizeof(*rs->rows));
	if (rows == NULL || rs->rows == NULL)
		return false;
	for (; rs->n_rows < n; rs->n_rows++) {
		if (!set_row(fl, s, rs->n_rows, &rows[rs->n_rows]))
			return false;
		rs->rows[rs->n_rows] = &rows[rs->n_rows];
	}
	return true;
}

static bool set_columns(struct flow *fl, const struct show *s, Orderd__V1__InspectResponse *rs)
{
	Orderd__V1__ViewColumn *columns = arena_array(&fl->arena, s->n_columns, sizeof(*columns));

	rs->columns = arena_array(&fl->arena, s->n_columns, sizeof(*rs->columns));
	if (columns == NULL || rs->columns == NULL)
		return false;
	for (; rs->n_columns < s->n_columns; rs->n_columns++) {
		Orderd__V1__ViewColumn *c = &columns[rs->n_columns];

		*c = (Orderd__V1__ViewColumn)ORDERD__V1__VIEW_COLUMN__INIT;
		c->name = text(s->columns[rs->n_columns]);
		c->figures = s->figures[rs->n_columns];
		rs->columns[rs->n_columns] = c;
	}
	return true;
}

static int answer(struct flow *fl, const struct show *s)
{
	const struct show_board *b = s->board;
	Orderd__V1__InspectResponse rs = ORDERD__V1__INSPECT_RESPONSE__INIT;
	Orderd__V1__ProcessInfo process = ORDERD__V1__PROCESS_INFO__INIT;
	char incarnation[ID_TEXT_SIZE];

	process.program = text(b->program);
	process.version = text(show_program_version());
	process.pid = getpid();
	process.incarnation = text(id_format(b->incarnation, incarnation));
	process.uptime_ms = (clock_mono_us() - b->started_us) / 1000;
	rs.view = text(show_name(s->view));
	rs.truncated = s->truncated;
	rs.process = &process;
	if (!set_columns(fl, s, &rs) || !set_rows(fl, s, &rs))
		return rpc_fail(fl, ERR_TOO_LARGE);
	return rpc_ok(fl, &rs.base);
}

static int no_such_view(struct flow *fl, const struct show_board *b, struct str name)
{
	char *names = show_names(b);
	int to;

	rpc_about(fl, "orderd.v1.View", name);
	to = rpc_fail_text(fl, ERR_NOT_FOUND, "no such view; there are: %s", names);
	free(names);
	return to;
}

/*
 * What the answer takes of the flow's memory.  Most tables are small and need no share of what
 * large calls have among them, so a look is possible when that is used up.
 */
static bool make_room(struct flow *fl, const struct show *s)
{
	enum { CELL = 48, ROW = 128, REST = 8192 };

	size_t need = s->n_cells * CELL + show_rows(s) * ROW + REST;
	size_t room = fl->arena.cap - fl->arena.used;

	return need <= room || rpc_grow(fl, need - room);
}

static int look(struct flow *fl)
{
	const Orderd__V1__InspectRequest *rq = rpc_request(fl);
	const struct show_board *b = &rpc_app(fl)->board;
	struct str name = may_text(fl, rq->view, VIEW_NAME_MAX, "view");
	enum show_view view;
	struct show *s;
	int to;

	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (!show_find(b, name, &view))
		return no_such_view(fl, b, name);
	s = show_look(b, view);
	to = make_room(fl, s) ? answer(fl, s) : rpc_fail(fl, ERR_OVERLOADED);
	show_free(s);
	return to;
}

/* clang-format off */
static const struct flow_step inspect_steps[] = {
	/*         name    ask   got   ms on error next     */
	[LOOK] = {"look", look, NULL, 0, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_INSPECT = {
	.path = "/orderd.v1.OpsService/Inspect",
	.name = "inspect",
	.kind = RPC_UNARY,
	.class = RPC_PROBE, /* answered when all else is refused: that is when one looks */
	.request = &orderd__v1__inspect_request__descriptor,
	.response = &orderd__v1__inspect_response__descriptor,
	.steps = inspect_steps,
};
