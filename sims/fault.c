/* Fault rules, in the order they were set; fault.h lists the kinds. */
#include "sims/fault.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sims/sim.h"

enum { WAIT_MAX_MS = 120000, WAIT_DEFAULT_MS = 1000, HOLD_DEFAULT_MS = 10000 };

struct faults {
	json_t *rules; /* as they came; "count" goes down */
	uint64_t random;
};

static const char *const kind_names[FAULT_KINDS] = {
	[FAULT_NONE] = "none",
	[FAULT_DROP_BEFORE] = "drop_before",
	[FAULT_DROP_AFTER] = "drop_after",
	[FAULT_429] = "429",
	[FAULT_500] = "500",
	[FAULT_500_AFTER] = "500_after",
	[FAULT_SLOW] = "slow",
	[FAULT_LATE] = "late",
	[FAULT_DOUBLED] = "doubled",
	[FAULT_REORDERED] = "reordered",
	[FAULT_LOST] = "lost",
	[FAULT_BAD_SIGNATURE] = "bad_signature",
};

const char *fault_name(enum fault_kind kind)
{
	return kind_names[kind];
}

static bool of_webhooks(enum fault_kind kind)
{
	return kind >= FAULT_LATE;
}

enum fault_kind fault_of_name(const char *name)
{
	int k;

	for (k = FAULT_NONE + 1; name != NULL && k < FAULT_KINDS; k++)
		if (strcmp(kind_names[k], name) == 0)
			return (enum fault_kind)k;
	return FAULT_NONE;
}

struct faults *faults_new(uint64_t seed)
{
	struct faults *f = must(calloc(1, sizeof(*f)));

	f->rules = must(json_array());
	f->random = seed * 2 + 1; /* xorshift must not start at 0 */
	return f;
}

void faults_free(struct faults *f)
{
	json_decref(f->rules);
	free(f);
}

const char *faults_add(struct faults *f, const json_t *rule)
{
	const json_t *rate = json_object_get(rule, "rate");
	const json_t *ms = json_object_get(rule, "ms");
	const json_t *count = json_object_get(rule, "count");
	const char *path = json_string_value(json_object_get(rule, "path"));
	enum fault_kind kind = fault_of_name(json_string_value(json_object_get(rule, "fault")));
	json_t *kept;

	if (path == NULL)
		return "path must be a string";
	if (strncmp(path, "/webhooks/", 10) == 0 && !of_webhooks(kind))
		return "fault must be late, doubled, reordered, lost or bad_signature";
	if (strncmp(path, "/webhooks/", 10) != 0 && (kind == FAULT_NONE || of_webhooks(kind)))
		return "fault must be drop_before, drop_after, 429, 500, 500_after or slow";
	if (of_webhooks(kind) && json_object_get(rule, "method") != NULL)
		return "a webhook has no method";
	if (rate != NULL && !(json_number_value(rate) > 0 && json_number_value(rate) <= 1))
		return "rate must be in (0, 1]";
	if (count != NULL && json_integer_value(count) < 1)
		return "count must be at least 1";
	if (ms != NULL && (json_integer_value(ms) < 0 || json_integer_value(ms) > WAIT_MAX_MS))
		return "ms must be in 0..120000";
	if (json_array_size(f->rules) >= SIM_FAULTS_MAX)
		return "too many rules";
	kept = must(json_deep_copy(rule));
	if (count == NULL && rate == NULL)
		json_object_set_new(kept, "count", json_integer(1));
	json_array_append_new(f->rules, kept);
	return NULL;
}

void faults_clear(struct faults *f)
{
	json_array_clear(f->rules);
}

json_t *faults_list(const struct faults *f)
{
	return must(json_deep_copy(f->rules));
}

/* xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003): the same seed, the same trouble. */
static double random_unit(struct faults *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return (double)(f->random >> 11) / (double)(UINT64_C(1) << 53);
}

static enum fault_kind kind_in(const json_t *rule)
{
	return fault_of_name(json_string_value(json_object_get(rule, "fault")));
}

static bool meets(struct faults *f, const json_t *rule, const char *method, const char *path)
{
	const char *wanted = json_string_value(json_object_get(rule, "method"));
	const json_t *rate = json_object_get(rule, "rate");

	if (of_webhooks(kind_in(rule)) != (method == NULL))
		return false;
	if (wanted != NULL && (method == NULL || strcmp(wanted, method) != 0))
		return false;
	if (fnmatch(json_string_value(json_object_get(rule, "path")), path, FNM_PATHNAME) != 0)
		return false;
	return rate == NULL || random_unit(f) < json_number_value(rate);
}

struct fault faults_meet(struct faults *f, const char *method, const char *path)
{
	struct fault none = {FAULT_NONE, 0};
	json_t *rule;
	json_t *count;
	size_t i;

	json_array_foreach(f->rules, i, rule)
	{
		struct fault met;
		const json_t *ms = json_object_get(rule, "ms");

		if (!meets(f, rule, method, path))
			continue;
		met.kind = kind_in(rule);
		met.ms = met.kind == FAULT_REORDERED ? HOLD_DEFAULT_MS : WAIT_DEFAULT_MS;
		if (ms != NULL)
			met.ms = json_integer_value(ms);
		count = json_object_get(rule, "count");
		if (count != NULL) {
			json_integer_set(count, json_integer_value(count) - 1);
			if (json_integer_value(count) == 0)
				json_array_remove(f->rules, i);
		}
		return met;
	}
	return none;
}
