/*
 * Credentials that are good but not taken, from a file: a token's jti or a certificate's URI, one a
 * line.  Empty lines and lines that begin with # say nothing.
 */
#ifndef ORDERD_SERVER_DENY_H
#define ORDERD_SERVER_DENY_H

#include "core/base/str.h"

enum { DENY_BYTES_MAX = 4 << 20 };

struct deny;

/* Takes `text` (heap, NUL-terminated).  Any thread. */
struct deny *deny_read(char *text, size_t n);
void deny_free(struct deny *d);                       /* NULL is fine */
bool deny_has(const struct deny *d, struct str name); /* d NULL, or an absent name: false */

#endif
