#include "core/base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const void *data, size_t n, char *ret)
{
	const uint8_t *p = data;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			*ret++ = alphabet[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*ret++ = alphabet[bits << (6 - have) & 63];
	*ret = '\0';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(struct str text, uint8_t *ret)
{
	uint32_t bits = 0;
	unsigned have = 0;

	if (text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int v = value_of(text.p[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*ret++ = (uint8_t)(bits >> have);
		}
	}
	return (bits & ((1U << have) - 1)) == 0;
}
