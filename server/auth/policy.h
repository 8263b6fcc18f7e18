/*
 * What a role may call, and how far it reaches there (policy_table.h).  A path without a row is
 * nobody's.
 */
#ifndef ORDERD_SERVER_POLICY_H
#define ORDERD_SERVER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "server/auth/identity.h"

enum reach { REACH_NO, REACH_ALL };

struct policy_row {
	const char *path;
	const char *scope;
	bool loud; /* every call of it is put on record */
	enum reach reach[ROLES];
};

struct policy {
	const struct policy_row *rows;
	size_t n_rows;
};

extern const struct policy policy_of_orderd;

const struct policy_row *policy_find(const struct policy *p, const char *path); /* NULL: nobody's */

/* What `role` reaches by a call of this row, which may be NULL. */
enum reach policy_reach(const struct policy_row *row, enum role role);

#endif
