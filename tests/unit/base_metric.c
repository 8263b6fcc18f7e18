/*
 * Metrics: counted, bounded, and printed so that Prometheus reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/metric.h"

/* Does the page hold this line? */
static int has_line(const char *line)
{
	size_t n = 0;
	char *page = metric_render(&n);
	char *at = page;
	size_t len = strlen(line);
	int found = 0;

	assert_int_equal(strlen(page), n);
	while (!found && (at = strstr(at, line)) != NULL) {
		found = (at == page || at[-1] == '\n') && at[len] == '\n';
		at++;
	}
	free(page);
	return found;
}

static void counter_without_label_is_shown_from_the_start(void **state)
{
	(void)state;
	assert_true(has_line("orderd_watch_slow_total 0"));
	metric_add(METRIC_watch_slow, NULL, 3);
	assert_true(has_line("orderd_watch_slow_total 3"));
	assert_true(has_line("# TYPE orderd_watch_slow_total counter"));
	assert_int_equal(metric_value(METRIC_watch_slow, NULL), 3);
}

static void two_part_label_becomes_two_labels(void **state)
{
	(void)state;
	metric_add(METRIC_rpc_handled, "PlaceOrder|OK", 1);
	metric_add(METRIC_rpc_handled, "PlaceOrder|OK", 1);
	metric_add(METRIC_rpc_handled, "PlaceOrder|OUT_OF_STOCK", 1);
	assert_true(has_line("orderd_rpc_handled_total{method=\"PlaceOrder\",code=\"OK\"} 2"));
	assert_true(has_line(
		"orderd_rpc_handled_total{method=\"PlaceOrder\",code=\"OUT_OF_STOCK\"} 1"));
	assert_int_equal(metric_value(METRIC_rpc_handled, "PlaceOrder|NOT_FOUND"), 0);
}

static void label_value_is_escaped(void **state)
{
	(void)state;
	metric_set(METRIC_jobs_running, "a\"b\\c\nd\xff", -5);
	assert_true(has_line("orderd_jobs_running{role=\"a\\\"b\\\\c\\nd?\"} -5"));
}

static void histogram_buckets_are_cumulative(void **state)
{
	(void)state;
	metric_observe_us(METRIC_rpc_seconds, "GetOrder", 400);
	metric_observe_us(METRIC_rpc_seconds, "GetOrder", 500);
	metric_observe_us(METRIC_rpc_seconds, "GetOrder", 7000);
	metric_observe_us(METRIC_rpc_seconds, "GetOrder", 20000000);
	assert_true(has_line("orderd_rpc_seconds_bucket{method=\"GetOrder\",le=\"0.0005\"} 2"));
	assert_true(has_line("orderd_rpc_seconds_bucket{method=\"GetOrder\",le=\"0.005\"} 2"));
	assert_true(has_line("orderd_rpc_seconds_bucket{method=\"GetOrder\",le=\"0.01\"} 3"));
	assert_true(has_line("orderd_rpc_seconds_bucket{method=\"GetOrder\",le=\"10\"} 3"));
	assert_true(has_line("orderd_rpc_seconds_bucket{method=\"GetOrder\",le=\"+Inf\"} 4"));
	assert_true(has_line("orderd_rpc_seconds_sum{method=\"GetOrder\"} 20.007900"));
	assert_true(has_line("orderd_rpc_seconds_count{method=\"GetOrder\"} 4"));
}

static void hostile_label_values_end_in_other(void **state)
{
	char label[300];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(label, sizeof(label), "host%d|200", i);
		metric_add(METRIC_http_calls, label, 1);
	}
	assert_int_equal(metric_value(METRIC_http_calls, "host255|200"), 1);
	assert_int_equal(metric_value(METRIC_http_calls, "host256|200"), 0);
	assert_int_equal(metric_value(METRIC_http_calls, "other|other"), 2000 - 256);
	assert_true(has_line("orderd_http_calls_total{host=\"other\",code=\"other\"} 1744"));
}

static void long_label_value_is_cut(void **state)
{
	char label[1000];

	(void)state;
	memset(label, 'k', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	metric_add(METRIC_job_done, label, 1);
	label[500] = '\0';
	assert_int_equal(metric_value(METRIC_job_done, label), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_without_label_is_shown_from_the_start),
		cmocka_unit_test(two_part_label_becomes_two_labels),
		cmocka_unit_test(label_value_is_escaped),
		cmocka_unit_test(histogram_buckets_are_cumulative),
		cmocka_unit_test(hostile_label_values_end_in_other),
		cmocka_unit_test(long_label_value_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
