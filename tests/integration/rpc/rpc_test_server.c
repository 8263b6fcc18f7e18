/*
 * The gRPC runtime with two small methods behind it, for rpc_test.py.  SIGUSR1 makes it
 * say NOT_SERVING, SIGUSR2 SERVING again.  Settings as orderd's; stdout too.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/id.h"
#include "core/base/log.h"
#include "core/base/show.h"
#include "core/listen/ops_http.h"
#include "echo.pb-c.h"
#include "server/auth/auth.h"
#include "server/auth/policy.h"
#include "server/runtime/health.h"
#include "server/runtime/reflection.h"
#include "server/runtime/rpc_server.h"

extern const unsigned char echo_descriptor_set[];
extern const size_t echo_descriptor_set_size;

struct app {
	struct config cfg;
	struct loop *loop;
	struct auth *auth;
	struct rpc_server *server;
	struct ops_http *http;
	struct show_board board;
	uv_signal_t down, up;
	int exit_code;
};

/* ---- a backend that only takes its time, and notices when nobody waits any more ---- */

enum { NAP_MS = 20, STALL_MS = 100 };

struct nap {
	struct op op;
	struct timer timer;
	int64_t until_ms;
	struct loop *loop;
};

static void on_nap(struct timer *t)
{
	struct nap *n = (struct nap *)(void *)((char *)t - offsetof(struct nap, timer));
	struct answer a = {.err = ERR_OK};

	if (!n->op.given_up && clock_mono_ms() < n->until_ms)
		timer_set(n->loop, t, clock_mono_ms() + NAP_MS);
	else
		op_answer(&n->op, &a);
}

