/*
 * The store with the statements of db/queries: every kind's parameters and rows fit, and
 * no write kind changes anything twice, asked again or cut off at any message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "books.h"
#include "core/base/metric.h"
#include "core/store/unit.h"
#include "lives.h"
#include "tests/support/cutproxy.h"

/* ---- parameters and rows ---- */

static void fill(const struct db_column *cs, uint32_t n, char *row, bool nulls)
{
	for (uint32_t i = 0; i < n; i++) {
		char *field = row + cs[i].offset;
		int64_t v8 = nulls && cs[i].nullable ? DB_NULL : 1;
		int32_t v4 = 1;
		int16_t v2 = 1;

		switch (cs[i].type) {
		case DB_INT2:
			memcpy(field, &v2, sizeof(v2));
			break;
		case DB_INT4:
			memcpy(field, &v4, sizeof(v4));
			break;
		case DB_INT8:
		case DB_TIMESTAMPTZ:
			memcpy(field, &v8, sizeof(v8));
			break;
		case DB_UUID:
			if (!nulls || !cs[i].nullable)
				*(struct id *)(void *)field = fresh_id();
			break;
		case DB_TEXT:
		case DB_BYTEA:
			if (!nulls || !cs[i].nullable)
				*(struct str *)(void *)field = STR("a text that means nothing");
			break;
		case DB_BOOL:
		case DB_TYPES:
			break;
		}
	}
}

static void ask_nonsense(struct world *w, const struct unit_kind *k, bool nulls)
{
	struct question q;
	struct unit u = {.kind = k};
	char *head, *lines;

	question_init(&q, w);
	head = arena_alloc(&q.fl.arena, k->head_size);
	lines = arena_array(&q.fl.arena, 2, k->line_size + 1);
	fill(k->head, k->n_head, head, nulls);
	u.head = head;
	if (k->n_line > 0) {
		fill(k->line, k->n_line, lines, nulls);
		fill(k->line, k->n_line, lines + k->line_size, !nulls);
		u.lines = lines;
		u.n_lines = 2;
	}
	question_ask(&q, u);
	world_run(w);
	/* A constraint may refuse nonsense; nobody may misunderstand it. */
	if (metric_value(METRIC_store_again, "mistake") != 0 ||
	    (q.err != ERR_OK && q.err != ERR_INTERNAL) || !store_is_up(w->store))
		fail_msg("%s: %s", k->name, err_name(q.err));
	question_done(&q);
}

static void every_kind_understands_its_parameters_and_its_rows(void **state)
{
	struct world *w = world_new(pg->conninfo, 1);

	(void)state;
	assert_true(SQL_CATALOGUE.n_kinds > 30);
	for (uint32_t i = 0; i < SQL_CATALOGUE.n_kinds; i++) {
		ask_nonsense(w, SQL_CATALOGUE.kinds[i], false);
		ask_nonsense(w, SQL_CATALOGUE.kinds[i], true);
	}
	world_free(w);
	pg_exec(db, "DELETE FROM orderd.gateway_payment"); /* of strangers */
	books_hold();
}

/* ---- the life of a shop, cut everywhere ---- */

enum {
	KINDS_MAX = 192,
	STEPS_MAX = 192,
	PASSES_MAX = 100,  /* more messages than any batch of one unit has */
	MESSAGES_MIN = 10, /* BEGIN, the unit, COMMIT: three each way; Sync, and its answer */
	ANSWERS = 3,       /* a statement is answered with so many messages, and one per row */
	POLLS_MAX = 100000,
	RECONNECT_MS = 100, /* longer than the store's first pause */
};

/*
 * To the server every message is cut.  To the client it is every third, each kind beginning with
 * another: by then the server has done it all, and half an answer means the same to the engine
 * whatever the kind (store_cuts cuts those at every message).
 *
 * Where a kind is cut next: before message n of this side; when there is none, the next side.
 */
struct cursor {
	enum cut_side side;
	int n;
	int cuts[CUT_SIDES];
};

struct cutting {
	struct life life;
	struct world *w;
	struct cutproxy *x;
	struct cursor of[KINDS_MAX]; /* by the kind's place in the catalogue */
	char *shapes[STEPS_MAX];     /* of the books behind each step of a life in peace */
	int n_shapes, at;
	const struct unit_kind *asking;
	bool cut_now; /* in this life */
};

static void must_be(const struct unit_kind *k, const char *when, const char *want, const char *is)
{
	while (strcmp(want, is) != 0) {
		int n = (int)strcspn(want, "\n"), m = (int)strcspn(is, "\n");

		if (n != m || strncmp(want, is, (size_t)n) != 0)
			fail_msg("%s, %s:\nwanted %.*s\nfound  %.*s", k->name, when, n, want, m,
				 is);
		want += n + (want[n] == '\n');
		is += m + (is[m] == '\n');
	}
}

