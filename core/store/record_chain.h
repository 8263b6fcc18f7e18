/*
 * The chain of a tenant's recorded calls (db/migrations/0013), link by link, believing nothing that
 * the database says about it: each hash is made here, from the row's columns alone.
 *
 *	record_chain_start(&c, cut);                      the zeros, or what is left of older rows
 *	while a row: why = record_chain_add(&c, &row);    NULL: it is the next
 *	why = record_chain_end(&c, seq, hash);            NULL: its head is the last row
 */
#ifndef ORDERD_STORE_RECORD_CHAIN_H
#define ORDERD_STORE_RECORD_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/seal.h"
#include "core/base/str.h"

/* A row's columns in the order in which they are hashed, behind the hash before. */
enum { RECORD_TENANT, RECORD_SEQ, RECORD_FIELDS = 15 };

enum { RECORD_HEX = 2 * DIGEST_BYTES + 1, RECORD_LINK_TEXT = RECORD_HEX + 20 };

/* The method of what the janitor writes when it removes rows (db/migrations/0016). */
#define RECORD_CUT_METHOD "retention"

/* Where a chain has come to: the number and the hash of a row. */
struct record_chain {
	int64_t seq;
	uint8_t hash[DIGEST_BYTES];
};

struct record_row {
	struct str fields[RECORD_FIELDS]; /* as text; one that is NULL: p == NULL */
	struct str prev, hash;            /* in hex */
};

/* Over `prev` and the fields. */
void record_hash(const uint8_t prev[DIGEST_BYTES], const struct str fields[RECORD_FIELDS],
		 uint8_t ret[DIGEST_BYTES]);

/* Before its first row.  `cut`, of the latest RECORD_CUT_METHOD row, is the last that was removed:
 * "seq:hash"; p == NULL: none was.  false: it is no such text. */
bool record_chain_start(struct record_chain *c, struct str cut);

/* NULL: it is the next, and `c` is there.  Else what is wrong; *ret_seq is the row's number, or
 * that of the one that should be there, and what follows says nothing more. */
const char *record_chain_add(struct record_chain *c, const struct record_row *r, int64_t *ret_seq);

/* NULL: the last row is what its head says; `hash` in hex. */
const char *record_chain_end(const struct record_chain *c, int64_t seq, struct str hash);

/* "seq:hash", for somebody to keep, and read again. */
const char *record_link(const struct record_chain *c, char to[RECORD_LINK_TEXT]);
bool record_link_read(struct str text, struct record_chain *ret);
bool record_link_is(const struct record_chain *c, const struct record_chain *other);
void record_hex(const uint8_t hash[DIGEST_BYTES], char hex[RECORD_HEX]);

#endif
