/*
 * Where a parcel is: what single scans mean, and that neither the order in which they are told nor
 * telling them twice matters, nor does any scan ever take a parcel back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/tracking.h"
#include "core/domain/tracking_table.h"

enum { SCANS_MAX = 8 };

#define SCAN(at, s, d)               \
	{                            \
		(at), STR(s), STR(d) \
	}

static const struct {
	const char *what;
	struct tracking_scan scans[SCANS_MAX]; /* ends with at_us 0 */
	const char *state, *exception;
	int leg;
	enum tracking_fate fate;
	bool accepted;
} rows[] = {
	{"nothing is known", {{0}}, NULL, NULL, 1, TRACKING_UNDER_WAY, false},
	{"unknown says nothing",
	 {SCAN(1, "unknown", "")},
	 NULL,
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 false},
	{"a label is no journey",
	 {SCAN(1, "pre_transit", "label_created")},
	 "pre_transit",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 false},
	{"under way",
	 {SCAN(1, "pre_transit", ""), SCAN(2, "in_transit", "arrived_at_facility")},
	 "in_transit",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"other words for the same",
	 {SCAN(1, "picked_up", "")},
	 "in_transit",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"a late in_transit takes nothing back",
	 {SCAN(3, "out_for_delivery", ""), SCAN(9, "in_transit", "")},
	 "out_for_delivery",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"a pickup point and a van are as far: the newer counts",
	 {SCAN(3, "out_for_delivery", ""), SCAN(5, "available_for_pickup", "")},
	 "available_for_pickup",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"delivered", {SCAN(4, "delivered", "")}, "delivered", NULL, 1, TRACKING_DELIVERED, true},
	{"delivered stays",
	 {SCAN(4, "delivered", ""), SCAN(8, "in_transit", "")},
	 "delivered",
	 NULL,
	 1,
	 TRACKING_DELIVERED,
	 true},
	{"the way back begins",
	 {SCAN(2, "out_for_delivery", ""), SCAN(5, "return_to_sender", "return")},
	 "return_to_sender",
	 NULL,
	 2,
	 TRACKING_UNDER_WAY,
	 true},
	{"it goes back",
	 {SCAN(2, "out_for_delivery", ""), SCAN(5, "return_to_sender", ""),
	  SCAN(6, "in_transit", "")},
	 "in_transit",
	 NULL,
	 2,
	 TRACKING_UNDER_WAY,
	 true},
	{"scans of the first leg do not count in the second",
	 {SCAN(5, "return_to_sender", ""), SCAN(2, "out_for_delivery", ""),
	  SCAN(4, "delivered", "")},
	 "return_to_sender",
	 NULL,
	 2,
	 TRACKING_UNDER_WAY,
	 true},
	{"delivered on the second leg is returned",
	 {SCAN(5, "return_to_sender", ""), SCAN(7, "delivered", "")},
	 "delivered",
	 NULL,
	 2,
	 TRACKING_RETURNED,
	 true},
	{"told to be back in the very second",
	 {SCAN(7, "delivered", ""), SCAN(7, "return_to_sender", "")},
	 "delivered",
	 NULL,
	 2,
	 TRACKING_RETURNED,
	 true},
	{"a failed delivery",
	 {SCAN(2, "out_for_delivery", ""), SCAN(3, "failure", "delivery_exception")},
	 "out_for_delivery",
	 "delivery_exception",
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"a failure without a detail",
	 {SCAN(3, "failure", "")},
	 NULL,
	 "failure",
	 1,
	 TRACKING_UNDER_WAY,
	 false},
	{"of two in one second trouble counts",
	 {SCAN(3, "failure", "lost"), SCAN(3, "in_transit", "")},
	 "in_transit",
	 "lost",
	 1,
	 TRACKING_LOST,
	 true},
	{"but what is delivered in that second is delivered",
	 {SCAN(3, "failure", "lost"), SCAN(3, "delivered", "")},
	 "delivered",
	 NULL,
	 1,
	 TRACKING_DELIVERED,
	 true},
	{"an ordinary scan takes it back",
	 {SCAN(3, "failure", ""), SCAN(4, "in_transit", "departed_facility")},
	 "in_transit",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"an unknown one does not",
	 {SCAN(3, "in_transit", "held"), SCAN(4, "unknown", "")},
	 "in_transit",
	 "held",
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"a word we do not know changes nothing",
	 {SCAN(3, "in_transit", "held"), SCAN(4, "teleported", "damaged")},
	 "in_transit",
	 "held",
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"a late failure is not the newest",
	 {SCAN(5, "in_transit", ""), SCAN(4, "failure", "damaged")},
	 "in_transit",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"held by a word of its own",
	 {SCAN(5, "on_hold", "")},
	 "in_transit",
	 "held",
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"lost", {SCAN(5, "failure", "lost")}, NULL, "lost", 1, TRACKING_LOST, false},
	{"found again",
	 {SCAN(5, "failure", "lost"), SCAN(6, "in_transit", "")},
	 "in_transit",
	 NULL,
	 1,
	 TRACKING_UNDER_WAY,
	 true},
	{"delivered is not lost",
	 {SCAN(5, "failure", "carrier_parcel_lost"), SCAN(4, "delivered", "")},
	 "delivered",
	 "lost",
	 1,
	 TRACKING_DELIVERED,
	 true},
	{"delivered, and damaged",
	 {SCAN(5, "delivered", "damaged")},
	 "delivered",
	 "damaged",
	 1,
	 TRACKING_DELIVERED,
	 true},
	{"refused, on its way back",
	 {SCAN(5, "return_to_sender", "refused")},
	 "return_to_sender",
	 "refused",
	 2,
	 TRACKING_UNDER_WAY,
	 true},
};

