/*
 * Messages from JSON and to JSON, and the ids of a batch's lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clients/orderctl/batch.h"
#include "clients/orderctl/format.h"
#include "clients/orderctl/json.h"
#include "tests/unit/ctl.h"

#define PLACE &orderd__v1__place_order_request__descriptor

static ProtobufCMessage *read_as(const ProtobufCMessageDescriptor *d, const char *z)
{
	struct orderd_error e;
	ProtobufCMessage *m = json_read(d, z, strlen(z), &e);

	if (m == NULL)
		FAIL_SAYING("%s: %s: %s", e.message, e.violations[0].field, e.violations[0].why);
	return m;
}

static void assert_wrong(const ProtobufCMessageDescriptor *d, const char *z, const char *field,
			 const char *why)
{
	struct orderd_error e;

	assert_null(json_read(d, z, strlen(z), &e));
	assert_int_equal(e.status, 3);
	assert_string_equal(e.reason, "INVALID_JSON");
	if (field == NULL) {
		assert_non_null(strstr(e.message, why));
		return;
	}
	assert_int_equal(e.n_violations, 1);
	assert_string_equal(e.violations[0].field, field);
	if (strstr(e.violations[0].why, why) == NULL)
		FAIL_SAYING("%s: %s", z, e.violations[0].why);
}

static char *written(const ProtobufCMessage *m)
{
	json_t *o = json_of(m);
	char *z = json_dumps(o, 0);

	json_decref(o);
	return z;
}

static void both_spellings_are_one_field(void **state)
{
	Orderd__V1__PlaceOrderRequest *a = (Orderd__V1__PlaceOrderRequest *)read_as(
		PLACE, "{\"shipTo\":{\"postalCode\":\"1\"},\"validateOnly\":true}");
	Orderd__V1__PlaceOrderRequest *b = (Orderd__V1__PlaceOrderRequest *)read_as(
		PLACE, "{\"ship_to\":{\"postal_code\":\"1\"},\"validate_only\":true}");
	char *x = written(&a->base), *y = written(&b->base);

	(void)state;
	assert_string_equal(x, y);
	assert_true(a->validate_only);
	assert_int_equal(a->ship_to->postal_code.len, 1);
	free(x);
	free(y);
	protobuf_c_message_free_unpacked(&a->base, NULL);
	protobuf_c_message_free_unpacked(&b->base, NULL);
}

static void number_is_a_number_or_its_text(void **state)
{
	static const char *const same[] = {"5", "\"5\"", "5.0", "0.5e1"};
	char z[128];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		Orderd__V1__Money *m;

		snprintf(z, sizeof(z), "{\"amount_minor\":%s}", same[i]);
		m = (Orderd__V1__Money *)read_as(&orderd__v1__money__descriptor, z);
		assert_int_equal(m->amount_minor, 5);
		protobuf_c_message_free_unpacked(&m->base, NULL);
	}
}

static void number_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"5.5",     "\"5.5\"", "\"\"", "\" 5\"", "\"5 \"",
		"1e30",    "true",    "[]",   "{}",     "\"9223372036854775808\"",
		"\"--5\"", "\"0x5\""};
	char z[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(z, sizeof(z), "{\"amount_minor\":%s}", bad[i]);
		assert_wrong(&orderd__v1__money__descriptor, z, "amount_minor", "whole number");
	}
	assert_wrong(&orderd__v1__money__descriptor, "{\"amount_minor\":9223372036854775808}", NULL,
		     "too big");
	assert_wrong(&orderd__v1__item__descriptor, "{\"weight_grams\":2147483648}", "weight_grams",
		     "32 bits");
}

static void enum_is_its_name_in_any_case_or_its_number(void **state)
{
	static const char *const same[] = {"\"PAYMENT_STATE_DECLINED\"", "\"DECLINED\"",
					   "\"declined\"", "6", "\"payment_state_declined\""};
	char z[128];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		Orderd__V1__ListPaymentsRequest *m;

		snprintf(z, sizeof(z), "{\"state\":%s}", same[i]);
		m = (Orderd__V1__ListPaymentsRequest *)read_as(
			&orderd__v1__list_payments_request__descriptor, z);
		assert_int_equal(m->state, 6);
		protobuf_c_message_free_unpacked(&m->base, NULL);
	}
	assert_wrong(&orderd__v1__list_payments_request__descriptor, "{\"state\":\"rich\"}",
		     "state", "pending, unknown, authorized");
	assert_wrong(&orderd__v1__list_payments_request__descriptor, "{\"state\":99}", "state",
		     "one of");
}

static void unknown_field_is_refused_with_the_nearest(void **state)
{
	(void)state;
	assert_wrong(PLACE, "{\"custmer\":\"x\"}", "custmer", "did you mean customer?");
	assert_wrong(PLACE, "{\"lines\":[{},{\"skuu\":\"x\"}]}", "lines[1].skuu",
		     "did you mean sku?");
	assert_wrong(PLACE, "{\"\":1}", "(the whole)", "no such field");
	assert_wrong(PLACE, "{\"nothing_at_all_like_it\":1}", "nothing_at_all_like_it",
		     "PlaceOrderRequest");
}

static void wrong_value_is_named_by_its_path(void **state)
{
	(void)state;
	assert_wrong(PLACE, "{\"lines\":[{},{\"unit_price\":{\"amount_minor\":\"x\"}}]}",
		     "lines[1].unit_price.amount_minor", "not x");
	assert_wrong(PLACE, "{\"fallback_payment_methods\":[\"a\",null]}",
		     "fallback_payment_methods[1]", "not null");
	assert_wrong(PLACE, "{\"lines\":[null]}", "lines[0]", "an object is wanted");
	assert_wrong(PLACE, "{\"ship_to\":[]}", "ship_to", "an object is wanted, not a list");
	assert_wrong(PLACE, "{\"customer\":1}", "customer", "a text is wanted, not a number");
	assert_wrong(PLACE, "{\"validate_only\":1}", "validate_only", "true or false");
	assert_wrong(PLACE, "{\"shipTo\":{},\"ship_to\":{}}", "ship_to", "given twice");
	assert_wrong(PLACE, "{\"requestId\":\"a\",\"request_id\":\"b\"}", "request_id",
		     "given twice");
	assert_wrong(&orderd__v1__list_orders_request__descriptor, "{\"placed_after\":\"now\"}",
		     "placed_after", "a time is wanted");
	assert_wrong(&orderd__v1__watch_order_response__descriptor,
		     "{\"event\":{},\"heartbeat\":{}}", "heartbeat", "given already");
	assert_wrong(PLACE, "{\"a\"", NULL, "column");
	assert_wrong(PLACE, "{\n\"a\"", NULL, "line 2");
	assert_wrong(PLACE, "", NULL, "column 0");
}

static void null_is_not_given(void **state)
{
	Orderd__V1__PlaceOrderRequest *m = (Orderd__V1__PlaceOrderRequest *)read_as(
		PLACE,
		"{\"customer\":null,\"ship_to\":null,\"lines\":null,\"validate_only\":null}");

	(void)state;
	assert_int_equal(m->customer.len, 0);
	assert_null(m->ship_to);
	assert_int_equal(m->n_lines, 0);
	protobuf_c_message_free_unpacked(&m->base, NULL);
}

static void time_is_read_with_any_offset_and_printed_in_utc(void **state)
{
	static const char *const good[][2] = {
		{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"},
		{"2026-01-31T12:00:00.25+01:30", "2026-01-31T10:30:00.250Z"},
		{"2026-01-31 23:59:59.999999999-00:30", "2026-02-01T00:29:59.999Z"},
		{"2024-02-29t00:00:00z", "2024-02-29T00:00:00.000Z"},
		{"1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
	};
	static const char *const bad[] = {"",
					  "now",
					  "2026-01-31",
					  "2026-01-31T12:00:00",
					  "2026-02-30T00:00:00Z",
					  "2025-02-29T00:00:00Z",
					  "2026-13-01T00:00:00Z",
					  "2026-01-01T24:00:00Z",
					  "2026-01-01T00:00:00.Z",
					  "2026-01-01T00:00:00Zx",
					  "0001-01-01T00:00:00+00:01",
					  "9999-12-31T23:59:59-00:01"};
	Google__Protobuf__Timestamp t = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char to[TIME_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(read_time(good[i][0], &t));
		print_time(to, sizeof(to), &t);
		assert_string_equal(to, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(read_time(bad[i], &t));
	print_time(to, sizeof(to), NULL);
	assert_string_equal(to, "-");
}

static void money_has_the_places_of_its_currency(void **state)
{
	static const struct {
		int64_t minor;
		const char *currency, *shown;
	} rows[] = {
		{1999, "EUR", "19.99 EUR"},
		{5, "USD", "0.05 USD"},
		{-5, "EUR", "-0.05 EUR"},
		{1999, "JPY", "1999 JPY"},
		{1999, "KWD", "1.999 KWD"},
		{0, "EUR", "0.00 EUR"},
		{INT64_MIN, "EUR", "-92233720368547758.08 EUR"},
		{7, "", "7 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Orderd__V1__Money m = ORDERD__V1__MONEY__INIT;
		char to[MONEY_ROOM];

		m.amount_minor = rows[i].minor;
		m.currency_code = (ProtobufCBinaryData){strlen(rows[i].currency),
							(uint8_t *)(uintptr_t)rows[i].currency};
		print_money(to, sizeof(to), &m);
		assert_string_equal(to, rows[i].shown);
	}
}

/* ---------------------------------------------------------------- batches */

