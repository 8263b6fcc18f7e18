/*
 * orderd: takes orders over gRPC.
 *
 *	orderd migrate [--postgres=...]    bring the database's schema up to date, and exit
 *	orderd admin-key NAME [TENANT]     print an administrator's API key that is good for a week
 *	orderd verify-record [HEAD]        walk the chains of recorded calls; exit 1: one is broken
 *	orderd [--setting=value ...]       serve
 *
 * On stdout: `listening grpc=ADDRESS` per listener (`grpcs` with TLS, `edge` for nginx in front),
 * `listening http=ADDRESS`, `listening webhooks=ADDRESS`, and `ready` when all that is needed is
 * there for the first time.
 * SIGTERM drains and exits 0.  SIGHUP: reload.h.  Exit 2: a setting is wrong.  Exit 75: the
 * listener went deaf, start me again.
 */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/domain/machine.h"
#include "core/domain/sscc.h"
#include "core/label/label.h"
#include "core/listen/held_sockets.h"
#include "core/listen/ops_http.h"
#include "core/queue/queue.h"
#include "core/store/migrate.h"
#include "core/store/record_check.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/auth/auth.h"
#include "server/auth/call_recorder.h"
#include "server/auth/first_key.h"
#include "server/auth/key_feed.h"
#include "server/auth/policy.h"
#include "server/orders/customer_view.h"
#include "server/readiness.h"
#include "server/reload.h"
#include "server/rpc_table.h"
#include "server/runtime/rpc_server.h"
#include "server/watch/feeds.h"
#include "server/watch/watch_callers.h"
#include "server/watch/watches.h"
#include "server/webhooks/webhooks.h"

extern const unsigned char api_descriptor_set[]; /* cmake/EmbedBytes.cmake */
extern const size_t api_descriptor_set_size;

enum {
	EXIT_DEAF = 75, /* sysexits.h: EX_TEMPFAIL */
	/*
	 * What may still happen after drain_s: a statement ends by its timeout, connections close.
	 */
	CLOSING_MS = 15000,
};

/* ---------------------------------------------------------------- settings */

static void check_postgres(const struct app *app)
{
	char why[256];

	if (app->cfg.postgres[0] == '\0')
		config_refuse("postgres", "it is required");
	if (!store_conninfo_ok(app->cfg.postgres, why, sizeof(why)))
		config_refuse("postgres", "%s", why);
}

static void check_settings(struct app *app)
{
	char *key, sscc[SSCC_SIZE];

	check_postgres(app);
	if (app->cfg.redis[0] != '\0' && !queue_address_ok(app->cfg.redis))
		config_refuse("redis", "it is host:port or unix:/path, not %s", app->cfg.redis);
	if (!sscc_make(str_of(app->cfg.sscc_prefix), 0, sscc))
		config_refuse("sscc_prefix", "it is %d to %d digits, not %s", SSCC_PREFIX_MIN,
			      SSCC_PREFIX_MAX, app->cfg.sscc_prefix);
	if (app->cfg.contact_key_file[0] == '\0')
		config_refuse("contact_key_file", "it is required");
	key = config_secret("contact_key_file", app->cfg.contact_key_file);
	if (!seal_key_parse(str_of(key), &app->contact_key))
		config_refuse("contact_key_file", "it does not hold 64 hexadecimal digits");
	explicit_bzero(key, strlen(key));
	free(key);
}

/* A server must not run on tables it does not know.  One that cannot be asked yet is waited for. */
static void check_schema(struct app *app)
{
	static const char *const roles[] = {STORE_SERVER_ROLE, NULL};
	enum schema_state schema = store_schema_state(app->cfg.postgres, roles, stderr);

	if (schema != SCHEMA_CURRENT && schema != SCHEMA_UNREACHABLE)
		exit(1);
}

/* ---------------------------------------------------------------- closing, in reverse */

static void close_loop(void *arg)
{
	loop_stop(((struct app *)arg)->loop);
}

static void close_reload(void *arg)
{
	struct app *app = arg;

	reload_close(app->reload, close_loop, app);
}

static void close_auth(void *arg)
{
	struct app *app = arg;

	auth_close(app->auth, close_reload, app);
}

static void close_store(void *arg)
{
	struct app *app = arg;

	store_close(app->store, close_auth, app);
}

