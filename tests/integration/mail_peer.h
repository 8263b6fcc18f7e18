/*
 * A mail server that misbehaves on purpose: a thread with plain sockets, one connection
 * after the other.  The recipient's name says what it does, and it keeps what it was sent.
 */
#ifndef ORDERD_TESTS_MAIL_PEER_H
#define ORDERD_TESTS_MAIL_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { PEER_HEARD_MAX = 65536 };

struct peer {
	pthread_t thread;
	int listen_fd, stop_fds[2], port;
	const char *greeting, *ehlo;
	const char *rcpt_reply;     /* NULL: as the name wishes */
	char heard[PEER_HEARD_MAX]; /* read once the flow has ended and the thread is joined, or
				     * stands
				     */
	size_t n;
	atomic_size_t taken; /* bytes of all lines, ever */
	atomic_int mails;    /* whole, up to the dot */
	atomic_int quits;
	bool in_data;
};

extern struct peer peer;

void peer_start(void);
void peer_stop(void); /* what it has been sent by then is read first; may be called again */
void peer_done(void);

bool heard(const char *text); /* on the present connection; for us after peer_stop() */

#endif
