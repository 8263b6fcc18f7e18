/*
 * A table for people: each column as wide as its widest cell, figures to the right.
 *
 *	struct table *t = table_new("NUMBER> STATE TOTAL>");
 *
 *	for (...) {
 *		table_cell(t, "%lld", number);
 *		table_state(t, state);
 *		table_cell(t, "%s", total);
 *	}
 *	table_print(t);
 *
 * Or the fields of one thing, a name and what it is:
 *
 *	struct table *t = fields_new();
 *
 *	field(t, "Customer", "%s", customer);
 *	field_state(t, "State", state);
 *	table_print(t);
 */
#ifndef ORDERCTL_TABLE_H
#define ORDERCTL_TABLE_H

struct table;

/* Headings, a blank between two; '_' is a blank inside one, and one that ends with '>' is a column
 * of figures. */
struct table *table_new(const char *headings);

/* The next cell, row after row from left to right; an empty one is shown as "-". */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_state(struct table *t, const char *state); /* in its colour */

/* Print what has come so far; its columns stay as wide, its headings are not said again. */
void table_page(struct table *t);

void table_free(struct table *t);

/* Both: print whole rows on stdout, under their headings, and free the table. */
void table_print(struct table *t);

struct table *fields_new(void);

/* A field that is empty is left out. */
void field(struct table *t, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_state(struct table *t, const char *name, const char *state);

#endif
