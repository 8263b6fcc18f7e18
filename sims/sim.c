/*
 * The way of one call: meet a fault or not, let the part decide, write the journal,
 * wait until it is on disk.  What the parts share stands below.
 */
#include "sims/sim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/metric.h"
#include "sims/carrier.h"
#include "sims/control.h"
#include "sims/fault.h"
#include "sims/gateway.h"
#include "sims/hook.h"
#include "sims/journal.h"

struct part {
	const char *prefix;
	void (*serve)(struct call *c);
	void (*fail)(struct call *c, int status); /* 429 or 500 in the vendor's words */
};

static const struct part gateway = {"/v1/", gateway_serve, gateway_fail};
static const struct part carrier = {"/v2/", carrier_serve, carrier_fail};
static const struct part control = {"/_sim/", control_serve, NULL};

static const struct part *part_of(struct call *c)
{
	if (strncmp(c->path, gateway.prefix, strlen(gateway.prefix)) == 0) {
		c->journal = c->sim->gateway;
		return &gateway;
	}
	if (strncmp(c->path, carrier.prefix, strlen(carrier.prefix)) == 0) {
		c->journal = c->sim->carrier;
		return &carrier;
	}
	return &control;
}

static struct hook *hook_of(const struct call *c)
{
	return c->journal == c->sim->gateway ? c->sim->gateway_hook : c->sim->carrier_hook;
}

/* Jansson takes nothing else, and a header may be any bytes. */
static const char *utf8(const char *text)
{
	json_t *copy = text != NULL ? json_string(text) : NULL;
	bool good = copy != NULL;

	json_decref(copy);
	return good ? text : NULL;
}

/* `reply` is left out when it is the first object of `puts`: the same text, once. */
static void write_journal(struct call *c)
{
	char at[32];
	time_t now = (time_t)sim_now_s(c->sim);
	struct tm tm;
	json_t *line;
	int64_t place;

	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	line = json_pack(
		"{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:i, s:b, s:O, s:O*, s:O, s:O, s:O*}", "time",
		at, "method", c->method, "path", c->path, "key", c->key, "traceparent",
		utf8(c->trace), "decision", c->decision, "status", c->status, "saved",
		c->saved ? 1 : 0, "params", c->json != NULL ? c->json : c->form, "reply",
		c->reply != json_array_get(c->puts, 0) ? c->reply : NULL, "puts", c->puts, "facts",
		c->facts, "events", json_array_size(c->events) > 0 ? c->events : NULL);
	place = journal_append(c->journal, must(line));
	json_decref(line);
	facts_add(c->sim->facts, c->facts);
	hook_take(hook_of(c), c->events, place, journal_end(c->journal));
}

/* GETs and the clock leave a line only when they changed something. */
static bool worth_a_line(const struct call *c)
{
	return c->journal != NULL && !c->replayed &&
	       ((strcmp(c->method, "GET") != 0 && strcmp(c->method, "CLOCK") != 0) ||
		json_array_size(c->puts) > 0);
}

static void decide(struct call *c, const struct part *part, struct fault fault)
{
	switch (fault.kind) {
	case FAULT_DROP_BEFORE:
		c->hang_up = true;
		c->decision = "fault drop_before";
		return;
	case FAULT_429:
	case FAULT_500:
		part->fail(c, fault.kind == FAULT_429 ? 429 : 500);
		return;
	case FAULT_500_AFTER:
	case FAULT_DROP_AFTER:
	case FAULT_SLOW:
	case FAULT_NONE:
	case FAULT_LATE:
	case FAULT_DOUBLED:
	case FAULT_REORDERED:
	case FAULT_LOST:
	case FAULT_BAD_SIGNATURE:
	case FAULT_KINDS:
		break;
	}
	part->serve(c);
	c->hang_up = fault.kind == FAULT_DROP_AFTER;
	c->wait_ms = fault.kind == FAULT_SLOW ? fault.ms : 0;
	if (fault.kind == FAULT_500_AFTER && !c->replayed)
		part->fail(c, 500);
}

/* Under the lock, as all metrics here. */
static void count(const struct call *c, const struct part *part)
{
	const char *vendor = part == &gateway   ? "gateway"
			     : part == &carrier ? "carrier"
						: "control";
	char label[64];

	if (c->hang_up)
		snprintf(label, sizeof(label), "%s|hang_up", vendor);
	else
		snprintf(label, sizeof(label), "%s|%d", vendor, c->status);
	metric_add(METRIC_sim_calls, label, 1);
}

void sim_serve(struct call *c)
{
	const struct part *part = part_of(c);
	struct fault fault = {FAULT_NONE, 0};
	int64_t end = 0;

	pthread_mutex_lock(&c->sim->lock);
	snprintf(c->request_id, sizeof(c->request_id), "req_%08lx%08lx", (unsigned long)time(NULL),
		 (unsigned long)++c->sim->requests);
	if (part != &control)
		fault = faults_meet(c->sim->faults, c->method, c->path);
	decide(c, part, fault);
	count(c, part);
	if (worth_a_line(c))
		write_journal(c);
	if (c->journal != NULL)
		end = journal_end(c->journal);
	pthread_mutex_unlock(&c->sim->lock);

	/* Readers wait too: nobody is told of what a power cut could undo. */
	if (c->journal != NULL)
		journal_sync(c->journal, end);
}

