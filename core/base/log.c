/*
 * The log: one line, one write, and never a wait.
 *
 * stderr may be a pipe nobody reads.  A write that cannot be done at once is dropped and
 * counted; the next line that gets through is preceded by one that says how many went
 * missing.  Any thread.
 */
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log_json.h"
#include "core/base/str.h"

enum {
	LINE_MAX_BYTES = 2048, /* below PIPE_BUF, so that lines of several writers do not mix */
	JSON_MAX_BYTES = 4096, /* PIPE_BUF: the same line in JSON is longer */
	QUOTE_MAX = 480,
	QUOTE_BUFFERS = 4,
};

static struct {
	const char *program;
	_Atomic enum log_level least;
	int fd;
	bool is_socket;
	bool json;
} out = {"orderd", LOG_INFO, STDERR_FILENO, false, false};

static _Atomic unsigned long dropped;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

bool log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_format_choose(const char *name)
{
	out.json = strcmp(name, "json") == 0;
	return out.json || strcmp(name, "logfmt") == 0;
}

/*
 * A pipe is opened anew without blocking: O_NONBLOCK on the inherited descriptor would
 * change it for everybody who shares it.  Where that is refused, stderr is used as it is.
 */
static void choose_output(void)
{
	struct stat st;

	if (out.fd != STDERR_FILENO)
		close(out.fd);
	out.fd = STDERR_FILENO;
	out.is_socket = false;
	if (fstat(STDERR_FILENO, &st) != 0)
		return;
	out.is_socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode)) {
		int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			out.fd = fd;
	}
}

void log_open(const char *program, enum log_level least)
{
	out.program = program;
	out.least = least;
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that went away ends no server */
	choose_output();
}

static bool write_bytes(const char *line, size_t n)
{
	ssize_t done;

	do {
		if (out.is_socket)
			done = send(out.fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			done = write(out.fd, line, n);
	} while (done < 0 && errno == EINTR);
	return done > 0;
}

/* A logfmt line of `n` bytes; it has room for one more. */
static bool write_line(char *line, size_t n)
{
	char json[JSON_MAX_BYTES];

	if (!out.json) {
		line[n++] = '\n';
		return write_bytes(line, n);
	}
	n = log_json((struct str){line, n}, json, sizeof(json) - 1);
	json[n++] = '\n';
	return write_bytes(json, n);
}

/* "time=... level=... program=... event=..." */
static int print_head(char *line, size_t size, enum log_level level, const char *event)
{
	int64_t us = clock_wall_us();
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	return snprintf(line, size,
			"time=%04d-%02d-%02dT%02d:%02d:%02d.%03dZ level=%s program=%s event=%s",
			tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			tm.tm_sec, (int)(us / 1000 % 1000), level_names[level], out.program, event);
}

static void report_dropped(void)
{
	unsigned long n = atomic_exchange(&dropped, 0);
	char line[256];
	int len;

	if (n == 0)
		return;
	len = print_head(line, sizeof(line), LOG_WARN, "log_dropped");
	len += snprintf(line + len, sizeof(line) - (size_t)len, " lines=%lu", n);
	if (!write_line(line, (size_t)len))
		atomic_fetch_add(&dropped, n);
}

/* A line that is longer than its room ends with a whole character, and a quoted value with its
 * quote. */
static size_t end_cut_line(char *line, size_t n)
{
	static const char end[] = {'.', '.', '.', '"'};
	bool open;
	size_t kept = log_cut((struct str){line, n}, &open);

	if (!open)
		return kept;
	kept = log_cut((struct str){line, n - sizeof(end)}, &open);
	if (!open)
		return kept; /* the value begins right here */
	memcpy(line + kept, end, sizeof(end));
	return kept + sizeof(end);
}

void log_level_set(enum log_level least)
{
	out.least = least;
}

bool log_wants(enum log_level level)
{
	return level >= out.least;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	size_t room = sizeof(line) - 1; /* the newline's place */
	size_t n;
	va_list ap;
	int more;

	if (!log_wants(level))
		return;
	n = (size_t)print_head(line, room, level, event);
	if (n >= room)
		n = room - 1;
	line[n++] = ' ';
	va_start(ap, fmt);
	more = vsnprintf(line + n, room - n, fmt, ap);
	va_end(ap);
	if (more <= 0)
		n--; /* nothing to say but the event */
	else if (n + (size_t)more < room)
		n += (size_t)more;
	else
		n = end_cut_line(line, room - 1);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	report_dropped();
	if (!write_line(line, n))
		atomic_fetch_add(&dropped, 1);
}

/* One character of `s`, escaped if it must be; returns the bytes of `s` it took. */
static size_t quote_one(char *to, size_t *ret_n, struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = str_char_length(s);

	if (c == '"' || c == '\\') {
		to[0] = '\\';
		to[1] = (char)c;
		*ret_n = 2;
		return 1;
	}
	if (n == 0 || c < 0x20) {
		*ret_n = (size_t)snprintf(to, 5, "\\x%02x", c);
		return 1;
	}
	memcpy(to, s.p, n);
	*ret_n = n;
	return n;
}

const char *log_quote(const char *text, int len)
{
	static _Thread_local char buffers[QUOTE_BUFFERS][QUOTE_MAX + 16];
	static _Thread_local unsigned turn;
	char *buf = buffers[turn++ % QUOTE_BUFFERS];
	struct str s = {text, 0};
	size_t n = 0;

	if (text == NULL)
		return "\"\"";
	s.n = len >= 0 ? (size_t)len : strlen(text);
	buf[n++] = '"';
	while (s.n > 0) {
		char one[8];
		size_t grown;
		size_t took = quote_one(one, &grown, s);

		if (n + grown > QUOTE_MAX) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		memcpy(buf + n, one, grown);
		n += grown;
		s.p += took;
		s.n -= took;
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}
