/*
 * An address as orderd keeps it: plain inside a flow, one run of bytes when it is sealed.
 *
 *	packed = version (1 byte, = 1), then 8 texts, each with its length before it (2 bytes,
 *	big-endian), in the order of the fields below
 */
#ifndef ORDERD_DOMAIN_ADDRESS_H
#define ORDERD_DOMAIN_ADDRESS_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/str.h"

struct address {
	/* n == 0: none */
	struct str name, street, city, region, postal_code, country, email, phone;
};

/* p == NULL: the arena is full, or a text is over 65,535 bytes. */
struct str address_pack(const struct address *a, struct arena *arena);

/* false: not such bytes.  The texts point into `packed`. */
bool address_unpack(struct str packed, struct address *ret);

#endif
