/*
 * Tests on the real schema: one server per program, an empty world per test, and the
 * audits of db/audit as the judge of every end.
 */
#ifndef ORDERD_TESTS_STORE_BOOKS_H
#define ORDERD_TESTS_STORE_BOOKS_H

#include "world.h"

extern struct pg *pg;
extern PGconn *db;

int books_setup(void **state);
int books_teardown(void **state);
int books_clean(void **state); /* every table as the migrations left it */
void books_hold(void);         /* no audit finds anything */

/* Every row of every table as a line of text; the caller frees.  Exact: all but the columns named
 * ("{a,b}").  Shape: what is the same whenever the same is done again in a clean world. */
char *books_exact(const char *without);
char *books_shape(void);
uint32_t books_ask(struct world *w,
		   struct unit u); /* ask and wait; fails the test on an error; rows */

#endif