static void id_of(struct batch *b, const char *json, char to[BATCH_ID_ROOM])
{
	ProtobufCMessage *m = read_as(PLACE, json);

	assert_true(batch_request_id(b, m, to));
	protobuf_c_message_free_unpacked(m, NULL);
}

static void id_is_made_of_batch_content_and_how_often(void **state)
{
	struct batch *b = batch_new("monday"), *again = batch_new("monday"),
		     *other = batch_new("tuesday");
	char first[BATCH_ID_ROOM], second[BATCH_ID_ROOM], to[BATCH_ID_ROOM];

	(void)state;
	id_of(b, "{\"customer\":\"a\",\"channel\":\"web\"}", first);
	id_of(b, "{\"customer\":\"b\"}", to);
	assert_string_not_equal(first, to);
	id_of(b, "{ \"channel\" : \"web\", \"customer\":\"a\" }", second);
	assert_string_not_equal(first, second); /* alike, and another order */
	id_of(again, "{\"customer\":\"c\"}", to);
	id_of(again, "{\"customer\":\"a\",\"channel\":\"web\"}", to);
	assert_string_equal(first, to); /* wherever it stands */
	id_of(again, "{\"customer\":\"a\",\"channel\":\"web\"}", to);
	assert_string_equal(second, to);
	id_of(other, "{\"customer\":\"a\",\"channel\":\"web\"}", to);
	assert_string_not_equal(first, to);
	assert_true(strlen(second) <= 128);
	batch_free(b);
	batch_free(again);
	batch_free(other);
}

