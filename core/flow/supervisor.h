/*
 * What the one who started us is told, in the words of sd_notify(3): systemd's units of Type=notify
 * listen for them, and so may any other supervisor that sets NOTIFY_SOCKET.  Without it nothing is
 * said.  With WATCHDOG_USEC, WATCHDOG=1 follows by itself, from the loop, for as long as is_well():
 * a loop that does not turn, or a server nobody can reach, is found by its silence.
 *
 * Loop thread only.
 */
#ifndef ORDERD_FLOW_SUPERVISOR_H
#define ORDERD_FLOW_SUPERVISOR_H

#include "core/flow/loop.h"

struct supervisor;

/* Reads the environment.  is_well(arg) is asked before each WATCHDOG=1. */
struct supervisor *supervisor_new(struct loop *l, bool (*is_well)(void *arg), void *arg);
void supervisor_free(struct supervisor *s);

/* "READY=1", or several with newlines between.  What cannot be sent at once is sent later, unless
 * something newer has been said by then. */
void supervisor_say(struct supervisor *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* RELOADING=1 with the time it began; READY=1 is to follow. */
void supervisor_say_reloading(struct supervisor *s);

#endif
