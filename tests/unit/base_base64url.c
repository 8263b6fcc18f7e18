/*
 * base64url: each value has one text, and every other text is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/base64url.h"
#include "core/base/random.h"

static void vectors_of_rfc_4648_without_padding(void **state)
{
	static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
	static const char *const coded[] = {"",       "Zg",      "Zm8",     "Zm9v",
					    "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
	char text[16];
	uint8_t back[16];

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		base64url_encode(plain[i], strlen(plain[i]), text);
		assert_string_equal(text, coded[i]);
		assert_int_equal(strlen(text), BASE64URL_LENGTH(strlen(plain[i])));
		assert_true(base64url_decode(str_of(coded[i]), back));
		assert_int_equal(BASE64URL_BYTES(strlen(coded[i])), strlen(plain[i]));
		assert_memory_equal(back, plain[i], strlen(plain[i]));
	}
}

static void any_bytes_come_back(void **state)
{
	uint8_t data[100], back[100];
	char text[BASE64URL_LENGTH(sizeof(data)) + 1];

	(void)state;
	for (size_t n = 0; n <= sizeof(data); n++) {
		random_bytes(data, n);
		base64url_encode(data, n, text);
		assert_true(base64url_decode(str_of(text), back));
		assert_memory_equal(back, data, n);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"A",    "AAAAA",  "Zg==", "Zh",   "Zm9",        "Zm+v",
		"Zm/v", "Zm9v\n", " Zm9", "Zm.v", "Z\xc3\xa4v", "=",
	};
	uint8_t back[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64url_decode(str_of(bad[i]), back));
	assert_false(base64url_decode((struct str){"Zm\0v", 4}, back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_4648_without_padding),
		cmocka_unit_test(any_bytes_come_back),
		cmocka_unit_test(other_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
