/*
 * Whatever stands in a file of rate limits: it is taken, and then every rate in it is one that a
 * bucket can keep, or it is refused with the line's number.  One more rule of the file's own kind
 * is about its tenant and method alone, and is refused the second time.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/auth/rate_rules.h"
#include "tests/fuzz/fuzz.h"

#define GET   "/orderd.v1.OrderService/GetOrder"
#define PLACE "/orderd.v1.OrderService/PlaceOrder"

enum { LAST = INT32_MAX };

static const char *const methods[] = {GET, PLACE, "/orderd.v1.OpsService/Inspect", "/nobody/knows"};
static const int32_t tenants[] = {1, 2, 7, LAST};
static const struct rate otherwise = {1, 1};

/* The file's text with more behind it; NULL: refused, at a line that there is. */
static struct rate_rules *read_with(struct str text, const char *more)
{
	char *whole = mem_alloc(text.n + strlen(more) + 1);
	size_t n = text.n + strlen(more), lines = 1;
	struct rate_rules *r;
	unsigned line = 0;
	char why[200] = "";

	if (text.n > 0)
		memcpy(whole, text.p, text.n);
	memcpy(whole + text.n, more, strlen(more) + 1);
	for (size_t i = 0; i < n; i++)
		lines += whole[i] == '\n';
	r = rate_rules_read(whole, n, why, sizeof(why));
	MUST((r == NULL) == (why[0] != '\0'));
	if (r == NULL)
		MUST(sscanf(why, "line %u: ", &line) == 1 && line >= 1 && line <= lines);
	return r;
}

static void rate_is_of_use(struct rate rate)
{
	struct buckets *b;

	if (rate.every_ns == 0)
		return; /* no limit */
	MUST(rate.every_ns > 0 && rate.burst >= 1 && rate.burst <= BUCKETS_BURST_MAX);
	b = buckets_new(8, 1);
	MUST(buckets_take(b, 1, &rate, 1) == 0);
	if (rate.burst == 1)
		MUST(buckets_take(b, 1, &rate, 1) > 0);
	buckets_free(b);
}

static bool same(struct rate a, struct rate b)
{
	return a.every_ns == b.every_ns && a.burst == b.burst;
}

static void one_more_rule_is_about_itself_alone(struct str text, const struct rate_rules *r)
{
	const char *more = "\n2147483647 " PLACE " 7/m 3\n2147483647 " GET " none";
	struct rate_rules *with = read_with(text, more);

	if (with == NULL)
		return; /* it has one of them already */
	MUST(same(rate_rules_find(with, LAST, PLACE, otherwise),
		  rate_of(7, INT64_C(60000000000), 3)));
	MUST(rate_rules_find(with, LAST, GET, otherwise).every_ns == 0);
	MUST(same(rate_rules_find(with, 1, PLACE, otherwise),
		  rate_rules_find(r, 1, PLACE, otherwise)));
	rate_rules_free(with);
	MUST(read_with(text, "\n1 " GET " 1/s\n1 " GET " 2/s") == NULL);
	MUST(read_with(text, "\n1 " GET "x 1/s") == NULL);
	MUST(read_with(text, "\n1 " GET " 0/s") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct rate_rules *r = read_with(text, "");

	if (r == NULL)
		return 0;
	for (size_t t = 0; t < sizeof(tenants) / sizeof(*tenants); t++)
		for (size_t m = 0; m < sizeof(methods) / sizeof(*methods); m++)
			rate_is_of_use(rate_rules_find(r, tenants[t], methods[m], otherwise));
	one_more_rule_is_about_itself_alone(text, r);
	rate_rules_free(r);
	return 0;
}
