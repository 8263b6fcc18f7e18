#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

struct table {
	int n_columns;
	bool figures[COLUMNS_MAX];
	int width[COLUMNS_MAX]; /* characters */
	char **cells;           /* the headings come first */
	size_t n, room;
};

static void *no_less(void *p)
{
	if (p == NULL)
		abort(); /* out of memory */
	return p;
}

/* Characters of a UTF-8 text: the bytes that begin one. */
static int characters(const char *z)
{
	int n = 0;

	for (; *z != '\0'; z++)
		n += ((unsigned char)*z & 0xC0) != 0x80;
	return n;
}

static void add(struct table *t, char *cell)
{
	int column = (int)(t->n % (size_t)t->n_columns), width = characters(cell);

	if (t->n == t->room) {
		t->room = t->room == 0 ? 64 : t->room * 2;
		t->cells = no_less(realloc(t->cells, t->room * sizeof(*t->cells)));
	}
	t->cells[t->n++] = cell;
	if (width > t->width[column])
		t->width[column] = width;
}

struct table *table_new(const char *headings)
{
	struct table *t = no_less(calloc(1, sizeof(*t)));
	char *copy = no_less(strdup(headings)), *save = NULL, *words[COLUMNS_MAX];

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		size_t n = strlen(w);

		assert(t->n_columns < COLUMNS_MAX);
		t->figures[t->n_columns] = w[n - 1] == '>';
		if (w[n - 1] == '>')
			w[n - 1] = '\0';
		words[t->n_columns++] = w;
	}
	for (int i = 0; i < t->n_columns; i++)
		add(t, no_less(strdup(words[i])));
	free(copy);
	return t;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char *cell;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&cell, fmt, ap) < 0)
		abort(); /* out of memory */
	va_end(ap);
	add(t, cell);
}

static void print_cell(const struct table *t, size_t i)
{
	int column = (int)(i % (size_t)t->n_columns);
	int blanks = t->width[column] - characters(t->cells[i]);
	bool last = column == t->n_columns - 1;

	if (t->figures[column])
		printf("%*s%s", blanks, "", t->cells[i]);
	else
		printf("%s%*s", t->cells[i], last ? 0 : blanks, "");
	fputs(last ? "\n" : "  ", stdout);
}

void table_print(struct table *t)
{
	assert(t->n % (size_t)t->n_columns == 0);
	for (size_t i = 0; i < t->n; i++) {
		print_cell(t, i);
		free(t->cells[i]);
	}
	free(t->cells);
	free(t);
}
