/*
 * The board of views, and the filling of one table.  See show.h.
 */
#include "core/base/show.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/show_parts.h"

static const struct row {
	const char *name, *columns, *about;
} rows[SHOW_VIEWS] = {

#define X(name, columns, text) [SHOW_##name] = {#name, columns, text},
	SHOW_TABLE(X)
#undef X
};

const char *show_name(enum show_view v)
{
	assert(v < SHOW_VIEWS);
	return rows[v].name;
}

const char *show_columns(enum show_view v)
{
	assert(v < SHOW_VIEWS);
	return rows[v].columns;
}

const char *show_about(enum show_view v)
{
	assert(v < SHOW_VIEWS);
	return rows[v].about;
}

/* ---- the board ---- */

void show_offer(struct show_board *b, enum show_view v,
		void (*fill)(struct show *s, const void *arg), const void *arg)
{
	assert(b->n_offers < SHOW_OFFERS_MAX && v < SHOW_VIEWS && fill != NULL);
	b->offers[b->n_offers].view = v;
	b->offers[b->n_offers].fill = fill;
	b->offers[b->n_offers].arg = arg;
	b->n_offers++;
}

void show_withdraw(struct show_board *b, const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_offers; i++)
		if (b->offers[i].arg != arg)
			b->offers[kept++] = b->offers[i];
	b->n_offers = kept;
}

static bool is_offered(const struct show_board *b, enum show_view v)
{
	for (size_t i = 0; i < b->n_offers; i++)
		if (b->offers[i].view == v)
			return true;
	return false;
}

static void show_views(struct show *s, const void *arg)
{
	const struct show_board *b = arg;

	for (enum show_view v = 0; v < SHOW_VIEWS; v++) {
		if (!is_offered(b, v) || !show_row(s))
			continue;
		show_text(s, show_name(v));
		show_text(s, show_about(v));
	}
}

void show_board_init(struct show_board *b, const char *program, struct id incarnation,
		     const struct config *cfg)
{
	*b = (struct show_board){
		.program = program, .incarnation = incarnation, .started_us = clock_mono_us()};
	show_offer(b, SHOW_views, show_views, b);
	show_offer(b, SHOW_config, show_config, cfg);
	show_offer(b, SHOW_version, show_version, b);
	show_offer(b, SHOW_memory, show_memory, NULL);
}

bool show_find(const struct show_board *b, struct str name, enum show_view *ret)
{
	*ret = SHOW_views;
	if (name.n == 0)
		return true;
	for (enum show_view v = 0; v < SHOW_VIEWS; v++) {
		if (str_eq(name, str_of(show_name(v)))) {
			*ret = v;
			return is_offered(b, v);
		}
	}
	return false;
}

char *show_names(const struct show_board *b)
{
	char text[SHOW_VIEWS * SHOW_NAME_MAX] = "";
	size_t n = 0;

	for (enum show_view v = 0; v < SHOW_VIEWS; v++)
		if (is_offered(b, v))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? ", " : "",
					      show_name(v));
	return mem_text(text);
}

/* ---- a table ---- */

static void read_columns(struct show *s)
{
	for (const char *p = show_columns(s->view); *p != '\0';) {
		size_t n = strcspn(p, " "), at = s->n_columns++;

		assert(at < SHOW_COLUMNS_MAX && n < SHOW_NAME_MAX);
		s->figures[at] = p[n - 1] == '>';
		memcpy(s->columns[at], p, n - s->figures[at]);
		p += n + (p[n] == ' ');
	}
}

struct show *show_look(const struct show_board *b, enum show_view v)
{
	struct show *s = mem_alloc(sizeof(*s));

	s->board = b;
	s->view = v;
	read_columns(s);
	arena_init(&s->arena, SHOW_BYTES_MAX);
	for (size_t i = 0; i < b->n_offers; i++)
		if (b->offers[i].view == v)
			b->offers[i].fill(s, b->offers[i].arg);
	assert(s->n_cells % s->n_columns == 0); /* the last row is whole */
	return s;
}

void show_free(struct show *s)
{
	if (s == NULL)
		return;
	arena_done(&s->arena);
	free(s->cells);
	free(s);
}

/* ---- rows and cells ---- */

/* A row may need so much; asked for before it begins, so that no row is half there. */
enum { ROW_BYTES = SHOW_COLUMNS_MAX * (SHOW_TEXT_MAX + 32) };

bool show_row(struct show *s)
{
	assert(s->n_cells % s->n_columns == 0);
	if (show_rows(s) >= SHOW_ROWS_MAX || s->arena.cap - s->arena.used < ROW_BYTES) {
		s->truncated = true;
		return false;
	}
	if (s->room < s->n_cells + s->n_columns) {
		s->room = 2 * s->room + 16 * s->n_columns;
		s->cells = mem_grow(s->cells, s->room, sizeof(*s->cells));
	}
	return true;
}

static void add(struct show *s, struct show_cell c)
{
	assert(s->n_cells < s->room); /* after show_row() */
	assert(c.kind == SHOW_NOTHING ||
	       (c.kind == SHOW_INT) == s->figures[s->n_cells % s->n_columns]);
	s->cells[s->n_cells++] = c;
}

void show_nothing(struct show *s)
{
	add(s, (struct show_cell){.kind = SHOW_NOTHING});
}

void show_int(struct show *s, int64_t n)
{
	add(s, (struct show_cell){.kind = SHOW_INT, .number = n});
}

/* One character, or one byte that is none. */
static void copy_char(char *to, const char *from, size_t length)
{
	if (length == 0)
		*to = '?';
	else if (length == 1 && (unsigned char)*from < ' ')
		*to = ' ';
	else
		memcpy(to, from, length);
}

void show_str(struct show *s, struct str text)
{
	static const char cut[] = "...";
	char *p;
	size_t n = 0;

	if (text.p == NULL) {
		show_nothing(s);
		return;
	}
	p = arena_alloc(&s->arena, (text.n < SHOW_TEXT_MAX ? text.n : SHOW_TEXT_MAX) + sizeof(cut));
	assert(p != NULL); /* ROW_BYTES */
	while (text.n > 0 && n < SHOW_TEXT_MAX) {
		size_t step = str_char_length(text), bytes = step > 0 ? step : 1;

		if (n + bytes > SHOW_TEXT_MAX)
			break;
		copy_char(p + n, text.p, step);
		n += bytes;
		text.p += bytes;
		text.n -= bytes;
	}
	memcpy(p + n, text.n > 0 ? cut : "", text.n > 0 ? sizeof(cut) : 1);
	add(s, (struct show_cell){.kind = SHOW_TEXT, .text = p});
}

void show_text(struct show *s, const char *z)
{
	show_str(s, str_of(z));
}

void show_printf(struct show *s, const char *fmt, ...)
{
	char text[SHOW_TEXT_MAX + 8];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	show_text(s, text);
}

void show_id(struct show *s, struct id id)
{
	char text[ID_TEXT_SIZE];

	show_text(s, id_is_zero(id) ? NULL : id_format(id, text));
}
