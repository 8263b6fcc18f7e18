/*
 * Shares of tenants and callers: seats of calls at work, and the file that says how often whom may
 * call what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "server/auth/rate_rules.h"
#include "server/runtime/seats.h"
#include "server/runtime/turned_away.h"

#define PLACE "/orderd.v1.OrderService/PlaceOrder"
#define GET   "/orderd.v1.OrderService/GetOrder"

/* ---- seats ---- */

static void leave(struct seats *s, struct seated *x, int n)
{
	for (int i = 0; i < n; i++)
		seats_leave(s, &x[i]);
}

static void tenant_and_caller_have_bounds_of_their_own(void **state)
{
	const struct seat *full;
	struct seats *s = seats_new(100, 5, 3);
	struct seated x[20] = {0};
	int n = 0;

	(void)state;
	for (; n < 3; n++)
		assert_int_equal(seats_take(s, 7, STR("key:a"), &x[n], &full), SEATS_TAKEN);
	assert_int_equal(seats_take(s, 7, STR("key:a"), &x[n], &full), SEATS_CALLER_FULL);
	assert_ptr_equal(full, x[0].caller);
	for (; n < 5; n++)
		assert_int_equal(seats_take(s, 7, STR("key:b"), &x[n], &full), SEATS_TAKEN);
	assert_int_equal(seats_take(s, 7, STR("key:c"), &x[n], &full), SEATS_TENANT_FULL);
	assert_ptr_equal(full, x[0].tenant);
	for (; n < 8; n++) /* the same name, of another tenant */
		assert_int_equal(seats_take(s, 8, STR("key:a"), &x[n], &full), SEATS_TAKEN);
	assert_int_equal(seats_count(s), 5);
	seats_leave(s, &x[0]);
	assert_int_equal(seats_take(s, 7, STR("key:a"), &x[0], &full), SEATS_TAKEN);
	leave(s, x, n);
	assert_int_equal(seats_count(s), 0);
	seats_free(s);
}

static void who_was_refused_holds_nothing(void **state)
{
	const struct seat *full;
	struct seats *s = seats_new(100, 1, 1);
	struct seated x = {0}, y = {0};

	(void)state;
	assert_int_equal(seats_take(s, 7, STR("key:a"), &x, &full), SEATS_TAKEN);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(seats_take(s, 7, STR("key:b"), &y, &full), SEATS_TENANT_FULL);
	assert_int_equal(seats_count(s), 2);
	seats_leave(s, &y);
	seats_leave(s, &x);
	seats_leave(s, &x); /* it has none any more */
	assert_int_equal(seats_count(s), 0);
	seats_free(s);
}

/* A caller without a name is not the tenant as a whole. */
static void nameless_caller_is_a_caller(void **state)
{
	const struct seat *full;
	struct seats *s = seats_new(100, 5, 2);
	struct seated x[3] = {0};

	(void)state;
	assert_int_equal(seats_take(s, 7, (struct str){0}, &x[0], &full), SEATS_TAKEN);
	assert_int_equal(seats_take(s, 7, STR(""), &x[1], &full), SEATS_TAKEN);
	assert_int_equal(seats_take(s, 7, (struct str){0}, &x[2], &full), SEATS_CALLER_FULL);
	leave(s, x, 2);
	seats_free(s);
}

static void as_many_callers_as_calls_are_kept_and_forgotten(void **state)
{
	enum { N = 3000 };
	const struct seat *full;
	struct seats *s = seats_new(100, N, 1);
	struct seated *x = mem_array(N, sizeof(*x));
	struct seats_row *rows = mem_array((size_t)2 * N, sizeof(*rows));
	char name[32];
	uint32_t all = 0;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N; i++) {
			struct str caller = {name,
					     (size_t)snprintf(name, sizeof(name), "jwt:%d", i)};

			assert_int_equal(seats_take(s, 7, caller, &x[i], &full), SEATS_TAKEN);
		}
		assert_int_equal(seats_count(s), N + 1);
		seats_list(s, rows);
		for (int i = 0; i <= N; i++)
			all += rows[i].n;
		assert_int_equal(all, 2 * N);
		all = 0;
		leave(s, x, N);
		assert_int_equal(seats_count(s), 0);
	}
	free(x);
	free(rows);
	seats_free(s);
}

