/* What is hashed of a recorded call: two rows that differ never give the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/record_chain.h"

static void hash_of(const char *const texts[RECORD_FIELDS], uint8_t first_byte_before, uint8_t *ret)
{
	uint8_t prev[DIGEST_BYTES] = {first_byte_before};
	struct str fields[RECORD_FIELDS];

	for (size_t i = 0; i < RECORD_FIELDS; i++)
		fields[i] = str_of(texts[i]);
	record_hash(prev, fields, ret);
}

/* Every place where something can be moved, left out or turned into another. */
static void rows_that_differ__never_hash_alike(void **state)
{
	static const char *const rows[][RECORD_FIELDS] = {
		{"1", "2", "id", "3", "4", "ab", "c", "", "", "", "", "0", "OK", "1", "none"},
		{"1", "2", "id", "3", "4", "a", "bc", "", "", "", "", "0", "OK", "1", "none"},
		{"1", "2", "id", "3", "4", "abc", "", "", "", "", "", "0", "OK", "1", "none"},
		{"1", "2", "id", "3", "4", "", "abc", "", "", "", "", "0", "OK", "1", "none"},
		{"1", "2", "id", "3", "4", "ab", "c", "", "", NULL, "", "0", "OK", "1", "none"},
		{"12", "", "id", "3", "4", "ab", "c", "", "", "", "", "0", "OK", "1", "none"},
		{"", "12", "id", "3", "4", "ab", "c", "", "", "", "", "0", "OK", "1", "none"},
		{"1", "2", "id", "3", "4", "ab", "c", "", "", "", "", "0", "OK", "1n", "one"},
		{"1", "2", "id", "3", "4", "ab", "c", "", "", "", "OK", "0", "", "1", "none"},
	};

	enum { N = sizeof(rows) / sizeof(rows[0]) };

	uint8_t hashes[N + 1][DIGEST_BYTES];

	(void)state;
	for (size_t i = 0; i < N; i++)
		hash_of(rows[i], 0, hashes[i]);
	hash_of(rows[0], 1, hashes[N]);
	for (size_t i = 0; i <= N; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(hashes[i], hashes[k], DIGEST_BYTES);
}

/* As sha256sum(1) says of those bytes; the database is held against the same by sql_record.py. */
static void known_row__has_its_known_hash(void **state)
{
	static const char *const row[RECORD_FIELDS] = {"1",
						       "1",
						       "01890000-0000-7000-8000-000000000000",
						       "1767323045678901",
						       "1767323045700000",
						       "key:root",
						       "ops_admin",
						       "ipv4:127.0.0.1",
						       "/orderd.v1.OpsService/PauseQueue",
						       NULL,
						       "payment",
						       "0",
						       "OK",
						       "1",
						       "none"};
	static const uint8_t wanted[DIGEST_BYTES] = {
		0x8d, 0xd3, 0x85, 0x53, 0x13, 0xf5, 0xa4, 0x93, 0xf1, 0x33, 0x83,
		0x68, 0xfe, 0xf7, 0xca, 0x05, 0x5c, 0x32, 0x3b, 0x3a, 0xa7, 0x25,
		0xe9, 0x8a, 0xa3, 0xd0, 0x20, 0x8a, 0xef, 0x0d, 0xe7, 0xba};
	uint8_t hash[DIGEST_BYTES];

	(void)state;
	hash_of(row, 0, hash);
	assert_memory_equal(hash, wanted, DIGEST_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_differ__never_hash_alike),
		cmocka_unit_test(known_row__has_its_known_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