static int ask_nap(struct flow *fl, int ms)
{
	struct nap *n = arena_alloc(&fl->arena, sizeof(*n));

	if (n == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	n->loop = fl->loop;
	n->until_ms = clock_mono_ms() + ms;
	n->timer.on_due = on_nap;
	timer_set(fl->loop, &n->timer, clock_mono_ms() + (ms < NAP_MS ? ms : NAP_MS));
	return op_ask(fl, &n->op);
}

/* ---- Echo ---- */

enum { NAP, REPLY, DONE };

static int ask_wait(struct flow *fl)
{
	const Orderd__Test__V1__EchoRequest *rq = rpc_request(fl);

	return rq->delay_ms > 0 ? ask_nap(fl, rq->delay_ms) : REPLY;
}

static int got_wait(struct flow *fl, const struct answer *a)
{
	(void)fl;
	(void)a;
	return REPLY;
}

/* "bare STORE_FULL": nothing is said of it but its name. */
static int fail_bare(struct flow *fl, struct str name)
{
	for (int e = ERR_OK + 1; e < ERR_COUNT; e++)
		if (str_eq(name, str_of(err_name((enum errc)e))))
			return rpc_fail(fl, (enum errc)e);
	return rpc_fail(fl, ERR_UNIMPLEMENTED);
}

static int fail_as_asked(struct flow *fl, struct str name)
{
	Orderd__Test__V1__EchoResponse rs = ORDERD__TEST__V1__ECHO_RESPONSE__INIT;

	if (str_eq(name, STR("stall"))) {
		uv_sleep(STALL_MS); /* what a loop must never do */
		return rpc_ok(fl, &rs.base);
	}
	if (name.n > 5 && memcmp(name.p, "bare ", 5) == 0)
		return fail_bare(fl, (struct str){name.p + 5, name.n - 5});
	for (int e = ERR_OK + 1; e < ERR_COUNT; e++) {
		if (!str_eq(name, str_of(err_name((enum errc)e))))
			continue;
		rpc_fact(fl, "left", "%d", 3);
		rpc_about(fl, "orderd.test.v1.Thing", STR("things/7"));
		rpc_precondition(fl, "STOCK", STR("item 7"), "none left");
		if (e == ERR_INVALID_ARGUMENT)
			for (int i = 0; i < 40; i++)
				rpc_violation(fl, "as you asked", "lines[%d].sku", i);
		return rpc_fail_text(fl, (enum errc)e, "failed as \"%s\"", err_name((enum errc)e));
	}
	return rpc_fail(fl, ERR_UNIMPLEMENTED);
}

static int ask_reply(struct flow *fl)
{
	const Orderd__Test__V1__EchoRequest *rq = rpc_request(fl);
	Orderd__Test__V1__EchoResponse rs = ORDERD__TEST__V1__ECHO_RESPONSE__INIT;
	struct str trace = rpc_metadata(fl, "traceparent");
	int to;

	if (rq->fail.len > 0)
		return fail_as_asked(fl, (struct str){(const char *)rq->fail.data, rq->fail.len});
	rs.text = rq->text;
	rs.blob = rq->blob;
	if (rq->answer_bytes > 0)
		rs.blob = (ProtobufCBinaryData){(size_t)rq->answer_bytes,
						calloc(1, (size_t)rq->answer_bytes)};
	rs.tenant = rpc_identity(fl)->tenant;
	rs.trace = (ProtobufCBinaryData){trace.n, (uint8_t *)(uintptr_t)trace.p};
	to = rpc_ok(fl, &rs.base);
	if (rq->answer_bytes > 0)
		free(rs.blob.data);
	return to;
}

/* clang-format off */
static const struct flow_step echo_steps[] = {
	/*          name     ask        got       ms     on error next        */
	[NAP]   = {"nap",   ask_wait,  got_wait, 60000, DONE,    TO(REPLY)},
	[REPLY] = {"reply", ask_reply, NULL,     0,     DONE,    TO(DONE)},
	[DONE]  = {"done"},
};
/* clang-format on */

static const struct rpc_method RPC_ECHO = {
	.path = "/orderd.test.v1.EchoService/Echo",
	.name = "echo",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__test__v1__echo_request__descriptor,
	.response = &orderd__test__v1__echo_response__descriptor,
	.steps = echo_steps,
	.slots = 16,
};

/* ---- Numbers ---- */

struct numbers {
	int64_t sent;
	ProtobufCBinaryData blob;
};

static void send_next(struct flow *fl)
{
	const Orderd__Test__V1__NumbersRequest *rq = rpc_request(fl);
	Orderd__Test__V1__NumbersResponse rs = ORDERD__TEST__V1__NUMBERS_RESPONSE__INIT;
	struct numbers *n = rpc_state(fl);

	if (n->sent == rq->count) {
		rpc_end(fl, ERR_OK);
		return;
	}
	rs.number = ++n->sent;
	rs.blob = n->blob;
	rpc_send(fl, &rs.base);
}

static void on_open(struct flow *fl)
{
	const Orderd__Test__V1__NumbersRequest *rq = rpc_request(fl);
	struct numbers *n = rpc_state(fl);

	n->blob = (ProtobufCBinaryData){(size_t)rq->size, calloc(1, (size_t)rq->size + 1)};
	send_next(fl);
}

static void on_close(struct flow *fl)
{
	struct numbers *n = rpc_state(fl);

	free(n->blob.data);
	log_info("numbers_closed", "sent=%lld", (long long)n->sent);
}

static const struct rpc_stream numbers_stream = {
	.on_open = on_open, .on_sent = send_next, .on_close = on_close};

static const struct rpc_method RPC_NUMBERS = {
	.path = "/orderd.test.v1.EchoService/Numbers",
	.name = "numbers",
	.kind = RPC_SERVER_STREAM,
	.class = RPC_WATCH,
	.request = &orderd__test__v1__numbers_request__descriptor,
	.response = &orderd__test__v1__numbers_response__descriptor,
	.stream = &numbers_stream,
	.state_size = sizeof(struct numbers),
};

static const struct health_service services[] = {
	{"orderd.test.v1.EchoService", NEED_ALL},
	{"grpc.reflection.v1.ServerReflection", NEED_CALLERS},
	{"grpc.reflection.v1alpha.ServerReflection", NEED_CALLERS},
	{"grpc.health.v1.Health", NEED_NOTHING},
};

static const struct rpc_method *const methods[] = {&RPC_ECHO,         &RPC_NUMBERS,
						   &RPC_HEALTH_CHECK, &RPC_HEALTH_WATCH,
						   &RPC_REFLECTION,   &RPC_REFLECTION_V1ALPHA};

/* ---- the program ---- */

static bool is_healthy(void *arg)
{
	struct app *app = arg;

	return app->server != NULL && rpc_server_is_serving(app->server);
}

static void on_auth_closed(void *arg)
{
	loop_stop(((struct app *)arg)->loop);
}

static void on_http_closed(void *arg)
{
	struct app *app = arg;

	auth_close(app->auth, on_auth_closed, app);
}

static void on_server_closed(void *arg)
{
	struct app *app = arg;

	show_withdraw(&app->board, app->server);
	app->server = NULL;
	ops_http_close(app->http, on_http_closed, app);
}

static void on_drain(void *arg)
{
	struct app *app = arg;

	uv_close((uv_handle_t *)&app->down, NULL);
	uv_close((uv_handle_t *)&app->up, NULL);
	rpc_server_drain(app->server, on_server_closed, app);
}

static void on_hangup(void *arg)
{
	auth_reload(((struct app *)arg)->auth, NULL, NULL);
}

static void on_signal(uv_signal_t *s, int number)
{
	struct app *app = s->data;

	rpc_server_set_health(app->server, number == SIGUSR2 ? NEED_ALL : NEED_CALLERS);
}

static void watch_signals(struct app *app)
{
	loop_on_drain(app->loop, on_drain, app);
	loop_on_hangup(app->loop, on_hangup, app);
	uv_signal_init(loop_uv(app->loop), &app->down);
	uv_signal_init(loop_uv(app->loop), &app->up);
	app->down.data = app->up.data = app;
	uv_signal_start(&app->down, on_signal, SIGUSR1);
	uv_signal_start(&app->up, on_signal, SIGUSR2);
}

#define EVERYBODY                                                                \
	{                                                                        \
		REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL \
	}

static const struct policy_row anybody[] = {
	{"/orderd.test.v1.EchoService/Echo", "", false, EVERYBODY},
	{"/orderd.test.v1.EchoService/Numbers", "", false, EVERYBODY},
	{"/grpc.health.v1.Health/Watch", "", false, EVERYBODY},
	{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "", false, EVERYBODY},
	{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "", false, EVERYBODY},
};

static const struct policy policy = {anybody, sizeof(anybody) / sizeof(anybody[0])};

int main(int argc, char **argv)
{
	static struct app app;
	struct rpc_server_options opt = {.cfg = &app.cfg,
					 .app = &app,
					 .policy = &policy,
					 .methods = methods,
					 .n_methods = sizeof(methods) / sizeof(methods[0]),
					 .services = services,
					 .n_services = sizeof(services) / sizeof(services[0]),
					 .descriptor_set = echo_descriptor_set,
					 .descriptor_set_size = echo_descriptor_set_size};

	if (config_read(&app.cfg, "rpc_test_server", argc, argv, &argc) == CONFIG_EXIT)
		return 0;
	log_open("rpc_test_server", LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	opt.loop = app.loop = loop_new();
	opt.auth = app.auth = auth_new(app.loop, &app.cfg);
	watch_signals(&app);
	app.http = ops_http_new(app.loop, "http_listen", app.cfg.http_listen, is_healthy, &app);
	app.server = rpc_server_new(&opt);
	rpc_server_set_health(app.server, NEED_ALL);
	show_board_init(&app.board, "rpc_test_server", id_new(), &app.cfg);
	ops_http_show(app.http, &app.board);
	rpc_server_offer(app.server, &app.board);
	for (size_t i = 0; rpc_server_address(app.server, i) != NULL; i++)
		printf("listening grpc=%s\n", rpc_server_address(app.server, i));
	printf("listening http=%s\nready\n", ops_http_address(app.http));
	fflush(stdout);
	loop_run(app.loop);
	loop_free(app.loop);
	config_done(&app.cfg);
	return app.exit_code;
}
