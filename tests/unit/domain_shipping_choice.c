/*
 * Which offer is bought: by price, by days, by name; of what can be compared alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/domain/shipping_choice.h"

#define OFFER(name, cents, cur, d)                                                              \
	{                                                                                       \
		.service = STR(name), .price = {.currency = cur, .minor = (cents)}, .days = (d) \
	}
#define CHOOSE(offers, wanted, currency) \
	shipping_choose(offers, sizeof(offers) / sizeof((offers)[0]), STR(wanted), STR(currency))

static const struct shipping_offer usual[] = {
	OFFER("Priority", 795, "USD", 2),
	OFFER("Ground", 450, "USD", 5),
	OFFER("Express", 2695, "USD", 1),
	OFFER("Ground", 440, "USD", 6),
	OFFER("Slow", 440, "USD", SHIPPING_DAYS_UNKNOWN),
};

static void cheapest_is_by_price_then_days(void **state)
{
	(void)state;
	assert_int_equal(CHOOSE(usual, "cheapest", "USD"), 3); /* not the one of unknown days */
	assert_int_equal(CHOOSE(usual, "CHEAPEST", "USD"), 3);
}

static void fastest_is_by_days_then_price(void **state)
{
	static const struct shipping_offer same_day[] = {
		OFFER("a", 100, "USD", SHIPPING_DAYS_UNKNOWN),
		OFFER("b", 900, "USD", 3),
		OFFER("c", 800, "USD", 3),
		OFFER("d", 800, "USD", 3),
	};

	(void)state;
	assert_int_equal(CHOOSE(usual, "fastest", "USD"), 2);
	assert_int_equal(CHOOSE(same_day, "fastest", "USD"), 2); /* the first of two as good */
	assert_int_equal(shipping_choose(same_day, 1, STR("fastest"), STR("USD")), 0);
	assert_int_equal(shipping_choose(usual, 5, STR("fastest"), STR("USD")), 2);
}

static void days_of_zero_are_the_fastest(void **state)
{
	static const struct shipping_offer offers[] = {OFFER("a", 1, "USD", 1),
						       OFFER("b", 2, "USD", 0)};

	(void)state;
	assert_int_equal(CHOOSE(offers, "fastest", "USD"), 1);
}

static void named_one_is_the_cheapest_of_that_name_whatever_its_case(void **state)
{
	(void)state;
	assert_int_equal(CHOOSE(usual, "ground", "USD"), 3);
	assert_int_equal(CHOOSE(usual, "EXPRESS", "USD"), 2);
	assert_int_equal(CHOOSE(usual, "Expres", "USD"), SHIPPING_NO_OFFER);
	assert_int_equal(CHOOSE(usual, "Overnight", "USD"), SHIPPING_NO_OFFER);
	assert_int_equal(CHOOSE(usual, "", "USD"), SHIPPING_NO_OFFER);
}

static void no_offers_no_choice(void **state)
{
	(void)state;
	assert_int_equal(shipping_choose(NULL, 0, STR("cheapest"), STR("EUR")), SHIPPING_NO_OFFER);
	assert_int_equal(shipping_choose(NULL, 0, STR("x"), STR("EUR")), SHIPPING_NO_OFFER);
}

static void currencies_are_not_compared(void **state)
{
	static const struct shipping_offer mixed[] = {
		OFFER("a", 500, "USD", 1), OFFER("b", 300, "EUR", 4), OFFER("c", 100, "JPY", 1),
		OFFER("d", 200, "EUR", 5), OFFER("e", 400, "USD", 2),
	};

	(void)state;
	assert_int_equal(CHOOSE(mixed, "cheapest", "EUR"), 3); /* the order's own */
	assert_int_equal(CHOOSE(mixed, "fastest", "EUR"), 1);
	assert_int_equal(CHOOSE(mixed, "cheapest", "CHF"), 4); /* as the first offer */
	assert_int_equal(CHOOSE(mixed, "c", "EUR"), SHIPPING_NO_OFFER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cheapest_is_by_price_then_days),
		cmocka_unit_test(fastest_is_by_days_then_price),
		cmocka_unit_test(days_of_zero_are_the_fastest),
		cmocka_unit_test(named_one_is_the_cheapest_of_that_name_whatever_its_case),
		cmocka_unit_test(no_offers_no_choice),
		cmocka_unit_test(currencies_are_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
