/*
 * Views: what a program shows of itself while it runs, each a named table made on demand.
 *
 * show_table.h names the views and their columns.  A part of the program that has something
 * for a view offers a function that adds rows; several parts may have rows for one view, as
 * the pools of PostgreSQL and of Redis do.  All offers of a program stand on one board, which
 * whoever serves views is handed.
 *
 *	static void show_things(struct show *s, const void *arg)
 *	{
 *		for (const struct thing *t = arg; t != NULL && show_row(s); t = t->next) {
 *			show_text(s, t->name);
 *			show_int(s, t->n);
 *		}
 *	}
 *
 * Rows and cells are bounded, so that a look never costs more than a busy loop can spare.
 * Ids, counts, names of ours and words of libraries only: nothing a person is known by, no
 * secret.  Loop thread only.
 */
#ifndef ORDERD_BASE_SHOW_H
#define ORDERD_BASE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/id.h"
#include "core/base/str.h"
#include "show_table.h"

struct config;

/* clang-format off */
enum show_view {
#define X(name, columns, text) SHOW_##name,
	SHOW_TABLE(X)
#undef X
	SHOW_VIEWS
};

/* clang-format on */

enum {
	SHOW_ROWS_MAX = 1000, /* of one table; `truncated` when there would have been more */
	SHOW_COLUMNS_MAX = 12,
	SHOW_TEXT_MAX = 512,          /* bytes of a cell; one that is cut ends with "..." */
	SHOW_BYTES_MAX = 1024 * 1024, /* of all texts of one table, as the rows are bounded */
	SHOW_OFFERS_MAX = 48,
	SHOW_NAME_MAX = 24, /* bytes of a column's name */
};

/* ---- what a part does ---- */

struct show;
struct show_board;

/* `fill` is called for each look at the view, from then on.  `arg` must outlive that. */
void show_offer(struct show_board *b, enum show_view v,
		void (*fill)(struct show *s, const void *arg), const void *arg);

/* The part behind `arg` is gone: take all its offers back. */
void show_withdraw(struct show_board *b, const void *arg);

/* Begin a row; the one before must have all its cells.  false: the table is full, no more. */
bool show_row(struct show *s);

/* The row's next cell.  Texts are copied; what is no text in them becomes '?', line breaks blanks.
 */
void show_text(struct show *s, const char *z); /* NULL: nothing */
void show_str(struct show *s, struct str text);
void show_printf(struct show *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void show_id(struct show *s, struct id id); /* zero: nothing */
void show_int(struct show *s, int64_t n);   /* columns of figures alone take it */
void show_nothing(struct show *s);

/* ---- the board ---- */

struct show_board {
	const char *program;
	struct id incarnation; /* this run of this process */
	int64_t started_us;    /* clock_mono_us() */

	struct {
		enum show_view view;
		void (*fill)(struct show *s, const void *arg);
		const void *arg;
	} offers[SHOW_OFFERS_MAX];

	size_t n_offers;
};

/* With the views every program has: views, config, version, memory.  `cfg` must outlive it. */
void show_board_init(struct show_board *b, const char *program, struct id incarnation,
		     const struct config *cfg);

/* Whether `name` is a view somebody here has rows for; empty: the list of them. */
bool show_find(const struct show_board *b, struct str name, enum show_view *ret);

const char *show_name(enum show_view v);
const char *show_columns(enum show_view v);
const char *show_about(enum show_view v);

const char *show_program_version(void); /* "0.1.0" */

/* "config, flows, ...", for whoever asked for another; heap. */
char *show_names(const struct show_board *b);

/* ---- a look ---- */

enum show_kind { SHOW_NOTHING, SHOW_INT, SHOW_TEXT };

struct show_cell {
	enum show_kind kind;
	int64_t number;
	const char *text; /* UTF-8, in the table's arena */
};

struct show {
	const struct show_board *board;
	enum show_view view;
	size_t n_columns;
	char columns[SHOW_COLUMNS_MAX][SHOW_NAME_MAX];
	bool figures[SHOW_COLUMNS_MAX];
	struct show_cell *cells; /* row after row */
	size_t n_cells, room;
	bool truncated;
	struct arena arena;
};

/* Never NULL; show_free() frees it. */
struct show *show_look(const struct show_board *b, enum show_view v);
void show_free(struct show *s);

static inline size_t show_rows(const struct show *s)
{
	return s->n_columns > 0 ? s->n_cells / s->n_columns : 0;
}

static inline const struct show_cell *show_cell(const struct show *s, size_t row, size_t column)
{
	return &s->cells[row * s->n_columns + column];
}

/* ---- as text (show_render.c); heap, the caller frees; *ret_n is its length ---- */

/*
 * {"process": {...}, "view": "flows", "truncated": false, "columns": ["flow", ...],
 *  "rows": [{"flow": "place_order", "age_ms": 12, "cause": null}, ...]}
 */
char *show_render_json(const struct show *s, size_t *ret_n);

/* For people: columns as wide as what is in them, figures to the right. */
char *show_render_text(const struct show *s, size_t *ret_n);

#endif
