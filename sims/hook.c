/*
 * Events that wait, in a heap by when they are due, and the thread that sends them one after
 * the other.  An attempt that is not acknowledged is made again after first_ms, then twice
 * that, and so on up to a minute, `attempts` times in all.
 *
 *	waiting --2xx--> delivered
 *	   |    --no 2xx, attempts used up--> given_up
 *	   +----(fault) lost, (no room) dropped
 */
#include "sims/hook.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sims/courier.h"
#include "sims/fault.h"
#include "sims/journal.h"
#include "sims/sim.h"

enum {
	WAITING_MAX = 65536, /* 15 MB; a receiver that is away for longer has to look itself */
	SHOWN_MAX = 1024,    /* of the finished, and of the waiting */
	TYPE_SIZE = 64,
	URL_SIZE = 1024,
	SECRET_SIZE = 256,
	BACKOFF_MAX_MS = 60000,
	ATTEMPTS_DEFAULT = 20, /* about a quarter of an hour */
	FIRST_DEFAULT_MS = 250,
	TIMEOUT_DEFAULT_MS = 10000,
};

struct event {
	char id[SIM_ID_SIZE];
	char type[TYPE_SIZE];
	int64_t at; /* its line, and where that ends */
	int64_t end;
	size_t index; /* in the line */
	uint64_t number;
	int64_t due_ms;
	enum fault_kind fault;
	bool held;  /* until a later one was acknowledged */
	int copies; /* acknowledgements still wanted */
	int attempts;
	int status; /* of the last answer; 0: none */
	const char *state;
};

struct receiver {
	char url[URL_SIZE]; /* "": nobody listens */
	char secret[SECRET_SIZE];
	int64_t attempts;
	int64_t first_ms;
	int64_t timeout_ms;
	int64_t waiting; /* that may */
};

struct hook {
	const char *name;
	hook_sign *sign;
	char *settings_path;
	struct journal *lines;    /* the vendor's */
	struct journal *outcomes; /* NAME-webhooks.jsonl */
	json_t *known;            /* id -> true of what has an outcome; until hook_start() */
	struct courier *courier;
	pthread_t thread;

	pthread_mutex_t lock; /* of all below; taken after the simulator's, never before */
	pthread_cond_t changed;
	struct receiver to;
	struct event *heap;
	size_t n;
	size_t room;
	struct event sending; /* while `busy` */
	bool busy;
	bool stopping;
	struct event *done; /* a ring */
	size_t done_n;
	size_t held_n;
	uint64_t numbers;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the heap ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->number < b->number;
}

static void sink(struct hook *h, size_t i)
{
	struct event e = h->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && before(&h->heap[child + 1], &h->heap[child]))
			child++;
		if (!before(&h->heap[child], &e))
			break;
		h->heap[i] = h->heap[child];
		i = child;
	}
	h->heap[i] = e;
}

static void push(struct hook *h, const struct event *e)
{
	size_t i = h->n++;

	if (h->n > h->room) {
		h->room = h->room * 2 + 16;
		h->heap = must(realloc(h->heap, h->room * sizeof(*h->heap)));
	}
	for (; i > 0 && before(e, &h->heap[(i - 1) / 2]); i = (i - 1) / 2)
		h->heap[i] = h->heap[(i - 1) / 2];
	h->heap[i] = *e;
	h->held_n += e->held ? 1 : 0;
	pthread_cond_signal(&h->changed);
}

static struct event pop(struct hook *h)
{
	struct event top = h->heap[0];

	h->heap[0] = h->heap[--h->n];
	if (h->n > 0)
		sink(h, 0);
	h->held_n -= top.held ? 1 : 0;
	top.held = false;
	return top;
}

/* Whoever was held back for one that is later than it need not wait any more. */
static void release(struct hook *h, uint64_t number)
{
	size_t i;

	if (h->held_n == 0)
		return;
	for (i = 0; i < h->n; i++)
		if (h->heap[i].held && h->heap[i].number < number) {
			h->heap[i].held = false;
			h->heap[i].due_ms = 0; /* next */
			h->held_n--;
		}
	for (i = h->n / 2; i-- > 0;)
		sink(h, i);
}

