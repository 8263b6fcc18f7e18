/*
 * Thousands of followers in one thread: how soon does each hear of an event?
 *
 *	bench_feed ADDRESS FOLLOWERS PER_CONNECTION CUSTOMERS EVENTS
 *
 * Opens that many streams of WatchOrders, says "open" when each has had its first message, and when
 * each has seen EVENTS events one line of JSON: from an event's own time to its reader's, where the
 * database has this machine's clock.  Follower n follows the customer "c<n modulo CUSTOMERS>"; with
 * 0 customers, everybody.  Exit 1: a stream ended, or nothing came for a minute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>

#include "orderd/v1/order_service.pb-c.h"

enum { PATIENCE_S = 60 };

struct follower {
	grpc_call *call;
	grpc_metadata_array initial;
	grpc_byte_buffer *received;
	long seen;
	int opened;
};

static grpc_completion_queue *cq;
static struct follower *followers;
static long n_followers, n_open, n_done, want;
static int64_t *late_us;
static long n_late;

static int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void start(struct follower *f, const grpc_op *ops, size_t n)
{
	if (grpc_call_start_batch(f->call, ops, n, f, NULL) != GRPC_CALL_OK)
		abort();
}

static void receive(struct follower *f)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_MESSAGE;
	op.data.recv_message.recv_message = &f->received;
	start(f, &op, 1);
}

static grpc_byte_buffer *request_of(long n, long customers)
{
	Orderd__V1__WatchOrdersRequest rq = ORDERD__V1__WATCH_ORDERS_REQUEST__INIT;
	char name[32];
	grpc_byte_buffer *bytes;
	grpc_slice s;

	snprintf(name, sizeof(name), "c%ld", customers > 0 ? n % customers : 0);
	if (customers > 0)
		rq.customer = (ProtobufCBinaryData){strlen(name), (uint8_t *)name};
	s = grpc_slice_malloc(protobuf_c_message_get_packed_size(&rq.base));
	protobuf_c_message_pack(&rq.base, GRPC_SLICE_START_PTR(s));
	bytes = grpc_raw_byte_buffer_create(&s, 1);
	grpc_slice_unref(s);
	return bytes;
}

static void open_follower(struct follower *f, grpc_channel *channel, grpc_byte_buffer *request)
{
	grpc_op ops[5];

	f->call = grpc_channel_create_call(
		channel, NULL, 0, cq,
		grpc_slice_from_static_string("/orderd.v1.OrderService/WatchOrders"), NULL,
		gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	memset(ops, 0, sizeof(ops));
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[0].flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY;
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = request;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &f->initial;
	ops[4].op = GRPC_OP_RECV_MESSAGE;
	ops[4].data.recv_message.recv_message = &f->received;
	start(f, ops, 5);
	grpc_byte_buffer_destroy(request);
}

static void count_event(struct follower *f, const Orderd__V1__OrderFeedEvent *e)
{
	const Google__Protobuf__Timestamp *t = e->event->event_time;

	if (++f->seen > want)
		return;
	late_us[n_late++] = wall_us() - (t->seconds * 1000000 + t->nanos / 1000);
	n_done += f->seen == want;
}

static void take_message(struct follower *f)
{
	Orderd__V1__WatchOrdersResponse *m;
	grpc_byte_buffer_reader reader;
	grpc_slice s;

	if (!grpc_byte_buffer_reader_init(&reader, f->received))
		abort();
	s = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(f->received);
	f->received = NULL;
	m = orderd__v1__watch_orders_response__unpack(NULL, GRPC_SLICE_LENGTH(s),
						      GRPC_SLICE_START_PTR(s));
	grpc_slice_unref(s);
	if (m == NULL)
		abort();
	for (size_t i = 0; i < m->n_events; i++)
		count_event(f, m->events[i]);
	orderd__v1__watch_orders_response__free_unpacked(m, NULL);
	n_open += !f->opened;
	f->opened = 1;
	receive(f);
}

/* Until so many are so far; false: nothing came for too long, or a stream ended. */
static int run_until(const long *count, long n)
{
	while (*count < n) {
		grpc_event e = grpc_completion_queue_next(
			cq,
			gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
				     gpr_time_from_seconds(PATIENCE_S, GPR_TIMESPAN)),
			NULL);
		struct follower *f = e.tag;

		if (e.type != GRPC_OP_COMPLETE || f->received == NULL) {
			fprintf(stderr, "%s: %ld open, %ld done\n",
				e.type == GRPC_OP_COMPLETE ? "a stream ended" : "nothing came",
				n_open, n_done);
			return 0;
		}
		take_message(f);
	}
	return 1;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(void)
{
	qsort(late_us, (size_t)n_late, sizeof(late_us[0]), by_size);
	printf("{\"followers\": %ld, \"events\": %ld, \"p50_ms\": %.1f, \"p99_ms\": %.1f, "
	       "\"max_ms\": %.1f}\n",
	       n_followers, n_late, (double)late_us[n_late / 2] / 1000,
	       (double)late_us[n_late * 99 / 100] / 1000, (double)late_us[n_late - 1] / 1000);
}

static grpc_channel *channel_to(const char *address)
{
	grpc_arg own = {.type = GRPC_ARG_INTEGER,
			.key = (char *)(uintptr_t)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
			.value.integer = 1};
	grpc_channel_args args = {1, &own};
	grpc_channel_credentials *creds = grpc_insecure_credentials_create();
	grpc_channel *channel = grpc_channel_create(address, creds, &args);

	grpc_channel_credentials_release(creds);
	return channel;
}

int main(int argc, char **argv)
{
	grpc_channel *channel = NULL;
	long each, customers;

	if (argc != 6)
		return 2;
	n_followers = strtol(argv[2], NULL, 10);
	each = strtol(argv[3], NULL, 10);
	customers = strtol(argv[4], NULL, 10);
	want = strtol(argv[5], NULL, 10);
	followers = calloc((size_t)n_followers, sizeof(*followers));
	late_us = calloc((size_t)(n_followers * want), sizeof(*late_us));
	if (each < 1 || followers == NULL || late_us == NULL)
		return 2;
	grpc_init();
	cq = grpc_completion_queue_create_for_next(NULL);
	for (long i = 0; i < n_followers; i++) {
		if (i % each == 0)
			channel = channel_to(argv[1]);
		open_follower(&followers[i], channel, request_of(i, customers));
	}
	if (!run_until(&n_open, n_followers))
		return 1;
	puts("open");
	fflush(stdout);
	if (!run_until(&n_done, n_followers))
		return 1;
	report();
	fflush(stdout);
	_Exit(0); /* the server closes what is open */
}
