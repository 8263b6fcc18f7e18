/*
 * What a provider's webhook must bring to be believed, and what is read of it.  The signatures were
 * made by the vendors' own libraries (stripe-node, @easypost/api) and by Python's hmac.
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
#include "server/webhooks/webhook_event.h"
#include "server/webhooks/webhook_signature.h"

#define OLD_SECRET "whsec_0123456789abcdef0123456789"
#define NEW_SECRET "whsec_the-next-one-0123456789"
#define CARRIERS   "carrier-secret-0123456789"
#define BODY       "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"charge.expired\"}"
#define OLD_SIGNED "94abab535ce041977d42ea2bef053729e1a3f6a1e26ca52d253a787faa4957e0"
#define NEW_SIGNED "89dbb9ab5818083ba64bd6527e75d3e9bd3c192cdea214650ad39db6f5457ccd"

enum { AT = 1700000000 };

static enum webhook_verdict gateway(const char *secrets, const char *header, const char *body,
				    int64_t now_s)
{
	struct webhook_secrets s;
	enum webhook_verdict v;

	assert_null(webhook_secrets_take(&s, mem_text(secrets)));
	v = webhook_check_gateway(&s, str_of(header), str_of(body), now_s);
	webhook_secrets_wipe(&s);
	return v;
}

static enum webhook_verdict carrier(const char *header, const char *body)
{
	struct webhook_secrets s;
	enum webhook_verdict v;

	assert_null(webhook_secrets_take(&s, mem_text(CARRIERS)));
	v = webhook_check_carrier(&s, str_of(header), str_of(body), AT);
	webhook_secrets_wipe(&s);
	return v;
}

/* ---- the gateway ---- */

static void what_the_gateway_signed_is_believed(void **state)
{
	(void)state;
	assert_int_equal(gateway(OLD_SECRET, "t=1700000000,v1=" OLD_SIGNED, BODY, AT),
			 WEBHOOK_SIGNED);
	assert_int_equal(gateway(OLD_SECRET "\n", "v1=" OLD_SIGNED ",t=1700000000", BODY, AT),
			 WEBHOOK_SIGNED);
}

static void while_a_secret_is_changed_either_will_do(void **state)
{
	static const char both[] = NEW_SECRET "\n" OLD_SECRET "\n";

	(void)state;
	assert_int_equal(gateway(both, "t=1700000000,v1=" OLD_SIGNED, BODY, AT), WEBHOOK_SIGNED);
	assert_int_equal(gateway(both, "t=1700000000,v1=" NEW_SIGNED, BODY, AT), WEBHOOK_SIGNED);
	/* the gateway signs with both of its own, and we have one of them */
	assert_int_equal(gateway(NEW_SECRET,
				 "t=1700000000,v1=" OLD_SIGNED ",v1=" NEW_SIGNED ",v0=abc", BODY,
				 AT),
			 WEBHOOK_SIGNED);
	assert_int_equal(gateway(NEW_SECRET, "t=1700000000,v1=" OLD_SIGNED, BODY, AT),
			 WEBHOOK_FORGED);
}

static void what_was_altered_is_not_believed(void **state)
{
	char header[] = "t=1700000000,v1=" OLD_SIGNED;

	(void)state;
	assert_int_equal(gateway(OLD_SECRET, header, BODY " ", AT), WEBHOOK_FORGED);
	assert_int_equal(gateway(OLD_SECRET, header, "", AT), WEBHOOK_FORGED);
	assert_int_equal(gateway(OLD_SECRET, "t=1700000001,v1=" OLD_SIGNED, BODY, AT),
			 WEBHOOK_FORGED);
	assert_int_equal(gateway(OLD_SECRET, "t=01700000000,v1=" OLD_SIGNED, BODY, AT),
			 WEBHOOK_FORGED);
	for (size_t i = strlen("t=1700000000,v1="); header[i] != '\0'; i++) {
		char was = header[i];

		header[i] = was == '0' ? '1' : '0';
		assert_int_equal(gateway(OLD_SECRET, header, BODY, AT), WEBHOOK_FORGED);
		header[i] = was;
	}
}

static void signature_of_another_time_is_stale(void **state)
{
	static const char header[] = "t=1700000000,v1=" OLD_SIGNED;

	(void)state;
	assert_int_equal(gateway(OLD_SECRET, header, BODY, AT + 300), WEBHOOK_SIGNED);
	assert_int_equal(gateway(OLD_SECRET, header, BODY, AT - 300), WEBHOOK_SIGNED);
	assert_int_equal(gateway(OLD_SECRET, header, BODY, AT + 301), WEBHOOK_STALE);
	assert_int_equal(gateway(OLD_SECRET, header, BODY, AT - 301), WEBHOOK_STALE);
	assert_int_equal(gateway(NEW_SECRET, header, BODY, AT + 301), WEBHOOK_FORGED);
}

