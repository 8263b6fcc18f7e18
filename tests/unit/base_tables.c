/*
 * The tables other code, documents and tests are made from: no row twice, no row empty.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/metric.h"

static void assert_unique(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			assert_string_not_equal(names[i], names[j]);
}

/* A sentence can stand in a cell of a Markdown table and on a line of its own. */
static void assert_sentence(const char *text)
{
	assert_true(strlen(text) > 1);
	assert_null(strpbrk(text, "|\n"));
}

static void errors_have_one_row_each(void **state)
{
	const char *names[ERR_COUNT];
	const char *texts[ERR_COUNT];

	(void)state;
	for (int e = 0; e < ERR_COUNT; e++) {
		names[e] = err_name((enum errc)e);
		texts[e] = err_text((enum errc)e);
		assert_sentence(texts[e]);
	}
	assert_unique(names, ERR_COUNT);
	assert_unique(texts, ERR_COUNT);
}

static void error_retry_class_fits_its_status(void **state)
{
	(void)state;
	assert_int_equal(ERR_OK, 0);
	assert_int_equal(err_status(ERR_OK), ERR_STATUS_OK);
	for (int e = 1; e < ERR_COUNT; e++) {
		enum err_status s = err_status((enum errc)e);

		assert_int_not_equal(s, ERR_STATUS_OK);
		/* gRPC's own retries act on UNAVAILABLE: it never means "as it is, never again". */
		if (s == ERR_STATUS_UNAVAILABLE)
			assert_int_not_equal(err_retry((enum errc)e), ERR_RETRY_NEVER);
		if (s == ERR_STATUS_INVALID_ARGUMENT || s == ERR_STATUS_NOT_FOUND)
			assert_int_equal(err_retry((enum errc)e), ERR_RETRY_NEVER);
	}
}

static void metrics_have_one_row_each(void **state)
{
	static const char *const names[] = {
#define X(kind, name, label, help) #name,
		METRIC_TABLE(X)
#undef X
	};
	static const char *const helps[] = {
#define X(kind, name, label, help) help,
		METRIC_TABLE(X)
#undef X
	};

	(void)state;
	assert_unique(names, METRIC_COUNT);
	for (int m = 0; m < METRIC_COUNT; m++) {
		assert_sentence(helps[m]);
		for (const char *p = names[m]; *p != '\0'; p++)
			assert_true(islower((unsigned char)*p) || *p == '_');
	}
}

static void settings_have_one_row_each(void **state)
{
	static const char *const names[] = {
#define X(kind, field, def, least, most, unit, text) #field,
		CONFIG_TABLE(X)
#undef X
	};

	static const struct {
		int64_t least, most;
		const char *text;
	} rows[] = {

#define X(kind, field, def, least, most, unit, text) {least, most, text},
		CONFIG_TABLE(X)
#undef X
	};

	(void)state;
	assert_unique(names, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_sentence(rows[i].text);
		assert_true(rows[i].least <= rows[i].most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_one_row_each),
		cmocka_unit_test(error_retry_class_fits_its_status),
		cmocka_unit_test(metrics_have_one_row_each),
		cmocka_unit_test(settings_have_one_row_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
