/*
 * The listener's self-test.  In gRPC core 1.51 a failed accept() can leave a listener
 * deaf for ever (CVE-2023-4785); only a new process hears again.  So the server calls
 * itself: every PROBE_EVERY_MS it connects, says what clients say first, and waits for the HTTP/2
 * SETTINGS frame.  One that speaks TLS is sent the first message of a handshake, and whatever TLS
 * record it answers will do.
 */
#ifndef ORDERD_SERVER_SELF_PROBE_H
#define ORDERD_SERVER_SELF_PROBE_H

#include "core/flow/loop.h"

enum {
	PROBE_EVERY_MS = 5000,
	PROBE_WAIT_MS = 4000, /* for connection and frame */
	PROBE_FAILURES = 3,   /* in a row: deaf */
};

struct self_probe;

/* `address` as rpc_server_address() gives it.  on_deaf(arg) is called once at most. */
struct self_probe *self_probe_new(struct loop *l, const char *address, bool tls,
				  void (*on_deaf)(void *arg), void *arg);
bool self_probe_is_heard(const struct self_probe *p); /* the last attempt was answered */
void self_probe_close(struct self_probe *p);          /* frees itself in a later turn */

#endif
