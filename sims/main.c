/*
 * orderd-sim --listen 127.0.0.1:0 --journal DIR, and more that usage() lists.
 *
 * Prints `listening=ADDRESS:PORT` once it serves, and serves until SIGTERM or SIGINT.
 * Everything it answered is in DIR and known again at the next start.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "sims/carrier.h"
#include "sims/fault.h"
#include "sims/gateway.h"
#include "sims/hook.h"
#include "sims/journal.h"
#include "sims/schedule.h"
#include "sims/sim.h"
#include "sims/web.h"

enum { WEEK_S = 7 * 86400 };

#define DURATION_MAX (INT64_C(30) * 86400 * 1000) /* ms of a month */

struct options {
	char address[64];
	int port;
	const char *dir;
	uint64_t seed;
	int64_t scan_ms;
	int64_t rate_life_s;
	int64_t refund_s;
	int64_t auth_life_s;

	struct {
		const char *url;
		const char *secret_file;
	} hooks[2]; /* of the gateway, of the carrier */
};

static _Noreturn void usage(const char *why)
{
	fprintf(stderr,
		"orderd-sim: %s\n"
		"usage: orderd-sim --journal DIR [OPTIONS]\n"
		"  --journal DIR          where its books are kept; made when missing\n"
		"  --listen ADDRESS:PORT  default 127.0.0.1:0; port 0 is any free one\n"
		"  --seed N               of ids and random faults; default 1\n"
		"  --scan-ms N            between two scans of a parcel; default 1000\n"
		"  --rate-life-s N        how long a rate can be bought; default 7 days\n"
		"  --refund-s N           until a label's refund is through; default 60; 0: at "
		"once\n"
		"  --auth-life-s N        how long an authorization holds; default 7 days\n"
		"  --gateway-webhook URL  --gateway-webhook-secret-file FILE\n"
		"  --carrier-webhook URL  --carrier-webhook-secret-file FILE\n"
		"                         where events go, and what they are signed with\n",
		why);
	exit(2);
}

static int64_t number(const char *name, const char *text, int64_t most)
{
	char why[128];
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && value >= 0 && value <= most)
		return value;
	snprintf(why, sizeof(why), "%s must be in 0..%lld", name, (long long)most);
	usage(why);
}

static void read_listen(struct options *o, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || (size_t)(colon - text) >= sizeof(o->address))
		usage("--listen wants ADDRESS:PORT");
	snprintf(o->address, sizeof(o->address), "%.*s", (int)(colon - text), text);
	o->port = (int)number("--listen: the port", colon + 1, 65535);
}

/* Options that are a number of the clock. */
static int64_t *duration(struct options *o, int c)
{
	switch (c) {
	case 'm':
		return &o->scan_ms;
	case 'r':
		return &o->rate_life_s;
	case 'f':
		return &o->refund_s;
	case 'a':
		return &o->auth_life_s;
	default:
		return NULL;
	}
}

static const char **webhook_option(struct options *o, int c)
{
	switch (c) {
	case 'G':
		return &o->hooks[0].url;
	case 'g':
		return &o->hooks[0].secret_file;
	case 'C':
		return &o->hooks[1].url;
	case 'c':
		return &o->hooks[1].secret_file;
	default:
		return NULL;
	}
}

