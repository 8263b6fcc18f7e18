/* policy_judge(): role, customer, locations, scope, operator, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/policy.h"

enum { OPERATOR = 7 };

/*                                        customer   service    mes       ops_read   ops_write
 * ops_admin */
static const struct policy_row orders = {
	"/o",
	"orders:read",
	false,
	{REACH_OWN, REACH_ALL, REACH_NO, REACH_ALL, REACH_ALL, REACH_ALL}};
static const struct policy_row stock = {
	"/s",
	"stock:read",
	false,
	{REACH_NO, REACH_ALL, REACH_AT, REACH_ALL, REACH_ALL, REACH_ALL}};
static const struct policy_row queues = {
	"/q",
	"ops:read",
	false,
	{REACH_NO, REACH_NO, REACH_NO, REACH_SITE, REACH_SITE, REACH_SITE}};
static const struct policy_row health = {
	"/h", "", false, {REACH_NO, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL}};

static enum errc judge(const struct policy_row *row, enum role role, const char *scopes,
		       const char *customer)
{
	struct identity who = {
		.tenant = 1, .role = role, .scopes = str_of(scopes), .customer = str_of(customer)};

	return policy_judge(row, &who, OPERATOR);
}

static void role__calls_what_its_cell_says(void **state)
{
	(void)state;
	assert_int_equal(judge(&orders, ROLE_SERVICE, NULL, NULL), ERR_OK);
	assert_int_equal(judge(&orders, ROLE_MES, NULL, NULL), ERR_PERMISSION_DENIED);
	assert_int_equal(judge(NULL, ROLE_OPS_ADMIN, NULL, NULL), ERR_PERMISSION_DENIED);
}

/* Whoever should be bound and is not reaches nothing, and who is bound nothing but what customers
 * do. */
static void customer__is_let_in_where_owners_are_looked_at(void **state)
{
	(void)state;
	assert_int_equal(judge(&orders, ROLE_CUSTOMER, NULL, "ada"), ERR_OK);
	assert_int_equal(judge(&orders, ROLE_CUSTOMER, NULL, NULL), ERR_PERMISSION_DENIED);
	assert_int_equal(judge(&stock, ROLE_CUSTOMER, NULL, "ada"), ERR_PERMISSION_DENIED);
	assert_int_equal(judge(&orders, ROLE_SERVICE, NULL, "ada"), ERR_OK);
	assert_int_equal(judge(&stock, ROLE_SERVICE, NULL, "ada"), ERR_PERMISSION_DENIED);
	assert_int_equal(judge(&orders, ROLE_MES, NULL, "ada"), ERR_PERMISSION_DENIED);
	assert_int_equal(judge(&orders, ROLE_OPS_ADMIN, NULL, ""),
			 ERR_OK); /* bound to nobody's orders */
	assert_int_equal(judge(&stock, ROLE_OPS_ADMIN, NULL, ""), ERR_PERMISSION_DENIED);
}

static enum errc judge_at(const struct policy_row *row, enum role role, const char *locations)
{
	struct identity who = {.tenant = 1, .role = role, .locations = str_of(locations)};

	return policy_judge(row, &who, OPERATOR);
}

/* Who names none reaches all of them; who names some, of whatever role, is let in where they are
 * looked at. */
static void locations__let_in_where_they_are_looked_at(void **state)
{
	(void)state;
	assert_int_equal(judge_at(&stock, ROLE_MES, NULL), ERR_OK);
	assert_int_equal(judge_at(&stock, ROLE_MES, "HALL"), ERR_OK);
	assert_int_equal(judge_at(&stock, ROLE_SERVICE, "HALL"), ERR_OK);
	assert_int_equal(judge_at(&stock, ROLE_MES, ""), ERR_OK); /* what is nowhere */
	assert_int_equal(judge_at(&orders, ROLE_MES, "HALL"), ERR_PERMISSION_DENIED);
	assert_int_equal(judge_at(&orders, ROLE_SERVICE, "HALL"), ERR_PERMISSION_DENIED);
	assert_int_equal(judge_at(&health, ROLE_SERVICE, "HALL"), ERR_PERMISSION_DENIED);
	assert_int_equal(judge_at(&queues, ROLE_OPS_ADMIN, ""), ERR_PERMISSION_DENIED);
	assert_int_equal(judge_at(&stock, ROLE_CUSTOMER, "HALL"), ERR_PERMISSION_DENIED);
}

static void scopes__narrow_and_never_widen(void **state)
{
	static const char *const without[] = {"stock:read", "orders", "orders:reader orders:rea",
					      "orders:write orders:READ", "openid"};

	(void)state;
	assert_int_equal(judge(&orders, ROLE_SERVICE, "", NULL), ERR_OK);
	assert_int_equal(judge(&orders, ROLE_SERVICE, "orders:read", NULL), ERR_OK);
	assert_int_equal(judge(&orders, ROLE_SERVICE, "openid orders:read x", NULL), ERR_OK);
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		assert_int_equal(judge(&orders, ROLE_SERVICE, without[i], NULL), ERR_SCOPE_MISSING);
	assert_int_equal(judge(&health, ROLE_SERVICE, "orders:read", NULL), ERR_OK);
	assert_int_equal(judge(&orders, ROLE_MES, "orders:read", NULL), ERR_PERMISSION_DENIED);
}

static void site__is_the_operators(void **state)
{
	struct identity who = {.tenant = OPERATOR, .role = ROLE_OPS_READ};

	(void)state;
	assert_int_equal(policy_judge(&queues, &who, OPERATOR), ERR_OK);
	assert_int_equal(policy_judge(&queues, &who, OPERATOR + 1), ERR_NOT_OPERATOR);
	assert_int_equal(policy_judge(&stock, &who, OPERATOR + 1), ERR_OK);
	who.role = ROLE_SERVICE;
	assert_int_equal(policy_judge(&queues, &who, OPERATOR), ERR_PERMISSION_DENIED);
}

static void scope__is_known_when_a_row_has_it(void **state)
{
	(void)state;
	assert_true(policy_has_scope(&policy_of_orderd, STR("orders:read")));
	assert_false(policy_has_scope(&policy_of_orderd, STR("orders:rea")));
	assert_false(policy_has_scope(&policy_of_orderd, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(role__calls_what_its_cell_says),
		cmocka_unit_test(customer__is_let_in_where_owners_are_looked_at),
		cmocka_unit_test(locations__let_in_where_they_are_looked_at),
		cmocka_unit_test(scopes__narrow_and_never_widen),
		cmocka_unit_test(site__is_the_operators),
		cmocka_unit_test(scope__is_known_when_a_row_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
