/*
 * The key table against a plain model: thousands of asks with one or two of few keys,
 * leaving in any order, waiting ones included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/internal.h"

enum { ASKS = 300, KEYS = 40, ROUNDS = 200000 };

static struct ask asks[ASKS];
static bool in[ASKS];
static uint64_t arrival[ASKS];

static bool same(const struct key *a, const struct key *b)
{
	return (a->w[0] | a->w[1]) != 0 && memcmp(a, b, sizeof(*a)) == 0;
}

/* How many of its keys `a` has to wait for: those some earlier ask has, too. */
static int waits_for(int a)
{
	int n = 0;

	for (int i = 0; i < 2; i++) {
		bool held = false;

		for (int b = 0; b < ASKS; b++) {
			if (in[b] && arrival[b] < arrival[a])
				held |= same(&asks[a].u.keys[i], &asks[b].u.keys[0]) ||
					same(&asks[a].u.keys[i], &asks[b].u.keys[1]);
		}
		n += held;
	}
	return n;
}

static void unblocked(struct ask *a)
{
	assert_int_equal(a->blocked_on, 0);
	assert_int_equal(a->place, ASK_BLOCKED);
	a->place = ASK_READY;
}

static void enter(struct key_table *t, int a, uint64_t now)
{
	memset(&asks[a], 0, sizeof(asks[a]));
	for (int i = 0; i < rand() % 3; i++)
		asks[a].u.keys[i].w[rand() % 2] = 1 + (uint64_t)(rand() % KEYS);
	keys_take(t, &asks[a]);
	asks[a].place = asks[a].blocked_on > 0 ? ASK_BLOCKED : ASK_READY;
	in[a] = true;
	arrival[a] = now;
}

static void first_in_first_out_for_every_key_whoever_leaves(void **state)
{
	struct key_table t;

	(void)state;
	srand(1);
	keys_init(&t);
	for (uint64_t now = 1; now <= ROUNDS; now++) {
		int a = rand() % ASKS;

		if (in[a]) {
			in[a] = false;
			keys_release(&t, &asks[a], unblocked);
		} else {
			enter(&t, a, now);
		}
		a = rand() % ASKS;
		if (in[a]) {
			assert_int_equal(asks[a].blocked_on, waits_for(a));
			assert_int_equal(asks[a].place,
					 asks[a].blocked_on > 0 ? ASK_BLOCKED : ASK_READY);
		}
	}
	for (int a = 0; a < ASKS; a++) {
		if (in[a])
			keys_release(&t, &asks[a], unblocked);
		in[a] = false;
	}
	assert_int_equal(t.used, 0);
	keys_done(&t);
}

static void many_keys_grow_the_table_and_leave_it_empty(void **state)
{
	enum { N = 20000 };
	struct ask *many = calloc(N, sizeof(*many));
	struct key_table t;

	(void)state;
	keys_init(&t);
	for (uint64_t i = 0; i < N; i++) {
		many[i].u.keys[0] = (struct key){{i + 1, 7}};
		keys_take(&t, &many[i]);
		assert_int_equal(many[i].blocked_on, 0);
	}
	for (uint64_t i = 0; i < N; i++)
		keys_release(&t, &many[(i * 7919) % N], unblocked);
	assert_int_equal(t.used, 0);
	keys_done(&t);
	free(many);
}

static void request_keys_differ_by_tenant_method_and_text(void **state)
{
	struct key a = key_of_request(1, 1, STR("k")), none = {{0, 0}},
		   zero = key_of_id((struct id){{0}});

	struct key again = key_of_request(1, 1, STR("k")), tenant = key_of_request(2, 1, STR("k"));
	struct key method = key_of_request(1, 2, STR("k")), text = key_of_request(1, 1, STR("K"));
	struct key absent = key_of_request(1, 1, (struct str){0});

	(void)state;
	assert_memory_equal(&a, &again, sizeof(a));
	assert_memory_not_equal(&a, &tenant, sizeof(a));
	assert_memory_not_equal(&a, &method, sizeof(a));
	assert_memory_not_equal(&a, &text, sizeof(a));
	assert_memory_equal(&absent, &none, sizeof(none));
	assert_memory_equal(&zero, &none, sizeof(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_in_first_out_for_every_key_whoever_leaves),
		cmocka_unit_test(many_keys_grow_the_table_and_leave_it_empty),
		cmocka_unit_test(request_keys_differ_by_tenant_method_and_text),
	};

	return cmocka_run_group_tests_name("store keys", tests, NULL, NULL);
}
