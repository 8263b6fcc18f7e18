#include "money.h"

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
