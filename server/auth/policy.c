#include "server/auth/policy.h"

#include <string.h>

#include "server/auth/policy_table.h"

static const struct policy_row rows[] = {
#define X(path, customer, service, mes, ops_read, ops_write, ops_admin)                      \
	{path, (customer) << ROLE_CUSTOMER | (service) << ROLE_SERVICE | (mes) << ROLE_MES | \
		       (ops_read) << ROLE_OPS_READ | (ops_write) << ROLE_OPS_WRITE |         \
		       (ops_admin) << ROLE_OPS_ADMIN},
	POLICY_TABLE(X)
#undef X
};

const struct policy policy_of_orderd = {rows, sizeof(rows) / sizeof(rows[0])};

unsigned policy_roles(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->n_rows; i++)
		if (strcmp(p->rows[i].path, path) == 0)
			return p->rows[i].roles;
	return 0;
}
