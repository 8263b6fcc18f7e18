/*
 * What a bench asks, and what it keeps of the answers.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "orderctl.h"

/* ---- place ---- */

void bench_sku(char to[BENCH_TEXT], unsigned i)
{
	snprintf(to, BENCH_TEXT, "bench-%06u", i);
}

/* Lines of one order are of different items. */
static unsigned draw_sku(struct bench *b, const unsigned *drawn, int n)
{
	for (;;) {
		unsigned sku = (unsigned)bench_random(b, (uint64_t)b->opt.skus);
		bool again = false;

		for (int i = 0; i < n; i++)
			again |= drawn[i] == sku;
		if (!again)
			return sku;
	}
}

static void start_place(struct bench *b, void *tag)
{
	Orderd__V1__PlaceOrderRequest rq = ORDERD__V1__PLACE_ORDER_REQUEST__INIT;
	Orderd__V1__Address to = ORDERD__V1__ADDRESS__INIT;
	Orderd__V1__NewOrderLine lines[BENCH_LINES_MAX], *list[BENCH_LINES_MAX];
	char skus[BENCH_LINES_MAX][BENCH_TEXT], request[BENCH_TEXT], customer[BENCH_TEXT];
	unsigned drawn[BENCH_LINES_MAX];

	snprintf(request, sizeof(request), "bench-%s-%llu", b->run, (unsigned long long)b->started);
	snprintf(customer, sizeof(customer), "customer-%llu",
		 (unsigned long long)bench_random(b, 100000));
	for (int i = 0; i < b->opt.lines; i++) {
		drawn[i] = draw_sku(b, drawn, i);
		bench_sku(skus[i], drawn[i]);
		orderd__v1__new_order_line__init(&lines[i]);
		lines[i].sku = text(skus[i]);
		lines[i].quantity = 1;
		list[i] = &lines[i];
	}
	to.name = text("Ada Example");
	to.street = text("Ring 1");
	to.city = text("Hamburg");
	to.postal_code = text("20095");
	to.country_code = text("DE");
	to.email = text("ada@customer.example");
	rq.request_id = text(request);
	rq.customer = text(customer);
	rq.channel = text("web");
	rq.payment_method = text("pm_card_visa");
	rq.ship_to = &to;
	rq.lines = list;
	rq.n_lines = (size_t)b->opt.lines;
	orderd_calls_start(b->calls, ORDERD_PLACE_ORDER, &rq.base, b->opt.deadline_ms, tag);
}

bool bench_acknowledge(struct bench *b, const struct orderd_answer *a)
{
	Orderd__V1__PlaceOrderResponse *rs;
	bool known;

	if (b->acknowledged == NULL)
		return a->bytes != NULL;
	rs = orderd__v1__place_order_response__unpack(NULL, a->n, a->bytes);
	known = rs != NULL && rs->order != NULL && rs->order->order_id.len > 0;
	if (known)
		fprintf(b->acknowledged, "%.*s\n", (int)rs->order->order_id.len,
			rs->order->order_id.data);
	orderd__v1__place_order_response__free_unpacked(rs, NULL);
	return known;
}

/* ---- get, status ---- */

void bench_read_ids(struct bench *b, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[256];
	size_t room = 0;

	if (f == NULL)
		usage_error("%s cannot be read", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (b->n_ids == room) {
			room = 2 * room + 1024;
			b->ids = realloc(b->ids, room * sizeof(*b->ids));
			if (b->ids == NULL)
				abort();
		}
		if (*line != '\0')
			snprintf(b->ids[b->n_ids++], sizeof(*b->ids), "%s", line);
	}
	(void)fclose(f);
	if (b->n_ids == 0)
		usage_error("%s holds no order's id", path);
}

static ProtobufCBinaryData draw_id(struct bench *b)
{
	return text(b->ids[bench_random(b, b->n_ids)]);
}

static void start_get(struct bench *b, void *tag)
{
	Orderd__V1__GetOrderRequest rq = ORDERD__V1__GET_ORDER_REQUEST__INIT;

	rq.order_id = draw_id(b);
	orderd_calls_start(b->calls, ORDERD_GET_ORDER, &rq.base, b->opt.deadline_ms, tag);
}

static void start_status(struct bench *b, void *tag)
{
	Orderd__V1__GetOrderStatusRequest rq = ORDERD__V1__GET_ORDER_STATUS_REQUEST__INIT;

	rq.order_id = draw_id(b);
	orderd_calls_start(b->calls, ORDERD_GET_ORDER_STATUS, &rq.base, b->opt.deadline_ms, tag);
}

const struct bench_kind bench_place = {"place", false, start_place};
const struct bench_kind bench_get = {"get", true, start_get};
const struct bench_kind bench_status = {"status", true, start_status};

/* ---- what went wrong ---- */

struct bench_reason *bench_reason(struct bench *b, const char *name)
{
	for (int i = 0; i < b->n_reasons; i++)
		if (strcmp(b->reasons[i].name, name) == 0)
			return &b->reasons[i];
	if (b->n_reasons == BENCH_REASONS_MAX - 1)
		name = "other";
	if (b->n_reasons == BENCH_REASONS_MAX)
		return &b->reasons[BENCH_REASONS_MAX - 1];
	snprintf(b->reasons[b->n_reasons].name, sizeof(b->reasons[0].name), "%s", name);
	return &b->reasons[b->n_reasons++];
}

void bench_count_failure(struct bench *b, const struct orderd_answer *a)
{
	struct orderd_error e;
	char name[64];

	orderd_calls_error(b->calls, &e);
	if (a->status == 0)
		snprintf(name, sizeof(name), "unreadable answer");
	else if (e.reason[0] != '\0')
		snprintf(name, sizeof(name), "%.60s", e.reason);
	else
		snprintf(name, sizeof(name), "status %d", a->status);
	bench_reason(b, name)->n++;
}
