#include "core/domain/sscc.h"

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

char sscc_check_digit(struct str digits)
{
	int sum = 0;

	if (digits.n != SSCC_DIGITS - 1 || !all_digits(digits))
		return 0;
	for (size_t i = 0; i < digits.n; i++) /* weights 3, 1, 3, ..., 3 from either end */
		sum += (digits.p[i] - '0') * (i % 2 == 0 ? 3 : 1);
	return (char)('0' + (10 - sum % 10) % 10);
}

bool sscc_make(struct str prefix, int64_t serial, char ret[SSCC_SIZE])
{
	if (prefix.n < SSCC_PREFIX_MIN || prefix.n > SSCC_PREFIX_MAX || !all_digits(prefix) ||
	    serial < 0)
		return false;
	memcpy(ret, prefix.p, prefix.n);
	for (size_t i = SSCC_DIGITS - 1; i-- > prefix.n; serial /= 10)
		ret[i] = (char)('0' + serial % 10);
	ret[SSCC_DIGITS - 1] = sscc_check_digit((struct str){ret, SSCC_DIGITS - 1});
	ret[SSCC_DIGITS] = '\0';
	return true;
}

bool sscc_is_valid(struct str sscc)
{
	return sscc.n == SSCC_DIGITS &&
	       sscc.p[SSCC_DIGITS - 1] == sscc_check_digit((struct str){sscc.p, SSCC_DIGITS - 1}) &&
	       sscc.p[SSCC_DIGITS - 1] != 0;
}
