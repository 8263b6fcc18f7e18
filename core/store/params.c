/*
 * How orderd speaks to PostgreSQL: libpq parameters.
 *
 * The operator's string wins over our timeouts; our session settings are added to its
 * `options`, because the statements are written for them:
 *  - force_generic_plan: planning for the values at hand costs 2-3 ms per batch;
 *  - jit=off: it compiles longer than the statement runs;
 *  - read committed: the guards in db/queries are written for it;
 *  - role: the program acts as one that owns nothing (db/migrations/0015_row_security.sql).
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/internal.h"

/*
 * A silent server is noticed after 2 s while data is under way (tcp_user_timeout), after
 * 5 + 3 x 2 s when nothing is.
 */
static const struct {
	const char *keyword, *value;
} defaults[] = {
	{"connect_timeout", "3"},
	{"tcp_user_timeout", "2000"},
	{"keepalives", "1"},
	{"keepalives_idle", "5"},
	{"keepalives_interval", "2"},
	{"keepalives_count", "3"},
	{"target_session_attrs", "read-write"},
};

enum {
	LOCK_TIMEOUT_MS = 2000,  /* a rival holds a row no longer than one batch takes */
	IDLE_TIMEOUT_MS = 10000, /* our transactions never wait for us; one that does is a bug or a
				    dead peer */
};

static void add(struct conn_params *p, int *n, const char *keyword, const char *value)
{
	p->keywords[*n] = keyword;
	p->values[*n] = value;
	++*n;
}

static const char *given(const PQconninfoOption *o, const char *keyword)
{
	for (; o->keyword != NULL; o++) {
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	}
	return NULL;
}

static char *options_of(const char *user, int statement_timeout_ms, const char *session,
			const char *role)
{
	return mem_printf(
		"%s -c search_path=orderd -c plan_cache_mode=force_generic_plan -c jit=off"
		" -c default_transaction_isolation=read\\ committed -c timezone=UTC"
		" -c statement_timeout=%d -c lock_timeout=%d -c "
		"idle_in_transaction_session_timeout=%d %s%s%s",
		user != NULL ? user : "", statement_timeout_ms, LOCK_TIMEOUT_MS, IDLE_TIMEOUT_MS,
		session, role != NULL ? " -c role=" : "", role != NULL ? role : "");
}

char *params_make(struct conn_params *p, const char *conninfo, const char *program,
		  int statement_timeout_ms, const char *session, const char *role)
{
	char *why = NULL, *copy;
	int n = 0;

	*p = (struct conn_params){0};
	p->parsed = PQconninfoParse(conninfo, &why);
	if (p->parsed == NULL) {
		copy = mem_text(why != NULL ? why : "cannot be read");
		PQfreemem(why);
		return copy;
	}
	for (const PQconninfoOption *o = p->parsed; o->keyword != NULL && n < 60; o++) {
		if (o->val != NULL && strcmp(o->keyword, "options") != 0)
			add(p, &n, o->keyword, o->val);
	}
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (given(p->parsed, defaults[i].keyword) == NULL)
			add(p, &n, defaults[i].keyword, defaults[i].value);
	}
	if (given(p->parsed, "application_name") == NULL)
		add(p, &n, "application_name", program);
	p->options = options_of(given(p->parsed, "options"), statement_timeout_ms, session, role);
	add(p, &n, "options", p->options);
	add(p, &n, "client_encoding", "UTF8");
	add(p, &n, NULL, NULL);
	return NULL;
}

void params_done(struct conn_params *p)
{
	PQconninfoFree(p->parsed);
	free(p->options);
	*p = (struct conn_params){0};
}