static void close_recorder(void *arg)
{
	struct app *app = arg;

	call_recorder_close(app->recorder, close_store, app);
}

static void close_keys(void *arg)
{
	struct app *app = arg;

	key_feed_close(app->keys, close_recorder, app);
}

static void close_feeds(void *arg)
{
	struct app *app = arg;

	feeds_close(app->feeds, close_keys, app);
}

static void close_watches(void *arg)
{
	struct app *app = arg;

	watch_callers_free(app->callers);
	watches_close(app->watches, close_feeds, app);
}

static void close_queue(void *arg)
{
	struct app *app = arg;

	queue_close(app->queue, close_watches, app);
}

static void close_http(void *arg)
{
	struct app *app = arg;

	if (app->http != NULL)
		ops_http_close(app->http, close_queue, app);
	else
		close_queue(app);
}

static void close_webhooks(void *arg)
{
	struct app *app = arg;

	show_withdraw(&app->board, app->server);
	app->server = NULL; /* it has freed itself */
	if (app->webhooks != NULL)
		webhooks_close(app->webhooks, close_http, app);
	else
		close_http(app);
}

static void on_closing_overdue(struct timer *t)
{
	(void)t;
	log_error("drain_failed", "why=%s", LOG_Q("something did not close in time"));
	_exit(1);
}

static void on_drain(void *arg)
{
	struct app *app = arg;

	if (app->draining)
		return;
	app->draining = true;
	log_info("draining", "lame_duck_ms=%" PRId64 " drain_s=%" PRId64, app->cfg.lame_duck_ms,
		 app->cfg.drain_s);
	app->overdue.on_due = on_closing_overdue;
	timer_set(app->loop, &app->overdue,
		  clock_mono_ms() + app->cfg.lame_duck_ms + app->cfg.drain_s * 1000 + CLOSING_MS);
	readiness_drain(app);
	if (app->webhooks != NULL)
		webhooks_drain(app->webhooks);
	rpc_server_drain(app->server, close_webhooks, app);
}

static void on_hangup(void *arg)
{
	reload_now(((struct app *)arg)->reload);
}

static void on_deaf(void *arg)
{
	struct app *app = arg;

	app->exit_code = EXIT_DEAF;
	on_drain(app);
}

/* ---------------------------------------------------------------- serving */

static void on_store_state(void *arg, bool up)
{
	(void)up;
	readiness_look(arg);
}

static bool is_healthy(void *arg)
{
	struct app *app = arg;

	return app->server != NULL && rpc_server_is_serving(app->server);
}

static void open_stores(struct app *app)
{
	struct store_options store = {.conninfo = app->cfg.postgres,
				      .program = "orderd",
				      .role = STORE_SERVER_ROLE,
				      .order_connections = (int)app->cfg.order_connections,
				      .read_connections = (int)app->cfg.read_connections,
				      .job_connections = 1, /* webhooks, and calls put on record */
				      .lane_bound = (uint32_t)app->cfg.lane_bound,
				      .statement_timeout_ms = (int)app->cfg.statement_timeout_ms,
				      .wait_ms = app->cfg.queue_wait_ms,
				      .on_state = on_store_state,
				      .arg = app};
	struct queue_options queue = {.address = app->cfg.redis,
				      .timeout_ms = (int)app->cfg.redis_timeout_ms,
				      .hold_s = (int)app->cfg.hold_s,
				      .stream_window = (uint32_t)app->cfg.stream_window};

	app->store = store_new(app->loop, &store);
	app->queue = queue_new(app->loop, &queue);
	app->watches = watches_new(app);
	app->feeds = feeds_new(app);
	app->callers = watch_callers_new(app->cfg.max_watches_each);
	app->keys = key_feed_new(app);
	app->recorder = call_recorder_new(app);
}

/* What this process shows of itself.  The runtime's part goes with it, before the port does. */
static void fill_board(struct app *app)
{
	struct show_board *b = &app->board;

	show_board_init(b, "orderd", id_new(), &app->cfg);
	loop_offer(app->loop, b);
	store_offer(app->store, b);
	queue_offer(app->queue, b);
	watches_offer(app->watches, b);
	feeds_offer(app->feeds, b);
	call_recorder_offer(app->recorder, b);
	machines_offer(b);
	ops_http_offer(b);
}

static int64_t backlog_ms(void *arg)
{
	return store_backlog_ms(((struct app *)arg)->store);
}

