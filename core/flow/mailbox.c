/*
 * The mailbox: a Treiber stack and a wake-up.
 *
 *	senders:    push(letter); the one that found the stack empty wakes the loop
 *	loop:       take the whole stack at once, turn it round, read it out
 *
 * There is no ABA question: nobody pops a single letter.  A wake-up cannot be lost: the
 * stack is emptied after libuv has noted it, so a letter pushed later finds an empty
 * stack and wakes the loop again.
 */
#include "core/flow/mailbox.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/mem.h"

struct mailbox {
	_Atomic(struct letter *) top;
	uv_async_t bell;
	void (*on_letter)(struct letter *m, void *arg);
	void *arg;
};

static struct letter *turn_round(struct letter *m)
{
	struct letter *first = NULL;

	while (m != NULL) {
		struct letter *next = m->next;

		m->next = first;
		first = m;
		m = next;
	}
	return first;
}

static void read_out(struct mailbox *mb)
{
	struct letter *m =
		turn_round(atomic_exchange_explicit(&mb->top, NULL, memory_order_acquire));

	while (m != NULL) {
		struct letter *next = m->next; /* the letter is its reader's from now on */

		mb->on_letter(m, mb->arg);
		m = next;
	}
}

static void on_bell(uv_async_t *bell)
{
	read_out(bell->data);
}

struct mailbox *mailbox_new(struct loop *l, void (*on_letter)(struct letter *m, void *arg),
			    void *arg)
{
	struct mailbox *mb = mem_alloc(sizeof(*mb));
	int rc = uv_async_init(loop_uv(l), &mb->bell, on_bell);

	if (rc != 0)
		abort(); /* no eventfd to be had: nothing can work */
	mb->bell.data = mb;
	mb->on_letter = on_letter;
	mb->arg = arg;
	return mb;
}

void mailbox_send(struct mailbox *mb, struct letter *m)
{
	struct letter *top = atomic_load_explicit(&mb->top, memory_order_relaxed);

	do {
		m->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&mb->top, &top, m, memory_order_release,
							memory_order_relaxed));
	if (top == NULL)
		(void)uv_async_send(&mb->bell);
}

static void on_closed(uv_handle_t *bell)
{
	struct mailbox *mb = bell->data;

	assert(atomic_load(&mb->top) == NULL); /* somebody sent after all */
	free(mb);
}

void mailbox_close(struct mailbox *mb)
{
	read_out(mb);
	uv_close((uv_handle_t *)&mb->bell, on_closed);
}
