#include "server/auth/policy.h"

#include <string.h>

#include "server/auth/policy_table.h"

enum { QUIET, LOUD };

static const struct policy_row rows[] = {
#define X(path, scope, record, customer, service, mes, ops_read, ops_write, ops_admin)         \
	{path,                                                                                 \
	 scope,                                                                                \
	 (record) == LOUD,                                                                     \
	 {REACH_##customer, REACH_##service, REACH_##mes, REACH_##ops_read, REACH_##ops_write, \
	  REACH_##ops_admin}},
	POLICY_TABLE(X)
#undef X
};

const struct policy policy_of_orderd = {rows, sizeof(rows) / sizeof(rows[0])};

const struct policy_row *policy_find(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->n_rows; i++)
		if (strcmp(p->rows[i].path, path) == 0)
			return &p->rows[i];
	return NULL;
}

bool policy_has_scope(const struct policy *p, struct str word)
{
	for (size_t i = 0; i < p->n_rows; i++)
		if (word.n > 0 && str_eq(word, str_of(p->rows[i].scope)))
			return true;
	return false;
}

/* Only calls that customers may make look at owners, and only those of mes with AT at locations. */
static bool role_may(const struct policy_row *row, const struct identity *who)
{
	bool bound = who->customer.p != NULL, placed = who->locations.p != NULL;

	if (row == NULL || row->reach[who->role] == REACH_NO)
		return false;
	if (placed && row->reach[ROLE_MES] != REACH_AT)
		return false;
	if (bound)
		return row->reach[ROLE_CUSTOMER] == REACH_OWN;
	return row->reach[who->role] != REACH_OWN;
}

enum errc policy_judge(const struct policy_row *row, const struct identity *who,
		       int64_t operator_tenant)
{
	if (!role_may(row, who))
		return ERR_PERMISSION_DENIED;
	if (who->scopes.n > 0 && row->scope[0] != '\0' &&
	    !identity_has_scope(who->scopes, str_of(row->scope)))
		return ERR_SCOPE_MISSING;
	if (row->reach[who->role] == REACH_SITE && who->tenant != operator_tenant)
		return ERR_NOT_OPERATOR;
	return ERR_OK;
}
