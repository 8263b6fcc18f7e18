#include "core/store/record_check.h"

#include <inttypes.h>
#include <string.h>

#include "core/store/internal.h"
#include "core/store/record_chain.h"

#define COLUMNS                                                                                \
	"tenant::text, seq::text, id::text, (extract(epoch FROM at) * 1000000)::int8::text, "  \
	"(extract(epoch FROM recorded_at) * 1000000)::int8::text, actor, role, peer, method, " \
	"request_key, object, status::text, reason, calls::text, trace"
/* One transaction sees one state, whatever is appended meanwhile. */
#define BEGIN "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define ROWS                                                                    \
	"DECLARE rows NO SCROLL CURSOR FOR SELECT " COLUMNS                     \
	", encode(prev, 'hex'), encode(hash, 'hex') FROM orderd.call_record r " \
	"ORDER BY r.tenant, r.seq"
#define FETCH "FETCH 1000 FROM rows"
#define HEADS                                                                             \
	"SELECT tenant::text, seq::text, encode(hash, 'hex'), (SELECT object FROM "       \
	"orderd.call_record r WHERE r.tenant = c.tenant AND method = '" RECORD_CUT_METHOD \
	"' ORDER BY seq DESC LIMIT 1) FROM orderd.call_chain c ORDER BY c.tenant"

enum { PREV = RECORD_FIELDS, HASH, KEPT_TEXT = 24 + RECORD_LINK_TEXT };

enum { HEAD_TENANT, HEAD_SEQ, HEAD_HASH, HEAD_CUT };

struct walk {
	char tenant[24];           /* of the chain at hand; "": none yet */
	struct record_chain chain; /* its last row so far */
	bool broken;               /* told: what follows says nothing more */
	const char *kept;
	bool kept_found;
	unsigned rows, chains, n_broken;
	PGresult *heads;
	int head; /* the next of them */
	FILE *out;
};

/* ---- a chain ---- */

static void break_chain(struct walk *w, int64_t seq, const char *why)
{
	if (w->broken)
		return;
	w->broken = true;
	w->n_broken++;
	fprintf(w->out, "tenant %s: broken at seq %" PRId64 ": %s\n", w->tenant, seq, why);
}

static void look_for_kept(struct walk *w)
{
	char link[RECORD_LINK_TEXT], text[KEPT_TEXT];

	if (w->kept == NULL)
		return;
	snprintf(text, sizeof(text), "%s:%s", w->tenant, record_link(&w->chain, link));
	w->kept_found |= strcmp(text, w->kept) == 0;
}

static struct str cell(const PGresult *r, int i, int column)
{
	if (PQgetisnull(r, i, column))
		return (struct str){NULL, 0};
	return (struct str){PQgetvalue(r, i, column), (size_t)PQgetlength(r, i, column)};
}

static long long number_of(struct str text)
{
	long long n = 0;

	(void)str_to_i64(text, INT64_MIN, INT64_MAX, &n); /* an integer column */
	return n;
}

/* Whether the next head is the chain's. */
static bool has_head(const struct walk *w)
{
	return w->head < PQntuples(w->heads) &&
	       strcmp(PQgetvalue(w->heads, w->head, HEAD_TENANT), w->tenant) == 0;
}

/* The chain's last row must be what its head says. */
static void end_chain(struct walk *w)
{
	char link[RECORD_LINK_TEXT];
	const char *why = "it has no head";

	if (w->tenant[0] == '\0')
		return;
	if (has_head(w))
		why = record_chain_end(&w->chain, number_of(cell(w->heads, w->head, HEAD_SEQ)),
				       cell(w->heads, w->head, HEAD_HASH));
	if (why != NULL)
		break_chain(w, w->chain.seq, why);
	if (!w->broken)
		fprintf(w->out, "tenant %s: whole up to %s:%s\n", w->tenant, w->tenant,
			record_link(&w->chain, link));
}

/* Heads before `tenant`, or all that are left, that have no row at all. */
static void skip_heads(struct walk *w, const char *tenant)
{
	for (; w->head < PQntuples(w->heads); w->head++) {
		struct str t = cell(w->heads, w->head, HEAD_TENANT);

		if (tenant != NULL && number_of(t) >= number_of(str_of(tenant)))
			return;
		if (str_eq(t, str_of(w->tenant)))
			continue; /* the one that has just ended */
		w->n_broken++;
		fprintf(w->out, "tenant %s: broken at seq 1: every row is gone\n", t.p);
	}
}

static void begin_chain(struct walk *w, const char *tenant)
{
	struct str cut = {0};

	end_chain(w);
	skip_heads(w, tenant);
	snprintf(w->tenant, sizeof(w->tenant), "%s", tenant);
	w->broken = false;
	w->chains++;
	if (has_head(w))
		cut = cell(w->heads, w->head, HEAD_CUT);
	if (!record_chain_start(&w->chain, cut))
		break_chain(w, 1, "what it says of older rows is not legible");
	look_for_kept(w);
}

static void walk_row(struct walk *w, const PGresult *r, int i)
{
	const char *tenant = PQgetvalue(r, i, RECORD_TENANT), *why;
	struct record_row row = {.prev = cell(r, i, PREV), .hash = cell(r, i, HASH)};
	int64_t seq;

	if (strcmp(w->tenant, tenant) != 0)
		begin_chain(w, tenant);
	w->rows++;
	if (w->broken)
		return;
	for (int k = 0; k < RECORD_FIELDS; k++)
		row.fields[k] = cell(r, i, k);
	why = record_chain_add(&w->chain, &row, &seq);
	if (why != NULL)
		break_chain(w, seq, why);
	else
		look_for_kept(w);
}

/* ---- all of them ---- */

static PGresult *ask(PGconn *pg, const char *sql, FILE *out)
{
	PGresult *r = PQexec(pg, sql);
	ExecStatusType s = PQresultStatus(r);

	if (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK)
		return r;
	fprintf(out, "verify-record: %s", PQresultErrorMessage(r));
	PQclear(r);
	return NULL;
}

static bool command(PGconn *pg, const char *sql, FILE *out)
{
	PGresult *r = ask(pg, sql, out);
	bool ok = r != NULL;

	PQclear(r);
	return ok;
}

static bool walk_rows(struct walk *w, PGconn *pg)
{
	int n;

	do {
		PGresult *r = ask(pg, FETCH, w->out);

		if (r == NULL)
			return false;
		n = PQntuples(r);
		for (int i = 0; i < n; i++)
			walk_row(w, r, i);
		PQclear(r);
	} while (n > 0);
	end_chain(w);
	skip_heads(w, NULL);
	return true;
}

static int verdict(const struct walk *w)
{
	fprintf(w->out, "%u rows in %u chains, %u broken\n", w->rows, w->chains, w->n_broken);
	if (w->kept == NULL || w->kept_found)
		return w->n_broken > 0;
	fprintf(w->out, "%s is in none of them: the chain was made anew, or goes back less far\n",
		w->kept);
	return 1;
}

int store_verify_record(const char *conninfo, const char *kept, FILE *out)
{
	struct walk w = {.kept = kept, .out = out};
	PGconn *pg = store_connect(conninfo, "orderd verify-record", "-c app.tenants=*",
				   STORE_AUDIT_ROLE, out);
	int code = 2;

	if (pg == NULL)
		return code;
	if (command(pg, BEGIN, out) && (w.heads = ask(pg, HEADS, out)) != NULL &&
	    command(pg, ROWS, out) && walk_rows(&w, pg))
		code = verdict(&w);
	PQclear(w.heads);
	PQfinish(pg);
	return code;
}