void sim_served(struct call *c)
{
	if (!c->in_flight)
		return;
	pthread_mutex_lock(&c->sim->lock);
	json_object_del(c->sim->in_flight, c->key);
	pthread_mutex_unlock(&c->sim->lock);
	c->in_flight = false;
}

void sim_act(struct sim *sim, void (*act)(struct call *c), const char *id)
{
	struct call c;

	call_open(&c, sim);
	c.method = "CLOCK";
	c.path = "";
	c.form = must(json_object());
	snprintf(c.id, sizeof(c.id), "%s", id);
	act(&c);
	if (worth_a_line(&c))
		write_journal(&c);
	call_close(&c);
}

void call_open(struct call *c, struct sim *sim)
{
	memset(c, 0, sizeof(*c));
	c->sim = sim;
	c->query = must(json_object());
	c->puts = must(json_array());
	c->facts = must(json_array());
	c->events = must(json_array());
}

void call_close(struct call *c)
{
	json_decref(c->query);
	json_decref(c->form);
	json_decref(c->json);
	json_decref(c->puts);
	json_decref(c->facts);
	json_decref(c->events);
	json_decref(c->reply);
	free(c->text);
}

/* ---- shared by the parts ---- */

int64_t sim_now_us(const struct sim *s)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec + s->clock_offset_s) * 1000000 + ts.tv_nsec / 1000;
}

int64_t sim_now_s(const struct sim *s)
{
	return sim_now_us(s) / 1000000;
}

void call_answer(struct call *c, int status, json_t *take_reply, const char *decision)
{
	json_decref(c->reply);
	c->status = status;
	c->reply = must(take_reply);
	c->decision = decision;
}

void call_put(struct call *c, json_t *object)
{
	json_array_append(c->puts, object);
}

void call_fact(struct call *c, json_t *take_fact)
{
	json_array_append_new(c->facts, must(take_fact));
}

bool call_heard(const struct call *c)
{
	return hook_listens(hook_of(c));
}

void call_event(struct call *c, const char *type, json_t *take_body)
{
	char path[128];
	struct fault fault;

	snprintf(path, sizeof(path), "/webhooks/%s/%s", hook_name(hook_of(c)), type);
	fault = faults_meet(c->sim->faults, NULL, path);
	json_array_append_new(
		c->events,
		must(json_pack("{s:s, s:o, s:s*, s:I}", "type", type, "body", must(take_body),
			       "fault", fault.kind != FAULT_NONE ? fault_name(fault.kind) : NULL,
			       "ms", (json_int_t)fault.ms)));
}

/* splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * The place in the journal a call will be written to is used once, so (place, how many
 * ids before in this call) is, too, as every id makes the line longer; mixed with the
 * seed it looks like a vendor's id.
 */
static void make_id(struct call *c, const char *prefix, const char *alphabet, unsigned base,
		    size_t digits, char ret[SIM_ID_SIZE])
{
	uint64_t place = (uint64_t)journal_end(c->journal) * 16 + c->ids_made++;
	size_t n = strlen(prefix);
	uint64_t bits = 0;
	size_t i;

	assert(n + digits < SIM_ID_SIZE);
	memcpy(ret, prefix, n);
	for (i = 0; i < digits; i++) {
		if (i % 8 == 0)
			bits = mix(mix(c->sim->seed) ^ mix(place * 8 + i / 8));
		ret[n + i] = alphabet[bits % base];
		bits /= base;
	}
	ret[n + digits] = '\0';
}

void call_new_id(struct call *c, const char *prefix, char ret[SIM_ID_SIZE])
{
	make_id(c, prefix, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 62, 24,
		ret);
}

void call_new_hex_id(struct call *c, const char *prefix, char ret[SIM_ID_SIZE])
{
	make_id(c, prefix, "0123456789abcdef", 16, 32, ret);
}

bool path_matches(const char *pattern, const char *path, char ret[SIM_ID_SIZE])
{
	const char *star = strchr(pattern, '*');
	size_t head = star != NULL ? (size_t)(star - pattern) : strlen(pattern);
	size_t n;

	if (star == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, head) != 0)
		return false;
	n = strcspn(path + head, "/");
	if (n == 0 || n >= SIM_ID_SIZE || strcmp(path + head + n, star + 1) != 0)
		return false;
	memcpy(ret, path + head, n);
	ret[n] = '\0';
	return true;
}

json_t *json_literal(const char *text)
{
	char *copy = must(strdup(text));
	json_t *value;
	char *p;

	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	free(copy);
	return must(value);
}

void *must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "orderd-sim: out of memory, or a template that is no JSON\n");
		abort();
	}
	return p;
}
