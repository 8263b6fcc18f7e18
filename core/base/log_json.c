#include "core/base/log_json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	NUMBER_MAX = 15, /* digits that a double holds exactly */
	END = 2,         /* bytes of `"}`, kept free for the end */
};

struct out {
	char *to;
	size_t n, room;
	bool full;
};

static bool fits(const struct out *o, size_t n)
{
	return o->n + n + END <= o->room;
}

/* All of it or nothing; after the first nothing, nothing more. */
static void put(struct out *o, const char *p, size_t n)
{
	o->full |= !fits(o, n);
	if (o->full)
		return;
	memcpy(o->to + o->n, p, n);
	o->n += n;
}

/* ---------------------------------------------------------------- reading pairs */

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of "key=" at the start of `s`; 0: there is none. */
static size_t key_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_key_char(s.p[n]))
		n++;
	return n > 0 && n < s.n && s.p[n] == '=' ? n + 1 : 0;
}

/* Bytes of the escape at the start of `s` in a quoted value; 0: it is none. */
static size_t escape_length(struct str s)
{
	if (s.n < 2 || s.p[0] != '\\')
		return 0;
	return s.p[1] == 'x' && s.n >= 4 ? 4 : 2;
}

/* Bytes of the value at the start of `s`: to its quote's end, or to the next " key=". */
static size_t value_length(struct str s)
{
	bool quoted = s.n > 0 && s.p[0] == '"';
	size_t n = quoted;

	while (n < s.n) {
		struct str rest = {s.p + n, s.n - n};
		size_t escape = quoted ? escape_length(rest) : 0;

		if (quoted && rest.p[0] == '"')
			return n + 1;
		if (!quoted && rest.p[0] == ' ' &&
		    key_length((struct str){rest.p + 1, rest.n - 1}) > 0)
			return n;
		n += escape > 0 ? escape : 1;
	}
	return n;
}

/* ---------------------------------------------------------------- writing values */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_number(struct str s)
{
	size_t i = s.n > 0 && s.p[0] == '-';
	size_t first = i;

	if (s.n > NUMBER_MAX)
		return false;
	while (i < s.n && is_digit(s.p[i]))
		i++;
	if (i == first || (s.p[first] == '0' && i > first + 1))
		return false;
	if (i == s.n)
		return true;
	if (s.p[i++] != '.' || i == s.n)
		return false;
	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i == s.n;
}

/* One byte that is no character of text: a control, or no UTF-8. */
static void put_byte(struct out *o, unsigned char c)
{
	char text[8];
	int n = snprintf(text, sizeof(text), c < 0x80 ? "\\u%04x" : "\\\\x%02x", c);

	put(o, text, (size_t)n);
}

/* The first character of `s` as JSON; returns the bytes of `s` it took. */
static size_t put_character(struct out *o, struct str s)
{
	size_t n = str_char_length(s);

	if (s.p[0] == '"' || s.p[0] == '\\')
		put(o, (const char[2]){'\\', s.p[0]}, 2);
	else if (n > 0 && (unsigned char)s.p[0] >= 0x20)
		put(o, s.p, n);
	else
		put_byte(o, (unsigned char)s.p[0]);
	return n > 0 ? n : 1;
}

static unsigned char hex_value(char c)
{
	return (unsigned char)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* An escape of logfmt: \" \\ \xNN.  Any other stands for itself. */
static void put_escape(struct out *o, struct str s)
{
	if (s.n == 4 && is_hex(s.p[2]) && is_hex(s.p[3]))
		put_byte(o, (unsigned char)(hex_value(s.p[2]) << 4 | hex_value(s.p[3])));
	else if (s.n == 2 && (s.p[1] == '"' || s.p[1] == '\\'))
		put(o, s.p, 2);
	else
		for (size_t at = 0; at < s.n;)
			at += put_character(o, (struct str){s.p + at, s.n - at});
}

static void put_string(struct out *o, struct str s)
{
	bool quoted = s.n > 0 && s.p[0] == '"';
	size_t at = quoted;

	put(o, "\"", 1);
	while (at < s.n && !(quoted && s.p[at] == '"')) {
		struct str rest = {s.p + at, s.n - at};
		size_t escape = quoted ? escape_length(rest) : 0;

		if (escape > 0)
			put_escape(o, (struct str){rest.p, escape});
		at += escape > 0 ? escape : put_character(o, rest);
	}
	o->to[o->n++] = '"'; /* its place was kept */
}

static void put_pair(struct out *o, struct str key, struct str value)
{
	bool number = is_number(value);

	if (!fits(o, key.n + 5 + (number ? value.n : 0))) { /* with `,"":"` */
		o->full = true;
		return;
	}
	if (o->n > 1)
		put(o, ",", 1);
	put(o, "\"", 1);
	put(o, key.p, key.n);
	put(o, "\":", 2);
	if (number)
		put(o, value.p, value.n);
	else
		put_string(o, value);
}

size_t log_json(struct str line, char *to, size_t room)
{
	struct out o = {.to = to, .room = room};
	size_t at = 0;

	assert(room >= LOG_JSON_LEAST);
	put(&o, "{", 1);
	while (at < line.n && !o.full) {
		struct str rest = {line.p + at, line.n - at};
		size_t key = key_length(rest);
		size_t value;

		if (key == 0)
			break;
		value = value_length((struct str){rest.p + key, rest.n - key});
		put_pair(&o, (struct str){rest.p, key - 1}, (struct str){rest.p + key, value});
		at += key + value + 1;
	}
	o.to[o.n++] = '}';
	return o.n;
}

size_t log_cut(struct str line, bool *ret_open)
{
	size_t at = 0;

	*ret_open = false;
	while (at < line.n) {
		struct str rest = {line.p + at, line.n - at};
		size_t n = str_char_length(rest);

		if (*ret_open && rest.p[0] == '\\') {
			n = rest.n > 1 && rest.p[1] == 'x' ? 4 : 2;
			if (n > rest.n)
				break;
		} else if (rest.p[0] == '"') {
			*ret_open = !*ret_open && at > 0 && line.p[at - 1] == '=';
		} else if (n == 0 && rest.n < 4 && (unsigned char)rest.p[0] >= 0xc0) {
			break;
		}
		at += n > 0 ? n : 1;
	}
	return at;
}