static bool same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void scans_mean_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t n = 0;
		struct tracking t;

		while (n < SCANS_MAX && rows[i].scans[n].at_us != 0)
			n++;
		t = tracking_fold(rows[i].scans, n);
		if (!same_text(t.state, rows[i].state) ||
		    !same_text(t.exception, rows[i].exception) || t.leg != rows[i].leg ||
		    t.fate != rows[i].fate || t.accepted != rows[i].accepted)
			fail_msg("%s: %s, %s, leg %d, %s", rows[i].what,
				 t.state != NULL ? t.state : "-",
				 t.exception != NULL ? t.exception : "-", t.leg,
				 tracking_fate_name(t.fate));
	}
}

/* ---- whatever is told, in whatever order ---- */

#define STATUS_WORD(word, state, rank, exception) word,
static const char *const words[] = {TRACKING_STATUS_TABLE(STATUS_WORD) "teleported"};
#define DETAIL_WORD(word, exception) word,
static const char *const details[] = {TRACKING_DETAIL_TABLE(DETAIL_WORD) "", "", "arrived"};

enum { ROUNDS = 20000, SOME_MAX = 9 };

static uint32_t chance(uint32_t below)
{
	static uint64_t seed = 7; /* splitmix64: the same scans in every run */
	uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (uint32_t)((z ^ (z >> 31)) % below);
}

static struct tracking_scan any_scan(void)
{
	return (struct tracking_scan){
		.at_us = 1 + chance(6), /* often the same */
		.status = str_of(words[chance(sizeof(words) / sizeof(words[0]))]),
		.detail = str_of(details[chance(sizeof(details) / sizeof(details[0]))])};
}

static void print_scans(const struct tracking_scan *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		print_message("  %d " STR_FMT " " STR_FMT "\n", (int)s[i].at_us,
			      STR_ARG(s[i].status), STR_ARG(s[i].detail));
}

static void must_be_same(struct tracking a, struct tracking b, const struct tracking_scan *s,
			 uint32_t n)
{
	if (same_text(a.state, b.state) && same_text(a.exception, b.exception) && a.leg == b.leg &&
	    a.rank == b.rank && a.fate == b.fate && a.accepted == b.accepted)
		return;
	print_scans(s, n);
	fail_msg("told in another order it is %s, leg %d, not %s, leg %d",
		 b.state != NULL ? b.state : "-", b.leg, a.state != NULL ? a.state : "-", a.leg);
}

static void order_and_repetition_do_not_matter(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct tracking_scan s[2 * SOME_MAX];
		uint32_t n = 1 + chance(SOME_MAX), once = n;
		struct tracking told;

		for (uint32_t i = 0; i < n; i++)
			s[i] = any_scan();
		told = tracking_fold(s, n);
		for (uint32_t more = chance(once + 1); more > 0; more--)
			s[n++] = s[chance(once)];
		for (uint32_t i = n - 1; i > 0; i--) {
			uint32_t k = chance(i + 1);
			struct tracking_scan swap = s[i];

			s[i] = s[k];
			s[k] = swap;
		}
		must_be_same(told, tracking_fold(s, n), s, n);
	}
}

/* Further on: a later leg, or further in the same one.  What has arrived may still come back. */
static void no_scan_takes_a_parcel_back(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct tracking_scan s[SOME_MAX + 1];
		uint32_t n = 1 + chance(SOME_MAX);
		struct tracking before, after;

		for (uint32_t i = 0; i <= n; i++)
			s[i] = any_scan();
		before = tracking_fold(s, n);
		after = tracking_fold(s, n + 1);
		if (after.leg < before.leg ||
		    (after.leg == before.leg && after.rank < before.rank) ||
		    (before.fate == TRACKING_RETURNED && after.fate != TRACKING_RETURNED) ||
		    (before.accepted && !after.accepted)) {
			print_scans(s, n + 1);
			fail_msg("the last one took it back to %s", after.state);
		}
	}
}

static void words_of_the_table_are_known_and_no_others(void **state)
{
	(void)state;
	assert_true(tracking_status_known(STR("in_transit")));
	assert_true(tracking_status_known(STR("unknown")));
	assert_false(tracking_status_known(STR("In_transit")));
	assert_false(tracking_status_known(STR("teleported")));
	assert_false(tracking_status_known(STR("")));
	assert_false(tracking_status_known((struct str){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scans_mean_what_the_table_says),
		cmocka_unit_test(order_and_repetition_do_not_matter),
		cmocka_unit_test(no_scan_takes_a_parcel_back),
		cmocka_unit_test(words_of_the_table_are_known_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
