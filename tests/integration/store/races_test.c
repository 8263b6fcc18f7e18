/*
 * Who shares the store's tables: processes that race for stock or for a request_id never
 * both win, and a tenant in a mixed batch reaches nobody else's order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "books.h"
#include "core/base/random.h"

/* ---- processes that race ---- */

enum { RACE_ITEMS = 3, RACE_STOCK = 40, RACE_ASKS = 150 };

static struct id race_order(struct question *q, struct str key, uint32_t n)
{
	struct order_place_head *h = arena_alloc(&q->fl.arena, sizeof(*h));
	struct order_place_line *l = arena_array(&q->fl.arena, 2, sizeof(*l));

	*h = (struct order_place_head){.tenant = 1,
				       .order_id = fresh_id(),
				       .request_method = 1,
				       .request_key = key,
				       .fingerprint = STR("01234567890123456789012345678901"),
				       .groups = 1,
				       .currency = STR("EUR"),
				       .total_minor = 300,
				       .customer = STR("c"),
				       .channel = STR("shop"),
				       .reference = STR("r"),
				       .contact_id = fresh_id(),
				       .sealed = STR("sealed"),
				       .expires_s = 3600,
				       .method_token = STR("tok"),
				       .actor = STR("customer"),
				       .fallback_methods = STR(""),
				       .ship_service = STR("cheapest"),
				       .notify = true};
	for (int i = 0; i < 2; i++)
		l[i] = (struct order_place_line){.line = 1 + i,
						 .item = 1 +
							 (int64_t)((n + (uint32_t)i) % RACE_ITEMS),
						 .location = 1,
						 .qty = 1 + i,
						 .unit_minor = 100,
						 .group_no = 1,
						 .ordered = 1 + i,
						 .group_minor = i == 0 ? 300 : DB_NULL,
						 .job_id = i == 0 ? fresh_id() : (struct id){{0}}};
	question_ask(q, order_place_unit(h, l, 2));
	return h->order_id;
}

static void note_outcome(struct question *q, const struct answer *a)
{
	struct str o = order_place_row(a, 0).outcome;

	*(char *)q->arg = o.p[0]; /* placed, short, seen */
}

/* What one process does.  Its exit status says whether every answer was one it may get. */
static int race(const char *conninfo, bool same_keys, uint32_t me)
{
	static struct question q[RACE_ASKS];
	static char outcome[RACE_ASKS];
	struct world *w = world_new(conninfo, 2);
	int bad = 0;

	for (uint32_t i = 0; i < RACE_ASKS; i++) {
		question_init(&q[i], w);
		q[i].got = note_outcome;
		q[i].arg = &outcome[i];
		(void)race_order(
			&q[i], str_of(arena_printf(&q[i].fl.arena, "%u-%u", same_keys ? 0 : me, i)),
			(uint32_t)random_below(RACE_ITEMS));
		if (i % 10 == 9) /* several batches, some under way while others are asked */
			uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
	}
	world_run(w);
	for (int i = 0; i < RACE_ASKS; i++) {
		bool fine = q[i].err == ERR_OK && (outcome[i] == 'p' || outcome[i] == 's');

		if (!fine && q[i].err != ERR_CLASH)
			bad++;
		question_done(&q[i]);
	}
	world_free(w);
	return bad == 0 ? 0 : 1;
}

/* One place, three items, so much of each. */
static void furnish(int64_t stock)
{
	char sql[800];

	books_clean(NULL);
	pg_exec(db,
		"INSERT INTO location (tenant, code, name, street, city, region, postal_code, "
		"country)"
		" VALUES (1, 'hall', 'Hall', 's', 'c', '', '1', 'DE');"
		"INSERT INTO item (tenant, sku, title, unit_minor, currency, weight_g) SELECT 1, "
		"'sku' || i, 't', 100, 'EUR', 1"
		" FROM generate_series(1, 3) i");
	snprintf(sql, sizeof(sql),
		 "INSERT INTO stock (tenant, item, location, on_hand) SELECT 1, i, 1, %lld FROM "
		 "generate_series(1, 3) i;"
		 "INSERT INTO stock_movement (tenant, cause, n, item, location, from_bucket, "
		 "to_bucket, qty)"
		 " SELECT 1, gen_random_uuid(), 1, item, 1, 'outside', 'on_hand', on_hand FROM "
		 "stock;"
		 "INSERT INTO stock_document (tenant, id, kind, reference, actor) SELECT tenant, "
		 "cause, 'receipt', 'r', 'clerk' FROM stock_movement",
		 (long long)stock);
	pg_exec(db, sql);
}

