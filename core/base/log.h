/*
 * One line per event, logfmt on stderr:
 *
 *	time=2026-01-02T03:04:05.678Z level=info program=orderd event=order_placed order=0190... ms=3
 *
 * or, with log_format = json, the same as one JSON object (log_json.h).
 *
 * A line is written at once or dropped and counted: logging never waits and never ends
 * the process (log_open() ignores SIGPIPE).  Any thread once log_open() has returned.
 *
 * Flows are logged once, by their runner, when they end.  Values are escaped, so text
 * from outside cannot start a second line.  Names, addresses, mail, phone numbers and
 * payment tokens are never passed to this interface.
 */
#ifndef ORDERD_BASE_LOG_H
#define ORDERD_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_open(const char *program, enum log_level least); /* keeps `program` */
bool log_format_choose(
	const char *name); /* "logfmt" or "json", before others log; false: neither */
bool log_level_parse(const char *text, enum log_level *ret); /* "info"; false: no such level */

void log_level_set(enum log_level least); /* from now on; any thread */
bool log_wants(enum log_level level); /* a line of it would be written: worth making its values */

/* `event` is snake_case; `fmt` makes "key=value key=value"; quote values that may hold spaces with
 * LOG_Q. */
#define log_debug(event, ...) log_line(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  log_line(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  log_line(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_ERROR, event, __VA_ARGS__)

void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Escape into one of four rotating thread-local buffers: "say \"hi\"" with quotes around, cut at
 * 480 bytes. */
const char *log_quote(const char *text, int len);
#define LOG_Q(z) log_quote((z), -1)

#endif
