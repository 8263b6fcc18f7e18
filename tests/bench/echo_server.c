/*
 * Reference R3: the least a gRPC server can do on the C core.  Every unary call, whatever its
 * method, is answered with its own bytes.  One thread, one completion queue.
 *
 *	bench_echo      prints `listening=127.0.0.1:PORT` and serves until its standard input ends
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>

enum { SLOTS = 512 };

enum state { ARRIVES, READS, ANSWERS };

struct slot {
	enum state state;
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *message;
	int cancelled;
};

static grpc_server *server;
static grpc_completion_queue *queue;
static struct slot slots[SLOTS];

static void await_call(struct slot *s)
{
	grpc_call_error e;

	*s = (struct slot){.state = ARRIVES};
	grpc_call_details_init(&s->details);
	grpc_metadata_array_init(&s->metadata);
	e = grpc_server_request_call(server, &s->call, &s->details, &s->metadata, queue, queue, s);
	assert(e == GRPC_CALL_OK);
}

static void await_message(struct slot *s)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
	grpc_call_error e;

	s->state = READS;
	op.data.recv_message.recv_message = &s->message;
	e = grpc_call_start_batch(s->call, &op, 1, s, NULL);
	assert(e == GRPC_CALL_OK);
}

static void answer(struct slot *s)
{
	grpc_op ops[4];
	grpc_call_error e;

	memset(ops, 0, sizeof(ops));
	s->state = ANSWERS;
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[1].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[1].data.send_status_from_server.status = GRPC_STATUS_OK;
	ops[2].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
	ops[2].data.recv_close_on_server.cancelled = &s->cancelled;
	ops[3].op = GRPC_OP_SEND_MESSAGE;
	ops[3].data.send_message.send_message = s->message;
	e = grpc_call_start_batch(s->call, ops, s->message != NULL ? 4 : 3, s, NULL);
	assert(e == GRPC_CALL_OK);
}

static void end(struct slot *s)
{
	if (s->message != NULL)
		grpc_byte_buffer_destroy(s->message);
	grpc_metadata_array_destroy(&s->metadata);
	grpc_call_details_destroy(&s->details);
	grpc_call_unref(s->call);
	await_call(s);
}

static void *serve(void *arg)
{
	(void)arg;
	for (;;) {
		grpc_event e = grpc_completion_queue_next(
			queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		struct slot *s = e.tag;

		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (s->state == ARRIVES && e.success)
			await_message(s);
		else if (s->state == READS)
			answer(s);
		else if (s->state == ANSWERS)
			end(s);
	}
}

int main(void)
{
	grpc_server_credentials *creds;
	pthread_t thread;
	int port, err;

	grpc_init();
	server = grpc_server_create(NULL, NULL);
	queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(server, queue, NULL);
	creds = grpc_insecure_server_credentials_create();
	port = grpc_server_add_http2_port(server, "127.0.0.1:0", creds);
	grpc_server_credentials_release(creds);
	assert(port > 0);
	grpc_server_start(server);
	for (int i = 0; i < SLOTS; i++)
		await_call(&slots[i]);
	err = pthread_create(&thread, NULL, serve, NULL);
	assert(err == 0);
	printf("listening=127.0.0.1:%d\n", port);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0; /* what is under way ends with the process */
}