static void start_race(int processes, bool same_keys, int64_t stock)
{
	pid_t pids[8];

	furnish(stock);
	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(race(pg->conninfo, same_keys, (uint32_t)i + 1));
	}
	for (int i = 0; i < processes; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void scarce(int processes)
{
	start_race(processes, false, RACE_STOCK);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM stock WHERE reserved > on_hand"), 0);
	/* an order takes three units, so what is left of all items is less than what some order
	 * would have fitted in */
	assert_int_equal(pg_number(db, "SELECT sum(reserved) FROM stock"),
			 3 * pg_number(db, "SELECT count(*) FROM orders"));
	assert_true(pg_number(db, "SELECT count(*) FROM orders") >= RACE_STOCK / 2);
	books_hold();
}

static void two_processes_never_sell_a_unit_twice(void **state)
{
	(void)state;
	scarce(2);
}

static void four_processes_never_sell_a_unit_twice(void **state)
{
	(void)state;
	scarce(4);
}

static void one_request_id_in_four_processes_is_one_order(void **state)
{
	(void)state;
	start_race(4, true, 100000);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders"), RACE_ASKS);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM request"), RACE_ASKS);
	books_hold();
}

/* ---- tenants in one batch ---- */

static void another_tenants_order_in_a_mixed_batch_is_not_touched(void **state)
{
	struct order_cancel_line undo = {.group_no = 1, .job_id = fresh_id()};
	struct order_cancel_head h[3];
	struct question q[5];
	struct world *w;
	struct id orders[2];

	(void)state;
	furnish(100);
	pg_exec(db,
		"INSERT INTO tenant (tenant, name) VALUES (2, 'another') ON CONFLICT DO NOTHING");
	w = world_new(pg->conninfo, 1);
	for (int i = 0; i < 2; i++) {
		question_init(&q[i], w);
		orders[i] = race_order(&q[i], i == 0 ? STR("a") : STR("b"), 0);
	}
	world_run(w);
	for (int i = 0; i < 3; i++) {
		/* tenant 2 names tenant 1's second order between two good units */
		h[i] = (struct order_cancel_head){.tenant = i == 1 ? 2 : 1,
						  .order_id = i == 1   ? orders[1]
							      : i == 0 ? orders[0]
								       : fresh_id(),
						  .request_method = 2,
						  .request_key = i == 0   ? STR("x")
								 : i == 1 ? STR("y")
									  : STR("z"),
						  .fingerprint =
							  STR("01234567890123456789012345678901"),
						  .cause = fresh_id(),
						  .version = DB_NULL,
						  .reason = STR("no"),
						  .actor = STR("a")};
		question_init(&q[2 + i], w);
		question_ask(&q[2 + i], order_cancel_unit(&h[i], &undo, 1));
	}
	world_run(w);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(q[i].err, ERR_OK);
		question_done(&q[i]);
	}
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'pending'"), 1);
	assert_int_equal(pg_number(db, "SELECT count(*) FROM orders WHERE state = 'cancelled'"), 1);
	books_hold();
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_processes_never_sell_a_unit_twice),
		cmocka_unit_test(four_processes_never_sell_a_unit_twice),
		cmocka_unit_test(one_request_id_in_four_processes_is_one_order),
		cmocka_unit_test(another_tenants_order_in_a_mixed_batch_is_not_touched),
	};

	return cmocka_run_group_tests_name("store races", tests, books_setup, books_teardown);
}
