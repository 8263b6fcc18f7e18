/*
 * Preparing: every statement a lane may send, made known to the server in one flight.
 */
#include <string.h>

#include "core/base/log.h"
#include "core/store/internal.h"

static bool prepare_one(struct conn *c, const char *name, const char *sql)
{
	flight_step(c, STEP_OTHER);
	return PQsendPrepare(c->pg, name, sql, 0, NULL) == 1;
}

static bool prepare_shared(struct conn *c)
{
	const struct shared_statement *const all[] = {
		SQL_CATALOGUE.lock_orders, SQL_CATALOGUE.lock_jobs, SQL_CATALOGUE.stock_lock,
		SQL_CATALOGUE.stock_apply};

	if (!prepare_one(c, "store_begin", "BEGIN") || !prepare_one(c, "store_commit", "COMMIT"))
		return false;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] != NULL && !prepare_one(c, all[i]->name, all[i]->sql))
			return false;
	}
	return true;
}

bool prepare_send(struct conn *c)
{
	flight_step(c, STEP_OTHER);
	if (PQsendQueryParams(c->pg, "DEALLOCATE ALL", 0, NULL, NULL, NULL, NULL, 1) != 1)
		return false;
	if (!prepare_one(c, "store_tenants", "SELECT set_config('app.tenants', $1, true)"))
		return false;
	if (!c->lane->law->reads && !prepare_shared(c))
		return false;
	for (uint32_t i = 0; i < SQL_CATALOGUE.n_kinds; i++) {
		const struct unit_kind *k = SQL_CATALOGUE.kinds[i];

		if (k->lane == c->lane->id && !prepare_one(c, k->name, k->sql))
			return false;
	}
	return flight_sync(c);
}

bool prepare_landed(struct conn *c)
{
	const struct batch *b = &c->batch;

	for (uint32_t i = 0; i + 1 < b->n_steps; i++) {
		const PGresult *r = b->steps[i].result;

		if (PQresultStatus(r) == PGRES_COMMAND_OK)
			continue;
		log_error("store_cannot_prepare", "lane=%s why=%s", c->lane->law->name,
			  LOG_Q(PQresultErrorMessage(r)));
		return false;
	}
	return true;
}
