/*
 * orderd-sim --listen 127.0.0.1:0 --journal DIR [--seed N] [--scan-ms N]
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

#include "sims/fault.h"
#include "sims/journal.h"
#include "sims/sim.h"
#include "sims/web.h"

struct options {
	char address[64];
	int port;
	const char *dir;
	uint64_t seed;
	int64_t scan_ms;
};

static _Noreturn void usage(const char *why)
{
	fprintf(stderr,
		"orderd-sim: %s\n"
		"usage: orderd-sim --journal DIR [--listen ADDRESS:PORT] [--seed N] [--scan-ms N]\n"
		"  --journal DIR          where its books are kept; made when missing\n"
		"  --listen ADDRESS:PORT  default 127.0.0.1:0; port 0 is any free one\n"
		"  --seed N               of ids and random faults; default 1\n"
		"  --scan-ms N            between two scans of a parcel; default 1000\n",
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

static struct options read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"listen", required_argument, NULL, 'l'}, {"journal", required_argument, NULL, 'j'},
		{"seed", required_argument, NULL, 's'},   {"scan-ms", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	struct options o = {"127.0.0.1", 0, NULL, 1, 1000};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (c) {
		case 'l':
			read_listen(&o, optarg);
			break;
		case 'j':
			o.dir = optarg;
			break;
		case 's':
			o.seed = (uint64_t)number("--seed", optarg, INT64_MAX);
			break;
		case 'm':
			o.scan_ms = number("--scan-ms", optarg, INT64_C(30) * 86400000);
			break;
		default:
			usage("see below");
		}
	if (o.dir == NULL || optind < argc)
		usage("--journal is needed, and nothing else");
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

static void on_old_line(const json_t *line, void *arg)
{
	struct sim *s = arg;
	json_t *object;
	size_t i;

	facts_add(s->facts, json_object_get(line, "facts"));
	json_array_foreach(json_object_get(line, "puts"), i,
			   object) if (json_object_get(object, "offset_s") != NULL)
		s->clock_offset_s = json_integer_value(json_object_get(object, "offset_s"));
}

static void sim_open(struct sim *s, const struct options *o)
{
	pthread_mutex_init(&s->lock, NULL);
	s->seed = o->seed;
	s->scan_ms = o->scan_ms;
	s->in_flight = must(json_object());
	s->faults = faults_new(o->seed);
	s->facts = facts_open(o->dir);
	s->gateway = journal_open(o->dir, "gateway.jsonl", on_old_line, s);
	s->carrier = journal_open(o->dir, "carrier.jsonl", on_old_line, s);
	facts_ready(s->facts);
}

static void sim_close(struct sim *s)
{
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
	struct sim sim = {.seed = o.seed};
	struct web *web;
	sigset_t ends;
	int lock_fd = lock_dir(o.dir);
	int sig;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);

	sim_open(&sim, &o);
	web = web_open(&sim, o.address, o.port, &o.port);
	if (web == NULL) {
		fprintf(stderr, "orderd-sim: %s: %s\n", o.address, strerror(errno));
		return 1;
	}
	printf("listening=%s:%d\n", o.address, o.port);
	fflush(stdout);
	sigwait(&ends, &sig);

	web_close(web);
	sim_close(&sim);
	close(lock_fd);
	return 0;
}
