/*
 * Sealing: names and addresses rest encrypted (AES-256-GCM, NIST SP 800-38D), bound to
 * the row they belong to, so that a sealed value moved to another row does not open.
 *
 *	sealed = version (1 byte, = 1) | nonce (12) | tag (16) | ciphertext
 */
#ifndef ORDERD_BASE_SEAL_H
#define ORDERD_BASE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "id.h"
#include "str.h"

enum { SEAL_KEY_BYTES = 32, SEAL_OVERHEAD = 1 + 12 + 16, DIGEST_BYTES = 32 };

struct seal_key {
	uint8_t b[SEAL_KEY_BYTES];
};

bool seal_key_parse(struct str hex, struct seal_key *ret); /* exactly 64 hex digits */
void seal_key_wipe(struct seal_key *k);

/* Both answer text in `arena`, p == NULL when the arena is full; open also when it was not sealed
 * so. */
struct str seal(const struct seal_key *k, int32_t tenant, struct id row, struct str plain,
		struct arena *arena);
struct str seal_open(const struct seal_key *k, int32_t tenant, struct id row, struct str sealed,
		     struct arena *arena);

/* The same into plain.n + SEAL_OVERHEAD bytes at `out`. */
struct str seal_into(const struct seal_key *k, int32_t tenant, struct id row, struct str plain,
		     uint8_t *out);

void digest_sha256(struct str data, uint8_t ret[DIGEST_BYTES]);
void digest_hmac(struct str key, struct str data, uint8_t ret[DIGEST_BYTES]); /* HMAC-SHA-256 */

#endif
