/*
 * What a role may call (policy_table.h).  A row names a path and a set of roles; a path without a
 * row is nobody's.
 */
#ifndef ORDERD_SERVER_POLICY_H
#define ORDERD_SERVER_POLICY_H

#include <stddef.h>

#include "server/auth/identity.h"

#define ROLE_BIT(role) (1U << (role))

enum { ROLES_ALL = (1 << ROLES) - 1 };

struct policy_row {
	const char *path;
	unsigned roles; /* ROLE_BIT() of each that may */
};

struct policy {
	const struct policy_row *rows;
	size_t n_rows;
};

extern const struct policy policy_of_orderd;

unsigned policy_roles(const struct policy *p, const char *path); /* 0: nobody */

#endif
