/*
 * What a bench says: a line while it runs, figures at its end.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "bench.h"
#include "orderctl.h"

/* ---- latencies ---- */

/* The first 64 buckets are 1 us wide; each later row of 64 doubles the width. */
static unsigned bucket_of(uint64_t us)
{
	unsigned shift = 0;
	uint64_t at;

	while (us >> shift >= UINT64_C(2) * HISTOGRAM_STEPS)
		shift++;
	at = (uint64_t)shift * HISTOGRAM_STEPS + (us >> shift);
	return at < HISTOGRAM_BUCKETS ? (unsigned)at : HISTOGRAM_BUCKETS - 1;
}

/* The highest latency of a bucket. */
static int64_t top_of(unsigned bucket)
{
	unsigned shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;

	return (int64_t)(((uint64_t)bucket - (uint64_t)shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t us)
{
	if (us < 0)
		us = 0;
	h->counts[bucket_of((uint64_t)us)]++;
	h->n++;
	if (us > h->max_us)
		h->max_us = us;
}

int64_t histogram_at(const struct histogram *h, double q)
{
	uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen > want || (seen == h->n && seen > 0))
			return i + 1 < HISTOGRAM_BUCKETS && top_of(i) < h->max_us ? top_of(i)
										  : h->max_us;
	}
	return 0;
}

/* ---- telling ---- */

void bench_progress(const struct bench *b)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %llu answered, %llu failed, p99 %.1f ms   ",
			b->opt.kind->name, (unsigned long long)b->answered,
			(unsigned long long)b->failed, (double)histogram_at(&b->ok, 0.99) / 1000);
}

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static const struct {
	const char *name;
	double part;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

enum { QUANTILES = sizeof(quantiles) / sizeof(quantiles[0]) };

static void report_json(const struct bench *b, double seconds)
{
	json_t *o = json_object(), *latency = json_object(), *errors = json_object();
	char *line;

	for (int i = 0; i < QUANTILES; i++)
		json_object_set_new(
			latency, quantiles[i].name,
			json_real((double)histogram_at(&b->ok, quantiles[i].part) / 1000));
	json_object_set_new(latency, "max", json_real((double)b->ok.max_us / 1000));
	for (int i = 0; i < b->n_reasons; i++)
		json_object_set_new(errors, b->reasons[i].name,
				    json_integer((json_int_t)b->reasons[i].n));
	json_object_set_new(o, "bench", json_string(b->opt.kind->name));
	json_object_set_new(o, "clients", json_integer(b->opt.clients));
	json_object_set_new(o, "rate", json_integer(b->opt.rate));
	json_object_set_new(o, "seconds", json_real(seconds));
	json_object_set_new(o, "ok", json_integer((json_int_t)b->ok.n));
	json_object_set_new(o, "per_second", json_real((double)b->ok.n / seconds));
	json_object_set_new(o, "started", json_integer((json_int_t)b->started));
	json_object_set_new(o, "failed", json_integer((json_int_t)b->failed));
	json_object_set_new(o, "latency_ms", latency);
	json_object_set_new(o, "errors", errors);
	json_object_set_new(o, "client_cpu_us",
			    json_real(b->started > 0 ? cpu_us() / (double)b->started : 0));
	line = json_dumps(o, JSON_REAL_PRECISION(6) | JSON_COMPACT);
	if (line == NULL)
		abort();
	puts(line);
	free(line);
	json_decref(o);
}

static void report_text(const struct bench *b, double seconds)
{
	printf("%s: %llu in %.1f s, %.0f per second, %d clients\n", b->opt.kind->name,
	       (unsigned long long)b->ok.n, seconds, (double)b->ok.n / seconds, b->opt.clients);
	for (int i = 0; i < QUANTILES; i++)
		printf("  %-6s %10.3f ms\n", quantiles[i].name,
		       (double)histogram_at(&b->ok, quantiles[i].part) / 1000);
	printf("  %-6s %10.3f ms\n", "max", (double)b->ok.max_us / 1000);
	for (int i = 0; i < b->n_reasons; i++)
		printf("  failed %10llu %s\n", (unsigned long long)b->reasons[i].n,
		       b->reasons[i].name);
}

void bench_report(const struct bench *b, bool json)
{
	double seconds = (double)(b->to_us - b->from_us) / 1e6;

	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (seconds <= 0)
		seconds = 1e-6;
	if (json)
		report_json(b, seconds);
	else
		report_text(b, seconds);
}
