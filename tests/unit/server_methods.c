/*
 * The method table against the contract: what a proto promises is served, as it promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/auth/policy.h"
#include "server/rpc_table.h"
#include "server/runtime/descriptors.h"
#include "server/runtime/validate.h"

extern const unsigned char api_descriptor_set[];
extern const size_t api_descriptor_set_size;

static struct descriptors *d;

static int set_up(void **state)
{
	(void)state;
	d = descriptors_new(api_descriptor_set, api_descriptor_set_size);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	descriptors_free(d);
	return 0;
}

static const struct rpc_method *row_of(const char *path)
{
	for (size_t i = 0; i < rpc_table_size; i++)
		if (strcmp(rpc_table[i]->path, path) == 0)
			return rpc_table[i];
	return NULL;
}

static enum rpc_kind kind_of(const struct descriptors_method *m)
{
	if (m->client_streams)
		return RPC_BIDI;
	return m->server_streams ? RPC_SERVER_STREAM : RPC_UNARY;
}

/* v1alpha is served with v1's messages: the same bytes. */
static bool is_reflection(const char *path)
{
	return strncmp(path, "/grpc.reflection.", 17) == 0;
}

static void every_method_of_every_service_has_its_row(void **state)
{
	struct descriptors_method m;
	size_t n;

	(void)state;
	for (n = 0; descriptors_method(d, n, &m); n++) {
		const struct rpc_method *row = row_of(m.path);

		if (row == NULL)
			fail_msg("%s is promised and not served", m.path);
		assert_int_equal(row->kind, kind_of(&m));
		if (is_reflection(m.path))
			continue;
		assert_string_equal(row->request->name, m.request);
		assert_string_equal(row->response->name, m.response);
	}
	assert_int_equal(n, rpc_table_size); /* so no row is without a method, or there twice */
}

static void every_name_is_fit_for_a_label(void **state)
{
	(void)state;
	for (size_t i = 0; i < rpc_table_size; i++) {
		const struct rpc_method *a = rpc_table[i];

		assert_int_equal(strspn(a->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(a->name));
		for (size_t k = 0; k < i; k++)
			assert_true(strcmp(a->name, rpc_table[k]->name) != 0 ||
				    is_reflection(a->path));
	}
}

/* validator_shape() asserts that no request is recursive and no string lost its length. */
static void every_request_can_be_validated(void **state)
{
	struct validator *v = validator_new(d);

	(void)state;
	for (size_t i = 0; i < rpc_table_size; i++)
		assert_non_null(validator_shape(v, rpc_table[i]->request));
	validator_free(v);
}

static void every_table_of_steps_has_an_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < rpc_table_size; i++) {
		const struct rpc_method *m = rpc_table[i];
		int end = 0;

		if (m->kind != RPC_UNARY)
			continue;
		while (m->steps[end].ask != NULL)
			assert_true(++end < 64);
		assert_true(end > 0);
		for (int k = 0; k < end; k++) {
			assert_true(m->steps[k].on_error <= end);
			assert_true(m->steps[k].got == NULL || m->steps[k].deadline_ms > 0);
		}
	}
}

/*
 * Owners are looked at where customers call and nowhere else, so OWN is theirs and nobody's
 * besides, as AT is a mes's for locations; and an administrator, who makes keys of every role,
 * reaches all that they do.
 */
static void assert_is_a_row(const struct policy_row *row)
{
	assert_true(row->reach[ROLE_CUSTOMER] == REACH_NO ||
		    row->reach[ROLE_CUSTOMER] == REACH_OWN);
	assert_true(row->reach[ROLE_MES] == REACH_NO || row->reach[ROLE_MES] == REACH_AT);
	if (row->reach[ROLE_MES] == REACH_AT)
		assert_int_equal(row->reach[ROLE_OPS_ADMIN], REACH_ALL);
	for (int r = 0; r < ROLES; r++) {
		if (r == ROLE_CUSTOMER || r == ROLE_MES)
			continue;
		assert_int_not_equal(row->reach[r], REACH_OWN);
		assert_int_not_equal(row->reach[r], REACH_AT);
		if (row->reach[r] != REACH_NO)
			assert_int_equal(row->reach[r], row->reach[ROLE_OPS_ADMIN]);
	}
	if (row->reach[ROLE_OPS_ADMIN] == REACH_NO)
		fail_msg("%s: no administrator may call it", row->path);
}

static void every_method_says_who_may_call_it(void **state)
{
	size_t closed = 0;

	(void)state;
	for (size_t i = 0; i < rpc_table_size; i++) {
		const struct rpc_method *m = rpc_table[i];
		const struct policy_row *row = policy_find(&policy_of_orderd, m->path);

		if (m->open) {
			assert_null(row);
			continue;
		}
		closed++;
		if (row == NULL)
			fail_msg("%s: nobody may call it", m->path);
		assert_is_a_row(row);
	}
	assert_int_equal(policy_of_orderd.n_rows, closed); /* no row is another's, or there twice */
	assert_null(policy_find(&policy_of_orderd, "/orderd.v1.OrderService/Nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_method_of_every_service_has_its_row, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(every_request_can_be_validated, set_up, tear_down),
		cmocka_unit_test(every_name_is_fit_for_a_label),
		cmocka_unit_test(every_table_of_steps_has_an_end),
		cmocka_unit_test(every_method_says_who_may_call_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
