/*
 * orderd-worker: one loop, one pool of flows, as many roles as it was given.
 *
 * Start: settings, secrets, connections, then read the streams.  SIGTERM: stop reading,
 * let the jobs at work end, hand back what has not ended after drain_s, close in reverse.
 *
 * On stdout: `listening http=ADDRESS`, and `ready` when the store is up for the first time.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/domain/sscc.h"
#include "core/flow/supervisor.h"
#include "core/listen/address.h"
#include "core/listen/ops_http.h"
#include "core/store/migrate.h"
#include "workers/janitor/janitor.h"
#include "workers/job.h"
#include "workers/notification/notification.h"
#include "workers/pause.h"

enum {
	TICK_MS = 250,
	CLOSING_MS = 15000, /* what may still happen after drain_s, as orderd's */
};

static unsigned read_roles(const char *list)
{
	unsigned roles = 0;

	for (const char *p = list; *p != '\0';) {
		size_t n = strcspn(p, ",");
		int r = 0;

		while (r < ROLE_COUNT &&
		       !str_eq((struct str){p, n}, str_of(queue_role_name((enum queue_role)r))))
			r++;
		if (r == ROLE_COUNT)
			config_refuse("roles", "no such role: %.*s", (int)n, p);
		roles |= 1U << r;
		p += n + (p[n] == ',');
	}
	if (roles == 0)
		config_refuse("roles", "at least one is required");
	return roles;
}

static void check_stores(const struct worker *w)
{
	char why[256];

	if (w->cfg.postgres[0] == '\0')
		config_refuse("postgres", "it is required");
	if (!store_conninfo_ok(w->cfg.postgres, why, sizeof(why)))
		config_refuse("postgres", "%s", why);
	if (w->cfg.redis[0] != '\0' && !queue_address_ok(w->cfg.redis))
		config_refuse("redis", "it is host:port or unix:/path, not %s", w->cfg.redis);
}

static void check_url(const char *field, const char *url, const char *role)
{
	if (url[0] == '\0')
		config_refuse(field, "the %s role needs it", role);
	if (!http_url_ok(url))
		config_refuse(field, "it is http(s)://host[:port], not %s", url);
}

static void read_contact_key(struct worker *w)
{
	char *key = config_secret("contact_key_file", w->cfg.contact_key_file);

	if (!seal_key_parse(str_of(key), &w->contact_key))
		config_refuse("contact_key_file", "it does not hold 64 hexadecimal digits");
	free(key);
}

/* Nobody is asked there who he is. */
static void check_ops(const char *address)
{
	struct sockaddr_storage at;

	if (address[0] != '\0' && address_parse(str_of(address), &at) && !address_is_loopback(&at))
		config_refuse("worker_http_listen",
			      "it is open to whoever reaches it, so it is on loopback, not %s",
			      address);
}

/* A janitor that was told of the gateway asks it which payments it holds. */
static bool reconciles(const struct worker *w)
{
	return worker_has(w, ROLE_JANITOR) && w->cfg.audit_s > 0 && w->cfg.gateway_url[0] != '\0' &&
	       w->cfg.gateway_key_file[0] != '\0';
}

/* What the roles of this worker need; the rest may be left out. */
static void check_settings(struct worker *w)
{
	char sscc[SSCC_SIZE];

	w->roles = read_roles(w->cfg.roles);
	check_stores(w);
	check_ops(w->cfg.worker_http_listen);
	if (w->cfg.ca_file[0] != '\0' && access(w->cfg.ca_file, R_OK) != 0)
		config_refuse("ca_file", "%s cannot be read", w->cfg.ca_file);
	if (worker_has(w, ROLE_PAYMENT) || reconciles(w)) {
		check_url("gateway_url", w->cfg.gateway_url, "payment");
		w->gateway_key = config_secret("gateway_key_file", w->cfg.gateway_key_file);
	}
	if (worker_has(w, ROLE_FULFILLMENT) && !sscc_make(str_of(w->cfg.sscc_prefix), 0, sscc))
		config_refuse("sscc_prefix", "it is %d to %d digits, not %s", SSCC_PREFIX_MIN,
			      SSCC_PREFIX_MAX, w->cfg.sscc_prefix);
	if (worker_has(w, ROLE_SHIPPING)) {
		check_url("carrier_url", w->cfg.carrier_url, "shipping");
		w->carrier_key = config_secret("carrier_key_file", w->cfg.carrier_key_file);
	}
	/* Without a sender the role takes no job: mails wait for a worker that has one. */
	if (worker_has(w, ROLE_NOTIFICATION) && !notification_settings(w))
		w->roles &= ~(1U << ROLE_NOTIFICATION);
	if (worker_has(w, ROLE_SHIPPING) || worker_has(w, ROLE_NOTIFICATION))
		read_contact_key(w);
}