/* ---- who was turned away ---- */

/* As admission.c would have it said. */
static struct refusal refusal_of(enum shed_cause cause)
{
	struct refusal r = {.cause = cause};

	status_make(&r.status, ERR_OVERLOADED, NULL, 0);
	return r;
}

static void note(struct turned_away *t, uint64_t fingerprint, const struct seat *missed,
		 enum shed_cause cause)
{
	struct refusal r = refusal_of(cause);

	turned_away_note(t, fingerprint, missed, &r);
}

/* Why a caller of this fingerprint is turned away; SHED_CAUSES: the loop shall see for itself. */
static enum shed_cause again(struct turned_away *t, uint64_t fingerprint)
{
	struct refusal r;

	if (!turned_away_again(t, fingerprint, &r))
		return SHED_CAUSES;
	assert_int_equal(r.status.code, GRPC_STATUS_RESOURCE_EXHAUSTED);
	assert_int_equal(r.status.n_trailers, 2);
	status_done(&r.status);
	return r.cause;
}

static void what_was_said_is_said_again_until_a_seat_is_given_back(void **state)
{
	struct turned_away *t = turned_away_new();
	struct seats *s = seats_new(100, 2, 1);
	struct seated a = {0}, b = {0}, none = {0};
	const struct seat *full;

	(void)state;
	assert_int_equal(again(t, 1), SHED_CAUSES);
	seats_take(s, 7, STR("a"), &a, &full);
	seats_take(s, 7, STR("b"), &b, &full);
	assert_int_equal(seats_take(s, 7, STR("c"), &none, &full), SEATS_TENANT_FULL);
	note(t, 1, full, SHED_TENANT);
	note(t, 2, b.caller, SHED_CALLER);
	assert_int_equal(again(t, 1), SHED_TENANT);
	assert_int_equal(again(t, 2), SHED_CALLER);
	assert_int_equal(again(t, 1 + TURNED_AWAY_PLACES),
			 SHED_CAUSES);   /* the same place, another caller */
	turned_away_forget(t, a.caller); /* whom nobody missed */
	assert_int_equal(again(t, 1), SHED_TENANT);
	turned_away_forget(t, a.tenant);
	assert_int_equal(again(t, 1), SHED_CAUSES);
	assert_int_equal(again(t, 2), SHED_CALLER);
	assert_true(turned_away_any(t));
	turned_away_forget(t, b.caller);
	assert_false(turned_away_any(t));
	seats_leave(s, &a);
	seats_leave(s, &b);
	seats_free(s);
	turned_away_free(t);
}

static void now_and_then_the_loop_sees_for_itself(void **state)
{
	struct turned_away *t = turned_away_new();
	const struct seat *seat = (const void *)t; /* never looked into */

	(void)state;
	note(t, 1, seat, SHED_CALLER);
	for (int i = 0; i < TURNED_AWAY_USES; i++)
		assert_int_equal(again(t, 1), SHED_CALLER);
	assert_int_equal(again(t, 1), SHED_CAUSES);
	note(t, 1, seat, SHED_CALLER); /* it said the same */
	assert_int_equal(again(t, 1), SHED_CALLER);
	note(t, 1 + TURNED_AWAY_PLACES, seat, SHED_CALLER);
	assert_int_equal(again(t, 1), SHED_CAUSES); /* written over */
	assert_int_equal(again(t, 1 + TURNED_AWAY_PLACES), SHED_CALLER);
	turned_away_free(t);
}

/* ---- rules ---- */

static const struct rate otherwise = {.every_ns = 1, .burst = 1};

static struct rate_rules *rules(const char *text, char why[200])
{
	return rate_rules_read(mem_text(text), strlen(text), why, 200);
}

