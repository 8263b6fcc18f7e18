/*
 * The state machines as a whole: what their tables promise besides the single moves.
 * (tests/integration/store compares the moves themselves with the database's.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/order_state.h"

static void every_name_is_read_back_as_its_state(void **state)
{
	(void)state;
	for (enum order_state s = 0; s < ORDER_STATES; s++)
		assert_int_equal(order_state_of(str_of(order_state_name(s))), s);
	for (enum payment_state s = 0; s < PAYMENT_STATES; s++)
		assert_int_equal(payment_state_of(str_of(payment_state_name(s))), s);
	for (enum fulfillment_state s = 0; s < FULFILLMENT_STATES; s++)
		assert_int_equal(fulfillment_state_of(str_of(fulfillment_state_name(s))), s);
}

static void text_of_no_state_is_none(void **state)
{
	static const struct str wrong[] = {{"", 0},         {"Pending", 7},   {"pendin", 6},
					   {"pending ", 8}, {"pending\0", 8}, {NULL, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(order_state_of(wrong[i]), ORDER_STATES);
		assert_int_equal(payment_state_of(wrong[i]), PAYMENT_STATES);
		assert_int_equal(fulfillment_state_of(wrong[i]), FULFILLMENT_STATES);
	}
}

static void bucket_names_are_lower_case_and_differ(void **state)
{
	(void)state;
	for (enum bucket b = 0; b < BUCKETS; b++) {
		const char *name = bucket_name(b);

		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (enum bucket c = 0; c < b; c++)
			assert_string_not_equal(name, bucket_name(c));
	}
}

static void four_order_states_are_final(void **state)
{
	static const bool final[ORDER_STATES] = {[ORDER_COMPLETED] = true,
						 [ORDER_CANCELLED] = true,
						 [ORDER_REJECTED] = true,
						 [ORDER_EXPIRED] = true};

	(void)state;
	for (enum order_state s = 0; s < ORDER_STATES; s++)
		assert_int_equal(order_state_is_final(s), final[s]);
}

static void no_state_moves_to_itself(void **state)
{
	(void)state;
	for (enum order_state s = 0; s < ORDER_STATES; s++)
		assert_null(order_edge_why(s, s));
	for (enum bucket b = 0; b < BUCKETS; b++)
		assert_null(bucket_edge_why(b, b));
}

/* A day's work may be undone, an order's life is not: no way leads back to where it was. */
static void order_never_comes_back_to_a_state(void **state)
{
	uint32_t beyond[ORDER_STATES] = {0}; /* states reached from each, by any number of moves */

	(void)state;
	for (int round = 0; round < ORDER_STATES; round++)
		for (enum order_state from = 0; from < ORDER_STATES; from++)
			for (enum order_state to = 0; to < ORDER_STATES; to++)
				if (order_edge_why(from, to) != NULL)
					beyond[from] |= (1U << to) | beyond[to];
	for (enum order_state s = 0; s < ORDER_STATES; s++)
		assert_int_equal(beyond[s] & (1U << s), 0);
	assert_int_equal(beyond[ORDER_PENDING] | 1U << ORDER_PENDING, (1U << ORDER_STATES) - 1);
}

static void order_with_money_held_ends_cancelled_only_by_cancelling(void **state)
{
	(void)state;
	assert_non_null(order_edge_why(ORDER_CONFIRMED, ORDER_CANCELLING));
	assert_non_null(order_edge_why(ORDER_CANCELLING, ORDER_CANCELLED));
	for (enum order_state to = 0; to < ORDER_STATES; to++)
		if (to != ORDER_CANCELLED)
			assert_null(order_edge_why(ORDER_CANCELLING, to));
	assert_null(order_edge_why(ORDER_CONFIRMED, ORDER_REJECTED));
	assert_null(order_edge_why(ORDER_CONFIRMED, ORDER_EXPIRED));
}

static void goods_that_left_the_house_are_not_cancelled(void **state)
{
	static const enum bucket gone[] = {BUCKET_PACKED, BUCKET_SHIPPED, BUCKET_DELIVERED,
					   BUCKET_RETURNED};

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		assert_null(bucket_edge_why(gone[i], BUCKET_CANCELLED));
}

/* Stock without an order and units of an order are two worlds; reservations are what joins them. */
static void goods_of_no_order_never_move_into_an_order_line(void **state)
{
	(void)state;
	for (enum bucket from = 0; from < BUCKETS; from++)
		for (enum bucket to = 0; to < BUCKETS; to++)
			if ((from <= BUCKET_UNAVAILABLE) != (to <= BUCKET_UNAVAILABLE))
				assert_null(bucket_edge_why(from, to));
	assert_null(bucket_edge_why(BUCKET_OUTSIDE, BUCKET_UNAVAILABLE));
}

static void cancelled_and_returned_units_stay_so(void **state)
{
	(void)state;
	for (enum bucket to = 0; to < BUCKETS; to++) {
		assert_null(bucket_edge_why(BUCKET_CANCELLED, to));
		assert_null(bucket_edge_why(BUCKET_RETURNED, to));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_read_back_as_its_state),
		cmocka_unit_test(text_of_no_state_is_none),
		cmocka_unit_test(bucket_names_are_lower_case_and_differ),
		cmocka_unit_test(four_order_states_are_final),
		cmocka_unit_test(no_state_moves_to_itself),
		cmocka_unit_test(order_never_comes_back_to_a_state),
		cmocka_unit_test(order_with_money_held_ends_cancelled_only_by_cancelling),
		cmocka_unit_test(goods_that_left_the_house_are_not_cancelled),
		cmocka_unit_test(goods_of_no_order_never_move_into_an_order_line),
		cmocka_unit_test(cancelled_and_returned_units_stay_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
