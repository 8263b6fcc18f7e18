#include "core/base/trace.h"

#include <stdio.h>
#include <string.h>

#include "core/base/random.h"

enum {
	VERSION_DIGITS = 2,
	SPAN_BYTES = 8,
	ID_AT = VERSION_DIGITS + 1,
	SPAN_AT = ID_AT + 2 * TRACE_ID_BYTES + 1,
	FLAGS_AT = SPAN_AT + 2 * SPAN_BYTES + 1,
	PARENT_LENGTH = TRACE_PARENT_SIZE - 1,
	SAMPLED = 1,
};

_Static_assert(FLAGS_AT + 2 == PARENT_LENGTH, "00-id-span-flags");
_Static_assert(sizeof(struct trace) == TRACE_BYTES, "it is stored as it is");

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* upper case is no traceparent */
}

/* n bytes of hex digits at p. */
static bool read_hex(const char *p, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		int high = digit(p[2 * i]), low = digit(p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static char *write_hex(char *to, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*to++ = digits[p[i] >> 4];
		*to++ = digits[p[i] & 15];
	}
	return to;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

struct trace trace_new(void)
{
	struct trace t = {.flags = 0};

	do
		random_bytes(t.id, sizeof(t.id));
	while (trace_is_none(&t));
	return t;
}

/* Version 00 ends with its flags; a later one may go on, behind another dash. */
static bool has_shape(struct str s, uint8_t *ret_version)
{
	if (s.n < PARENT_LENGTH || !read_hex(s.p, 1, ret_version) || *ret_version == 0xff)
		return false;
	if (s.n > PARENT_LENGTH && (*ret_version == 0 || s.p[PARENT_LENGTH] != '-'))
		return false;
	return s.p[ID_AT - 1] == '-' && s.p[SPAN_AT - 1] == '-' && s.p[FLAGS_AT - 1] == '-';
}

bool trace_parse(struct str parent, struct trace *ret)
{
	uint8_t span[SPAN_BYTES], version;
	struct trace t;

	*ret = (struct trace){.flags = 0};
	if (!has_shape(parent, &version) || !read_hex(parent.p + ID_AT, sizeof(t.id), t.id) ||
	    !read_hex(parent.p + SPAN_AT, sizeof(span), span) ||
	    !read_hex(parent.p + FLAGS_AT, 1, &t.flags))
		return false;
	if (trace_is_none(&t) || all_zero(span, sizeof(span)))
		return false;
	t.flags &= SAMPLED; /* what the others will mean is not known, so they are not handed on */
	*ret = t;
	return true;
}

bool trace_is_none(const struct trace *t)
{
	return all_zero(t->id, sizeof(t->id));
}

const char *trace_text(const struct trace *t, char buf[TRACE_TEXT_SIZE])
{
	if (trace_is_none(t))
		return "none";
	*write_hex(buf, t->id, sizeof(t->id)) = '\0';
	return buf;
}

const char *trace_parent(const struct trace *t, char buf[TRACE_PARENT_SIZE])
{
	uint8_t span[SPAN_BYTES];
	char *to = buf;

	random_bytes(span, sizeof(span));
	span[0] |= 1; /* all zero would be none */
	to = write_hex(to, (const uint8_t[]){0}, 1);
	*to++ = '-';
	to = write_hex(to, t->id, sizeof(t->id));
	*to++ = '-';
	to = write_hex(to, span, sizeof(span));
	*to++ = '-';
	*write_hex(to, &t->flags, 1) = '\0';
	return buf;
}

struct str trace_bytes(const struct trace *t)
{
	return trace_is_none(t) ? (struct str){NULL, 0} : (struct str){(const char *)t, sizeof(*t)};
}

struct trace trace_stored(struct str bytes)
{
	struct trace t = {.flags = 0};

	if (bytes.n == sizeof(t))
		memcpy(&t, bytes.p, sizeof(t));
	return t;
}