static void header_that_is_none_is_not_believed(void **state)
{
	static const char *const headers[] = {
		"",
		"t",
		"t=",
		"=",
		",,,",
		"t=1700000000",
		"v1=" OLD_SIGNED,
		"t=,v1=" OLD_SIGNED,
		"t=-1,v1=" OLD_SIGNED,
		"t=1700000000,t=1700000000,v1=" OLD_SIGNED,
		"t=99999999999999999999,v1=" OLD_SIGNED,
		"t=1700000000,v1=" OLD_SIGNED "0",
		"t=1700000000,v1=g" OLD_SIGNED,
		"t=1700000000,v0=" OLD_SIGNED,
		"t=1700000000;v1=" OLD_SIGNED,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (gateway(OLD_SECRET, headers[i], BODY, AT) != WEBHOOK_FORGED)
			fail_msg("believed: %s", headers[i]);
}

/* ---- the carrier ---- */

static void what_the_carrier_signed_is_believed(void **state)
{
	static const char header[] =
		"hmac-sha256-hex="
		"e8829c55fe0e16af02230dc96826cb645e94dd52c9c697ed147a23ab996c7f7e";

	(void)state;
	assert_int_equal(carrier(header, "{\"description\":\"tracker.updated\"}"), WEBHOOK_SIGNED);
	assert_int_equal(carrier(header, "{\"description\":\"tracker.created\"}"), WEBHOOK_FORGED);
	assert_int_equal(carrier(header + strlen("hmac-sha256-hex="),
				 "{\"description\":\"tracker.updated\"}"),
			 WEBHOOK_FORGED);
	assert_int_equal(carrier("", ""), WEBHOOK_FORGED);
	assert_int_equal(carrier("hmac-sha256-hex=", ""), WEBHOOK_FORGED);
}

static void vendors_own_library_signs_the_same(void **state)
{
	(void)state;
	assert_int_equal(carrier("hmac-sha256-hex="
				 "8699a2c585265dc2d7447bd95ed5b850a6db4ee0f13b5d198c3efad372de765b",
				 "{\"id\":\"evt_1\",\"description\":\"tracker.updated\"}"),
			 WEBHOOK_SIGNED);
}

/* ---- secrets ---- */

static void file_that_holds_no_good_secret_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{"", "no secret"},
		{"\n\n", "no secret"},
		{"short", "shorter"},
		{OLD_SECRET "\nshort\n", "shorter"},
		{OLD_SECRET " \n", "printable"},
		{OLD_SECRET "\r\n", "printable"},
		{"s\xc3\xa9" OLD_SECRET, "printable"}, /* another Unicode form would be the key */
		{"0123456789abcdef\n0123456789abcdef\n0123456789abcdef\n0123456789abcdef\n"
		 "0123456789abcdef\n0123456789abcdef\n0123456789abcdef\n0123456789abcdef\n"
		 "0123456789abcdef\n",
		 "more than 8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct webhook_secrets s;
		const char *why = webhook_secrets_take(&s, mem_text(rows[i][0]));

		if (why == NULL || strstr(why, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], why);
		webhook_secrets_wipe(&s);
	}
}

/* ---- events ---- */

struct reading {
	const char *body, *id, *kind, *object; /* id NULL: refused */
};

static void read_all(webhook_read *read, const struct reading *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena arena;
		struct webhook_event e;
		const char *why;

		arena_init(&arena, 4096);
		why = read(str_of(rows[i].body), &arena, &e);
		if ((why == NULL) != (rows[i].id != NULL))
			fail_msg("%s: %s", rows[i].body, why != NULL ? why : "read");
		if (why == NULL &&
		    (!str_eq(e.id, str_of(rows[i].id)) || !str_eq(e.kind, str_of(rows[i].kind)) ||
		     !str_eq(e.object, str_of(rows[i].object))))
			fail_msg("%s: " STR_FMT " " STR_FMT " " STR_FMT, rows[i].body,
				 STR_ARG(e.id), STR_ARG(e.kind), STR_ARG(e.object));
		arena_done(&arena);
	}
}

#define READ_ALL(read, rows) read_all((read), (rows), sizeof(rows) / sizeof((rows)[0]))
#define EVENT(type, object)                                       \
	"{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"" type \
	"\",\"data\":{\"object\":" object "}}"