/* As orderd: not on tables it does not know; a server that cannot be asked yet is waited for. */
static void check_schema(const struct worker *w)
{
	static const char *const roles[] = {STORE_WORKER_ROLE, STORE_AUDIT_ROLE, NULL};
	enum schema_state schema = store_schema_state(w->cfg.postgres, roles, stderr);

	if (schema != SCHEMA_CURRENT && schema != SCHEMA_UNREACHABLE)
		exit(1);
}

/* ---------------------------------------------------------------- closing, in reverse */

static void close_loop(void *arg)
{
	loop_stop(((struct worker *)arg)->loop);
}

static void close_store(void *arg)
{
	struct worker *w = arg;

	store_close(w->store, close_loop, w);
}

static void close_queue(void *arg)
{
	struct worker *w = arg;

	queue_close(w->queue, close_store, w);
}

static void close_http(void *arg)
{
	struct worker *w = arg;

	http_close(w->http, close_queue, w);
}

static bool all_idle(const struct worker *w)
{
	for (int r = 0; r < ROLE_COUNT; r++)
		if (w->running[r] > 0)
			return false;
	return w->side_flows == 0 && (w->janitor == NULL || janitor_idle(w->janitor));
}

void worker_turn(struct worker *w)
{
	if (!w->draining || w->closing || !all_idle(w))
		return;
	w->closing = true;
	timer_clear(w->loop, &w->tick);
	if (w->ops != NULL)
		ops_http_close(w->ops, close_http, w);
	else
		close_http(w);
}

static void on_drain(void *arg)
{
	struct worker *w = arg;

	log_info("draining", "drain_s=%lld", (long long)w->cfg.drain_s);
	w->draining = true;
	w->drain_until_ms = clock_mono_ms() + w->cfg.drain_s * 1000;
	supervisor_say(w->supervisor, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%lld",
		       (long long)(w->cfg.drain_s * 1000 + CLOSING_MS) * 1000);
	if (w->intake != NULL)
		intake_close(w->intake);
	w->intake = NULL;
	if (w->janitor != NULL)
		janitor_stop(w->janitor);
	worker_turn(w);
}

/* ---------------------------------------------------------------- working */

static void on_tick(struct timer *t)
{
	struct worker *w = (struct worker *)((char *)t - offsetof(struct worker, tick));

	timer_set(w->loop, &w->tick, clock_mono_ms() + TICK_MS);
	job_beat(w);
	if (!w->draining)
		pauses_read(w);
	if (w->draining && clock_mono_ms() > w->drain_until_ms)
		job_cut(w);
	for (int r = 0; !w->draining && !queue_is_up(w->queue) && r < ROLE_COUNT; r++)
		if (worker_has(w, (enum queue_role)r) && r != ROLE_JANITOR)
			job_start_due(w, (enum queue_role)r);
}

static uint32_t room(void *arg, enum queue_role r)
{
	return job_room(arg, r);
}

static void on_delivery(void *arg, const struct delivery *d)
{
	struct worker *w = arg;

	if (job_room(w, d->role) > 0)
		job_start(w, d);
}

static void announce(void *arg, bool up)
{
	struct worker *w = arg;

	log_info(up ? "store_up" : "store_down", "roles=%s", w->cfg.roles);
	if (up && !w->announced) {
		w->announced = true;
		puts("ready");
		fflush(stdout);
	}
	if (!w->draining)
		supervisor_say(w->supervisor, "%sSTATUS=%s", w->announced ? "READY=1\n" : "",
			       up ? "working" : "PostgreSQL is not reachable");
}

/* Its loop turns: that is all there is to a worker's health that a restart could mend. */
static bool is_well(void *arg)
{
	(void)arg;
	return true;
}

static bool is_healthy(void *arg)
{
	const struct worker *w = arg;

	return !w->draining && store_is_up(w->store);
}

