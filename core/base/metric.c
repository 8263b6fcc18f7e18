/*
 * Metrics: a small hash table of series per row of metric_table.h, printed as Prometheus
 * text (exposition format 0.0.4, prometheus.io/docs/instrumenting/exposition_formats).
 */
#include "core/base/metric.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/base/metric_process.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

enum {
	SERIES_MAX = 256, /* label values kept per metric; "other" is one more */
	SLOTS = 1024,     /* of the hash table: a power of two, never over a third full */
	LABEL_MAX = 120,  /* bytes of a label value; the rest is cut */
	BOUNDS = 18,
};

/* Half a millisecond (an order on a warm path) by way of ten seconds (a call's, a provider's
 * default deadline) and two minutes (a job's) to ten minutes (work that waits too long). */
static const struct bound {
	int64_t us;
	const char *seconds;
} bounds[BOUNDS] = {
	{500, "0.0005"},    {1000, "0.001"},    {2500, "0.0025"}, {5000, "0.005"},
	{10000, "0.01"},    {25000, "0.025"},   {50000, "0.05"},  {100000, "0.1"},
	{250000, "0.25"},   {500000, "0.5"},    {1000000, "1"},   {2500000, "2.5"},
	{5000000, "5"},     {10000000, "10"},   {30000000, "30"}, {60000000, "60"},
	{120000000, "120"}, {600000000, "600"},
};

struct histogram {
	uint64_t buckets[BOUNDS + 1]; /* the last: longer than every bound */
	int64_t sum_us;
};

struct series {
	char *label;
	_Atomic int64_t value; /* counter, gauge; histogram: observations */
	struct histogram *histogram;
};

struct family {
	struct series *all[SERIES_MAX + 1]; /* in order of first use */
	size_t n;
	uint16_t slots[SLOTS]; /* index into all[] plus one */
};

static const struct row {
	enum kind kind;
	const char *name;
	const char *label;
	const char *help;
} rows[METRIC_COUNT] = {

#define X(kind, name, label, help) [METRIC_##name] = {kind, #name, label, help},
	METRIC_TABLE(X)
#undef X
};

static struct family *families[METRIC_COUNT];

/* The slot where `label` is or would be. */
static size_t find_slot(const struct family *f, const char *label, size_t n)
{
	size_t at = hash_bytes(FNV_BASIS, label, n) % SLOTS; /* values are few and bounded */

	while (f->slots[at] != 0) {
		const char *there = f->all[f->slots[at] - 1]->label;

		if (strncmp(there, label, n) == 0 && there[n] == '\0')
			break;
		at = (at + 1) % SLOTS;
	}
	return at;
}

static struct series *add_series(struct family *f, enum kind kind, const char *label, size_t n)
{
	struct series *s = mem_alloc(sizeof(*s));

	assert(f->n < sizeof(f->all) / sizeof(f->all[0]));
	s->label = mem_printf("%.*s", (int)n, label);
	if (kind == HISTOGRAM)
		s->histogram = mem_alloc(sizeof(*s->histogram));
	f->slots[find_slot(f, label, n)] = (uint16_t)(f->n + 1);
	f->all[f->n++] = s;
	return s;
}

/* "other" has as many parts as its metric has labels. */
static const char *other_label(enum metric m)
{
	return strchr(rows[m].label, '_') != NULL ? "other|other" : "other";
}

static struct series *series_of(enum metric m, const char *label)
{
	struct family *f = families[m];
	size_t n, at;

	assert((label != NULL) == (rows[m].label[0] != '\0'));
	if (label == NULL)
		label = "";
	if (f == NULL)
		f = families[m] = mem_alloc(sizeof(*f));
	n = strnlen(label, LABEL_MAX);
	at = find_slot(f, label, n);
	if (f->slots[at] == 0 && f->n >= SERIES_MAX) {
		label = other_label(m);
		n = strlen(label);
		at = find_slot(f, label, n);
	}
	if (f->slots[at] == 0)
		return add_series(f, rows[m].kind, label, n);
	return f->all[f->slots[at] - 1];
}

_Atomic int64_t *metric_counter(enum metric m, const char *label)
{
	assert(rows[m].kind == COUNTER);
	return &series_of(m, label)->value;
}

void metric_add(enum metric m, const char *label, uint64_t n)
{
	atomic_fetch_add_explicit(metric_counter(m, label), (int64_t)n, memory_order_relaxed);
}

