/*
 * `orderd verify-record`: walks the chains of recorded calls (db/migrations/0013) and believes
 * nothing that the database says about them: it makes each hash itself.  Blocking.
 */
#ifndef ORDERD_STORE_RECORD_CHECK_H
#define ORDERD_STORE_RECORD_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/seal.h"
#include "core/base/str.h"

/* A row's columns in the order in which they are hashed, behind the hash before. */
enum { RECORD_FIELDS = 15 };

/* Over `prev` and the fields, each as text; an absent one: p == NULL. */
void record_hash(const uint8_t prev[DIGEST_BYTES], const struct str fields[RECORD_FIELDS],
		 uint8_t ret[DIGEST_BYTES]);

/*
 * Each tenant's chain and where it ends on `out`, and the first broken link of it.  `kept` is a
 * head that was kept elsewhere, "tenant:seq:hash", and must be part of it; NULL: none.
 * 0; 1 when a link is broken or the kept one is not there; 2 after saying why nobody can tell.
 */
int store_verify_record(const char *conninfo, const char *kept, FILE *out);

#endif
