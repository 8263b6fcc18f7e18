/*
 * A socket that systemd holds, listened on: connections are accepted here and handed on once their
 * callers have said something.  Who says nothing is hung up on after patience_ms, and of those at
 * most HELD_SILENT_MAX wait at a time: the next one is hung up on at once.  Without files it
 * pauses.  The socket is systemd's: it is never shut down, and its path stays.  Loop thread only.
 *
 *	new --> open --> stopped --> closed
 *	        accepts  callers wait in the backlog, for whoever comes after us
 */
#ifndef ORDERD_LISTEN_HELD_LISTENER_H
#define ORDERD_LISTEN_HELD_LISTENER_H

#include "core/flow/loop.h"

enum {
	HELD_SILENT_MAX = 256,
	HELD_PAUSE_MS = 100, /* without files: until the next try */
};

struct held_listener;

struct held_listener_options {
	struct loop *loop;
	int fd;           /* taken */
	const char *name; /* for the log; kept by the caller */
	/* The descriptors of its connections get a number in [from, below), so that a number
	 * alone tells what it came through. */
	int from, below;
	int64_t patience_ms;
	void (*on_connection)(void *arg, int fd); /* takes fd */
	void *arg;
};

struct held_listener *held_listener_new(const struct held_listener_options *opt);

void held_listener_open(struct held_listener *h);
/* Accept no more.  Those accepted who have not spoken yet may still do so. */
void held_listener_stop(struct held_listener *h);
/* Hang up on them.  Frees itself in a later turn. */
void held_listener_close(struct held_listener *h);

#endif