static double per_second(const struct rate_rules *r, int32_t tenant, const char *method)
{
	struct rate found = rate_rules_find(r, tenant, method, otherwise);

	return found.every_ns > 0 ? 1e9 / (double)found.every_ns : 0;
}

static void rule_that_says_most_wins(void **state)
{
	char why[200];
	struct rate_rules *r =
		rules("# what partners may\n"
		      "*  *      50/s 100\n"
		      "\n"
		      "  *  " PLACE
		      "  20/s\r\n"
		      "7\t*\t6/m\n"
		      "7 " PLACE
		      " none\n"
		      "8 " GET " 7200/h 9",
		      why);

	(void)state;
	assert_non_null(r);
	assert_int_equal((int)per_second(r, 1, GET), 50);
	assert_int_equal((int)per_second(r, 1, PLACE), 20);
	assert_int_equal((int)(10 * per_second(r, 7, GET)), 1);
	assert_int_equal((int)per_second(r, 7, PLACE), 0);
	assert_int_equal((int)per_second(r, 8, GET), 2);
	assert_int_equal((int)per_second(r, 8, PLACE), 20);
	assert_int_equal(rate_rules_find(r, 1, GET, otherwise).burst, 100);
	assert_int_equal(rate_rules_find(r, 1, PLACE, otherwise).burst, 20);
	assert_int_equal(rate_rules_find(r, 7, GET, otherwise).burst, 1);
	assert_int_equal(rate_rules_find(r, 8, GET, otherwise).burst, 9);
	rate_rules_free(r);
	r = rules("8 " GET " 7200/h 9", why);
	assert_true(rate_rules_find(r, 8, PLACE, otherwise).every_ns == otherwise.every_ns);
	rate_rules_free(r);
	r = rules("", why);
	assert_true(rate_rules_find(r, 8, PLACE, otherwise).every_ns == otherwise.every_ns);
	rate_rules_free(r);
	assert_true(rate_rules_find(NULL, 8, PLACE, otherwise).every_ns == otherwise.every_ns);
}

static void mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{"seven * 5/s", "line 1: the tenant"},
		{"\n0 * 5/s", "line 2: the tenant"},
		{"-1 * 5/s", "line 1: the tenant"},
		{"7", "line 1: there is no such method"},
		{"7 PlaceOrder 5/s", "line 1: there is no such method"},
		{"7 " PLACE "x 5/s", "line 1: there is no such method"},
		{"7 *", "line 1: the rate"},
		{"7 * 5", "line 1: the rate"},
		{"7 * 5/d", "line 1: the rate"},
		{"7 * 0/s", "line 1: the rate"},
		{"7 * 1000001/s", "line 1: the rate"},
		{"7 * -5/s", "line 1: the rate"},
		{"7 * /s", "line 1: the rate"},
		{"7 * 5/s 0", "line 1: the rate"},
		{"7 * 5/s 1000001", "line 1: the rate"},
		{"7 * none 5", "line 1: the rate"},
		{"7 * 5/s 5 5", "line 1: more follows"},
		{"* * 5/s\n7 * 5/s\n* * 6/s", "line 3: this tenant"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char why[200] = "";

		assert_null(rules(wrong[i].text, why));
		if (strncmp(why, wrong[i].why, strlen(wrong[i].why)) != 0)
			fail_msg("%s: %s", wrong[i].text, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tenant_and_caller_have_bounds_of_their_own),
		cmocka_unit_test(who_was_refused_holds_nothing),
		cmocka_unit_test(nameless_caller_is_a_caller),
		cmocka_unit_test(what_was_said_is_said_again_until_a_seat_is_given_back),
		cmocka_unit_test(now_and_then_the_loop_sees_for_itself),
		cmocka_unit_test(as_many_callers_as_calls_are_kept_and_forgotten),
		cmocka_unit_test(rule_that_says_most_wins),
		cmocka_unit_test(mistake_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