static void batch_of_many_lines_gives_each_its_own_id(void **state)
{
	enum { MANY = 5000 };

	struct batch *b = batch_new("x"), *again = batch_new("x");
	Orderd__V1__PlaceOrderRequest rq = ORDERD__V1__PLACE_ORDER_REQUEST__INIT;
	char one[BATCH_ID_ROOM], two[BATCH_ID_ROOM], name[16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		rq.customer = (ProtobufCBinaryData){strlen(name), (uint8_t *)name};
		assert_true(batch_request_id(b, &rq.base, one));
		assert_true(batch_request_id(again, &rq.base, two));
		assert_string_equal(one, two);
		assert_null(strchr(one + strlen("x-"), '-')); /* nobody has said it before */
	}
	batch_free(b);
	batch_free(again);
}

static void line_is_read_whole_or_said_to_be_too_long(void **state)
{
	char *to = malloc(LINE_BYTES_MAX);
	FILE *f = tmpfile();
	size_t n;

	(void)state;
	assert_non_null(to);
	fputs("one\n\n", f);
	for (int i = 0; i < LINE_BYTES_MAX; i++)
		putc_unlocked('a', f);
	putc('\n', f);
	for (int i = 0; i <= LINE_BYTES_MAX; i++)
		putc_unlocked('b', f);
	fputs("\nlast", f);
	rewind(f);
	assert_int_equal(read_line(f, to, &n), LINE_READ);
	assert_int_equal(n, 3);
	assert_int_equal(read_line(f, to, &n), LINE_READ);
	assert_int_equal(n, 0);
	assert_int_equal(read_line(f, to, &n), LINE_READ);
	assert_int_equal(n, LINE_BYTES_MAX);
	assert_int_equal(read_line(f, to, &n), LINE_TOO_LONG);
	assert_int_equal(read_line(f, to, &n), LINE_READ);
	assert_memory_equal(to, "last", 4);
	assert_int_equal(read_line(f, to, &n), LINE_NONE);
	fclose(f);
	free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_spellings_are_one_field),
		cmocka_unit_test(number_is_a_number_or_its_text),
		cmocka_unit_test(number_that_is_none_is_refused),
		cmocka_unit_test(enum_is_its_name_in_any_case_or_its_number),
		cmocka_unit_test(unknown_field_is_refused_with_the_nearest),
		cmocka_unit_test(wrong_value_is_named_by_its_path),
		cmocka_unit_test(null_is_not_given),
		cmocka_unit_test(time_is_read_with_any_offset_and_printed_in_utc),
		cmocka_unit_test(money_has_the_places_of_its_currency),
		cmocka_unit_test(id_is_made_of_batch_content_and_how_often),
		cmocka_unit_test(batch_of_many_lines_gives_each_its_own_id),
		cmocka_unit_test(line_is_read_whole_or_said_to_be_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
