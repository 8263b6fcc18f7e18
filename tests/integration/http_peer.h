/*
 * Who is asked over HTTP, and misbehaves: a thread with plain sockets.  The path says what it does,
 * and it counts the requests it has read whole.
 *
 *	/hang		says nothing
 *	/drop		closes the connection
 *	/stale		answers the first request of a connection and closes at the second
 *	/redirect	302
 *	/busy		429, with headers about when to come back
 *	/big		twice as long as may be
 *	/endless	likewise, without a length
 *	/half		less than it promised
 *	others		200 and "hello"
 */
#ifndef ORDERD_TESTS_HTTP_PEER_H
#define ORDERD_TESTS_HTTP_PEER_H

#include <stdatomic.h>
#include <stddef.h>

struct http_peer {
	int port;
	atomic_int requests;  /* read whole */
	atomic_int open_most; /* connections at the same time */
};

extern struct http_peer http_peer;

enum { HTTP_PEER_BODY_MAX = 4096 /* what callers of these tests may take */ };

void http_peer_start(void);
void http_peer_stop(void);

#endif
