/* Calls that are still to go on record: which share a row, and that there is always an end of them.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/id.h"
#include "server/auth/call_notes.h"

static struct call_note note(const char *actor, const char *peer, const char *method,
			     const char *reason)
{
	return (struct call_note){.id = id_new(),
				  .tenant = actor[0] != '\0',
				  .actor = str_of(actor),
				  .role = STR(""),
				  .peer = str_of(peer),
				  .method = method,
				  .object = STR(""),
				  .reason = reason};
}

static void add(struct call_notes *ns, const char *actor, const char *peer, const char *reason)
{
	struct call_note n = note(actor, peer, "/x", reason);

	assert_true(call_notes_add(ns, &n, 0));
}

/* Everything that is due by then, written; rows and, in *calls, how many calls they tell of. */
static unsigned write_all(struct call_notes *ns, int64_t now_ms, int64_t *calls)
{
	struct call_kept *k;
	unsigned rows = 0;

	*calls = 0;
	while ((k = call_notes_take(ns, now_ms)) != NULL) {
		*calls += k->calls;
		rows++;
		call_notes_done(ns, k);
	}
	return rows;
}

static void strangers_alike__become_one_row_when_their_time_is_over(void **state)
{
	struct call_notes *ns = call_notes_new();
	int64_t calls;

	(void)state;
	for (int i = 0; i < 20000; i++)
		add(ns, "", i % 2 ? "ipv4:10.0.0.1" : "ipv4:10.0.0.2",
		    i % 4 < 2 ? "forged" : "expired");
	assert_int_equal(call_notes_count(ns), 4);
	assert_null(call_notes_take(ns, CALL_NOTES_FOLD_MS - 1));
	assert_int_equal(call_notes_due_ms(ns), CALL_NOTES_FOLD_MS);
	assert_int_equal(write_all(ns, CALL_NOTES_FOLD_MS, &calls), 4);
	assert_int_equal(calls, 20000);
	assert_int_equal(call_notes_due_ms(ns), INT64_MAX);
	call_notes_free(ns);
}

static void known_caller__has_a_row_for_each_call_at_once(void **state)
{
	struct call_notes *ns = call_notes_new();
	int64_t calls;

	(void)state;
	for (int i = 0; i < 100; i++)
		add(ns, "key:shop", "ipv4:10.0.0.1", "PERMISSION_DENIED");
	assert_int_equal(write_all(ns, 0, &calls), 100);
	assert_int_equal(calls, 100);
	call_notes_free(ns);
}

static void strangers_from_everywhere__leave_room_for_those_who_are_known(void **state)
{
	struct call_notes *ns = call_notes_new();
	char peer[32];
	int64_t calls;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(peer, sizeof(peer), "ipv4:10.0.%d.%d", i / 250, i % 250);
		add(ns, "", peer, "missing");
	}
	assert_int_equal(call_notes_count(ns), CALL_NOTES_UNKNOWN + 1); /* and the rest */
	for (int i = 0; i < 100; i++)
		add(ns, "key:shop", "ipv4:10.0.0.1", "PERMISSION_DENIED");
	assert_int_equal(write_all(ns, 0, &calls), 100);
	assert_int_equal(write_all(ns, CALL_NOTES_FOLD_MS, &calls), CALL_NOTES_UNKNOWN + 1);
	assert_int_equal(calls, 20000);
	call_notes_free(ns);
}

static void full_list__tells_of_all_by_number(void **state)
{
	struct call_notes *ns = call_notes_new();
	char actor[32];
	int64_t calls;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(actor, sizeof(actor), "key:%d", i % 1000);
		add(ns, actor, "ipv4:10.0.0.1", "PERMISSION_DENIED");
	}
	assert_in_range(call_notes_count(ns), 1, CALL_NOTES_MAX);
	call_notes_hurry(ns);
	assert_in_range(write_all(ns, 0, &calls), 1, CALL_NOTES_MAX);
	assert_int_equal(calls, 5000);
	assert_int_equal(call_notes_count(ns), 0);
	call_notes_free(ns);
}

/* It may be on record already, with the number it had: another would be lost. */
static void row_that_was_handed_out__takes_in_no_more(void **state)
{
	struct call_notes *ns = call_notes_new();
	struct call_kept *k;
	int64_t calls;

	(void)state;
	add(ns, "", "unix:", "missing");
	k = call_notes_take(ns, CALL_NOTES_FOLD_MS);
	add(ns, "", "unix:", "missing");
	assert_int_equal(k->calls, 1);
	call_notes_back(ns, k, 500);
	assert_int_equal(write_all(ns, CALL_NOTES_FOLD_MS, &calls), 2);
	assert_int_equal(calls, 2);
	add(ns, "", "unix:", "missing");
	k = call_notes_take(ns, CALL_NOTES_FOLD_MS);
	call_notes_back(ns, k, 500);
	add(ns, "", "unix:", "missing"); /* like the one that came back */
	assert_int_equal(k->calls, 1);
	assert_int_equal(call_notes_count(ns), 2);
	assert_int_equal(call_notes_due_ms(ns), 500);
	assert_int_equal(write_all(ns, CALL_NOTES_FOLD_MS, &calls), 2);
	assert_int_equal(calls, 2);
	call_notes_free(ns);
}

static void text__is_kept_though_its_caller_is_gone(void **state)
{
	struct call_notes *ns = call_notes_new();
	char actor[] = "key:shop", request[] = "r-1";
	struct call_note n = note(actor, "unix:", "/x", "PERMISSION_DENIED");
	struct call_kept *k;

	(void)state;
	n.request_id = str_of(request);
	assert_true(call_notes_add(ns, &n, 0));
	actor[4] = request[0] = 'X';
	k = call_notes_take(ns, 0);
	assert_true(str_eq(k->note.actor, STR("key:shop")) &&
		    str_eq(k->note.request_id, STR("r-1")));
	call_notes_done(ns, k);
	add(ns, "key:till", "unix:", "PERMISSION_DENIED");
	k = call_notes_take(ns, 0);
	assert_null(k->note.request_id.p);
	call_notes_done(ns, k);
	call_notes_free(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_alike__become_one_row_when_their_time_is_over),
		cmocka_unit_test(known_caller__has_a_row_for_each_call_at_once),
		cmocka_unit_test(strangers_from_everywhere__leave_room_for_those_who_are_known),
		cmocka_unit_test(full_list__tells_of_all_by_number),
		cmocka_unit_test(row_that_was_handed_out__takes_in_no_more),
		cmocka_unit_test(text__is_kept_though_its_caller_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
