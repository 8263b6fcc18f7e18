/*
 * Mailbox: how another thread hands something to the loop thread.
 *
 * Many producers, one consumer, no locks: a Treiber stack turned round when it is
 * emptied, and one uv_async_send when it goes from empty to not empty.  The letter is
 * embedded in what is sent, so sending allocates nothing and cannot fail.
 */
#ifndef ORDERD_FLOW_MAILBOX_H
#define ORDERD_FLOW_MAILBOX_H

#include "loop.h"

struct letter {
	struct letter *next;
};

struct mailbox;

/* on_letter runs on the loop thread, once per letter, in the order one thread sent them. */
struct mailbox *mailbox_new(struct loop *l, void (*on_letter)(struct letter *m, void *arg),
			    void *arg);
void mailbox_send(struct mailbox *mb, struct letter *m); /* any thread */
/* Loop thread, when every mailbox_send() has returned and none will follow (threads joined).
 * Letters not yet read are read now; the mailbox frees itself in a later turn. */
void mailbox_close(struct mailbox *mb);

#endif
