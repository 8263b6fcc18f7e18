#include "money.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

bool money_currency(struct str code, char ret_currency[4])
{
	if (code.n != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (code.p[i] < 'A' || code.p[i] > 'Z')
			return false;
	memcpy(ret_currency, code.p, 3);
	ret_currency[3] = '\0';
	return true;
}

static bool fits(int64_t minor)
{
	return minor >= 0 && minor <= MONEY_MAX_MINOR;
}

bool money_of(struct str code, int64_t minor, struct money *ret)
{
	struct money m = {.minor = minor};

	if (!fits(minor) || !money_currency(code, m.currency))
		return false;
	*ret = m;
	return true;
}

bool money_add(struct money *sum, struct money more)
{
	int64_t minor;

	if (memcmp(sum->currency, more.currency, sizeof(more.currency)) != 0)
		return false;
	if (__builtin_add_overflow(sum->minor, more.minor, &minor) || !fits(minor))
		return false;
	sum->minor = minor;
	return true;
}

bool money_times(struct money unit, int64_t quantity, struct money *ret)
{
	int64_t minor;

	if (__builtin_mul_overflow(unit.minor, quantity, &minor) || !fits(minor))
		return false;
	*ret = unit;
	ret->minor = minor;
	return true;
}

/* ISO 4217, List One: all whose minor unit is not a hundredth. */
int money_digits(const char *currency)
{
	static const char none[] =
		"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
	static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
	static const char four[] = "CLF UYW";

	if (strstr(none, currency) != NULL)
		return 0;
	if (strstr(three, currency) != NULL)
		return 3;
	return strstr(four, currency) != NULL ? 4 : 2;
}

/* "1234" -> "1,234" */
static size_t put_grouped(char *to, const char *digits)
{
	size_t n = strlen(digits), used = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			to[used++] = ',';
		to[used++] = digits[i];
	}
	return used;
}

char *money_format(struct money m, char buf[MONEY_TEXT_SIZE])
{
	int digits = money_digits(m.currency);
	char whole[24], part[8];
	int64_t unit = 1;
	size_t n;

	assert(fits(m.minor));
	for (int i = 0; i < digits; i++)
		unit *= 10;
	(void)snprintf(whole, sizeof(whole), "%" PRId64, m.minor / unit);
	(void)snprintf(part, sizeof(part), ".%0*d", digits, (int)(m.minor % unit));
	n = (size_t)snprintf(buf, MONEY_TEXT_SIZE, "%s ", m.currency);
	n += put_grouped(buf + n, whole);
	(void)snprintf(buf + n, MONEY_TEXT_SIZE - n, "%s", digits > 0 ? part : "");
	return buf;
}