/* What this process shows of itself, at that port. */
static void fill_board(struct worker *w)
{
	struct show_board *b = &w->board;

	show_board_init(b, "orderd-worker", w->incarnation, &w->cfg);
	loop_offer(w->loop, b);
	store_offer(w->store, b);
	queue_offer(w->queue, b);
	queue_offer_streams(w->queue, b);
	http_offer(w->http, b);
	job_pool_offer(w, b);
	ops_http_offer(b);
}

static void open_ops(struct worker *w)
{
	if (w->cfg.worker_http_listen[0] == '\0')
		return;
	w->ops = ops_http_new(w->loop, "worker_http_listen", w->cfg.worker_http_listen, is_healthy,
			      w);
	ops_http_show(w->ops, &w->board);
	printf("listening http=%s\n", ops_http_address(w->ops));
	fflush(stdout);
}

/* 0: no connection is kept for it. */
static int audit_timeout_ms(const struct worker *w)
{
	return worker_has(w, ROLE_JANITOR) && w->cfg.audit_s > 0
		       ? (int)w->cfg.audit_timeout_s * 1000
		       : 0;
}

static void open_parts(struct worker *w)
{
	struct store_options store = {.conninfo = w->cfg.postgres,
				      .program = "orderd-worker",
				      .role = STORE_WORKER_ROLE,
				      .order_connections = 1,
				      .read_connections = 1,
				      .job_connections = 1,
				      .lane_bound = (uint32_t)w->cfg.lane_bound,
				      .statement_timeout_ms = (int)w->cfg.statement_timeout_ms,
				      .audit_timeout_ms = audit_timeout_ms(w),
				      .on_state = announce,
				      .arg = w};
	struct queue_options queue = {.address = w->cfg.redis,
				      .timeout_ms = (int)w->cfg.redis_timeout_ms,
				      .hold_s = (int)w->cfg.hold_s,
				      .stream_window = (uint32_t)w->cfg.stream_window};
	struct http_options http = {.ca_file = w->cfg.ca_file,
				    .connections = (int)w->cfg.http_connections,
				    .body_cap = (size_t)w->cfg.http_body_kib * 1024,
				    .agent = "orderd/" ORDERD_VERSION};

	w->paused = ~0U; /* nothing is taken before they were read */
	w->loop = loop_new();
	w->supervisor = supervisor_new(w->loop, is_well, w);
	supervisor_say(w->supervisor, "STATUS=waiting for PostgreSQL");
	w->store = store_new(w->loop, &store);
	w->queue = queue_new(w->loop, &queue);
	w->http = http_new(w->loop, &http);
	fill_board(w);
	open_ops(w);
	job_pool_open(w);
	w->intake = intake_new(w->queue, w->roles & ~(1U << ROLE_JANITOR),
			       (int)w->cfg.lease_s * 1000, room, on_delivery, w);
	if (worker_has(w, ROLE_JANITOR))
		w->janitor = janitor_new(w);
	w->tick.on_due = on_tick;
	timer_set(w->loop, &w->tick, clock_mono_ms() + TICK_MS);
	loop_on_drain(w->loop, on_drain, w);
}

/* Libraries start threads; signals are this thread's business. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
	static struct worker w;
	enum log_level level;
	struct rlimit files;

	if (config_read(&w.cfg, "orderd-worker", argc, argv, &argc) == CONFIG_EXIT)
		return 0;
	if (argc > 1)
		config_refuse("arguments", "none are taken: %s", argv[1]);
	if (!log_level_parse(w.cfg.log_level, &level))
		config_refuse("log_level", "it is debug, info, warn or error: %s", w.cfg.log_level);
	if (!log_format_choose(w.cfg.log_format))
		config_refuse("log_format", "it is logfmt or json, not %s", w.cfg.log_format);
	log_open("orderd-worker", level);
	check_settings(&w);
	check_schema(&w);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	block_signals();
	w.incarnation = id_new();
	open_parts(&w);
	loop_run(w.loop);
	if (w.janitor != NULL)
		janitor_free(w.janitor);
	job_pool_close(&w);
	supervisor_free(w.supervisor);
	loop_free(w.loop);
	seal_key_wipe(&w.contact_key);
	free(w.gateway_key);
	free(w.carrier_key);
	free(w.smtp_password);
	free(w.mail_from.name);
	free(w.mail_from.address);
	config_done(&w.cfg);
	log_info("stopped", "exit=%d", w.exit_code);
	return w.exit_code;
}
