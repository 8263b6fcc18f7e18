/*
 * Ids: RFC 9562's layout, the shard inside, and no two alike.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/id.h"

enum { MANY = 20000 };

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

static void assert_all_different(struct id *ids, size_t n)
{
	qsort(ids, n, sizeof(ids[0]), compare);
	for (size_t i = 1; i < n; i++)
		assert_false(id_eq(ids[i - 1], ids[i]));
}

static uint64_t ms_of(struct id id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.b[i];
	return ms;
}

static int real_time(void **state)
{
	(void)state;
	clock_fake(-1, -1);
	return 0;
}

static void new_id_has_time_version_and_variant(void **state)
{
	struct id id;

	(void)state;
	clock_fake(0, 1700000000123456);
	id = id_new();
	assert_int_equal(ms_of(id), 1700000000123);
	assert_int_equal(id.b[6] >> 4, 7);
	assert_int_equal(id.b[8] >> 6, 2);
}

static void ids_of_one_millisecond_never_share_a_counter(void **state)
{
	static struct id ids[MANY];
	static struct id places[MANY]; /* time and counter alone */

	(void)state;
	clock_fake(0, 1800000000000000);
	for (int i = 0; i < MANY; i++) {
		ids[i] = id_new();
		memcpy(places[i].b, ids[i].b, 6);
		places[i].b[7] = ids[i].b[7] & 0x3f;
	}
	assert_all_different(ids, MANY);
	assert_all_different(places, MANY);
}

static void clock_set_back_does_not_take_ids_back(void **state)
{
	uint64_t before;

	(void)state;
	clock_fake(0, 1900000000000000);
	before = ms_of(id_new());
	clock_fake(0, 1900000000000000 - 30000000);
	assert_true(ms_of(id_new()) >= before);
	clock_fake(0, 1900000000000000 - 3600000000); /* an hour: the clock was wrong before */
	assert_true(ms_of(id_new()) < before);
}

static void new_ids_use_every_shard(void **state)
{
	int seen[ID_SHARDS] = {0};

	(void)state;
	for (int i = 0; i < MANY; i++)
		seen[id_shard(id_new())]++;
	for (int i = 0; i < ID_SHARDS; i++)
		assert_in_range(seen[i], MANY / ID_SHARDS / 2, MANY / ID_SHARDS * 2);
}

static void child_and_derived_id_keep_the_shard(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct id parent = id_new();
		struct id child = id_child(parent);
		struct id fixed = id_derive(parent, "authorize");

		assert_int_equal(id_shard(child), id_shard(parent));
		assert_int_equal(child.b[6] >> 4, 7);
		assert_int_equal(id_shard(fixed), id_shard(parent));
		assert_int_equal(fixed.b[6] >> 4, 8);
		assert_int_equal(fixed.b[8] >> 6, 2);
		assert_false(id_eq(parent, child));
		assert_false(id_eq(parent, fixed));
	}
}

/* Remote idempotency keys: a changed derivation would charge twice across a release. */
static void derived_id_is_the_same_for_ever(void **state)
{
	struct id parent, expected;
	char text[ID_TEXT_SIZE];

	(void)state;
	assert_true(id_parse(STR("018f4e2a-7b1c-7ac5-9d3e-0123456789ab"), &parent));
	id_format(id_derive(parent, "capture"), text);
	assert_string_equal(text, "d7736c57-58a3-8af2-a93c-76d4f0c88045");
	assert_true(id_parse(str_of(text), &expected));
	assert_true(id_eq(id_derive(parent, "capture"), expected));
	assert_false(id_eq(id_derive(parent, "capture/2"), expected));
}

static void text_form_round_trips_and_other_forms_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"018f4e2a7b1c7ac59d3e0123456789ab",
		"018f4e2a-7b1c-7ac5-9d3e-0123456789a",
		"018f4e2a-7b1c-7ac5-9d3e-0123456789abc",
		"018f4e2a-7b1c-7ac5-9d3e-0123456789ag",
		"018f4e2a-7b1c-7ac59-d3e-0123456789ab",
		"{18f4e2a-7b1c-7ac5-9d3e-0123456789a}",
	};
	struct id id = id_new(), back;
	char text[ID_TEXT_SIZE];

	(void)state;
	assert_true(id_parse(str_of(id_format(id, text)), &back));
	assert_true(id_eq(id, back));
	assert_true(id_parse(STR("018F4E2A-7B1C-7AC5-9D3E-0123456789AB"), &back));
	assert_string_equal(id_format(back, text), "018f4e2a-7b1c-7ac5-9d3e-0123456789ab");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(id_parse(str_of(bad[i]), &back));
}

static void *make_ids(void *arg)
{
	struct id *ids = arg;

	for (int i = 0; i < MANY; i++)
		ids[i] = id_new();
	return NULL;
}

static void ids_of_several_threads_differ(void **state)
{
	enum { THREADS = 4 };
	static struct id ids[THREADS][MANY];
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_all_different(ids[0], (size_t)THREADS * MANY);
}

static void forked_child_does_not_repeat_its_parents_ids(void **state)
{
	const size_t each = 200;
	struct id *ids = mmap(NULL, 2 * each * sizeof(*ids), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	(void)state;
	clock_fake(0, 2000000000000000); /* nothing but randomness can tell them apart */
	(void)id_new();                  /* the buffer of random bytes is filled */
	pid = fork();
	assert_true(pid >= 0);
	for (size_t i = 0; i < each; i++)
		ids[(pid == 0 ? each : 0) + i] = id_new();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_all_different(ids, 2 * each);
	munmap(ids, 2 * each * sizeof(*ids));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(new_id_has_time_version_and_variant, real_time),
		cmocka_unit_test_teardown(ids_of_one_millisecond_never_share_a_counter, real_time),
		cmocka_unit_test_teardown(clock_set_back_does_not_take_ids_back, real_time),
		cmocka_unit_test(new_ids_use_every_shard),
		cmocka_unit_test(child_and_derived_id_keep_the_shard),
		cmocka_unit_test(derived_id_is_the_same_for_ever),
		cmocka_unit_test(text_form_round_trips_and_other_forms_are_refused),
		cmocka_unit_test(ids_of_several_threads_differ),
		cmocka_unit_test_teardown(forked_child_does_not_repeat_its_parents_ids, real_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
