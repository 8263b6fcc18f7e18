/*
 * Listening sockets that systemd holds for us, as sd_listen_fds(3) has it: LISTEN_PID says whom
 * they were passed to, LISTEN_FDS how many there are from descriptor 3 on, LISTEN_FDNAMES what each
 * is called (FileDescriptorName= of its unit).  They outlive this process: whoever connects while
 * there is none waits in their backlog.
 */
#ifndef ORDERD_LISTEN_HELD_SOCKETS_H
#define ORDERD_LISTEN_HELD_SOCKETS_H

#include <stddef.h>

#include "core/base/str.h"

enum { HELD_SOCKETS_MAX = 32 }; /* four times as many as we would listen on */

struct held_socket {
	int fd;
	struct str name;
};

struct held_sockets {
	const char *why_none; /* what is wrong with what was passed; NULL: nothing is */
	char *names;
	struct held_socket list[HELD_SOCKETS_MAX];
	size_t n;
};

/*
 * Takes the three variables out of the environment, so that no child believes them meant for
 * itself, and closes the descriptors on exec.  Before there are threads.
 */
void held_sockets_read(struct held_sockets *hs);

/*
 * The one socket of this name, the caller's from now on.  Exits 2, naming `field`, when there is
 * none, or not just one, or when it is no listening stream socket that this machine alone can
 * reach. *ret_address, heap, is "unix:/path" or "127.0.0.1:7070".
 */
int held_sockets_take(struct held_sockets *hs, const char *field, struct str name,
		      char **ret_address);

/* Complains of those nobody took, whose callers would wait for ever, and closes them. */
void held_sockets_done(struct held_sockets *hs);

#endif
