/*
 * Which addresses count as this machine's own: auth=none stands or falls with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/runtime/auth.h"

static void loopback_addresses_and_unix_sockets_are_local(void **state)
{
	static const char *const local[] = {"127.0.0.1:7070", "127.255.0.9:0", "[::1]:7070",
					    "localhost:1", "unix:/run/s"};

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_true(auth_is_local(str_of(local[i])));
}

static void everything_else_is_not_local(void **state)
{
	static const char *const foreign[] = {
		"",
		"0.0.0.0:7070",
		"[::]:7070",
		"128.0.0.1:1",
		"10.0.0.1:1",
		"example.com:1",
		"localhost.evil:1",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"::1:7070",
		"[::1:7070",
		"[::ffff:127.0.0.1]:1",
		"127.1:1",
		"0x7f.0.0.1:1",
		"unix:",
		"[]:1",
		":7070",
		"127.0.0.1:1 ",
		"dns:///127.0.0.1:1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_false(auth_is_local(str_of(foreign[i])));
}

static void every_caller_is_tenant_1s_administrator(void **state)
{
	struct identity who = {0};

	(void)state;
	assert_int_equal(identify(NULL, NULL, &who), ERR_OK);
	assert_int_equal(who.tenant, 1);
	assert_int_equal(who.role, ROLE_OPS_ADMIN);
	assert_true(who.subject.n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_addresses_and_unix_sockets_are_local),
		cmocka_unit_test(everything_else_is_not_local),
		cmocka_unit_test(every_caller_is_tenant_1s_administrator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
