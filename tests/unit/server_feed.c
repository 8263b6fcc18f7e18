/*
 * The feed of a tenant: what is read by whom, what each follower is sent, and that it is every
 * event once, however far behind it was.  The world is the test's own (server_feed_world.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/server_feed_world.h"

/* ---- places and the ring ---- */

static void place__is_read_as_written_and_nothing_else_is(void **state)
{
	static const char *const bad[] = {"",
					  "1",
					  "1.2",
					  "1.2.x.3",
					  "1.2.00000000-0000-0000-0000-000000000000",
					  "1.2.00000000-0000-0000-0000-000000000000.3.4",
					  "1.0.00000000-0000-0000-0000-000000000000.3",
					  "1.2.00000000-0000-0000-0000-000000000000.-3"};
	struct feed_place p = {INT64_MAX, id_new(), INT64_MAX}, got;
	char text[FEED_PLACE_SIZE];
	int64_t e;

	(void)state;
	assert_true(feed_place_read(feed_place_write(INT64_MIN + 1, &p, text), &e, &got));
	assert_int_equal(feed_place_cmp(&p, &got), 0);
	assert_true(e == INT64_MIN + 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(feed_place_read(str_of(bad[i]), &e, &got));
}

static void ring__gives_up_the_oldest_page_and_says_so(void **state)
{
	struct feed_ring r;
	struct feed_place start = feed_place_at(100), gone;
	uint64_t at;

	(void)state;
	feed_ring_init(&r, start);
	assert_true(feed_ring_find(&r, &start, &at) && at == 0);
	commit_events(FEED_PAGE_EVENTS * 3 + 5);
	for (uint32_t i = 0; i < n_events; i++)
		assert_true(feed_ring_push(&r, &events[i], feed_whose(7, STR("ada")), 3));
	assert_int_equal(r.first,
			 FEED_PAGE_EVENTS); /* three pages: two full ones and five events */
	assert_int_equal(r.end, n_events);
	assert_false(feed_ring_find(&r, &start, &at));
	gone = feed_row_place(&events[FEED_PAGE_EVENTS - 2]);
	assert_false(feed_ring_find(&r, &gone, &at)); /* the last given up is behind it */
	for (uint32_t i = FEED_PAGE_EVENTS - 1; i < n_events; i++) {
		struct feed_place p = feed_row_place(&events[i]);

		assert_true(feed_ring_find(&r, &p, &at) && at == i + 1);
	}
	assert_int_equal(feed_ring_at(&r, FEED_PAGE_EVENTS)->message->order_number,
			 FEED_PAGE_EVENTS);
	feed_ring_done(&r);
}

/* ---- one reader ---- */

static void many_follow__one_reads(void **state)
{
	(void)state;
	commit_events(10); /* of before: nobody is told */
	for (int i = 0; i < CALLS; i++)
		open_call(i, "", i % 2 == 0 ? "" : "ada");
	settle();
	assert_int_equal(answered, 1);
	for (int i = 0; i < CALLS; i++)
		assert_true(calls[i].messages == 1 && calls[i].empty == 1); /* a token */
	commit_events(30);
	hear(hear_arg, id_new());
	hear(hear_arg, id_new());
	settle();
	assert_int_equal(answered, 2);
	for (int i = 0; i < CALLS; i++)
		saw_all(&calls[i], 10, i % 2 == 0 ? "" : "ada");
}

static void moved_while_it_was_read__is_read_again(void **state)
{
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	assert_int_equal(asked(), 1);
	hear(hear_arg, id_new()); /* what is being read may be older */
	later(FEED_PAUSE_MS);
	answer_all(ERR_OK);
	commit_events(1);
	later(FEED_PAUSE_MS);
	assert_int_equal(asked(), 1);
	settle();
	saw_all(c, 0, "");
}

static void no_hint__the_poll_reads(void **state)
{
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	commit_events(1);
	settle();
	assert_int_equal(c->n_seen, 0);
	later(POLL_MS);
	settle();
	saw_all(c, 0, "");
}

static void held_up__is_asked_for_less_and_less_and_comes_when_it_may(void **state)
{
	struct call *c = open_call(0, "", "");
	uint32_t before;

	(void)state;
	settle();
	commit_events(5);
	horizon = 102; /* an older one still writes */
	hear(hear_arg, id_new());
	before = answered;
	for (int i = 0; i < 100; i++) { /* two seconds */
		later(FEED_PAUSE_MS);
		answer_all(ERR_OK);
		if (c->sending)
			take_message(c);
	}
	assert_in_range(answered - before, 5, 10); /* not a hundred times */
	saw_all(c, 0, "");
	assert_int_equal(c->n_seen, 2);
	horizon = 105;
	for (int i = 0; i < 3; i++) {
		later(POLL_MS);
		settle();
	}
	saw_all(c, 0, "");
	assert_int_equal(c->n_seen, 5);
}

static void reading_fails__followers_stay_and_the_poll_makes_it_good(void **state)
{
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	commit_events(3);
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	answer_all(ERR_STORE_UNAVAILABLE);
	settle();
	assert_true(c->n_seen == 0 && c->end == ERR_OK);
	later(POLL_MS);
	settle();
	saw_all(c, 0, "");
}

/* ---- cursors ---- */

static void comes_back__goes_on_behind_its_last_message(void **state)
{
	struct call *c = open_call(0, "", ""), *stays = open_call(1, "", "");
	char token[PAGE_TOKEN_SIZE];

	(void)state;
	settle();
	commit_events(100);
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	answer_all(ERR_OK);
	assert_int_equal(c->n_seen, FEED_SEND); /* one message, and no more before that has left */
	memcpy(token, c->token, sizeof(token));
	close_call(c);
	settle();
	c = open_call(0, token, "");
	settle();
	saw_all(c, FEED_SEND, "");
	saw_all(stays, 0, "");
}

/* Further than the ring: pages of its own, and then the ring, with no event twice or left out. */
static void far_behind__catches_up_and_joins(void **state)
{
	static const char *const whose[] = {"", "ada"};
	struct call *stays = open_call(0, "", "");

	(void)state;
	settle();
	for (int i = 0; i < 2; i++) {
		open_call(1 + i, "", whose[i]);
		settle();
		close_call(&calls[1 + i]);
	}
	for (int i = 0; i < 13; i++) {
		commit_events(100);
		hear(hear_arg, id_new());
		settle();
	}
	for (int i = 0; i < 2; i++)
		open_call(1 + i, calls[1 + i].token, whose[i]);
	for (int i = 0; i < 5; i++) { /* and more comes meanwhile */
		later(FEED_PAUSE_MS);
		commit_events(40);
		hear(hear_arg, id_new());
		answer_all(ERR_OK);
	}
	settle();
	for (int i = 0; i < 2; i++) {
		saw_all(&calls[1 + i], 0, whose[i]);
		assert_int_equal(calls[1 + i].state.state, FOLLOWER_JOINED);
	}
	saw_all(stays, 0, "");
}

/* It is still being sent a message when the ring goes past it. */
static void slow_for_a_while__falls_behind_and_catches_up(void **state)
{
	struct call *slow = open_call(0, "", ""), *quick = open_call(1, "", "");

	(void)state;
	settle();
	slow->stuck = true;
	for (int i = 0; i < 15; i++) {
		commit_events(100);
		hear(hear_arg, id_new());
		settle();
	}
	saw_all(quick, 0, "");
	assert_int_equal(slow->n_seen, FEED_SEND);
	slow->stuck = false;
	settle();
	saw_all(slow, 0, "");
}

static void slow_for_too_long__is_ended_alone(void **state)
{
	struct call *slow = open_call(0, "", ""), *quick = open_call(1, "", "");

	(void)state;
	settle();
	slow->stuck = true;
	commit_events(100);
	hear(hear_arg, id_new());
	settle();
	later(31000);
	settle();
	assert_int_equal(slow->end, ERR_SLOW_READER);
	assert_int_equal(quick->end, ERR_OK);
	saw_all(quick, 0, "");
}

static void quiet__is_told_how_far_the_feed_has_come(void **state)
{
	struct call *c = open_call(0, "", "ada");
	char token[PAGE_TOKEN_SIZE];

	(void)state;
	settle();
	memcpy(token, c->token, sizeof(token));
	horizon = 5000; /* others' business */
	for (int i = 0; i < 32; i++) {
		later(POLL_MS);
		settle();
	}
	assert_int_equal(c->empty, 2);
	assert_string_not_equal(c->token, token);
}

static void credential_has_ended__so_does_the_stream(void **state)
{
	struct call *c = open_call(0, "", ""), *other = open_call(1, "", "");

	(void)state;
	settle();
	c->who.role = ROLE_CUSTOMER; /* what rpc_identify_again() above takes for the end of it */
	later(31000);
	settle();
	assert_int_equal(c->end, ERR_UNAUTHENTICATED);
	assert_int_equal(other->end, ERR_OK);
}

/* ---- tokens and epochs ---- */

static void token_of_another_filter__is_no_token(void **state)
{
	char token[PAGE_TOKEN_SIZE];

	(void)state;
	open_call(0, "", "");
	settle();
	memcpy(token, calls[0].token, sizeof(token));
	assert_int_equal(open_call(1, token, "ada")->end, ERR_INVALID_ARGUMENT);
	violation = false;
	assert_int_equal(open_call(2, token, "")->end, ERR_OK);
}

static void database_begins_anew__all_are_told(void **state)
{
	char token[PAGE_TOKEN_SIZE];
	struct call *c = open_call(0, "", "");

	(void)state;
	settle();
	memcpy(token, c->token, sizeof(token));
	epoch++;
	hear(hear_arg, id_new());
	settle();
	assert_int_equal(c->end, ERR_FEED_BEGAN_ANEW);
	close_call(c);
	assert_int_equal(open_call(1, "", "")->end, ERR_OK);
	settle();
	c = open_call(2, token, "");
	settle();
	assert_int_equal(c->end, ERR_FEED_BEGAN_ANEW);
	c = open_call(3, calls[1].token, "");
	horizon -= 50; /* the past was put back, and nobody said so */
	commit_events(1);
	horizon = 60;
	later(POLL_MS);
	settle();
	assert_int_equal(c->end, ERR_FEED_BEGAN_ANEW);
}

static void leaves_at_any_moment__nothing_is_left(void **state)
{
	char old[PAGE_TOKEN_SIZE];

	(void)state;
	close_call(open_call(0, "", "")); /* while its feed is first read */
	later(1);
	open_call(0, "", "");
	settle();
	memcpy(old, calls[0].token, sizeof(old));
	commit_events(2000);
	hear(hear_arg, id_new());
	settle();
	open_call(1, old, "");
	later(FEED_PAUSE_MS);
	assert_int_equal(asked(), 1); /* a page for it */
	close_call(&calls[1]);
	answer_all(ERR_OK);
	open_call(1, old, "");
	close_call(&calls[1]); /* while it waits for one */
	commit_events(100);
	hear(hear_arg, id_new());
	later(FEED_PAUSE_MS);
	close_call(&calls[0]); /* the last of its feed, while that is read */
	settle();
	assert_true(app.feeds->first == NULL && app.feeds->reading == 0);
}

/* Its token is another server's, whose reader was quicker. */
static void ahead_of_this_reader__hears_nothing_twice(void **state)
{
	struct feed_place ahead = feed_place_at(105);
	char text[FEED_PLACE_SIZE], token[PAGE_TOKEN_SIZE];
	struct call *c, *other = open_call(0, "", "");

	(void)state;
	settle();
	page_token_write(&other->fl, "feed", STR(""), feed_place_write(epoch, &ahead, text), token);
	commit_events(10); /* and no hint has come */
	c = open_call(1, token, "");
	later(1);
	answer_all(ERR_OK);
	assert_int_equal(c->n_seen, 5);
	later(POLL_MS);
	settle();
	saw_all(c, 5, "");
	saw_all(other, 0, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(place__is_read_as_written_and_nothing_else_is),
		TEST(ring__gives_up_the_oldest_page_and_says_so),
		TEST(many_follow__one_reads),
		TEST(moved_while_it_was_read__is_read_again),
		TEST(no_hint__the_poll_reads),
		TEST(held_up__is_asked_for_less_and_less_and_comes_when_it_may),
		TEST(reading_fails__followers_stay_and_the_poll_makes_it_good),
		TEST(comes_back__goes_on_behind_its_last_message),
		TEST(far_behind__catches_up_and_joins),
		TEST(slow_for_a_while__falls_behind_and_catches_up),
		TEST(slow_for_too_long__is_ended_alone),
		TEST(quiet__is_told_how_far_the_feed_has_come),
		TEST(credential_has_ended__so_does_the_stream),
		TEST(token_of_another_filter__is_no_token),
		TEST(database_begins_anew__all_are_told),
		TEST(leaves_at_any_moment__nothing_is_left),
		TEST(ahead_of_this_reader__hears_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