void metric_set(enum metric m, const char *label, int64_t value)
{
	assert(rows[m].kind == GAUGE);
	series_of(m, label)->value = value;
}

void metric_observe_us(enum metric m, const char *label, int64_t us)
{
	struct series *s = series_of(m, label);
	size_t b = 0;

	assert(rows[m].kind == HISTOGRAM);
	while (b < BOUNDS && us > bounds[b].us)
		b++;
	s->histogram->buckets[b]++;
	s->histogram->sum_us += us;
	atomic_fetch_add_explicit(&s->value, 1, memory_order_relaxed);
}

int64_t metric_value(enum metric m, const char *label)
{
	const struct family *f = families[m];
	size_t n, at;

	assert((label != NULL) == (rows[m].label[0] != '\0'));
	if (f == NULL)
		return 0;
	if (label == NULL)
		label = "";
	n = strnlen(label, LABEL_MAX);
	at = find_slot(f, label, n);
	return f->slots[at] != 0 ? f->all[f->slots[at] - 1]->value : 0;
}

/* A label value: backslash, quote and newline are escaped, what is no ASCII text is shown as '?'.
 */
static void print_value(FILE *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\n')
			(void)fputs("\\n", out);
		else if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else
			(void)fputc(c < 0x20 || c > 0x7e ? '?' : c, out);
	}
}

/* {method="PlaceOrder",code="OK"} - one pair for a plain label, two for a two-part one. */
static void print_labels(FILE *out, const char *names, const char *values, const char *le)
{
	const char *sep = "{";

	while (names[0] != '\0') {
		size_t n = strcspn(names, "_");
		size_t v = names[n] != '\0' ? strcspn(values, "|") : strlen(values);

		(void)fprintf(out, "%s%.*s=\"", sep, (int)n, names);
		print_value(out, values, v);
		(void)fputc('"', out);
		sep = ",";
		names += n + (names[n] != '\0');
		values += v + (values[v] != '\0');
	}
	if (le != NULL) {
		(void)fprintf(out, "%sle=\"%s\"", sep, le);
		sep = ",";
	}
	if (sep[0] == ',')
		(void)fputc('}', out);
}

static void print_histogram(FILE *out, const struct row *r, const struct series *s)
{
	uint64_t below = 0;

	for (size_t b = 0; b <= BOUNDS; b++) {
		below += s->histogram->buckets[b];
		(void)fprintf(out, "orderd_%s_bucket", r->name);
		print_labels(out, r->label, s->label, b < BOUNDS ? bounds[b].seconds : "+Inf");
		(void)fprintf(out, " %" PRIu64 "\n", below);
	}
	(void)fprintf(out, "orderd_%s_sum", r->name);
	print_labels(out, r->label, s->label, NULL);
	(void)fprintf(out, " %.6f\norderd_%s_count", (double)s->histogram->sum_us / 1e6, r->name);
	print_labels(out, r->label, s->label, NULL);
	(void)fprintf(out, " %" PRId64 "\n", s->value);
}

static void print_family(FILE *out, enum metric m)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	const struct row *r = &rows[m];
	const char *suffix = r->kind == COUNTER ? "_total" : "";

	if (r->label[0] == '\0')
		(void)series_of(m, NULL); /* shown from the start, as 0 */
	if (families[m] == NULL)
		return;
	(void)fprintf(out, "# HELP orderd_%s%s %s\n# TYPE orderd_%s%s %s\n", r->name, suffix,
		      r->help, r->name, suffix, types[r->kind]);
	for (size_t i = 0; i < families[m]->n; i++) {
		const struct series *s = families[m]->all[i];

		if (r->kind == HISTOGRAM) {
			print_histogram(out, r, s);
			continue;
		}
		(void)fprintf(out, "orderd_%s%s", r->name, suffix);
		print_labels(out, r->label, s->label, NULL);
		(void)fprintf(out, " %" PRId64 "\n", s->value);
	}
}

char *metric_render(size_t *ret_n)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_n);

	if (out == NULL)
		abort();
	metric_process_print(out);
	for (int m = 0; m < METRIC_COUNT; m++)
		print_family(out, (enum metric)m);
	if (fclose(out) != 0)
		abort(); /* the only thing that can fail here is the heap */
	return text;
}
