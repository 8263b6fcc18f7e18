/*
 * The reader of all watchers, with the test as store, queue and streams: who is read when, and
 * that nothing that moved is forgotten, whenever it moves.
 *
 * It is linked in place of core/store/store.c, core/queue and watch_order.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/queue/queue.h"
#include "core/store/unit.h"
#include "server/app.h"
#include "server/watch/feeds.h"
#include "server/watch/watcher.h"
#include "sql.gen.h"

enum { POLL_MS = 1000, MANY = 1200, ROUND = 512, PAUSE_MS = 20 };

static struct app app;
static struct watcher *watchers;
static int64_t now_ms;
static uint32_t hints_sent, looked;
static void (*hear)(void *arg, struct id order);
static void *hear_arg;

/* ---- the question under way ---- */

static struct question {
	struct op op;
	uint32_t n;
	struct watch_events_line lines[ROUND];
} * asked;

int store_ask(struct flow *fl, struct store *st, struct unit u)
{
	(void)st;
	assert_null(asked); /* one reader, one question */
	assert_ptr_equal(u.kind, &UNIT_WATCH_EVENTS);
	assert_in_range(u.n_lines, 1, ROUND);
	asked = mem_alloc(sizeof(*asked));
	asked->n = u.n_lines;
	memcpy(asked->lines, u.lines, u.n_lines * sizeof(asked->lines[0]));
	return op_ask(fl, &asked->op);
}

static uint32_t n_rows;
static struct watch_events_row rows[ROUND];

uint32_t answer_rows(const struct answer *a)
{
	(void)a;
	return n_rows;
}

void unit_row_read(const struct unit_kind *kind, const struct answer *a, uint32_t i, void *ret_row)
{
	(void)kind, (void)a;
	memcpy(ret_row, &rows[i], sizeof(rows[i]));
}

void feeds_moved(struct feeds *fs) /* tested apart, server_feed.c */
{
	(void)fs;
}

void queue_hint(struct queue *q, struct id order)
{
	(void)q, (void)order;
	hints_sent++;
}

void queue_on_hint(struct queue *q, void (*on_hint)(void *arg, struct id order), void *arg)
{
	(void)q;
	assert_null(hear); /* asked once */
	hear = on_hint;
	hear_arg = arg;
}

/* ---- streams that take what they are given at once ---- */

void watcher_read(struct watcher *w, const struct watch_events_row *r)
{
	w->fresh = false;
	w->version = w->hold.last = w->sent = r->version;
}

void watcher_go_on(struct watcher *w)
{
	assert_false(w->reading);
	if (w->again)
		watches_due(app.watches, w);
}

void watcher_look(struct watcher *w, int64_t at_ms)
{
	assert_int_equal(at_ms, now_ms);
	assert_true(w->fl == NULL);
	looked++;
}

/* ---- the world ---- */

static void turn(void)
{
	(void)uv_run(loop_uv(app.loop), UV_RUN_NOWAIT);
}

static void later(int64_t ms)
{
	now_ms += ms;
	clock_fake(now_ms * 1000, 0);
	turn();
}

static void answer(enum errc err)
{
	struct question *q = asked;
	struct answer a = {.err = err, .body = rows};

	assert_non_null(q);
	asked = NULL;
	op_answer(&q->op, &a);
	free(q);
	turn();
}

/* Nothing is new for anybody; who asks for the first time hears of version 1. */
static void answer_nothing_new(void)
{
	n_rows = 0;
	for (uint32_t i = 0; i < asked->n; i++)
		if (asked->lines[i].fresh)
			rows[n_rows++] = (struct watch_events_row){
				.watch = asked->lines[i].watch, .version = 1, .seq = 1};
	answer(ERR_OK);
}

static bool is_asked(const struct watcher *w)
{
	for (uint32_t i = 0; asked != NULL && i < asked->n; i++)
		if (id_eq(asked->lines[i].order_id, w->entry.order))
			return true;
	return false;
}

static void open_watcher(struct watcher *w)
{
	*w = (struct watcher){.entry.order = id_new(), .tenant = 7, .fresh = true};
	watches_add(app.watches, w);
	watches_due(app.watches, w);
}

