/*
 * The small schema of fixture/: one private PostgreSQL per test program, emptied before
 * each story, and notes to put into it.
 */
#ifndef ORDERD_TESTS_STORE_NOTES_H
#define ORDERD_TESTS_STORE_NOTES_H

#include "tests/integration/store/world.h"

extern struct pg *pg;
extern PGconn *db;

/* Fixtures of cmocka: of the program, and of each story. */
int notes_setup(void **state);
int notes_teardown(void **state);
int notes_clean(void **state);

long long notes_count(void);

/* What note number `n` says; with `trouble` the statement fails in this way, NULL: it does not. */
struct note_add_head *note(struct question *q, unsigned n, const char *trouble);

/* Several at once, to be freed together. */
struct question *questions(struct world *w, int n);
void questions_free(struct question *q, int n);

#endif
