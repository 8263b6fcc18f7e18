/*
 * Counters, gauges and histograms from metric_table.h, as Prometheus text.
 * Loop thread only, but for what metric_counter() gives.  The names on the wire are orderd_<name>,
 * counters with _total.
 */
#ifndef ORDERD_BASE_METRIC_H
#define ORDERD_BASE_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "metric_table.h"

/* clang-format off */
enum metric {
#define X(kind, name, label, help) METRIC_##name,
	METRIC_TABLE(X)
#undef X
	METRIC_COUNT
};
/* clang-format on */

/*
 * `label` is the value of the row's label, NULL when the row has none.  Two-part labels
 * (method_code) are passed as "first|second".  At most 256 values are kept per metric;
 * further ones are counted under "other", so a hostile peer cannot grow the table.
 */
void metric_add(enum metric m, const char *label, uint64_t n);
void metric_set(enum metric m, const char *label, int64_t value);
void metric_observe_us(enum metric m, const char *label, int64_t us);

/* One that other threads add to as well, with atomic_fetch_add(); it lives for ever. */
_Atomic int64_t *metric_counter(enum metric m, const char *label);
int64_t metric_value(enum metric m, const char *label); /* counter or gauge; histogram: its count */

/* Prometheus text exposition format 0.0.4; heap, the caller frees; *ret_n is its length. */
char *metric_render(size_t *ret_n);

#endif
