/* What is hashed of a recorded call: two rows that differ never give the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

/* ---- a chain ---- */

enum { ROWS = 6, SEQ_TEXT = 8 };

struct made {
	struct record_row row;
	char seq[SEQ_TEXT], prev[RECORD_HEX], hash[RECORD_HEX];
};

/* A chain as the database would hold it, behind `from`. */
static void make_chain(struct made rows[ROWS], struct record_chain from)
{
	for (int i = 0; i < ROWS; i++) {
		struct made *m = &rows[i];

		*m = (struct made){.row.fields[RECORD_TENANT] = STR("1")};
		snprintf(m->seq, sizeof(m->seq), "%d", (int)++from.seq);
		m->row.fields[RECORD_SEQ] = str_of(m->seq);
		record_hex(from.hash, m->prev);
		record_hash(from.hash, m->row.fields, from.hash);
		record_hex(from.hash, m->hash);
		m->row.prev = str_of(m->prev);
		m->row.hash = str_of(m->hash);
	}
}

/* NULL: whole; else why, and where. */
static const char *walk(struct record_chain *c, struct made *rows, int n, int64_t *seq)
{
	const char *why = NULL;

	for (int i = 0; i < n && why == NULL; i++)
		why = record_chain_add(c, &rows[i].row, seq);
	return why;
}

static void whole_chain__is_whole_from_its_beginning_and_from_where_it_was_cut(void **state)
{
	struct made rows[ROWS];
	struct record_chain c, cut;
	char link[RECORD_LINK_TEXT];
	int64_t seq;

	(void)state;
	assert_true(record_chain_start(&c, (struct str){0}));
	make_chain(rows, c);
	assert_null(walk(&c, rows, ROWS, &seq));
	assert_null(record_chain_end(&c, ROWS, rows[ROWS - 1].row.hash));
	assert_non_null(record_chain_end(&c, ROWS + 1, rows[ROWS - 1].row.hash));
	assert_non_null(record_chain_end(&c, ROWS, rows[0].row.hash));
	assert_non_null(record_chain_end(&c, ROWS, (struct str){0}));

	assert_true(record_chain_start(&cut, (struct str){0}));
	assert_null(walk(&cut, rows, 2, &seq));
	assert_true(record_chain_start(&c, str_of(record_link(&cut, link))));
	assert_true(record_link_is(&c, &cut));
	assert_null(walk(&c, rows + 2, ROWS - 2, &seq));
	assert_int_equal(c.seq, ROWS);
}

static void each_wrong_done_to_a_row__is_found_at_that_row(void **state)
{
	static const char *const whys[] = {"changed", "missing", "any more", "follow"};

	(void)state;
	for (size_t wrong = 0; wrong < sizeof(whys) / sizeof(whys[0]); wrong++)
		for (int at = 1; at < ROWS - 1; at++) {
			struct record_chain c = {.seq = 0};
			struct made rows[ROWS];
			const char *why;
			int64_t seq = 0;

			make_chain(rows, c);
			if (wrong == 0)
				rows[at].row.fields[RECORD_SEQ + 1] = STR("x");
			else if (wrong == 1)
				rows[at].row = rows[at + 1].row;
			else if (wrong == 2)
				rows[at].row = rows[at - 1].row;
			else /* made to fit by itself, but not what stands before it */
				rows[at].row.prev = rows[at - 1].row.prev;
			why = walk(&c, rows, ROWS, &seq);
			assert_non_null(why);
			assert_non_null(strstr(why, whys[wrong]));
			assert_int_equal(seq, wrong == 2 ? at : at + 1);
			assert_int_equal(c.seq, at);
		}
}

static void link__is_read_as_it_is_written_and_nothing_else_is(void **state)
{
	static const char hash[] =
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
	static const char *const wrong[] = {
		"",     "1",     ":",     "1:",    "0:%s", "-1:%s",
		"x:%s", "1:%s0", "1 :%s", "1:%sx", "%s:1", "9223372036854775807:%s"};
	char text[128], again[RECORD_LINK_TEXT];
	struct record_chain c;

	(void)state;
	snprintf(text, sizeof(text), "4711:%s", hash);
	assert_true(record_link_read(str_of(text), &c));
	assert_int_equal(c.seq, 4711);
	assert_string_equal(record_link(&c, again), text);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *mark = strstr(wrong[i], "%s");

		if (mark == NULL)
			snprintf(text, sizeof(text), "%s", wrong[i]);
		else
			snprintf(text, sizeof(text), "%.*s%s%s", (int)(mark - wrong[i]), wrong[i],
				 hash, mark + 2);
		assert_false(record_link_read(str_of(text), &c));
		assert_false(record_chain_start(&c, str_of(text)));
	}
	snprintf(text, sizeof(text), "1:%s", hash);
	for (size_t i = 2; i < strlen(text); i++) {
		char kept = text[i];

		text[i] = i % 2 == 0 ? 'G' : '\x80';
		assert_false(record_link_read(str_of(text), &c));
		text[i] = kept;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_differ__never_hash_alike),
		cmocka_unit_test(known_row__has_its_known_hash),
		cmocka_unit_test(
			whole_chain__is_whole_from_its_beginning_and_from_where_it_was_cut),
		cmocka_unit_test(each_wrong_done_to_a_row__is_found_at_that_row),
		cmocka_unit_test(link__is_read_as_it_is_written_and_nothing_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
