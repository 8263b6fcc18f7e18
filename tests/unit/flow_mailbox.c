/*
 * Mailbox: four senders, one reader, every letter once and each sender's in order.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/flow/mailbox.h"

enum { SENDERS = 4, LETTERS = 50000 };

struct note {
	struct letter letter; /* first: a letter is its note */
	int sender, number;
};

struct sender {
	struct mailbox *mb;
	struct note *notes;
	int number;
};

struct reader {
	struct loop *loop;
	int next[SENDERS];
	int total;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (int i = 0; i < LETTERS; i++) {
		s->notes[i] = (struct note){.sender = s->number, .number = i};
		mailbox_send(s->mb, &s->notes[i].letter);
	}
	return NULL;
}

static void on_letter(struct letter *m, void *arg)
{
	struct note *n = (struct note *)m;
	struct reader *r = arg;

	assert_int_equal(n->number, r->next[n->sender]);
	r->next[n->sender]++;
	if (++r->total == SENDERS * LETTERS)
		loop_stop(r->loop);
}

static void letters_of_four_threads_arrive_once_and_in_order(void **state)
{
	struct reader r = {.loop = loop_new()};
	struct mailbox *mb = mailbox_new(r.loop, on_letter, &r);
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];

	(void)state;
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){mb, calloc(LETTERS, sizeof(struct note)), i};
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
	}
	loop_run(r.loop);
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(r.next[i], LETTERS);
		free(senders[i].notes);
	}
	mailbox_close(mb);
	loop_free(r.loop);
}

/* One after the other, each waiting for its answer: a lost wake-up would hang here. */
static struct mailbox *ping;
static int pings;

static void on_ping(struct letter *m, void *arg)
{
	struct reader *r = arg;

	if (++pings == 1000)
		loop_stop(r->loop);
	else
		mailbox_send(ping, m); /* the same letter, from the loop's own thread */
}

static void letter_sent_again_while_being_read_arrives_again(void **state)
{
	struct reader r = {.loop = loop_new()};
	struct note n = {.sender = 0};

	(void)state;
	ping = mailbox_new(r.loop, on_ping, &r);
	mailbox_send(ping, &n.letter);
	loop_run(r.loop);
	assert_int_equal(pings, 1000);
	mailbox_close(ping);
	loop_free(r.loop);
}

static void on_any(struct letter *m, void *arg)
{
	(void)m;
	++*(int *)arg;
}

static void closing_reads_what_is_left(void **state)
{
	struct loop *l = loop_new();
	int seen = 0;
	struct mailbox *mb = mailbox_new(l, on_any, &seen);
	struct note notes[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		mailbox_send(mb, &notes[i].letter);
	mailbox_close(mb);
	assert_int_equal(seen, 3);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_of_four_threads_arrive_once_and_in_order),
		cmocka_unit_test(letter_sent_again_while_being_read_arrives_again),
		cmocka_unit_test(closing_reads_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