/* ---- outcomes ---- */

static void finish(struct hook *h, struct event *e, const char *state)
{
	json_t *line =
		must(json_pack("{s:s, s:s, s:s, s:i, s:i}", "event", e->id, "type", e->type,
			       "state", state, "attempts", e->attempts, "status", e->status));

	e->state = state;
	h->done[h->done_n++ % SHOWN_MAX] = *e;
	journal_append(h->outcomes, line);
	json_decref(line);
}

static void on_outcome(const json_t *line, int64_t at, void *arg)
{
	const char *id = json_string_value(json_object_get(line, "event"));

	(void)at;
	if (id != NULL)
		json_object_set_new(((struct hook *)arg)->known, id, json_true());
}

static void judge(struct hook *h, struct event *e, int status)
{
	int64_t wait_ms = h->to.first_ms;
	int i;

	e->attempts++;
	e->status = status;
	if (status >= 200 && status <= 299) {
		release(h, e->number);
		e->due_ms = now_ms();
		if (--e->copies == 0)
			finish(h, e, "delivered");
		else
			push(h, e);
		return;
	}
	for (i = 1; i < e->attempts && wait_ms < BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	e->due_ms = now_ms() + (wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS);
	if (e->attempts < h->to.attempts)
		push(h, e);
	else
		finish(h, e, "given_up");
}

/* ---- the thread ---- */

static int attempt(struct hook *h, const struct event *e, const struct receiver *to)
{
	char header[HOOK_HEADER_SIZE];
	json_t *line;
	json_t *body;
	char *text;
	int status;

	journal_sync(h->lines, e->end);
	line = journal_line(h->lines, e->at);
	body = json_object_get(json_array_get(json_object_get(line, "events"), e->index), "body");
	text = must(json_dumps(body, JSON_COMPACT));
	h->sign(to->secret, text, e->fault == FAULT_BAD_SIGNATURE && e->attempts == 0, header);
	status = courier_post(h->courier, to->url, header, text, strlen(text), to->timeout_ms);
	free(text);
	json_decref(line);
	return status;
}

/* Until something is due, or has changed. */
static void rest(struct hook *h)
{
	struct timespec until;
	int64_t due_ms;

	if (h->n == 0 || h->to.url[0] == '\0') {
		pthread_cond_wait(&h->changed, &h->lock);
		return;
	}
	due_ms = h->heap[0].due_ms;
	until.tv_sec = (time_t)(due_ms / 1000);
	until.tv_nsec = (long)(due_ms % 1000) * 1000000;
	pthread_cond_timedwait(&h->changed, &h->lock, &until);
}

static void *run(void *arg)
{
	struct hook *h = arg;
	struct receiver to;
	int status;

	pthread_mutex_lock(&h->lock);
	while (!h->stopping) {
		if (h->n == 0 || h->to.url[0] == '\0' || h->heap[0].due_ms > now_ms()) {
			rest(h);
			continue;
		}
		h->sending = pop(h);
		h->busy = true;
		to = h->to;
		pthread_mutex_unlock(&h->lock);
		status = attempt(h, &h->sending, &to);
		pthread_mutex_lock(&h->lock);
		h->busy = false;
		/* Broken off at the end is not an outcome: it is sent again after a restart. */
		if (!h->stopping || status != 0)
			judge(h, &h->sending, status);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

void hook_start(struct hook *h, struct journal *j)
{
	h->lines = j;
	json_decref(h->known);
	h->known = NULL;
	if (pthread_create(&h->thread, NULL, run, h) != 0)
		must(NULL);
}

void hook_stop(struct hook *h)
{
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
	courier_stop(h->courier);
	pthread_join(h->thread, NULL);
}

/* ---- events ---- */

static void take(struct hook *h, const json_t *what, struct event *e)
{
	const char *id = json_string_value(json_object_get(json_object_get(what, "body"), "id"));
	const char *type = json_string_value(json_object_get(what, "type"));
	int64_t ms = json_integer_value(json_object_get(what, "ms"));

	snprintf(e->id, sizeof(e->id), "%s", id);
	snprintf(e->type, sizeof(e->type), "%s", type);
	e->number = ++h->numbers;
	e->state = "waiting";
	e->copies = e->fault == FAULT_DOUBLED ? 2 : 1;
	e->held = e->fault == FAULT_REORDERED;
	e->due_ms = now_ms() + (e->fault == FAULT_LATE || e->held ? ms : 0);
	if (e->fault == FAULT_LOST)
		finish(h, e, "lost");
	else if ((int64_t)h->n >= h->to.waiting)
		finish(h, e, "dropped");
	else
		push(h, e);
}

void hook_take(struct hook *h, const json_t *events, int64_t at, int64_t end)
{
	json_t *what;
	size_t i;

	if (json_array_size(events) == 0)
		return;
	pthread_mutex_lock(&h->lock);
	json_array_foreach(events, i, what)
	{
		struct event e = {.at = at, .end = end, .index = i};

		e.fault = fault_of_name(json_string_value(json_object_get(what, "fault")));
		take(h, what, &e);
	}
	pthread_mutex_unlock(&h->lock);
}

void hook_recall(struct hook *h, const json_t *events, int64_t at)
{
	json_t *what;
	size_t i;

	json_array_foreach(events, i, what)
	{
		struct event e = {.at = at, .index = i};
		const char *id =
			json_string_value(json_object_get(json_object_get(what, "body"), "id"));

		if (json_object_get(h->known, id) != NULL)
			continue;
		/* Lost stays lost; the other faults were for one time. */
		e.fault = fault_of_name(json_string_value(json_object_get(what, "fault")));
		e.fault = e.fault == FAULT_LOST ? FAULT_LOST : FAULT_NONE;
		take(h, what, &e);
	}
}

/* ---- settings ---- */

static bool within(const json_t *settings, const char *name, int64_t least, int64_t most,
		   int64_t *ret)
{
	const json_t *value = json_object_get(settings, name);

	if (value == NULL)
		return true;
	*ret = json_integer_value(value);
	return json_is_integer(value) && *ret >= least && *ret <= most;
}

static bool is_secret(const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return n > 0 && n < SECRET_SIZE;
}

static const char *read_settings(const json_t *settings, struct receiver *ret)
{
	const char *url = json_string_value(json_object_get(settings, "url"));
	const char *secret = json_string_value(json_object_get(settings, "secret"));

	*ret = (struct receiver){.attempts = ATTEMPTS_DEFAULT,
				 .first_ms = FIRST_DEFAULT_MS,
				 .timeout_ms = TIMEOUT_DEFAULT_MS,
				 .waiting = WAITING_MAX};
	if (json_is_null(settings))
		return NULL;
	if (url == NULL || strlen(url) >= URL_SIZE ||
	    (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return "url must be of http or https, of 1023 bytes at most";
	if (!is_secret(secret))
		return "secret must be 1 to 255 ASCII characters without spaces";
	if (!within(settings, "attempts", 1, 1000, &ret->attempts))
		return "attempts must be in 1..1000";
	if (!within(settings, "first_ms", 1, BACKOFF_MAX_MS, &ret->first_ms))
		return "first_ms must be in 1..60000";
	if (!within(settings, "timeout_ms", 1, BACKOFF_MAX_MS, &ret->timeout_ms))
		return "timeout_ms must be in 1..60000";
	if (!within(settings, "waiting", 1, WAITING_MAX, &ret->waiting))
		return "waiting must be in 1..65536";
	snprintf(ret->url, sizeof(ret->url), "%s", url);
	snprintf(ret->secret, sizeof(ret->secret), "%s", secret);
	return NULL;
}

/* Whole or not at all: written beside, synced, renamed.  The secret is in it: 0600. */
static const char *keep_settings(const struct hook *h, const json_t *settings)
{
	char *text = must(json_dumps(settings, JSON_COMPACT | JSON_ENCODE_ANY));
	size_t n = strlen(text);
	bool kept = false;
	char *fresh;
	int fd;

	if (asprintf(&fresh, "%s.new", h->settings_path) < 0)
		must(NULL);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		kept = write(fd, text, n) == (ssize_t)n && fdatasync(fd) == 0;
		close(fd);
	}
	kept = kept && rename(fresh, h->settings_path) == 0;
	free(fresh);
	free(text);
	return kept ? NULL : "the settings could not be written";
}

const char *hook_set(struct hook *h, const json_t *settings, bool keep)
{
	struct receiver to;
	const char *wrong = read_settings(settings, &to);

	if (wrong == NULL && keep)
		wrong = keep_settings(h, settings);
	if (wrong != NULL)
		return wrong;
	pthread_mutex_lock(&h->lock);
	h->to = to;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

bool hook_listens(struct hook *h)
{
	bool listens;

	pthread_mutex_lock(&h->lock);
	listens = h->to.url[0] != '\0';
	pthread_mutex_unlock(&h->lock);
	return listens;
}

json_t *hook_url(struct hook *h)
{
	json_t *url;

	pthread_mutex_lock(&h->lock);
	url = must(json_string(h->to.url));
	pthread_mutex_unlock(&h->lock);
	return url;
}

const char *hook_name(const struct hook *h)
{
	return h->name;
}

/* ---- open, show, close ---- */

struct hook *hook_open(const char *dir, const char *name, hook_sign *sign)
{
	struct hook *h = must(calloc(1, sizeof(*h)));
	pthread_condattr_t attr;
	json_t *settings;
	char file[64];

	h->name = name;
	h->sign = sign;
	h->known = must(json_object());
	h->done = must(calloc(SHOWN_MAX, sizeof(*h->done)));
	h->courier = courier_new();
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (asprintf(&h->settings_path, "%s/%s-webhook.json", dir, name) < 0)
		must(NULL);
	settings = json_load_file(h->settings_path, JSON_DECODE_ANY, NULL);
	if (settings == NULL || read_settings(settings, &h->to) != NULL)
		read_settings(json_null(), &h->to);
	json_decref(settings);
	snprintf(file, sizeof(file), "%s-webhooks.jsonl", name);
	h->outcomes = journal_open(dir, file, on_outcome, h);
	return h;
}

static json_t *shown(const struct event *e)
{
	return must(json_pack("{s:s, s:s, s:s, s:i, s:i, s:s*}", "id", e->id, "type", e->type,
			      "state", e->state, "attempts", e->attempts, "status", e->status,
			      "fault", e->fault != FAULT_NONE ? fault_name(e->fault) : NULL));
}

json_t *hook_show(struct hook *h)
{
	json_t *events = must(json_array());
	json_t *all;
	size_t i;

	pthread_mutex_lock(&h->lock);
	for (i = h->done_n > SHOWN_MAX ? h->done_n - SHOWN_MAX : 0; i < h->done_n; i++)
		json_array_append_new(events, shown(&h->done[i % SHOWN_MAX]));
	if (h->busy)
		json_array_append_new(events, shown(&h->sending));
	for (i = 0; i < h->n && i < SHOWN_MAX; i++)
		json_array_append_new(events, shown(&h->heap[i]));
	all = must(json_pack("{s:s, s:I, s:o}", "url", h->to.url, "waiting",
			     (json_int_t)h->n + (h->busy ? 1 : 0), "events", events));
	pthread_mutex_unlock(&h->lock);
	return all;
}

void hook_close(struct hook *h)
{
	journal_close(h->outcomes);
	json_decref(h->known);
	courier_free(h->courier);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->changed);
	free(h->settings_path);
	free(h->heap);
	free(h->done);
	free(h);
}
