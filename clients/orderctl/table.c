#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"
#include "text.h"

enum { COLUMNS_MAX = 16 };

struct cell {
	char *text;
	int width; /* columns of a terminal */
	enum color color;
};

struct table {
	int n_columns;
	bool figures[COLUMNS_MAX];
	int width[COLUMNS_MAX];
	struct cell *cells; /* the headings come first */
	size_t n, room;
};

static void *no_less(void *p)
{
	if (p == NULL)
		abort(); /* out of memory */
	return p;
}

static void add(struct table *t, char *text, enum color color)
{
	struct cell cell = {text, text_clean(text), color};
	int column = (int)(t->n % (size_t)t->n_columns);

	if (t->n == t->room) {
		t->room = t->room == 0 ? 64 : t->room * 2;
		t->cells = no_less(realloc(t->cells, t->room * sizeof(*t->cells)));
	}
	t->cells[t->n++] = cell;
	if (cell.width > t->width[column])
		t->width[column] = cell.width;
}

static char *copy_of(const char *z)
{
	return no_less(strdup(z));
}

__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list ap)
{
	char *z;

	if (vasprintf(&z, fmt, ap) < 0)
		abort(); /* out of memory */
	return z;
}

struct table *table_new(const char *headings)
{
	struct table *t = no_less(calloc(1, sizeof(*t)));
	char *copy = copy_of(headings), *save = NULL, *words[COLUMNS_MAX];

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		size_t n = strlen(w);

		assert(t->n_columns < COLUMNS_MAX);
		t->figures[t->n_columns] = w[n - 1] == '>';
		if (w[n - 1] == '>')
			w[n - 1] = '\0';
		for (char *p = w; *p != '\0'; p++)
			if (*p == '_')
				*p = ' ';
		words[t->n_columns++] = w;
	}
	for (int i = 0; i < t->n_columns; i++)
		add(t, copy_of(words[i]), COLOR_NONE);
	free(copy);
	return t;
}

struct table *fields_new(void)
{
	struct table *t = no_less(calloc(1, sizeof(*t)));

	t->n_columns = 2;
	return t;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *z;

	va_start(ap, fmt);
	z = format(fmt, ap);
	va_end(ap);
	if (*z == '\0') {
		free(z);
		z = copy_of("-");
	}
	add(t, z, COLOR_NONE);
}

void table_state(struct table *t, const char *state)
{
	add(t, copy_of(*state != '\0' ? state : "-"), state_color(state));
}

void field(struct table *t, const char *name, const char *fmt, ...)
{
	va_list ap;
	char *z;

	va_start(ap, fmt);
	z = format(fmt, ap);
	va_end(ap);
	if (*z == '\0') {
		free(z);
		return;
	}
	add(t, copy_of(name), COLOR_NONE);
	add(t, z, COLOR_NONE);
}

void field_state(struct table *t, const char *name, const char *state)
{
	if (*state == '\0')
		return;
	add(t, copy_of(name), COLOR_NONE);
	table_state(t, state);
}

/* No blanks at the end of a line. */
static void print_cell(const struct table *t, size_t i)
{
	const struct cell *cell = &t->cells[i];
	int column = (int)(i % (size_t)t->n_columns), blanks = t->width[column] - cell->width;
	bool last = column == t->n_columns - 1;

	if (t->figures[column])
		printf("%*s", blanks, "");
	printf("%s%s%s", color_on(cell->color), cell->text, color_off(cell->color));
	if (last)
		putchar('\n');
	else
		printf("%*s", 2 + (t->figures[column] ? 0 : blanks), "");
}

void table_page(struct table *t)
{
	assert(t->n % (size_t)t->n_columns == 0);
	for (size_t i = 0; i < t->n; i++) {
		print_cell(t, i);
		free(t->cells[i].text);
	}
	t->n = 0;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

void table_print(struct table *t)
{
	table_page(t);
	table_free(t);
}