static const struct option names[] = {
	{"listen", required_argument, NULL, 'l'},
	{"journal", required_argument, NULL, 'j'},
	{"seed", required_argument, NULL, 's'},
	{"scan-ms", required_argument, NULL, 'm'},
	{"rate-life-s", required_argument, NULL, 'r'},
	{"refund-s", required_argument, NULL, 'f'},
	{"auth-life-s", required_argument, NULL, 'a'},
	{"gateway-webhook", required_argument, NULL, 'G'},
	{"gateway-webhook-secret-file", required_argument, NULL, 'g'},
	{"carrier-webhook", required_argument, NULL, 'C'},
	{"carrier-webhook-secret-file", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static struct options read_options(int argc, char **argv)
{
	struct options o = {.address = "127.0.0.1",
			    .seed = 1,
			    .scan_ms = 1000,
			    .rate_life_s = WEEK_S,
			    .refund_s = 60,
			    .auth_life_s = WEEK_S};
	int at = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", names, &at)) != -1)
		if (c == 'l')
			read_listen(&o, optarg);
		else if (c == 'j')
			o.dir = optarg;
		else if (c == 's')
			o.seed = (uint64_t)number("--seed", optarg, INT64_MAX);
		else if (duration(&o, c) != NULL)
			*duration(&o, c) = number(names[at].name, optarg, DURATION_MAX);
		else if (webhook_option(&o, c) != NULL)
			*webhook_option(&o, c) = optarg;
		else
			usage("see below");
	if (o.dir == NULL || optind < argc)
		usage("--journal is needed, and nothing but options");
	for (c = 0; c < 2; c++)
		if ((o.hooks[c].url == NULL) != (o.hooks[c].secret_file == NULL))
			usage("a webhook wants its secret file, and the file its webhook");
	return o;
}

/* Two simulators on one set of books would each miss what the other sold. */
static int lock_dir(const char *dir)
{
	char *path;
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		goto fail;
	if (asprintf(&path, "%s/lock", dir) < 0)
		abort();
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
fail:
	fprintf(stderr, "orderd-sim: %s: %s\n", dir, strerror(errno));
	exit(1);
}

/* The file's one line. */
static void read_webhook(struct hook *h, const char *url, const char *file)
{
	char secret[512] = "";
	const char *wrong = "cannot be read";
	FILE *in = url != NULL ? fopen(file, "re") : NULL;
	json_t *settings;

	if (url == NULL)
		return;
	if (in != NULL && fgets(secret, sizeof(secret), in) != NULL) {
		secret[strcspn(secret, "\r\n")] = '\0';
		settings = json_pack("{s:s, s:s}", "url", url, "secret", secret);
		wrong = settings != NULL ? hook_set(h, settings, false) : "is not UTF-8";
		json_decref(settings);
	}
	if (in != NULL)
		fclose(in);
	if (wrong == NULL)
		return;
	fprintf(stderr, "orderd-sim: the webhook %s with %s: %s\n", url, file, wrong);
	exit(1);
}

struct old {
	struct sim *sim;
	struct hook *hook;
};

static void on_old_line(const json_t *line, int64_t at, void *arg)
{
	struct old *old = arg;
	json_t *object;
	size_t i;

	facts_add(old->sim->facts, json_object_get(line, "facts"));
	hook_recall(old->hook, json_object_get(line, "events"), at);
	json_array_foreach(json_object_get(line, "puts"), i, object)
	{
		if (json_object_get(object, "offset_s") != NULL)
			old->sim->clock_offset_s =
				json_integer_value(json_object_get(object, "offset_s"));
		gateway_recall(old->sim, object);
		carrier_recall(old->sim, object);
	}
}

static void sim_open(struct sim *s, const struct options *o)
{
	struct old old = {.sim = s};

	pthread_mutex_init(&s->lock, NULL);
	s->in_flight = must(json_object());
	s->faults = faults_new(o->seed);
	s->facts = facts_open(o->dir);
	s->schedule = schedule_new(s);
	s->gateway_hook = hook_open(o->dir, "gateway", sign_gateway);
	s->carrier_hook = hook_open(o->dir, "carrier", sign_carrier);
	read_webhook(s->gateway_hook, o->hooks[0].url, o->hooks[0].secret_file);
	read_webhook(s->carrier_hook, o->hooks[1].url, o->hooks[1].secret_file);
	old.hook = s->gateway_hook;
	s->gateway = journal_open(o->dir, "gateway.jsonl", on_old_line, &old);
	old.hook = s->carrier_hook;
	s->carrier = journal_open(o->dir, "carrier.jsonl", on_old_line, &old);
	facts_ready(s->facts);
}

static void sim_start(struct sim *s)
{
	hook_start(s->gateway_hook, s->gateway);
	hook_start(s->carrier_hook, s->carrier);
	schedule_start(s->schedule);
}

static void sim_close(struct sim *s)
{
	schedule_stop(s->schedule);
	hook_stop(s->gateway_hook);
	hook_stop(s->carrier_hook);
	hook_close(s->gateway_hook);
	hook_close(s->carrier_hook);
	schedule_free(s->schedule);
	journal_close(s->gateway);
	journal_close(s->carrier);
	facts_close(s->facts);
	faults_free(s->faults);
	json_decref(s->in_flight);
	pthread_mutex_destroy(&s->lock);
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct sim sim = {.seed = o.seed,
			  .scan_ms = o.scan_ms,
			  .rate_life_s = o.rate_life_s,
			  .refund_s = o.refund_s,
			  .auth_life_s = o.auth_life_s};
	struct web *web;
	sigset_t ends;
	int lock_fd = lock_dir(o.dir);
	int sig;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);

	curl_global_init(CURL_GLOBAL_DEFAULT); /* before there are threads */
	sim_open(&sim, &o);
	web = web_open(&sim, o.address, o.port, &o.port);
	if (web == NULL) {
		fprintf(stderr, "orderd-sim: %s: %s\n", o.address, strerror(errno));
		return 1;
	}
	sim_start(&sim);
	printf("listening=%s:%d\n", o.address, o.port);
	fflush(stdout);
	sigwait(&ends, &sig);

	web_close(web);
	sim_close(&sim);
	curl_global_cleanup();
	close(lock_fd);
	return 0;
}
