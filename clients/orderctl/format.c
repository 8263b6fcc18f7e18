#include "format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "enums.h"

/* What a Timestamp may be: the years 1 to 9999. */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND  INT64_C(253402300799)

/* Digits behind the point by ISO 4217; all others have two. */
static int places_of(const char *currency)
{
	static const char none[] =
		"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
	static const char three[] = "BHD IQD JOD KWD LYD OMR TND";

	if (strstr(none, currency) != NULL)
		return 0;
	return strstr(three, currency) != NULL ? 3 : 2;
}

void print_money(char *to, size_t room, const Orderd__V1__Money *m)
{
	char currency[4] = "";
	const char *sign;
	uint64_t amount;
	int places;

	if (m == NULL) {
		snprintf(to, room, "-");
		return;
	}
	if (m->currency_code.len == 3)
		memcpy(currency, m->currency_code.data, 3);
	places = currency[0] != '\0' ? places_of(currency) : 0;
	amount = m->amount_minor < 0 ? 0 - (uint64_t)m->amount_minor : (uint64_t)m->amount_minor;
	sign = m->amount_minor < 0 ? "-" : "";
	if (places == 0)
		snprintf(to, room, "%s%" PRIu64 " %s", sign, amount, currency);
	else if (places == 2)
		snprintf(to, room, "%s%" PRIu64 ".%02u %s", sign, amount / 100,
			 (unsigned)(amount % 100), currency);
	else
		snprintf(to, room, "%s%" PRIu64 ".%03u %s", sign, amount / 1000,
			 (unsigned)(amount % 1000), currency);
}

void print_time_to(char *to, size_t room, const Google__Protobuf__Timestamp *t, int digits)
{
	time_t s = t != NULL ? (time_t)t->seconds : 0;
	int fraction = t != NULL ? t->nanos : 0;
	char date[32];
	struct tm tm;

	if (t == NULL || gmtime_r(&s, &tm) == NULL) {
		snprintf(to, room, "-");
		return;
	}
	strftime(date, sizeof(date), "%m-%dT%H:%M:%S", &tm);
	if (digits == 0) {
		snprintf(to, room, "%04d-%sZ", tm.tm_year + 1900, date);
		return;
	}
	for (int i = digits; i < 9; i++)
		fraction /= 10;
	snprintf(to, room, "%04d-%s.%0*dZ", tm.tm_year + 1900, date, digits, fraction);
}

void print_time(char *to, size_t room, const Google__Protobuf__Timestamp *t)
{
	print_time_to(to, room, t, 3);
}

/* As many digits as `n`, within [least, most]. */
static bool take_number(const char **p, int n, int least, int most, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++, ++*p) {
		if (!isdigit((unsigned char)**p))
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return v >= least && v <= most;
}

static bool take(const char **p, const char *one_of)
{
	if (**p == '\0' || strchr(one_of, **p) == NULL)
		return false;
	++*p;
	return true;
}

static bool take_fraction(const char **p, int *nanos)
{
	int digits = 0;

	*nanos = 0;
	if (!take(p, "."))
		return true;
	for (; isdigit((unsigned char)**p); ++*p)
		if (digits++ < 9)
			*nanos = *nanos * 10 + (**p - '0');
	for (int i = digits; i < 9; i++)
		*nanos *= 10;
	return digits > 0;
}

static bool take_offset(const char **p, int *seconds)
{
	int sign = **p == '-' ? -1 : 1, h, m;

	*seconds = 0;
	if (take(p, "Zz"))
		return true;
	if (!take(p, "+-") || !take_number(p, 2, 0, 23, &h) || !take(p, ":") ||
	    !take_number(p, 2, 0, 59, &m))
		return false;
	*seconds = sign * (h * 3600 + m * 60);
	return true;
}

bool read_time(const char *z, Google__Protobuf__Timestamp *ret)
{
	struct tm tm = {0}, back;
	int nanos, offset;
	time_t s;

	if (!take_number(&z, 4, 1, 9999, &tm.tm_year) || !take(&z, "-") ||
	    !take_number(&z, 2, 1, 12, &tm.tm_mon) || !take(&z, "-") ||
	    !take_number(&z, 2, 1, 31, &tm.tm_mday) || !take(&z, "Tt ") ||
	    !take_number(&z, 2, 0, 23, &tm.tm_hour) || !take(&z, ":") ||
	    !take_number(&z, 2, 0, 59, &tm.tm_min) || !take(&z, ":") ||
	    !take_number(&z, 2, 0, 59, &tm.tm_sec) || !take_fraction(&z, &nanos) ||
	    !take_offset(&z, &offset) || *z != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	s = timegm(&back);
	if (back.tm_mday != tm.tm_mday) /* the 30th of February */
		return false;
	ret->seconds = (int64_t)s - offset;
	ret->nanos = nanos;
	return ret->seconds >= FIRST_SECOND && ret->seconds <= LAST_SECOND;
}

const char *order_state(int value)
{
	return enum_name(&orderd__v1__order_state__descriptor, value);
}

const char *payment_state(int value)
{
	return enum_name(&orderd__v1__payment_state__descriptor, value);
}

const char *fulfillment_state(int value)
{
	return enum_name(&orderd__v1__fulfillment_state__descriptor, value);
}