/* Last: who can connect is served. */
static void open_listeners(struct app *app)
{
	struct rpc_server_options rpc = {.cfg = &app->cfg,
					 .app = app,
					 .loop = app->loop,
					 .auth = app->auth,
					 .policy = &policy_of_orderd,
					 .held = &app->held,
					 .customer_view = customer_view,
					 .recorder = call_recorder_door(app->recorder),
					 .methods = rpc_table,
					 .n_methods = rpc_table_size,
					 .services = service_table,
					 .n_services = service_table_size,
					 .descriptor_set = api_descriptor_set,
					 .descriptor_set_size = api_descriptor_set_size,
					 .backlog_ms = backlog_ms,
					 .on_deaf = on_deaf,
					 .arg = app};

	if (app->cfg.http_listen[0] != '\0')
		app->http = ops_http_new(app->loop, "http_listen", app->cfg.http_listen, is_healthy,
					 app);
	if (app->http != NULL)
		ops_http_show(app->http, &app->board);
	if (app->cfg.webhook_listen[0] != '\0')
		app->webhooks = webhooks_new(app);
	app->server = rpc_server_new(&rpc);
	held_sockets_done(&app->held);
	rpc_server_offer(app->server, &app->board);
	for (size_t i = 0; rpc_server_address(app->server, i) != NULL; i++)
		printf("listening %s=%s\n", rpc_server_kind(app->server, i),
		       rpc_server_address(app->server, i));
	if (app->http != NULL)
		printf("listening http=%s\n", ops_http_address(app->http));
	if (app->webhooks != NULL)
		printf("listening webhooks=%s\n", webhooks_address(app->webhooks));
	fflush(stdout);
}

/* gRPC starts threads; signals are this thread's business. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int serve(struct app *app)
{
	check_settings(app);
	block_signals();
	app->loop = loop_new();
	app->auth = auth_new(app->loop, &app->cfg);
	check_schema(app);
	open_stores(app);
	fill_board(app);
	open_listeners(app);
	readiness_open(app);
	loop_on_drain(app->loop, on_drain, app);
	loop_on_hangup(app->loop, on_hangup, app);
	loop_run(app->loop);
	timer_clear(app->loop, &app->overdue);
	readiness_close(app);
	loop_free(app->loop);
	label_forget_fonts();
	seal_key_wipe(&app->contact_key);
	log_info("stopped", "exit=%d", app->exit_code);
	return app->exit_code;
}

static int migrate(struct app *app)
{
	check_postgres(app);
	return store_migrate(app->cfg.postgres, stdout);
}

static int make_key(struct app *app, const char *name, const char *tenant)
{
	check_postgres(app);
	check_schema(app);
	return first_key_make(app, name, tenant);
}

static int verify_record(struct app *app, const char *kept)
{
	check_postgres(app);
	return store_verify_record(app->cfg.postgres, kept, stdout);
}

/* What stands on the command line beside settings. */
static int run(struct app *app, int argc, char **argv)
{
	if (argc == 1)
		return serve(app);
	if (argc == 2 && strcmp(argv[1], "migrate") == 0)
		return migrate(app);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "admin-key") == 0)
		return make_key(app, argv[2], argc == 4 ? argv[3] : NULL);
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "verify-record") == 0)
		return verify_record(app, argc == 3 ? argv[2] : NULL);
	config_refuse("arguments",
		      "those taken are \"migrate\", \"admin-key NAME [TENANT]\" and "
		      "\"verify-record [HEAD]\", not %s",
		      argv[argc - 1]);
}

int main(int argc, char **argv)
{
	static struct app app;
	enum log_level level;
	int code;

	held_sockets_read(&app.held);
	app.reload = reload_new(&app, argc, argv);
	if (config_read(&app.cfg, "orderd", argc, argv, &argc) == CONFIG_EXIT)
		return 0;
	if (!log_level_parse(app.cfg.log_level, &level))
		config_refuse("log_level", "it is debug, info, warn or error, not %s",
			      app.cfg.log_level);
	if (!log_format_choose(app.cfg.log_format))
		config_refuse("log_format", "it is logfmt or json, not %s", app.cfg.log_format);
	log_open("orderd", level);
	code = run(&app, argc, argv);
	config_done(&app.cfg);
	return code;
}
