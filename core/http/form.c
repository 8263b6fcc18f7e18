/*
 * application/x-www-form-urlencoded (WHATWG URL Standard, 5.2), in the arena of the flow
 * that will send it.  Square brackets stay: the gateway's nested names are written with them.
 */
#include <stdio.h>

#include "core/http/http.h"

enum { FORM_FIRST_BYTES = 512 };

static bool make_room(struct http_form *f, size_t more)
{
	size_t room = f->room > 0 ? f->room : FORM_FIRST_BYTES;
	char *bigger;

	if (f->n + more <= f->room)
		return true;
	while (room < f->n + more)
		room *= 2;
	bigger = arena_alloc(f->arena, room);
	if (bigger == NULL) {
		f->failed = true;
		return false;
	}
	if (f->n > 0)
		memcpy(bigger, f->p, f->n);
	f->p = bigger;
	f->room = room;
	return true;
}

static bool stays(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-_.~[]", c) != NULL);
}

static void add_escaped(struct http_form *f, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (stays(c)) {
			f->p[f->n++] = (char)c;
			continue;
		}
		f->p[f->n++] = '%';
		f->p[f->n++] = hex[c >> 4];
		f->p[f->n++] = hex[c & 15];
	}
}

void http_form_add(struct http_form *f, const char *key, struct str value)
{
	struct str name = str_of(key);

	if (f->failed || !make_room(f, 2 + 3 * (name.n + value.n)))
		return;
	if (f->n > 0)
		f->p[f->n++] = '&';
	add_escaped(f, name);
	f->p[f->n++] = '=';
	add_escaped(f, value);
}

void http_form_add_int(struct http_form *f, const char *key, long long value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", value);
	http_form_add(f, key, str_of(text));
}
