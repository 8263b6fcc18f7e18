/*
 * What a watcher is found by, and what it takes of what was read: every event once, in order,
 * without gaps, and no more than it may hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "server/watch/watch_hold.h"
#include "server/watch/watch_table.h"
#include "sql.gen.h"

enum { MANY = 5000, ORDERS = 700 };

/* ---- the table ---- */

static uint32_t count(const struct watch_table *t, struct id order)
{
	uint32_t n = 0;

	for (struct watch_entry *e = watch_table_first(t, order); e != NULL;
	     e = watch_table_next(e)) {
		assert_true(id_eq(e->order, order));
		n++;
	}
	return n;
}

/* Sizes from far too small to ample: slower, not wrong. */
static void table_finds_every_watcher_of_an_order_and_no_other(void **state)
{
	static const int64_t sizes[] = {1, 64, 5000, 1000000};
	struct watch_entry *entries = mem_array(MANY, sizeof(*entries));
	struct id orders[ORDERS];

	(void)state;
	for (int i = 0; i < ORDERS; i++)
		orders[i] = id_new();
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct watch_table t;

		watch_table_init(&t, sizes[s]);
		for (int i = 0; i < MANY; i++) {
			entries[i].order = orders[i % ORDERS];
			watch_table_add(&t, &entries[i]);
		}
		for (int i = 0; i < ORDERS; i++)
			assert_int_equal(count(&t, orders[i]), MANY / ORDERS + (i < MANY % ORDERS));
		assert_int_equal(count(&t, id_new()), 0);
		for (int i = 0; i < MANY; i += 2) /* from the middle of chains */
			watch_table_remove(&t, &entries[i]);
		for (int i = 0; i < ORDERS; i++) {
			uint32_t left = 0;

			for (int k = i; k < MANY; k += ORDERS)
				left += k % 2 != 0;
			assert_int_equal(count(&t, orders[i]), left);
		}
		for (int i = 1; i < MANY; i += 2)
			watch_table_remove(&t, &entries[i]);
		watch_table_done(&t); /* asserts that it is empty */
	}
	free(entries);
}

/* Ids of one order's shard, or of one millisecond, share their first bits. */
static void table_does_not_put_ids_of_one_moment_into_one_chain(void **state)
{
	struct watch_entry *entries = mem_array(MANY, sizeof(*entries));
	struct id parent = id_new();
	struct watch_table t;
	uint32_t longest = 0;

	(void)state;
	watch_table_init(&t, MANY);
	for (int i = 0; i < MANY; i++) {
		entries[i].order = id_child(parent);
		watch_table_add(&t, &entries[i]);
	}
	for (uint32_t c = 0; c <= t.mask; c++) {
		uint32_t n = 0;

		for (struct watch_entry *e = t.chains[c]; e != NULL; e = e->next)
			n++;
		longest = n > longest ? n : longest;
	}
	assert_in_range(longest, 1, 12); /* 5,000 over 8,192 chains: 7 or 8 */
	for (int i = 0; i < MANY; i++)
		watch_table_remove(&t, &entries[i]);
	watch_table_done(&t);
	free(entries);
}

/* ---- what is held ---- */

static struct order_events_row row(int64_t seq)
{
	return (struct order_events_row){.seq = seq,
					 .at = 1700000000000000,
					 .kind = STR("tracking"),
					 .from_state = STR("confirmed"),
					 .to_state = STR("confirmed"),
					 .group_no = 1,
					 .detail = STR("in_transit"),
					 .actor = STR("worker")};
}

static enum watch_taken take(struct watch_hold *h, int64_t seq)
{
	struct order_events_row r = row(seq);

	return watch_hold_take(h, &r);
}

static void hold_takes_each_event_once_and_in_order(void **state)
{
	struct watch_hold h;

	(void)state;
	watch_hold_init(&h, 4);
	assert_true(watch_hold_is_empty(&h));
	assert_int_equal(take(&h, 4), WATCH_KNOWN);
	assert_int_equal(take(&h, 0), WATCH_KNOWN); /* a row that only says how the order is */
	assert_int_equal(take(&h, 6), WATCH_GAP);
	assert_int_equal(h.last, 4);
	assert_int_equal(take(&h, 5), WATCH_TAKEN);
	assert_int_equal(take(&h, 5), WATCH_KNOWN);
	assert_int_equal(take(&h, 7), WATCH_GAP);
	assert_int_equal(take(&h, 6), WATCH_TAKEN);
	assert_int_equal(h.last, 6);
	assert_int_equal(watch_hold_pop(&h)->sequence, 5);
	assert_int_equal(take(&h, 7), WATCH_TAKEN); /* behind what is still held */
	for (int64_t seq = 6; seq <= 7; seq++) {
		const Orderd__V1__OrderEvent *e = watch_hold_pop(&h);

		assert_int_equal(e->sequence, seq);
		assert_int_equal(e->kind.len, strlen("tracking"));
		assert_memory_equal(e->detail.data, "in_transit", e->detail.len);
		assert_int_equal(e->event_time->seconds, 1700000000);
	}
	assert_true(watch_hold_is_empty(&h));
	watch_hold_done(&h);
}

static void full_hold_takes_no_more_and_goes_on_where_it_stopped(void **state)
{
	struct watch_hold h;
	int64_t told = 0, next = 1;

	(void)state;
	watch_hold_init(&h, 0);
	while (told < 100) {
		while (take(&h, next) == WATCH_TAKEN)
			next++;
		assert_int_equal(take(&h, next), WATCH_FULL);
		assert_int_equal(next - told - 1, WATCH_HOLD_MAX);
		while (!watch_hold_is_empty(&h))
			assert_int_equal(watch_hold_pop(&h)->sequence, ++told);
	}
	watch_hold_done(&h);
}

static void hold_is_bounded_in_bytes(void **state)
{
	static char text[WATCH_HOLD_BYTES / 3];
	struct order_events_row r = row(1);
	struct watch_hold h;

	(void)state;
	memset(text, 'x', sizeof(text));
	watch_hold_init(&h, 0);
	r.detail = (struct str){text, sizeof(text)};
	assert_int_equal(watch_hold_take(&h, &r), WATCH_TAKEN);
	r.seq++;
	assert_int_equal(watch_hold_take(&h, &r), WATCH_TAKEN);
	r.seq++;
	assert_int_equal(watch_hold_take(&h, &r), WATCH_FULL);
	assert_int_equal(h.last, 2);
	assert_int_equal(watch_hold_pop(&h)->detail.len, sizeof(text));
	watch_hold_pop(&h);
	assert_int_equal(watch_hold_take(&h, &r), WATCH_TAKEN); /* there is room again */
	watch_hold_done(&h);
	watch_hold_init(&h, 0);
	r.seq = 1;
	r.kind = r.actor = r.detail;
	assert_int_equal(watch_hold_take(&h, &r), WATCH_FULL); /* alone, and never to fit */
	assert_true(watch_hold_is_empty(&h));
	watch_hold_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_finds_every_watcher_of_an_order_and_no_other),
		cmocka_unit_test(table_does_not_put_ids_of_one_moment_into_one_chain),
		cmocka_unit_test(hold_takes_each_event_once_and_in_order),
		cmocka_unit_test(full_hold_takes_no_more_and_goes_on_where_it_stopped),
		cmocka_unit_test(hold_is_bounded_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
