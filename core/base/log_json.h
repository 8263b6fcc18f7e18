/*
 * A log line in JSON: the logfmt line that log.c has made, read pair by pair and written
 * again.  So what is logged is said once, by printf, and both forms hold the same.
 */
#ifndef ORDERD_BASE_LOG_JSON_H
#define ORDERD_BASE_LOG_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "str.h"

enum { LOG_JSON_LEAST = 64 }; /* bytes of room that is worth asking with */

/*
 * Write `line` ("key=value key=\"va lue\"") as one JSON object to `to`, which has `room`
 * (LOG_JSON_LEAST or more) bytes; returns how many were written, without a NUL.  A value
 * that stands without quotes and reads as a number of at most 15 digits is one (no reader
 * of JSON changes it); all others are strings.  What is no UTF-8 is shown as \xNN.  What
 * does not fit is left out, and the object is whole all the same.
 */
size_t log_json(struct str line, char *to, size_t room);

/*
 * How much of a logfmt line may stay when it has to be cut at its end: not into a character
 * or an escape.  *ret_open: inside a quoted value.
 */
size_t log_cut(struct str line, bool *ret_open);

#endif
