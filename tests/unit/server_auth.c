/*
 * Which addresses count as this machine's own, for what others can reach must be TLS and ask who
 * calls; and the names that identities may have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/identity.h"
#include "server/auth/listeners.h"
#include "server/auth/peer.h"

static void loopback_addresses_and_unix_sockets_are_local(void **state)
{
	static const char *const local[] = {"127.0.0.1:7070", "127.255.0.9:0", "[::1]:7070",
					    "localhost:1", "unix:/run/s"};

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_true(listener_is_local(str_of(local[i])));
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
		assert_false(listener_is_local(str_of(foreign[i])));
}

static void kind_is_a_prefix_and_no_part_of_the_address(void **state)
{
	struct str tls = STR("tls:10.0.0.1:7443"), plain = STR("10.0.0.1:7443"),
		   edge = STR("edge:unix:/run/e");

	(void)state;
	assert_int_equal(listener_kind(&tls), LISTENER_TLS);
	assert_true(str_eq(tls, plain));
	assert_int_equal(listener_kind(&plain), LISTENER_PLAIN);
	assert_int_equal(listener_kind(&edge), LISTENER_EDGE);
	assert_true(str_eq(edge, STR("unix:/run/e")));
}

static void every_role_is_found_by_its_name(void **state)
{
	enum role r = ROLE_CUSTOMER;

	(void)state;
	for (int i = 0; i < ROLES; i++) {
		assert_true(role_parse(role_name((enum role)i), &r));
		assert_int_equal(r, i);
	}
	assert_false(role_parse(STR("ops"), &r));
	assert_false(role_parse(STR("OPS_ADMIN"), &r));
	assert_false(role_parse((struct str){0}, &r));
}

static void name_is_one_printable_word(void **state)
{
	char longest[IDENTITY_NAME_MAX + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(identity_name_ok((struct str){longest, IDENTITY_NAME_MAX}));
	assert_false(identity_name_ok((struct str){longest, IDENTITY_NAME_MAX + 1}));
	assert_false(identity_name_ok(STR("")));
	assert_false(identity_name_ok(STR("two words")));
	assert_false(identity_name_ok(STR("line\n")));
	assert_false(identity_name_ok(STR("z\xc3\xbc")));
}

static void scopes_are_words_with_one_blank_between(void **state)
{
	(void)state;
	assert_true(identity_scopes_ok((struct str){0}));
	assert_true(identity_scopes_ok(STR("orders:read")));
	assert_true(identity_scopes_ok(STR("orders:read stock:write")));
	assert_false(identity_scopes_ok(STR(" a")));
	assert_false(identity_scopes_ok(STR("a ")));
	assert_false(identity_scopes_ok(STR("a  b")));
	assert_false(identity_scopes_ok(STR("a\tb")));
	assert_false(identity_scopes_ok(STR("a\"b")));
}

static void locations_are_codes_one_a_line(void **state)
{
	static const char *const bad[] = {
		"", "A\nB\x01", "A\tB", "A\n\nB", "A\x7f", "123456789012345678901234567890123"};
	char to[IDENTITY_LOCATIONS_MAX];
	size_t n = 0;

	(void)state;
	assert_true(identity_locations_ok(STR("HALL 1, left\nz\xc3\xbcrich")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(identity_locations_ok(str_of(bad[i])));
	while (identity_add_location(to, &n, STR("12345678901234567890123456789012")))
		;
	assert_int_equal(n, 15 * 33 - 1);
	assert_true(identity_add_location(to, &n, STR("12345678901234567")));
	assert_int_equal(n, IDENTITY_LOCATIONS_MAX);
	assert_false(identity_add_location(to, &n, STR("x")));
	assert_int_equal(n, IDENTITY_LOCATIONS_MAX);
	assert_true(identity_locations_ok((struct str){to, n}));
}

/* ---- certificates ---- */

static enum auth_cause read_uri(const char *uri, const char *prefix, struct identity *ret,
				struct arena *arena)
{
	return peer_read_uri(str_of(uri), str_of(prefix), arena, ret);
}

static void uri_of_a_certificate_names_tenant_role_and_machine(void **state)
{
	struct identity who;
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	assert_int_equal(read_uri("orderd://tenant/7/role/mes/packer-3", "orderd://", &who, &arena),
			 AUTH_OK);
	assert_int_equal(who.tenant, 7);
	assert_int_equal(who.role, ROLE_MES);
	assert_true(str_eq(who.subject, STR("cert:packer-3")));
	assert_null(who.customer.p);
	assert_int_equal(
		read_uri("spiffe://a/tenant/1/role/customer/c9", "spiffe://a/", &who, &arena),
		AUTH_OK);
	assert_true(str_eq(who.customer, STR("c9")));
	assert_null(who.locations.p);
	assert_int_equal(read_uri("orderd://tenant/7/role/mes/location/A+B/location/C/packer",
				  "orderd://", &who, &arena),
			 AUTH_OK);
	assert_true(str_eq(who.locations, STR("A+B\nC")));
	assert_true(str_eq(who.subject, STR("cert:packer")));
	assert_int_equal(read_uri("orderd://tenant/7/role/mes/location", "orderd://", &who, &arena),
			 AUTH_OK);
	assert_null(who.locations.p);
	arena_done(&arena);
}

static void uri_of_another_form_is_nobody(void **state)
{
	static const char *const bad[] = {
		"",
		"orderd://",
		"orderd:/tenant/1/role/mes/x",
		"ORDERD://tenant/1/role/mes/x",
		"spiffe://tenant/1/role/mes/x",
		"orderd:///tenant/1/role/mes/x",
		"orderd://tenant/0/role/mes/x",
		"orderd://tenant/-1/role/mes/x",
		"orderd://tenant/2147483648/role/mes/x",
		"orderd://tenant/1/role/king/x",
		"orderd://tenant/1/role/mes",
		"orderd://tenant/1/role/mes/",
		"orderd://tenant/1/role/mes/x/",
		"orderd://tenant/1/role/mes/x/y",
		"orderd://tenant//role/mes/x",
		"orderd://tenant/1/mes/role/x",
		"orderd://tenant/1/role/mes/x y",
		"orderd://tenant/1/role/mes/location/",
		"orderd://tenant/1/role/mes/location/A",
		"orderd://tenant/1/role/mes/location/A/",
		"orderd://tenant/1/role/mes/location//x",
		"orderd://tenant/1/role/mes/location/A B/x",
		"orderd://tenant/1/role/mes/location/A/location/x",
		"orderd://tenant/1/role/mes/location/123456789012345678901234567890123/x",
		"orderd://tenant/1/role/customer/location/A/c9",
	};
	struct identity who;
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_uri(bad[i], "orderd://", &who, &arena), AUTH_NO_IDENTITY);
	arena_done(&arena);
	arena_init(&arena, 8);
	assert_int_equal(read_uri("orderd://tenant/1/role/mes/a-name", "orderd://", &who, &arena),
			 AUTH_NO_ROOM);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_addresses_and_unix_sockets_are_local),
		cmocka_unit_test(everything_else_is_not_local),
		cmocka_unit_test(kind_is_a_prefix_and_no_part_of_the_address),
		cmocka_unit_test(every_role_is_found_by_its_name),
		cmocka_unit_test(name_is_one_printable_word),
		cmocka_unit_test(scopes_are_words_with_one_blank_between),
		cmocka_unit_test(locations_are_codes_one_a_line),
		cmocka_unit_test(uri_of_a_certificate_names_tenant_role_and_machine),
		cmocka_unit_test(uri_of_another_form_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