static void gateways_event_names_its_payment_intent(void **state)
{
	static const struct reading rows[] = {
		{EVENT("payment_intent.canceled",
		       "{\"id\":\"pi_1\",\"object\":\"payment_intent\"}"),
		 "evt_1", "payment_intent.canceled", "pi_1"},
		{EVENT("charge.expired",
		       "{\"id\":\"ch_1\",\"object\":\"charge\",\"payment_intent\":\"pi_2\"}"),
		 "evt_1", "charge.expired", "pi_2"},
		{EVENT("charge.expired",
		       "{\"id\":\"ch_1\",\"object\":\"charge\",\"payment_intent\":"
		       "{\"id\":\"pi_3\",\"object\":\"payment_intent\"}}"),
		 "evt_1", "charge.expired", "pi_3"},
		{EVENT("charge.expired",
		       "{\"id\":\"ch_1\",\"object\":\"charge\",\"payment_intent\":null}"),
		 "evt_1", "charge.expired", ""},
		{EVENT("customer.created", "{\"id\":\"cus_1\",\"object\":\"customer\"}"), "evt_1",
		 "customer.created", ""},
		{EVENT("x", "[]"), "evt_1", "x", ""},
		{"{\"id\":\"evt_1\",\"type\":\"x\"}", "evt_1", "x", ""},
	};

	(void)state;
	READ_ALL(webhook_read_gateway, rows);
}

static void carriers_event_names_its_tracking_code(void **state)
{
	static const struct reading rows[] = {
		{"{\"id\":\"evt_1\",\"description\":\"tracker.updated\",\"result\":{\"id\":\"trk_"
		 "1\","
		 "\"object\":\"Tracker\",\"tracking_code\":\"EZ1 2\",\"weight\":614.0}}",
		 "evt_1", "tracker.updated", "EZ1 2"},
		{"{\"id\":\"evt_1\",\"description\":\"batch.updated\",\"result\":{\"object\":"
		 "\"Batch\",\"tracking_code\":\"EZ1\"}}",
		 "evt_1", "batch.updated", ""},
		{"{\"id\":\"evt_1\",\"description\":\"tracker.updated\",\"result\":null}", "evt_1",
		 "tracker.updated", ""},
	};

	(void)state;
	READ_ALL(webhook_read_carrier, rows);
}

static void body_that_is_no_event_is_refused(void **state)
{
	static const struct reading rows[] = {
		{"", NULL},
		{"{", NULL},
		{"nonsense", NULL},
		{"[]", NULL},
		{"{}", NULL},
		{"{\"id\":\"evt_1\"}", NULL},
		{"{\"type\":\"x\"}", NULL},
		{"{\"id\":1,\"type\":\"x\"}", NULL},
		{"{\"id\":\"\",\"type\":\"x\"}", NULL},
		{"{\"id\":\"e\\n\",\"type\":\"x\"}", NULL},
		{"{\"id\":\"\\u00e9\",\"type\":\"x\"}", NULL},
		{"{\"id\":\"e\\u0000\",\"type\":\"x\"}", NULL},
		{"{\"id\":\"e\",\"type\":\"x\"} x", NULL},
		{"{\"id\":\"e\",\"id\":\"f\",\"type\":\"x\"}", NULL},
		{"{\"id\":\"e\",\"type\":\"\xff\"}", NULL},
	};

	(void)state;
	READ_ALL(webhook_read_gateway, rows);
}

static void lengths_and_depths_have_a_bound(void **state)
{
	char body[600], deep[WEBHOOK_DEPTH_MAX + 2];
	struct reading row = {body, NULL};

	(void)state;
	snprintf(body, sizeof(body), "{\"id\":\"%0*d\",\"type\":\"x\"}", WEBHOOK_ID_MAX + 1, 1);
	read_all(webhook_read_gateway, &row, 1);
	memset(deep, '[', sizeof(deep));
	for (int more = -1; more <= 0; more++) { /* the object is one of them */
		int depth = WEBHOOK_DEPTH_MAX + more;

		snprintf(body, sizeof(body),
			 "{\"id\":\"e[[\\\"[[\",\"type\":\"x\",\"y\":%.*s\"[[[\"%.*s}", depth, deep,
			 depth, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
		row = (struct reading){body, more < 0 ? "e[[\"[[" : NULL, "x", ""};
		read_all(webhook_read_gateway, &row, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_gateway_signed_is_believed),
		cmocka_unit_test(while_a_secret_is_changed_either_will_do),
		cmocka_unit_test(what_was_altered_is_not_believed),
		cmocka_unit_test(signature_of_another_time_is_stale),
		cmocka_unit_test(header_that_is_none_is_not_believed),
		cmocka_unit_test(what_the_carrier_signed_is_believed),
		cmocka_unit_test(vendors_own_library_signs_the_same),
		cmocka_unit_test(file_that_holds_no_good_secret_is_refused),
		cmocka_unit_test(gateways_event_names_its_payment_intent),
		cmocka_unit_test(carriers_event_names_its_tracking_code),
		cmocka_unit_test(body_that_is_no_event_is_refused),
		cmocka_unit_test(lengths_and_depths_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
