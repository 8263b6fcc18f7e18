/*
 * bench load, place, get, status: how much orderd does, and how quickly.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "orderctl.h"

enum {
	CALLS_PER_CONNECTION = 100, /* a server allows 200 by default */
	LOAD_AT_ONCE = 1000,        /* items of one call, the most it takes */
};

static int64_t number_within(const struct args *a, const char *name, const char *otherwise,
			     int64_t least, int64_t most)
{
	int64_t n = number(option_or(a, name, otherwise), name);

	if (n < least || n > most)
		usage_error("--%s must lie in %lld..%lld", name, (long long)least, (long long)most);
	return n;
}

/* ---- place, get, status ---- */

static void read_options(const struct args *a, struct bench_options *o)
{
	o->clients = (int)number_within(a, "clients", "64", 1, BENCH_CLIENTS_MAX);
	o->calls = number_within(a, "orders", "0", 0, INT64_C(1000000000));
	o->seconds_us = number_within(a, "seconds", "10", 1, 86400) * 1000000;
	o->warmup_us = number_within(a, "warmup", "1", 0, 3600) * 1000000;
	o->rate = number_within(a, "rate", "0", 0, 10000000);
	o->seed = (uint64_t)number_within(a, "seed", "1", 0, INT64_MAX);
	o->lines = (int)number_within(a, "lines", "2", 1, BENCH_LINES_MAX);
	o->skus = (int)number_within(a, "skus", "10000", o->lines, BENCH_SKUS_MAX);
	o->ids_path = option(a, "ids");
	o->deadline_ms = a->deadline_ms;
	if (o->calls > 0 && option(a, "seconds") != NULL)
		usage_error("either --seconds or --orders");
	if (o->kind->by_id && o->ids_path == NULL)
		usage_error("--ids is required");
}

/* The seed decides what is ordered, not under which request id: a second run orders anew. */
static void name_run(struct bench *b)
{
	uint64_t nonce;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		usage_error("no random numbers to be had");
	snprintf(b->run, sizeof(b->run), "%016llx", (unsigned long long)nonce);
}

static void open_ids(struct bench *b)
{
	if (b->opt.kind->by_id) {
		bench_read_ids(b, b->opt.ids_path);
	} else if (b->opt.ids_path != NULL) {
		b->acknowledged = fopen(b->opt.ids_path, "ae");
		if (b->acknowledged == NULL)
			usage_error("%s cannot be written", b->opt.ids_path);
	}
}

static int run(const struct args *a, const struct bench_kind *kind)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct orderd_error e;
	bool failed;

	if (b == NULL)
		abort();
	b->opt.kind = kind;
	read_options(a, &b->opt);
	b->random = b->opt.seed;
	name_run(b);
	open_ids(b);
	b->calls = orderd_calls_new(&a->reach, 1 + (b->opt.clients - 1) / CALLS_PER_CONNECTION, &e);
	if (b->calls == NULL)
		usage_error("%s", e.message);
	bench_run(b);
	bench_report(b, a->json);
	failed = b->failed > 0;
	if (b->acknowledged != NULL && fclose(b->acknowledged) != 0)
		usage_error("%s cannot be written", b->opt.ids_path);
	orderd_calls_free(b->calls);
	free(b->ids);
	free(b);
	return failed ? EXIT_REFUSED : 0;
}

static int run_watch(struct args *a)
{
	static const struct bench_kind watch = {.name = "watch", .by_id = true};
	struct bench *b = calloc(1, sizeof(*b));
	bool failed;

	if (b == NULL)
		abort();
	b->opt = (struct bench_options){
		.kind = &watch,
		.clients = (int)number_within(a, "clients", "64", 1, BENCH_WATCHERS_MAX),
		.seconds_us = number_within(a, "seconds", "10", 1, 86400) * 1000000};
	bench_read_ids(b, need(a, "ids"));
	bench_watch_run(b, a->client);
	bench_report(b, a->json);
	failed = b->failed > 0;
	free(b->ids);
	free(b);
	return failed ? EXIT_REFUSED : 0;
}

static int run_place(struct args *a)
{
	return run(a, &bench_place);
}

static int run_get(struct args *a)
{
	return run(a, &bench_get);
}

static int run_status(struct args *a)
{
	return run(a, &bench_status);
}

/* ---- load ---- */

static int finish(const ProtobufCMessage *rs, const struct args *a, const struct orderd_error *e)
{
	if (rs == NULL)
		return print_error(a, e);
	protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)rs, NULL);
	return 0;
}

