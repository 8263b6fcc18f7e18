#include "core/store/record_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

static size_t put_field(uint8_t *to, struct str s)
{
	uint32_t n = s.p != NULL ? (uint32_t)s.n : UINT32_MAX;

	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> (24 - 8 * i));
	if (s.p == NULL)
		return 4;
	memcpy(to + 4, s.p, s.n);
	return 4 + s.n;
}

void record_hex(const uint8_t hash[DIGEST_BYTES], char hex[RECORD_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	hex[RECORD_HEX - 1] = '\0';
}

void record_hash(const uint8_t prev[DIGEST_BYTES], const struct str fields[RECORD_FIELDS],
		 uint8_t ret[DIGEST_BYTES])
{
	struct str form = STR("orderd.call_record.1");
	size_t size = 4 + form.n + 4 + RECORD_HEX, n = 0;
	char hex[RECORD_HEX];
	uint8_t *all;

	for (size_t i = 0; i < RECORD_FIELDS; i++)
		size += 4 + fields[i].n;
	all = mem_alloc(size);
	record_hex(prev, hex);
	n += put_field(all + n, form);
	n += put_field(all + n, str_of(hex));
	for (size_t i = 0; i < RECORD_FIELDS; i++)
		n += put_field(all + n, fields[i]);
	digest_sha256((struct str){(const char *)all, n}, ret);
	free(all);
}

bool record_chain_start(struct record_chain *c, struct str cut)
{
	*c = (struct record_chain){.seq = 0};
	return cut.p == NULL || record_link_read(cut, c);
}

static bool is_hash(struct str hex, const uint8_t hash[DIGEST_BYTES])
{
	char text[RECORD_HEX];

	record_hex(hash, text);
	return str_eq(hex, str_of(text));
}

const char *record_chain_add(struct record_chain *c, const struct record_row *r, int64_t *ret_seq)
{
	uint8_t hash[DIGEST_BYTES];
	long long seq = 0;

	(void)str_to_i64(r->fields[RECORD_SEQ], INT64_MIN, INT64_MAX, &seq);
	*ret_seq = seq <= c->seq ? seq : c->seq + 1;
	if (seq <= c->seq)
		return "it should not be there any more";
	if (seq != *ret_seq)
		return "it is missing";
	if (!is_hash(r->prev, c->hash))
		return "it does not follow the one before";
	record_hash(c->hash, r->fields, hash);
	if (!is_hash(r->hash, hash))
		return "it was changed";
	c->seq = seq;
	memcpy(c->hash, hash, sizeof(hash));
	return NULL;
}

const char *record_chain_end(const struct record_chain *c, int64_t seq, struct str hash)
{
	if (seq == c->seq && is_hash(hash, c->hash))
		return NULL;
	return "the head is another: rows behind it are gone";
}

/* ---- as text ---- */

const char *record_link(const struct record_chain *c, char to[RECORD_LINK_TEXT])
{
	int n = snprintf(to, RECORD_LINK_TEXT, "%" PRId64 ":", c->seq);

	record_hex(c->hash, to + n);
	return to;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool record_link_read(struct str text, struct record_chain *ret)
{
	const char *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
	size_t at = colon != NULL ? (size_t)(colon - text.p) : 0;
	long long seq;

	if (colon == NULL || text.n - at - 1 != (size_t)2 * DIGEST_BYTES ||
	    !str_to_i64((struct str){text.p, at}, 1, INT64_MAX - 1, &seq))
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = digit_of(colon[1 + 2 * i]), low = digit_of(colon[2 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		ret->hash[i] = (uint8_t)(high << 4 | low);
	}
	ret->seq = seq;
	return true;
}

bool record_link_is(const struct record_chain *c, const struct record_chain *other)
{
	return c->seq == other->seq && memcmp(c->hash, other->hash, sizeof(c->hash)) == 0;
}
