/*
 * A form of any texts holds only what may stand in one, and is taken apart to the same
 * texts by a reader that knows nothing of the writer.
 */
#include <string.h>

#include "core/http/http.h"
#include "tests/fuzz/fuzz.h"

enum { PAIRS_MAX = 16 };

struct pair {
	char *key;
	struct str value;
};

static int digit(char c)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(hex, c) : NULL;

	MUST(at != NULL);
	return (int)(at - hex);
}

/* Compare `expected` with the escaped text at *p, and go behind it. */
static void must_hold(const char **p, const char *end, struct str expected)
{
	for (size_t i = 0; i < expected.n; i++) {
		int c;

		MUST(*p < end);
		c = (unsigned char)**p;
		if (c == '%') {
			MUST(end - *p >= 3);
			c = digit((*p)[1]) << 4 | digit((*p)[2]);
			*p += 2;
		} else {
			MUST(c > ' ' && c < 0x7f && strchr("&=+#?/\\\"<>", c) == NULL);
		}
		MUST(c == (unsigned char)expected.p[i]);
		++*p;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct pair pairs[PAIRS_MAX];
	size_t n = 0;
	struct arena arena;
	struct http_form form = {.arena = &arena};
	const char *p;

	arena_init(&arena, (size_t)(1 + take_u8(&in)) << 8);
	for (; n < PAIRS_MAX && in.n > 0; n++) {
		struct str key = take_str(&in, take_u8(&in) % 16);

		pairs[n].key = strndup(key.p, key.n);
		pairs[n].value = take_str(&in, take_u8(&in) * 4U);
		MUST(pairs[n].key != NULL);
		http_form_add(&form, pairs[n].key, pairs[n].value);
	}
	p = form.p;
	for (size_t i = 0; i < n && !form.failed; i++) {
		MUST(i == 0 || *p++ == '&');
		must_hold(&p, form.p + form.n, str_of(pairs[i].key));
		MUST(p < form.p + form.n && *p++ == '=');
		must_hold(&p, form.p + form.n, pairs[i].value);
	}
	MUST(form.failed || p == (form.n > 0 ? form.p + form.n : form.p));
	for (size_t i = 0; i < n; i++)
		free(pairs[i].key);
	arena_done(&arena);
	return 0;
}
