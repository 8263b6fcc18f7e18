#include "server/auth/rate_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/auth/policy.h"

#define SECOND_NS INT64_C(1000000000)

struct rule {
	int32_t tenant;    /* 0: every */
	struct str method; /* empty: every */
	struct rate rate;
	unsigned line;
};

struct rate_rules {
	char *text;
	struct rule *rules; /* sorted by tenant and method */
	size_t n;
};

static int by_place(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	size_t n = x->method.n < y->method.n ? x->method.n : y->method.n;
	int order = n > 0 ? memcmp(x->method.p, y->method.p, n) : 0;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	return order != 0 ? order : (x->method.n > y->method.n) - (x->method.n < y->method.n);
}

/* ---- reading ---- */

/* The next word of a line, blanks and tabs between two; empty: there is none. */
static struct str word(struct str *line)
{
	struct str w;

	while (line->n > 0 && strchr(" \t\r", line->p[0]) != NULL) {
		line->p++;
		line->n--;
	}
	w = (struct str){line->p, 0};
	while (line->n > 0 && strchr(" \t\r", line->p[0]) == NULL) {
		line->p++;
		line->n--;
		w.n++;
	}
	return w;
}

static bool is_any(struct str w)
{
	return str_eq(w, STR("*"));
}

static bool read_tenant(struct str w, int32_t *ret)
{
	long long n = 0;

	if (!is_any(w) && !str_to_i64(w, 1, INT32_MAX, &n))
		return false;
	*ret = (int32_t)n;
	return true;
}

/* A method somebody may call, or an asterisk. */
static bool read_method(struct str w, struct str *ret)
{
	char path[128];

	if (is_any(w)) {
		*ret = (struct str){"", 0};
		return true;
	}
	if (w.n == 0 || w.n >= sizeof(path))
		return false;
	memcpy(path, w.p, w.n);
	path[w.n] = '\0';
	*ret = w;
	return policy_find(&policy_of_orderd, path) != NULL;
}

static int64_t unit_of(struct str per)
{
	if (str_eq(per, STR("s")))
		return SECOND_NS;
	if (str_eq(per, STR("m")))
		return 60 * SECOND_NS;
	return str_eq(per, STR("h")) ? 3600 * SECOND_NS : 0;
}

static bool read_rate(struct str w, struct str burst, struct rate *ret)
{
	struct str n = {0};
	long long calls, room;
	int64_t unit;

	*ret = (struct rate){0};
	if (str_eq(w, STR("none")))
		return burst.n == 0;
	if (!str_next(&w, '/', &n) || !str_to_i64(n, 1, RATE_MAX, &calls))
		return false;
	unit = unit_of(w);
	if (unit == 0)
		return false;
	room = calls * SECOND_NS / unit > 0 ? calls * SECOND_NS / unit : 1;
	if (burst.n > 0 && !str_to_i64(burst, 1, BUCKETS_BURST_MAX, &room))
		return false;
	*ret = rate_of(calls, unit, room);
	return true;
}

/* NULL, or what is wrong with it. */
static const char *read_rule(struct str line, struct rule *ret)
{
	struct str tenant = word(&line), method = word(&line), rate = word(&line),
		   burst = word(&line);

	if (!read_tenant(tenant, &ret->tenant))
		return "the tenant is a number or *";
	if (!read_method(method, &ret->method))
		return "there is no such method; it is * or a path like "
		       "/orderd.v1.OrderService/GetOrder";
	if (!read_rate(rate, burst, &ret->rate))
		return "the rate is none, or 1 to 1000000 per s, m or h as in 20/s, and a burst of "
		       "1 to 1000000 may follow";
	return word(&line).n > 0 ? "more follows the burst" : NULL;
}

static const char *check_twins(const struct rate_rules *r, unsigned *ret_line)
{
	for (size_t i = 1; i < r->n; i++) {
		if (by_place(&r->rules[i - 1], &r->rules[i]) != 0)
			continue;
		*ret_line = r->rules[i].line > r->rules[i - 1].line ? r->rules[i].line
								    : r->rules[i - 1].line;
		return "this tenant and method have a rule already";
	}
	return NULL;
}

static const char *read_lines(struct rate_rules *r, struct str rest, unsigned *ret_line)
{
	struct str line, seen;
	size_t room = 0;

	for (*ret_line = 1; str_next(&rest, '\n', &line); ++*ret_line) {
		const char *why;

		seen = line;
		seen = word(&seen);
		if (seen.n == 0 || seen.p[0] == '#')
			continue;
		if (r->n == RATE_RULES_MAX)
			return "there are too many rules";
		if (r->n == room) {
			room = 2 * room + 16;
			r->rules = mem_grow(r->rules, room, sizeof(*r->rules));
		}
		r->rules[r->n] = (struct rule){.line = *ret_line};
		why = read_rule(line, &r->rules[r->n++]);
		if (why != NULL)
			return why;
	}
	if (r->n > 0)
		qsort(r->rules, r->n, sizeof(*r->rules), by_place);
	return check_twins(r, ret_line);
}

struct rate_rules *rate_rules_read(char *text, size_t n, char *ret_why, size_t room)
{
	struct rate_rules *r = mem_alloc(sizeof(*r));
	const char *why;
	unsigned line;

	r->text = text;
	why = read_lines(r, (struct str){text, n}, &line);
	if (why == NULL)
		return r;
	(void)snprintf(ret_why, room, "line %u: %s", line, why);
	rate_rules_free(r);
	return NULL;
}

void rate_rules_free(struct rate_rules *r)
{
	if (r == NULL)
		return;
	free(r->text);
	free(r->rules);
	free(r);
}

/* ---- finding ---- */

static const struct rule *rule_of(const struct rate_rules *r, int32_t tenant, struct str method)
{
	struct rule key = {.tenant = tenant, .method = method};

	return bsearch(&key, r->rules, r->n, sizeof(key), by_place);
}

struct rate rate_rules_find(const struct rate_rules *r, int32_t tenant, const char *method,
			    struct rate otherwise)
{
	const struct str any = {"", 0};
	const struct rule *found;

	if (r == NULL || r->n == 0)
		return otherwise;
	found = rule_of(r, tenant, str_of(method));
	if (found == NULL)
		found = rule_of(r, tenant, any);
	if (found == NULL)
		found = rule_of(r, 0, str_of(method));
	if (found == NULL)
		found = rule_of(r, 0, any);
	return found != NULL ? found->rate : otherwise;
}