static int load_location(struct args *a, const char *code)
{
	Orderd__V1__CreateLocationRequest rq = ORDERD__V1__CREATE_LOCATION_REQUEST__INIT;
	Orderd__V1__Location l = ORDERD__V1__LOCATION__INIT;
	Orderd__V1__Address at = ORDERD__V1__ADDRESS__INIT;
	Orderd__V1__CreateLocationResponse *rs;
	struct orderd_error e;

	at.name = text("Bench");
	at.street = text("Ring 2");
	at.city = text("Berlin");
	at.postal_code = text("10115");
	at.country_code = text("DE");
	l.code = text(code);
	l.priority = 100;
	l.address = &at;
	rq.location = &l;
	rs = orderd_create_location(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL && strcmp(e.reason, "ALREADY_EXISTS") == 0)
		return 0;
	return finish(rs != NULL ? &rs->base : NULL, a, &e);
}

static int load_items(struct args *a, char (*skus)[BENCH_TEXT], size_t n)
{
	Orderd__V1__UpsertItemsRequest rq = ORDERD__V1__UPSERT_ITEMS_REQUEST__INIT;
	Orderd__V1__Item items[LOAD_AT_ONCE], *list[LOAD_AT_ONCE];
	Orderd__V1__Money price = ORDERD__V1__MONEY__INIT;
	Orderd__V1__UpsertItemsResponse *rs;
	struct orderd_error e;

	price.amount_minor = 1999;
	price.currency_code = text("EUR");
	for (size_t i = 0; i < n; i++) {
		orderd__v1__item__init(&items[i]);
		items[i].sku = text(skus[i]);
		items[i].title = text("Bench item");
		items[i].unit_price = &price;
		items[i].weight_grams = 250;
		list[i] = &items[i];
	}
	rq.items = list;
	rq.n_items = n;
	rs = orderd_upsert_items(a->client, &rq, a->deadline_ms, &e);
	return finish(rs != NULL ? &rs->base : NULL, a, &e);
}

static int load_stock(struct args *a, const char *location, char (*skus)[BENCH_TEXT], size_t n,
		      int64_t quantity)
{
	Orderd__V1__ReceiveStockRequest rq = ORDERD__V1__RECEIVE_STOCK_REQUEST__INIT;
	Orderd__V1__StockLine lines[LOAD_AT_ONCE], *list[LOAD_AT_ONCE];
	Orderd__V1__ReceiveStockResponse *rs;
	struct orderd_error e;

	for (size_t i = 0; i < n; i++) {
		orderd__v1__stock_line__init(&lines[i]);
		lines[i].sku = text(skus[i]);
		lines[i].quantity = quantity;
		list[i] = &lines[i];
	}
	rq.request_id = text(request_id(a));
	rq.location = text(location);
	rq.reference = text("bench");
	rq.lines = list;
	rq.n_lines = n;
	rs = orderd_receive_stock(a->client, &rq, a->deadline_ms, &e);
	return finish(rs != NULL ? &rs->base : NULL, a, &e);
}

static int run_load(struct args *a)
{
	unsigned n = (unsigned)number_within(a, "skus", "10000", 1, BENCH_SKUS_MAX);
	int64_t quantity = number_within(a, "quantity", "1000000", 1, 1000000000);
	const char *location = option_or(a, "location", "BENCH");
	static char skus[LOAD_AT_ONCE][BENCH_TEXT];
	int code = load_location(a, location);

	for (unsigned at = 0; code == 0 && at < n; at += LOAD_AT_ONCE) {
		unsigned here = n - at < LOAD_AT_ONCE ? n - at : LOAD_AT_ONCE;

		for (unsigned i = 0; i < here; i++)
			bench_sku(skus[i], at + i);
		code = load_items(a, skus, here);
		if (code == 0)
			code = load_stock(a, location, skus, here, quantity);
	}
	if (code == 0)
		printf("%u items, %lld of each at %s\n", n, (long long)quantity, location);
	return code;
}

#define RUN_OPTIONS "[--clients N] [--seconds S | --orders N] [--warmup S] [--rate N] [--seed N]"

const struct command bench_commands[] = {
	{"bench", "load", "[--skus N] [--quantity N] [--location CODE]", 0,
	 "items and stock for `bench place`; asked again, more of each", run_load},
	{"bench", "place", RUN_OPTIONS " [--skus N] [--lines N]\n        [--ids FILE]", 0,
	 "place orders and measure; acknowledged orders' ids go to FILE", run_place},
	{"bench", "get", RUN_OPTIONS " --ids FILE", 0, "show orders named in FILE and measure",
	 run_get},
	{"bench", "status", RUN_OPTIONS " --ids FILE", 0,
	 "ask where orders named in FILE stand and measure", run_status},
	{"bench", "watch", "[--clients N] [--seconds S] --ids FILE", 0,
	 "watch orders named in FILE and measure how soon their events are told", run_watch},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
