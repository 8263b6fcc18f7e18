/*
 * Money: whole minor units of one currency, and no sum that does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/domain/money.h"

static struct money euros(int64_t minor)
{
	return (struct money){.currency = "EUR", .minor = minor};
}

static void assert_money(struct money m, const char *currency, int64_t minor)
{
	assert_string_equal(m.currency, currency);
	assert_int_equal(m.minor, minor);
}

static void currency_is_three_capital_letters(void **state)
{
	static const struct str wrong[] = {{"", 0},     {"EU", 2},        {"EURO", 4}, {"eur", 3},
					   {"EU\0", 3}, {"E R", 3},       {"EU1", 3},  {"@UR", 3},
					   {"EU[", 3},  {"\303\204U", 3}, {NULL, 0}};
	char code[4] = "old";

	(void)state;
	assert_true(money_currency(STR("EUR"), code));
	assert_string_equal(code, "EUR");
	assert_true(money_currency(STR("AZZ"), code));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(money_currency(wrong[i], code));
		assert_string_equal(code, "AZZ");
	}
}

static void amount_is_kept_from_zero_to_the_largest(void **state)
{
	struct money m;

	(void)state;
	assert_true(money_of(STR("EUR"), 0, &m));
	assert_money(m, "EUR", 0);
	assert_true(money_of(STR("JPY"), MONEY_MAX_MINOR, &m));
	assert_money(m, "JPY", 9007199254740991);
}

static void amount_out_of_range_is_refused_and_nothing_written(void **state)
{
	struct money m = euros(7);

	(void)state;
	assert_false(money_of(STR("USD"), -1, &m));
	assert_false(money_of(STR("USD"), MONEY_MAX_MINOR + 1, &m));
	assert_false(money_of(STR("USD"), INT64_MAX, &m));
	assert_false(money_of(STR("USD"), INT64_MIN, &m));
	assert_false(money_of(STR("usd"), 1, &m));
	assert_money(m, "EUR", 7);
}

static void sum_is_exact_up_to_the_largest(void **state)
{
	struct money sum = euros(0);

	(void)state;
	assert_true(money_add(&sum, euros(MONEY_MAX_MINOR - 1)));
	assert_true(money_add(&sum, euros(1)));
	assert_money(sum, "EUR", MONEY_MAX_MINOR);
	assert_true(money_add(&sum, euros(0)));
}

static void sum_that_does_not_fit_is_refused_and_stays(void **state)
{
	struct money sum = euros(MONEY_MAX_MINOR);

	(void)state;
	assert_false(money_add(&sum, euros(1)));
	assert_false(money_add(&sum, euros(MONEY_MAX_MINOR)));
	assert_false(money_add(&sum, euros(INT64_MAX)));
	assert_money(sum, "EUR", MONEY_MAX_MINOR);
	sum = euros(5);
	assert_false(money_add(&sum, euros(-6)));
	assert_false(money_add(&sum, euros(INT64_MIN)));
	assert_money(sum, "EUR", 5);
}

static void currencies_do_not_mix(void **state)
{
	struct money sum = euros(5);

	(void)state;
	assert_false(money_add(&sum, (struct money){.currency = "EUC", .minor = 5}));
	assert_false(money_add(&sum, (struct money){.currency = "USD"}));
	assert_money(sum, "EUR", 5);
}

static void product_is_exact_or_refused(void **state)
{
	struct money m = {.currency = "old", .minor = 1};

	(void)state;
	assert_true(money_times(euros(1999), 3, &m));
	assert_money(m, "EUR", 5997);
	assert_true(money_times(euros(0), INT64_MAX, &m));
	assert_money(m, "EUR", 0);
	assert_true(money_times(euros(MONEY_MAX_MINOR), 1, &m));
	assert_money(m, "EUR", MONEY_MAX_MINOR);
	assert_false(money_times(euros(MONEY_MAX_MINOR / 2 + 1), 2, &m));
	assert_false(money_times(euros(INT64_C(1) << 32), INT64_C(1) << 32, &m)); /* 2^64: 0 */
	assert_false(money_times(euros(1), -1, &m));
	assert_false(money_times(euros(MONEY_MAX_MINOR), INT64_MIN, &m));
	assert_money(m, "EUR", MONEY_MAX_MINOR);
}

static void reads(const char *currency, int64_t minor, const char *text)
{
	char buf[MONEY_TEXT_SIZE];
	struct money m;

	assert_true(money_of(str_of(currency), minor, &m));
	assert_string_equal(money_format(m, buf), text);
}

static void amount_is_written_with_its_currency_s_digits(void **state)
{
	(void)state;
	reads("EUR", 0, "EUR 0.00");
	reads("EUR", 7, "EUR 0.07");
	reads("EUR", 99950, "EUR 999.50");
	reads("USD", 123456789, "USD 1,234,567.89");
	reads("JPY", 500, "JPY 500");
	reads("JPY", 1000, "JPY 1,000");
	reads("KWD", 1005, "KWD 1.005");
	reads("UYW", 12345, "UYW 1.2345");
	reads("CLP", MONEY_MAX_MINOR, "CLP 9,007,199,254,740,991");
	reads("EUR", MONEY_MAX_MINOR, "EUR 90,071,992,547,409.91");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(currency_is_three_capital_letters),
		cmocka_unit_test(amount_is_kept_from_zero_to_the_largest),
		cmocka_unit_test(amount_out_of_range_is_refused_and_nothing_written),
		cmocka_unit_test(sum_is_exact_up_to_the_largest),
		cmocka_unit_test(sum_that_does_not_fit_is_refused_and_stays),
		cmocka_unit_test(currencies_do_not_mix),
		cmocka_unit_test(product_is_exact_or_refused),
		cmocka_unit_test(amount_is_written_with_its_currency_s_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