/* n watchers that have been read once. */
static void open_watchers(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		open_watcher(&watchers[i]);
	for (uint32_t read = 0; read < n; later(PAUSE_MS)) {
		turn();
		read += asked->n;
		answer_nothing_new();
	}
	assert_null(asked);
}

static int set_up(void **state)
{
	(void)state;
	log_open("server_watches", LOG_ERROR);
	now_ms = 1000;
	clock_fake(now_ms * 1000, 0);
	app = (struct app){.loop = loop_new()};
	app.cfg.watch_poll_ms = POLL_MS;
	app.cfg.watch_slow_ms = app.cfg.watch_heartbeat_ms = 30000;
	app.cfg.max_watches = 100;
	hear = NULL;
	hints_sent = looked = 0;
	watchers = mem_array(MANY, sizeof(*watchers));
	app.watches = watches_new(&app);
	return 0;
}

static void count_closed(void *arg)
{
	++*(int *)arg;
}

static int tear_down(void **state)
{
	int closed = 0;

	(void)state;
	for (int i = 0; i < MANY; i++)
		if (!id_is_zero(watchers[i].entry.order))
			watches_remove(app.watches, &watchers[i]);
	watches_close(app.watches, count_closed, &closed);
	if (asked != NULL) {
		assert_int_equal(closed, 0); /* it waits for the round under way */
		answer_nothing_new();
	}
	assert_int_equal(closed, 1);
	loop_free(app.loop);
	free(watchers);
	clock_fake(-1, -1);
	return 0;
}

/* ---- rounds ---- */

static void new_watchers_are_read_together(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		open_watcher(&watchers[i]);
	assert_null(asked); /* not inside on_open */
	turn();
	assert_int_equal(asked->n, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(id_eq(asked->lines[i].order_id, watchers[i].entry.order));
		assert_true(asked->lines[i].fresh && asked->lines[i].tenant == 7);
		assert_int_equal(asked->lines[i].after, 0);
	}
	answer_nothing_new();
	later(PAUSE_MS);
	assert_null(asked); /* and not again before something happens */
}

static void hint_reads_its_order_alone_and_at_once(void **state)
{
	(void)state;
	open_watchers(3);
	hear(hear_arg, watchers[1].entry.order);
	hear(hear_arg, watchers[1].entry.order);
	hear(hear_arg, id_new()); /* nobody's */
	turn();
	assert_int_equal(asked->n, 1);
	assert_true(is_asked(&watchers[1]));
	assert_false(asked->lines[0].fresh);
	assert_int_equal(asked->lines[0].after, 1);
	answer_nothing_new();
	later(PAUSE_MS);
	assert_null(asked);
}

static void order_moved_here_wakes_its_watchers_and_tells_others(void **state)
{
	(void)state;
	open_watchers(2);
	order_moved(&app, watchers[0].entry.order);
	assert_int_equal(hints_sent, 1);
	turn();
	assert_true(is_asked(&watchers[0]) && !is_asked(&watchers[1]));
}

/* What is being read may be from before the hint. */
static void hint_during_a_round_asks_again(void **state)
{
	(void)state;
	open_watchers(2);
	hear(hear_arg, watchers[0].entry.order);
	turn();
	hear(hear_arg, watchers[0].entry.order);
	hear(hear_arg, watchers[1].entry.order);
	answer_nothing_new();
	later(PAUSE_MS);
	assert_int_equal(asked->n, 2);
	answer_nothing_new();
	later(PAUSE_MS);
	assert_null(asked);
}

static void who_holds_something_is_not_read(void **state)
{
	(void)state;
	open_watchers(1);
	watchers[0].hold.n = 1; /* one event, not sent */
	hear(hear_arg, watchers[0].entry.order);
	later(POLL_MS);
	assert_null(asked);
	assert_true(watchers[0].again); /* watch_order.c looks at it when the event has left */
	watchers[0].hold.n = 0;
}

static void rounds_keep_their_distance(void **state)
{
	uint32_t rounds = 0;

	(void)state;
	open_watchers(1);
	for (int ms = 0; ms < 200; ms++) { /* a hint every millisecond */
		hear(hear_arg, watchers[0].entry.order);
		later(1);
		if (asked != NULL) {
			rounds++;
			answer_nothing_new();
		}
	}
	assert_in_range(rounds, 9, 11);
}

