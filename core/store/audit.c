/*
 * The audit as its users see it: rules by number.  The text of a rule is its file in
 * db/audit; what is made of it for the audit lane is tools/sqlgen_load.c's.
 */
#include <assert.h>
#include <string.h>

#include "core/store/store.h"
#include "core/store/unit.h"

enum { KEYS = 3 }; /* named of what breaks a rule: enough to begin to look, and a line of the log */

static const struct unit_kind *kind_of(uint32_t rule)
{
	assert(rule < SQL_CATALOGUE.n_audits);
	return SQL_CATALOGUE.audits[rule];
}

uint32_t audit_count(void)
{
	return SQL_CATALOGUE.n_audits;
}

const char *audit_name(uint32_t rule)
{
	return kind_of(rule)->name + strlen("audit_");
}

int audit_ask(struct flow *fl, struct store *st, uint32_t rule)
{
	struct audit_head h = {.keys = KEYS};

	return store_ask(fl, st, (struct unit){.kind = kind_of(rule), .head = &h});
}

struct audit_finding audit_finding(const struct answer *a, uint32_t rule)
{
	struct audit_row row;

	assert(answer_rows(a) == 1);
	unit_row_read(kind_of(rule), a, 0, &row);
	return (struct audit_finding){row.found, row.first};
}
