/*
 * A table for people: each column as wide as its widest cell, figures to the right.
 *
 *	struct table *t = table_new("NUMBER> STATE TOTAL>");
 *
 *	for (...) {
 *		table_cell(t, "%lld", number);
 *		table_cell(t, "%s", state);
 *		table_cell(t, "%s", total);
 *	}
 *	table_print(t);
 */
#ifndef ORDERCTL_TABLE_H
#define ORDERCTL_TABLE_H

struct table;

/* Headings, a blank between two; one that ends with '>' is a column of figures. */
struct table *table_new(const char *headings);

/* The next cell, row after row from left to right. */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Print whole rows on stdout, under their headings, and free the table. */
void table_print(struct table *t);

#endif
