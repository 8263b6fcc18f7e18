/*
 * What an SQL error means for a batch: one row each, first match wins.
 *
 * SQLSTATEs are PostgreSQL's (Appendix A of its documentation).  An expected refusal is
 * a row of the answer and never gets here; what does is a lost race, a clash, a unit
 * that should not have passed our checks, an outage, or our own mistake.
 */
#include <string.h>

#include "core/store/internal.h"

/* clang-format off */
static const struct error_rule rules[] = {
	/* state, constraint,  action,       tries, jitter, then,      alone,                 guilty, reason */
	/* Two processes judged the same last units free; who comes second asks again and sees the first. */
	{"23514", "stock_",    DO_AGAIN,     5,     false,  DO_HALVE,  ERR_CLASH,             false,  "stock_race"},
	{"40001", NULL,        DO_AGAIN,     3,     true,   DO_HALVE,  ERR_CLASH,             false,  "serialization"},
	{"40P01", NULL,        DO_AGAIN,     3,     true,   DO_HALVE,  ERR_CLASH,             false,  "deadlock"},
	{"55P03", NULL,        DO_AGAIN,     3,     true,   DO_HALVE,  ERR_CLASH,             false,  "lock_timeout"},
	/* A member is bad: find it, spare the others. */
	{"21",    NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_INTERNAL,          true,   "bad_member"},
	{"22",    NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_INTERNAL,          true,   "bad_member"},
	{"23",    NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_INTERNAL,          true,   "bad_member"},
	{"54",    NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_INTERNAL,          true,   "bad_member"},
	{"P0001", NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_INTERNAL,          true,   "bad_member"},
	{"42501", NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_INTERNAL,          true,   "row_security"},
	{"57014", NULL,        DO_HALVE,     0,     false,  DO_HALVE,  ERR_UNKNOWN_OUTCOME,   false,  "too_slow"},
	/* Nobody is guilty: the server is ill, going away, or no longer the one that may write. */
	{"25006", NULL,        DO_RECONNECT, 0,     false,  DO_RECONNECT, ERR_STORE_UNAVAILABLE, false, "read_only"},
	{"53",    NULL,        DO_RECONNECT, 0,     false,  DO_RECONNECT, ERR_STORE_UNAVAILABLE, false, "resources"},
	{"57P",   NULL,        DO_RECONNECT, 0,     false,  DO_RECONNECT, ERR_STORE_UNAVAILABLE, false, "shutdown"},
	{"58",    NULL,        DO_RECONNECT, 0,     false,  DO_RECONNECT, ERR_STORE_UNAVAILABLE, false, "server_io"},
	{"08",    NULL,        DO_RECONNECT, 0,     false,  DO_RECONNECT, ERR_STORE_UNAVAILABLE, false, "connection"},
	{"25P03", NULL,        DO_RECONNECT, 0,     false,  DO_RECONNECT, ERR_STORE_UNAVAILABLE, false, "idle_timeout"},
	/* Prepared statements are gone, or a migration changed what they answer. */
	{"26000", NULL,        DO_PREPARE,   1,     false,  DO_FAIL,   ERR_INTERNAL,          false,  "statement_gone"},
	{"0A000", NULL,        DO_PREPARE,   1,     false,  DO_FAIL,   ERR_INTERNAL,          false,  "plan_changed"},
	/* The rest (42xxx, XXxxx, ...): schema and program do not fit.  Asking again cannot help. */
	{"",      NULL,        DO_FAIL,      0,     false,  DO_FAIL,   ERR_INTERNAL,          false,  "mistake"},
};

/* clang-format on */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

const struct error_rule *error_rule_of(const char *sqlstate, const char *constraint)
{
	const struct error_rule *r = rules;

	while (!begins(sqlstate, r->state) ||
	       (r->constraint != NULL &&
		(constraint == NULL || !begins(constraint, r->constraint))))
		r++;
	return r;
}
