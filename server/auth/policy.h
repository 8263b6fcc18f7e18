/*
 * Who may call what, and how far they reach there (policy_table.h).  A path without a row is
 * nobody's.
 *
 * An identity's tenant and customer are what its statements are asked with: `tenant = $1`, and
 * @owned (db/queries/fragments) where the customer column of a row says OWN.  A caller bound to a
 * customer is let in nowhere else, so no RPC compares owners by itself.  Just so its locations, and
 * @located, where the mes column says AT.
 */
#ifndef ORDERD_SERVER_POLICY_H
#define ORDERD_SERVER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "server/auth/identity.h"

enum reach { REACH_NO, REACH_OWN, REACH_AT, REACH_ALL, REACH_SITE };

struct policy_row {
	const char *path;
	const char *scope; /* "": none is needed */
	bool loud;         /* every call of it is put on record */
	enum reach reach[ROLES];
};

struct policy {
	const struct policy_row *rows;
	size_t n_rows;
};

extern const struct policy policy_of_orderd;

const struct policy_row *policy_find(const struct policy *p, const char *path); /* NULL: nobody's */

/* Does a call ask for this word? */
bool policy_has_scope(const struct policy *p, struct str word);

/*
 * May `who` make a call of this row, which may be NULL?  ERR_OK, ERR_PERMISSION_DENIED (role,
 * customer or locations), ERR_SCOPE_MISSING, or ERR_NOT_OPERATOR.
 */
enum errc policy_judge(const struct policy_row *row, const struct identity *who,
		       int64_t operator_tenant);

#endif
