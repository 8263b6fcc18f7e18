/*
 * A mail as its bytes: RFC 5322 head, RFC 2046 parts.  All of it is ASCII in short lines,
 * whatever the shop and its customers write, and no line begins with a dot: SMTP's
 * transparency (RFC 5321 4.5.2) has nothing to do.
 */
#include "core/http/mail_message.h"

#include <time.h>

/* "=_" cannot stand in quoted-printable (RFC 2045 6.7), so no part holds it. */
#define BOUNDARY "=_orderd"

enum {
	PLAIN_MAX = 60, /* with the longest header name, a line of less than 78 (RFC 5322 2.1.1) */
	/* Of text in one encoded word: 52 characters of base64 and 12 around them leave room for
	 * "Subject: " in the 76 of RFC 2047 2. */
	WORD_BYTES = 39,
	WORD_ROOM = 12 + 52 + 3, /* with the fold before it */
	QP_LINE = 75,            /* and the soft break's "=" */
};

/* ---- head ---- */

static bool plain(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	/* "=?" would be taken for an encoded word of somebody else's making. */
	return text.n <= PLAIN_MAX && memmem(text.p, text.n, "=?", 2) == NULL;
}

static char *put(char *to, struct str s)
{
	memcpy(to, s.p, s.n);
	return to + s.n;
}

static char *put_base64(char *to, const char *data, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	enum { PAD = 64 };

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)data[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)(unsigned char)data[i + 1] << 8;
		if (i + 2 < n)
			v |= (unsigned char)data[i + 2];
		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = digits[i + 1 < n ? v >> 6 & 63 : PAD];
		*to++ = digits[i + 2 < n ? v & 63 : PAD];
	}
	return to;
}

/* Encoded words, each on a line of its own; no character is cut in two (RFC 2047 5). */
static char *in_words(struct arena *a, struct str text)
{
	/* A word is only shorter than WORD_BYTES by what is left of a character of four. */
	size_t words = text.n / (WORD_BYTES - 3) + 1;
	char *out = arena_alloc(a, words * WORD_ROOM + 1);
	char *to = out;

	while (out != NULL && text.n > 0) {
		size_t n = 0;
		size_t more;

		while ((more = str_char_length((struct str){text.p + n, text.n - n})) > 0 &&
		       n + more <= WORD_BYTES)
			n += more;
		if (n == 0)
			break; /* no text: asked for something else than promised */
		if (to != out)
			to = put(to, STR("\r\n "));
		to = put(to, STR("=?UTF-8?B?"));
		to = put_base64(to, text.p, n);
		to = put(to, STR("?="));
		text = (struct str){text.p + n, text.n - n};
	}
	return out;
}

static char *head_text(struct arena *a, struct str text)
{
	return plain(text) ? arena_dup(a, text.p, text.n) : in_words(a, text);
}

static char *head_name(struct arena *a, struct str name)
{
	char *out, *to;

	if (!plain(name))
		return in_words(a, name);
	out = to = arena_alloc(a, 2 * name.n + 3);
	if (out == NULL)
		return NULL;
	*to++ = '"';
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			*to++ = '\\';
		*to++ = name.p[i];
	}
	*to = '"';
	return out;
}

static char *head_date(struct arena *a, int64_t at_us)
{
	/* Not strftime(): its names are the locale's. */
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t at = (time_t)(at_us / 1000000);
	struct tm tm;

	gmtime_r(&at, &tm);
	return arena_printf(a, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
			    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* A line of its own, or none. */
static char *head_trace(struct arena *a, const struct trace *t)
{
	char parent[TRACE_PARENT_SIZE];

	if (trace_is_none(t))
		return arena_dup(a, "", 0);
	return arena_printf(a, "traceparent: %s\r\n", trace_parent(t, parent));
}

static char *head(struct arena *a, const struct mail *m, const struct trace *t)
{
	const char *name = m->from_name.n > 0 ? head_name(a, m->from_name) : "";
	const char *subject = head_text(a, m->subject);
	const char *date = head_date(a, m->date_us);
	const char *trace = head_trace(a, t);

	if (name == NULL || subject == NULL || date == NULL || trace == NULL)
		return NULL;
	return arena_printf(a,
			    "Date: %s\r\n"
			    "From: %s%s<" STR_FMT
			    ">\r\n"
			    "To: <" STR_FMT
			    ">\r\n"
			    "Subject: %s\r\n"
			    "Message-ID: <" STR_FMT
			    ">\r\n"
			    "%s"
			    "Auto-Submitted: auto-generated\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: multipart/alternative; boundary=\"" BOUNDARY
			    "\"\r\n"
			    "\r\n",
			    date, name, name[0] != '\0' ? " " : "", STR_ARG(m->from),
			    STR_ARG(m->to), subject, STR_ARG(m->message_id), trace);
}

/* ---- parts ---- */

/* Whether the byte at `i` may stand as it is, at this place of its line. */
static bool literal(struct str s, size_t i, size_t column)
{
	char c = s.p[i];

	if (c == ' ' || c == '\t')
		return i + 1 < s.n && s.p[i + 1] != '\n' && s.p[i + 1] != '\r';
	return c > ' ' && c <= '~' && c != '=' && !(c == '.' && column == 0);
}

/* Quoted-printable (RFC 2045 6.7).  A line break of text is LF or CR LF. */
static char *put_quoted(char *to, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r')
			continue;
		if (s.p[i] == '\n') {
			to = put(to, STR("\r\n"));
			column = 0;
			continue;
		}
		if (column + 3 > QP_LINE) {
			to = put(to, STR("=\r\n"));
			column = 0;
		}
		if (literal(s, i, column)) {
			*to++ = s.p[i];
			column++;
			continue;
		}
		*to++ = '=';
		*to++ = hex[(unsigned char)s.p[i] >> 4];
		*to++ = hex[(unsigned char)s.p[i] & 15];
		column += 3;
	}
	return to;
}

static char *put_part(char *to, struct str type, struct str text)
{
	to = put(to, STR("--" BOUNDARY "\r\nContent-Type: "));
	to = put(to, type);
	to = put(to, STR("; charset=utf-8\r\n"
			 "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
	to = put_quoted(to, text);
	return put(to, STR("\r\n"));
}

/* Three for every byte, a soft break for every 24 of them at worst; the rest is fixed. */
static size_t room_for(struct str text)
{
	return text.n * 3 + text.n / 8 + 256;
}

struct str mail_message(struct arena *a, const struct mail *m, const struct trace *trace)
{
	struct str top = str_of(head(a, m, trace));
	char *out = top.p != NULL ? arena_alloc(a, top.n + room_for(m->text) + room_for(m->html))
				  : NULL;
	char *to = out;

	if (out == NULL)
		return (struct str){NULL, 0};
	to = put(to, top);
	to = put_part(to, STR("text/plain"), m->text);
	to = put_part(to, STR("text/html"), m->html);
	to = put(to, STR("--" BOUNDARY "--\r\n.\r\n"));
	return (struct str){out, (size_t)(to - out)};
}
