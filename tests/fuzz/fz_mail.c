/*
 * A mail of any texts is short lines of ASCII, each ended by CR LF and none begun with a
 * dot but the last; and its parts are read back to the texts by a reader that knows
 * nothing of the writer.
 */
#include <stdbool.h>
#include <string.h>

#include "core/http/mail.h"
#include "core/http/mail_message.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD_LINE_MOST = 998, LINE_MOST = 76 }; /* RFC 5322 2.1.1, RFC 2045 6.7 */

#define BOUNDARY "--=_orderd"

static int digit(char c)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(hex, c) : NULL;

	MUST(at != NULL);
	return (int)(at - hex);
}

static void must_be_lines(struct str s)
{
	size_t from = 0, most = HEAD_LINE_MOST;

	for (size_t i = 0; i < s.n; i++) {
		MUST(s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\t' ||
		     (s.p[i] >= ' ' && s.p[i] <= '~'));
		MUST((s.p[i] == '\r') == (i + 1 < s.n && s.p[i + 1] == '\n'));
		if (s.p[i] != '\n')
			continue;
		MUST(i > 0 && s.p[i - 1] == '\r');
		MUST(i - 1 - from <= most);
		if (i - 1 == from) /* the head is over */
			most = LINE_MOST;
		MUST(s.p[from] != '.' || i + 1 == s.n);
		from = i + 1;
	}
	MUST(s.n > 5 && memcmp(s.p + s.n - 5, "\r\n.\r\n", 5) == 0);
}

/* The next byte of a quoted-printable part, line breaks as LF. */
static char next_byte(const char **p)
{
	char c = *(*p)++;

	while (c == '=' && **p == '\r') {
		*p += 2;
		c = *(*p)++;
	}
	if (c == '\r') {
		++*p;
		return '\n';
	}
	if (c != '=')
		return c;
	c = (char)(digit((*p)[0]) << 4 | digit((*p)[1]));
	*p += 2;
	return c;
}

/* The part that begins at *p holds the text; go behind it. */
static void must_hold(const char **p, struct str text)
{
	*p = strstr(*p, "\r\n\r\n");
	MUST(*p != NULL);
	*p += 4;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r') /* a line break is LF or CR LF */
			MUST(next_byte(p) == text.p[i]);
	MUST(next_byte(p) == '\n');
	MUST(strncmp(*p, BOUNDARY, strlen(BOUNDARY)) == 0);
}

static bool one_line(struct str s)
{
	return str_is_text(s) &&
	       (s.n == 0 || (memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '\r', s.n) == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct mail m = {.from = STR("a@x.example"),
			 .to = STR("b@y.example"),
			 .message_id = STR("i@x.example")};
	struct trace trace = {.flags = 0};
	struct arena arena;
	struct str s;

	trace.id[0] = size % 2; /* with one and without */
	m.date_us = take_i64(&in, 7);
	m.subject = take_str(&in, take_u8(&in));
	m.from_name = take_str(&in, take_u8(&in));
	m.text = take_str(&in, take_u8(&in) * 8U);
	m.html = (struct str){(const char *)in.p, in.n};
	if (!one_line(m.subject) || !one_line(m.from_name))
		return 0;
	m.date_us %= INT64_C(250000000000000000); /* the year 9999 */
	arena_init(&arena, 1 << 20);
	s = mail_message(&arena, &m, &trace);
	if (s.p != NULL) {
		const char *p = strstr(s.p, "\r\n\r\n" BOUNDARY);

		must_be_lines(s);
		MUST(p != NULL);
		p += 4;
		must_hold(&p, m.text);
		must_hold(&p, m.html);
		MUST(strcmp(p, BOUNDARY "--\r\n.\r\n") == 0);
	}
	arena_done(&arena);
	return 0;
}
