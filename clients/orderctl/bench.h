/*
 * orderctl bench: a load generator.  One thread keeps `clients` calls under way and measures each.
 *
 * bench.c is the commands, bench_run.c the loop, bench_call.c what is asked and what came of it,
 * bench_watch.c the streams, bench_report.c what is said about it.
 */
#ifndef ORDERCTL_BENCH_H
#define ORDERCTL_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "orderd/calls.h"

enum {
	BENCH_CLIENTS_MAX = 10000,
	BENCH_WATCHERS_MAX = 1000, /* a thread each */
	BENCH_SKUS_MAX = 1000000,
	BENCH_LINES_MAX = 100,
	BENCH_REASONS_MAX = 32, /* what goes wrong in more ways than this is "other" */
	BENCH_TEXT = 64,        /* SKU, request id */
};

/* ---- latencies ---- */

/*
 * Microseconds, log-linear: 64 steps for each power of two, so a figure is at most 1.6 % too high;
 * the last one takes whatever is above an hour.
 */
enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 27 };

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS], n;
	int64_t max_us;
};

void histogram_add(struct histogram *h, int64_t us);
/* The latency that a part `q` of all calls did not exceed; 0 when there were none. */
int64_t histogram_at(const struct histogram *h, double q);

/* ---- a run ---- */

struct bench;

/* What can be measured. */
struct bench_kind {
	const char *name;
	bool by_id;                                /* asks for orders that are there: needs --ids */
	void (*start)(struct bench *b, void *tag); /* NULL: bench_watch.c */
};

struct bench_options {
	const struct bench_kind *kind;
	int clients, lines, skus, deadline_ms;
	int64_t calls;                       /* measured ones; 0: as many as the time allows */
	int64_t warmup_us, seconds_us, rate; /* rate 0: closed loop */
	uint64_t seed;
	const char *ids_path;
};

struct bench_reason {
	char name[64];
	uint64_t n;
};

struct bench {
	struct bench_options opt;
	struct orderd_calls *calls;
	uint64_t random;                    /* state of the seeded generator */
	char run[17];                       /* tells the request ids of this run from all others */
	uint64_t started, answered, failed; /* of all calls */
	int64_t from_us, to_us;             /* what is measured */
	struct histogram ok;                /* answered well, within that time */
	struct bench_reason reasons[BENCH_REASONS_MAX];
	int n_reasons;
	char (*ids)[256]; /* by_id: orders to ask for */
	size_t n_ids;
	FILE *acknowledged; /* place: their ids are written here, or NULL */
};

int64_t bench_now_us(void);
uint64_t bench_random(struct bench *b, uint64_t below);

/* bench_call.c */
extern const struct bench_kind bench_place, bench_get, bench_status;
void bench_sku(char to[BENCH_TEXT], unsigned i);
void bench_read_ids(struct bench *b, const char *path); /* exits 2 when there are none */
/* Keep the id of the order that was placed; false: the answer has none. */
bool bench_acknowledge(struct bench *b, const struct orderd_answer *a);
void bench_count_failure(struct bench *b, const struct orderd_answer *a);
struct bench_reason *bench_reason(struct bench *b, const char *name);

/* bench_run.c: runs until the time is over or the calls are made, and all have ended. */
void bench_run(struct bench *b);

/* bench_watch.c: until the time is over; b->ids are watched. */
void bench_watch_run(struct bench *b, struct orderd_client *client);

/* bench_report.c */
void bench_progress(const struct bench *b); /* a line that is written over */
void bench_report(const struct bench *b, bool json);

#endif
