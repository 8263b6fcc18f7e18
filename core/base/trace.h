/*
 * The trace a piece of work belongs to, as W3C Trace Context (w3.org/TR/trace-context)
 * hands it on: a caller's trace id comes with its call, goes with the order and its jobs,
 * and leaves with every question to somebody outside.  Spans are not recorded, so each
 * one who is told gets a span id of its own and no one's parent is kept.
 */
#ifndef ORDERD_BASE_TRACE_H
#define ORDERD_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

enum {
	TRACE_ID_BYTES = 16,
	TRACE_BYTES = 17,       /* as it is stored: the id, and its flags */
	TRACE_TEXT_SIZE = 33,   /* the id's hex digits and a NUL */
	TRACE_PARENT_SIZE = 56, /* "00-id-span-flags" and a NUL */
};

struct trace {
	uint8_t id[TRACE_ID_BYTES]; /* all zero: none */
	uint8_t flags;              /* 1: the caller samples it */
};

/* A trace of our own, which nobody samples.  Any thread. */
struct trace trace_new(void);

/*
 * Read a traceparent header.  false, and *ret is none: it is not one, and by the rules of W3C
 * a trace begins here.  Later versions are read as far as they are like this one.
 */
bool trace_parse(struct str parent, struct trace *ret);

bool trace_is_none(const struct trace *t);

/* The id; "none" when there is none.  Returns buf. */
const char *trace_text(const struct trace *t, char buf[TRACE_TEXT_SIZE]);

/* A traceparent header with a span id that nobody else has.  Returns buf. */
const char *trace_parent(const struct trace *t, char buf[TRACE_PARENT_SIZE]);

/* As it is stored, and back: what was not stored is none. */
struct str trace_bytes(const struct trace *t); /* absent: none; points into *t */
struct trace trace_stored(struct str bytes);

#endif
