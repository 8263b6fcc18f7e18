/*
 * `orderd verify-record`: walks the chains of recorded calls, all there are (record_chain.h).
 * Blocking.
 */
#ifndef ORDERD_STORE_RECORD_CHECK_H
#define ORDERD_STORE_RECORD_CHECK_H

#include <stdio.h>

/*
 * Each tenant's chain and where it ends on `out`, and the first broken link of it.  `kept` is a
 * head that was kept elsewhere, "tenant:seq:hash", and must be part of it; NULL: none.
 * 0; 1 when a link is broken or the kept one is not there; 2 after saying why nobody can tell.
 */
int store_verify_record(const char *conninfo, const char *kept, FILE *out);

#endif
