/*
 * Text from outside: which bytes may go on, and numbers in it.  See str.h.
 */
#include "core/base/str.h"

#include <stdint.h>

/*
 * Length of the UTF-8 sequence that begins at p, 0 if it is not one.  RFC 3629 section 4:
 * the second byte's range depends on the first, which is what keeps out overlong forms,
 * surrogates and everything above U+10FFFF.
 */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned char least = 0x80;
	unsigned char most = 0xbf;
	size_t n;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xed)
		most = 0x9f;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xf4)
		most = 0x8f;
	if (p[1] < least || p[1] > most)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t str_char_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80) {
		bool control = (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r') ||
			       p[0] == 0x7f;

		return control ? 0 : 1;
	}
	n = utf8_length(p, s.n);
	if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0; /* C1 controls, U+0080..U+009F */
	return n;
}

bool str_is_text(struct str s)
{
	while (s.n > 0) {
		size_t n = str_char_length(s);

		if (n == 0)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

bool str_to_i64(struct str s, long long min, long long max, long long *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	long long value = 0;

	if (negative) {
		s.p++;
		s.n--;
	}
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		if (__builtin_mul_overflow(value, 10LL, &value))
			return false;
		/* Downwards for negative numbers: LLONG_MIN has no positive twin. */
		if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

bool str_next(struct str *list, char separator, struct str *ret)
{
	const char *end;

	if (list->n == 0)
		return false;
	end = memchr(list->p, separator, list->n);
	*ret = (struct str){list->p, end != NULL ? (size_t)(end - list->p) : list->n};
	list->p += ret->n + (end != NULL);
	list->n -= ret->n + (end != NULL);
	return true;
}
