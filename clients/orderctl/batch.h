/*
 * Many orders from lines of a file, placed once however often the file is run.
 *
 * A line without a request_id gets one made of the batch's name, of what the line says, and of how
 * many lines before it say the same.  So it does not matter how often it is run, nor whether lines
 * were added or corrected in between; two lines that are alike are two orders; and the same lines
 * in a batch of another name are other orders.
 */
#ifndef ORDERCTL_BATCH_H
#define ORDERCTL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <protobuf-c/protobuf-c.h>

enum {
	BATCH_NAME_MAX = 80, /* a request_id has at most 128 bytes */
	BATCH_ID_ROOM = BATCH_NAME_MAX + 48,
	BATCH_LINES_MAX = 1000000,
	LINE_BYTES_MAX = 4 * 1024 * 1024, /* no message is longer */
};

struct batch;

struct batch *batch_new(const char *name);
void batch_free(struct batch *b);

/* The request_id of a message whose own is empty; false: there are too many lines. */
bool batch_request_id(struct batch *b, const ProtobufCMessage *m, char to[BATCH_ID_ROOM]);

enum line { LINE_READ, LINE_TOO_LONG, LINE_NONE };

/* The next line of `in` without its end, into `to` of LINE_BYTES_MAX; of one that is too long the
 * rest is skipped. */
enum line read_line(FILE *in, char *to, size_t *n);

#endif