/* Nothing is cut; every unit is asked twice. */
static void ask_twice(struct life *l, struct unit u)
{
	struct cutting *c = (struct cutting *)(void *)l;
	/* a lease is moved whenever that is asked, from now on */
	const char *but = u.kind == &UNIT_JOB_EXTEND ? "{lease_until}" : "{}";
	char *once, *twice;

	(void)books_ask(c->w, u);
	assert_true(c->n_shapes < STEPS_MAX);
	c->shapes[c->n_shapes++] = books_shape();
	once = books_exact(but);
	(void)books_ask(c->w, u);
	twice = books_exact(but);
	must_be(u.kind, "asked again", once, twice);
	free(once);
	free(twice);
}

static void next_message(struct cursor *at)
{
	at->cuts[at->side]++;
	at->n += at->side == CUT_TO_CLIENT ? ANSWERS : 1;
}

static void next_side(struct cursor *at, const struct unit_kind *k)
{
	at->side++;
	at->n = at->side == CUT_TO_CLIENT ? (int)k->index % ANSWERS : 0;
}

static void cut_one(struct cutting *c, struct unit u)
{
	struct cursor *at = &c->of[u.kind->index];
	char when[80], *shape;

	world_wait_up(c->w, true);
	c->asking = u.kind;
	cutproxy_arm(c->x, at->side, at->n);
	(void)books_ask(c->w, u);
	if (!cutproxy_has_cut(c->x)) {
		cutproxy_disarm(c->x);
		next_side(at, u.kind);
		return;
	}
	snprintf(when, sizeof(when), "cut on side %d before message %d", (int)at->side, at->n);
	shape = books_shape();
	must_be(u.kind, when, c->shapes[c->at], shape);
	free(shape);
	next_message(at);
}

static void ask_over_a_cut(struct life *l, struct unit u)
{
	struct cutting *c = (struct cutting *)(void *)l;

	if (c->of[u.kind->index].side < CUT_SIDES) {
		cut_one(c, u);
		c->cut_now = true;
	} else {
		(void)books_ask(c->w, u);
	}
	c->at++;
}

static void live(struct cutting *c, void (*ask)(struct life *l, struct unit u))
{
	books_clean(NULL);
	c->life.ask = ask;
	c->at = 0;
	c->cut_now = false;
	life_of_a_shop(&c->life);
	life_went_well();
}

/* The server has noticed that a connection is lost, and ended what was under way on it. */
static void wait_until_one_is_left(void)
{
	for (int i = 0; i < POLLS_MAX; i++) {
		if (pg_number(db,
			      "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
			      "'store-test'") <= 1)
			return;
	}
	fail_msg("the server keeps a connection that is lost");
}

/*
 * The pause before reconnecting is over at once.  What is asked again then finds the locks of the
 * first asking, if that is still busy, and waits for them; job_claim_due alone passes locked rows
 * by, so that its first asking has to be over before.
 */
static void on_down(struct world *w)
{
	const struct cutting *c = w->arg;

	if (c->asking == &UNIT_JOB_CLAIM_DUE)
		wait_until_one_is_left();
	world_skip(w, RECONNECT_MS);
}

/* So that a new kind cannot be forgotten. */
static void every_write_kind_was_cut(const struct cutting *c)
{
	for (uint32_t i = 0; i < SQL_CATALOGUE.n_kinds; i++) {
		const struct unit_kind *k = SQL_CATALOGUE.kinds[i];
		const int *cuts = c->of[k->index].cuts;

		if (k->lane == STORE_LANE_READ || k->lane == STORE_LANE_AUDIT)
			continue;
		if (cuts[CUT_TO_SERVER] < MESSAGES_MIN ||
		    cuts[CUT_TO_CLIENT] < MESSAGES_MIN / ANSWERS || cuts[CUT_BEFORE_COMMIT] != 1 ||
		    cuts[CUT_BEHIND_COMMIT] != 1)
			fail_msg(
				"%s was cut %d times to the server, %d to the client, %d before "
				"and %d behind COMMIT",
				k->name, cuts[CUT_TO_SERVER], cuts[CUT_TO_CLIENT],
				cuts[CUT_BEFORE_COMMIT], cuts[CUT_BEHIND_COMMIT]);
	}
}

static void no_write_kind_cut_off_or_asked_again_changes_anything_twice(void **state)
{
	struct cutting c = {.x = cutproxy_new(pg)};
	struct store_options opt = {
		.conninfo = cutproxy_conninfo(c.x), .order_connections = 1, .job_connections = 1};
	int passes = 0;

	(void)state;
	assert_true(SQL_CATALOGUE.n_kinds <= KINDS_MAX);
	c.w = world_with(&opt);
	c.w->arg = &c;
	c.w->on_down = on_down;
	live(&c, ask_twice);
	do {
		live(&c, ask_over_a_cut);
		assert_int_equal(c.at, c.n_shapes);
		assert_true(++passes < PASSES_MAX);
	} while (c.cut_now);
	every_write_kind_was_cut(&c);
	while (c.n_shapes > 0)
		free(c.shapes[--c.n_shapes]);
	world_free(c.w);
	cutproxy_free(c.x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_kind_understands_its_parameters_and_its_rows,
				       books_clean),
		cmocka_unit_test_setup(no_write_kind_cut_off_or_asked_again_changes_anything_twice,
				       books_clean),
	};

	return cmocka_run_group_tests_name("store lives", tests, books_setup, books_teardown);
}
