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

enum reach policy_reach(const struct policy_row *row, enum role role)
{
	return row != NULL ? row->reach[role] : REACH_NO;
}