static void hinted_watchers_go_before_polled_ones_in_their_order(void **state)
{
	(void)state;
	open_watchers(MANY);
	later(POLL_MS); /* all of them are due, the first round is under way */
	assert_int_equal(asked->n, ROUND);
	for (int i = 3; i >= 1; i--)
		hear(hear_arg, watchers[i].entry.order);
	for (int i = 1; i <= 3; i++)
		assert_false(watchers[i].reading); /* opened first, last in the list */
	answer_nothing_new();
	later(PAUSE_MS);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(id_eq(asked->lines[i].order_id, watchers[3 - i].entry.order));
	answer_nothing_new();
	later(PAUSE_MS);
	assert_int_equal(asked->n, MANY - 2 * ROUND);
	answer_nothing_new();
	later(PAUSE_MS);
	assert_null(asked); /* each once */
}

/* ---- polls ---- */

static void poll_reads_everybody_once_a_pause(void **state)
{
	(void)state;
	open_watchers(5);
	looked = 0;
	later(POLL_MS);
	assert_int_equal(looked, 5);
	assert_int_equal(asked->n, 5);
	answer_nothing_new();
	later(POLL_MS - 1);
	assert_null(asked);
	later(1);
	assert_int_equal(asked->n, 5);
}

static void failed_round_is_made_good_by_the_next_poll(void **state)
{
	(void)state;
	open_watchers(2);
	open_watcher(&watchers[2]);
	hear(hear_arg, watchers[0].entry.order);
	turn();
	hear(hear_arg, watchers[1].entry.order);
	answer(ERR_STORE_UNAVAILABLE);
	later(PAUSE_MS);
	assert_null(asked); /* no hammering on a store that is away */
	later(POLL_MS);
	assert_int_equal(asked->n, 3);
	assert_true(is_asked(&watchers[0]) && is_asked(&watchers[1]) && is_asked(&watchers[2]));
	assert_true(watchers[2].fresh);
	answer_nothing_new();
	assert_false(watchers[2].fresh);
}

/* ---- coming and going ---- */

static void watcher_may_leave_at_any_moment(void **state)
{
	struct watcher *due = &watchers[0], *reading = &watchers[1], *idle = &watchers[2];

	(void)state;
	open_watchers(4);
	hear(hear_arg, reading->entry.order);
	turn();
	hear(hear_arg, due->entry.order);
	hear(hear_arg, watchers[3].entry.order);
	watches_remove(app.watches, reading);
	watches_remove(app.watches, due);
	watches_remove(app.watches, idle);
	rows[0] = (struct watch_events_row){.watch = 0, .version = 9, .seq = 9};
	n_rows = 1; /* for the one that has left */
	answer(ERR_OK);
	assert_int_equal(reading->version, 1);
	later(PAUSE_MS);
	assert_int_equal(asked->n, 1);
	assert_true(is_asked(&watchers[3]));
	for (int i = 0; i < 3; i++)
		watchers[i] = (struct watcher){0};
}

static void nobody_watches__nothing_ticks(void **state)
{
	(void)state;
	open_watchers(1);
	watches_remove(app.watches, &watchers[0]);
	watchers[0] = (struct watcher){0};
	looked = 0;
	later(10 * POLL_MS);
	assert_null(asked);
	assert_int_equal(looked, 0);
	open_watchers(1); /* and again somebody does; hints are asked for once */
	later(POLL_MS);
	assert_int_equal(asked->n, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(new_watchers_are_read_together),
		TEST(hint_reads_its_order_alone_and_at_once),
		TEST(order_moved_here_wakes_its_watchers_and_tells_others),
		TEST(hint_during_a_round_asks_again),
		TEST(who_holds_something_is_not_read),
		TEST(rounds_keep_their_distance),
		TEST(hinted_watchers_go_before_polled_ones_in_their_order),
		TEST(poll_reads_everybody_once_a_pause),
		TEST(failed_round_is_made_good_by_the_next_poll),
		TEST(watcher_may_leave_at_any_moment),
		TEST(nobody_watches__nothing_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
