/*
 * A proxy in front of PostgreSQL that cuts a connection at a chosen message.
 *
 * It stands on a unix socket of its own, in a thread of the test, and counts protocol
 * messages (PostgreSQL manual, chapter 55.7).  Armed, it lets through so many messages
 * of one direction, over all connections, and then closes both sides of the connection
 * the next one came on.  It cuts once; then it is a plain proxy again.
 */
#ifndef ORDERD_TESTS_CUTPROXY_H
#define ORDERD_TESTS_CUTPROXY_H

#include <stdbool.h>

#include "tests/support/pg.h"

enum cut_side {
	CUT_TO_SERVER,
	CUT_TO_CLIENT,
	CUT_BEFORE_COMMIT, /* the server never sees the COMMIT */
	CUT_BEHIND_COMMIT, /* it does, but not the Sync behind it */
	CUT_SIDES
};

struct cutproxy;

struct cutproxy *cutproxy_new(const struct pg *pg);
void cutproxy_free(struct cutproxy *x);
const char *cutproxy_conninfo(const struct cutproxy *x);

/* Cut before message number `n` (from 0) from now on, or before commit number `n`; the startup
 * exchange of a connection is not counted. */
void cutproxy_arm(struct cutproxy *x, enum cut_side side, int n);
bool cutproxy_has_cut(const struct cutproxy *x); /* false: there were fewer messages */
void cutproxy_disarm(struct cutproxy *x);

#endif
