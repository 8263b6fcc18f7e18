#include "tests/integration/store/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/store/migrate.h"

struct pg *pg;
PGconn *db;

int notes_setup(void **state)
{
	FILE *out = tmpfile();

	(void)state;
	pg = pg_new();
	assert_int_equal(store_migrate(pg->conninfo, out), 0);
	fclose(out);
	db = pg_connect(pg);
	return 0;
}

int notes_teardown(void **state)
{
	(void)state;
	PQfinish(db);
	pg_free(pg);
	return 0;
}

int notes_clean(void **state)
{
	(void)state;
	pg_wait_for_others(db); /* TRUNCATE and a late statement would lock each other out */
	pg_exec(db,
		"TRUNCATE note, note_word, request, orders, stock, stock_movement; SELECT "
		"setval('trouble_count', 1, false)");
	return 0;
}

struct note_add_head *note(struct question *q, unsigned n, const char *trouble)
{
	struct note_add_head *h = arena_alloc(&q->fl.arena, sizeof(*h));

	assert_non_null(h);
	*h = (struct note_add_head){.tenant = 1,
				    .note_id = test_id(n),
				    .amount = 1 + n,
				    .at = DB_NULL,
				    .medium = (int32_t)n,
				    .trouble = str_of(trouble)};
	return h;
}

struct question *questions(struct world *w, int n)
{
	struct question *q = calloc((size_t)n, sizeof(*q));

	assert_non_null(q);
	for (int i = 0; i < n; i++)
		question_init(&q[i], w);
	return q;
}

void questions_free(struct question *q, int n)
{
	for (int i = 0; i < n; i++)
		question_done(&q[i]);
	free(q);
}

long long notes_count(void)
{
	return pg_number(db, "SELECT count(*) FROM note");
}
