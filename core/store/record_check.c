#include "core/store/record_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/internal.h"

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
#define HEADS                                                                                    \
	"SELECT tenant::text, seq::text, encode(hash, 'hex') FROM orderd.call_chain c ORDER BY " \
	"c.tenant"

enum { TENANT, SEQ, PREV = RECORD_FIELDS, HASH, HEX = 2 * DIGEST_BYTES + 1, NUMBER = 24 };

struct chain {
	char tenant[NUMBER];
	int64_t seq; /* of its last row so far */
	uint8_t hash[DIGEST_BYTES];
	bool broken; /* told: what follows says nothing more */
};

struct walk {
	struct chain chain;
	const char *kept;
	bool kept_found;
	unsigned rows, chains, broken;
	PGresult *heads;
	int head; /* the next of them */
	FILE *out;
};

/* ---- one link ---- */

static size_t put_field(uint8_t *to, struct str s)
{
	uint32_t n = s.p != NULL ? (uint32_t)s.n : UINT32_MAX;

	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> (24 - 8 * i));
	if (s.p == NULL)
		return 4;
	memcpy(to + 4, s.p, s.n);
	return 4 + s.n;
}

static void to_hex(const uint8_t hash[DIGEST_BYTES], char hex[HEX])
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

void record_hash(const uint8_t prev[DIGEST_BYTES], const struct str fields[RECORD_FIELDS],
		 uint8_t ret[DIGEST_BYTES])
{
	struct str form = STR("orderd.call_record.1");
	size_t size = 4 + form.n + 4 + HEX, n = 0;
	char hex[HEX];
	uint8_t *all;

	for (size_t i = 0; i < RECORD_FIELDS; i++)
		size += 4 + fields[i].n;
	all = mem_alloc(size);
	to_hex(prev, hex);
	n += put_field(all + n, form);
	n += put_field(all + n, str_of(hex));
	for (size_t i = 0; i < RECORD_FIELDS; i++)
		n += put_field(all + n, fields[i]);
	digest_sha256((struct str){(const char *)all, n}, ret);
	free(all);
}

/* ---- a chain ---- */

static void break_chain(struct walk *w, const char *seq, const char *why)
{
	if (w->chain.broken)
		return;
	w->chain.broken = true;
	w->broken++;
	fprintf(w->out, "tenant %s: broken at seq %s: %s\n", w->chain.tenant, seq, why);
}

static void look_for_kept(struct walk *w, const char *seq, const char *hash)
{
	char link[NUMBER + NUMBER + HEX];

	if (w->kept == NULL)
		return;
	snprintf(link, sizeof(link), "%s:%s:%s", w->chain.tenant, seq, hash);
	w->kept_found |= strcmp(link, w->kept) == 0;
}

/* The chain's last row must be what its head says. */
static void end_chain(struct walk *w)
{
	char seq[NUMBER], hash[HEX];
	int i = w->head;

	if (w->chain.tenant[0] == '\0')
		return;
	snprintf(seq, sizeof(seq), "%" PRId64, w->chain.seq);
	to_hex(w->chain.hash, hash);
	if (i == PQntuples(w->heads) || strcmp(PQgetvalue(w->heads, i, 0), w->chain.tenant) != 0)
		break_chain(w, seq, "it has no head");
	else if (strcmp(PQgetvalue(w->heads, i, 1), seq) != 0 ||
		 strcmp(PQgetvalue(w->heads, i, 2), hash) != 0)
		break_chain(w, seq, "the head is another: rows behind it are gone");
	if (!w->chain.broken)
		fprintf(w->out, "tenant %s: whole up to %s:%s:%s\n", w->chain.tenant,
			w->chain.tenant, seq, hash);
}

static long long number_of(const char *text)
{
	long long n = 0;

	(void)str_to_i64(str_of(text), INT64_MIN, INT64_MAX, &n); /* an integer column */
	return n;
}

/* Heads before `tenant`, or all that are left, that have no row at all. */
static void skip_heads(struct walk *w, const char *tenant)
{
	for (; w->head < PQntuples(w->heads); w->head++) {
		const char *t = PQgetvalue(w->heads, w->head, 0);

		if (tenant != NULL && number_of(t) >= number_of(tenant))
			return;
		if (strcmp(t, w->chain.tenant) == 0)
			continue; /* the one that has just ended */
		w->broken++;
		fprintf(w->out, "tenant %s: broken at seq 1: every row is gone\n", t);
	}
}

static void begin_chain(struct walk *w, const char *tenant)
{
	end_chain(w);
	skip_heads(w, tenant);
	w->chain = (struct chain){.seq = 0};
	snprintf(w->chain.tenant, sizeof(w->chain.tenant), "%s", tenant);
	w->chains++;
}

static struct str cell(const PGresult *r, int i, int column)
{
	if (PQgetisnull(r, i, column))
		return (struct str){NULL, 0};
	return (struct str){PQgetvalue(r, i, column), (size_t)PQgetlength(r, i, column)};
}

static void walk_row(struct walk *w, const PGresult *r, int i)
{
	const char *tenant = PQgetvalue(r, i, TENANT), *seq = PQgetvalue(r, i, SEQ);
	struct str fields[RECORD_FIELDS];
	char prev[HEX], hash[HEX], wanted[NUMBER];
	uint8_t digest[DIGEST_BYTES];

	if (strcmp(w->chain.tenant, tenant) != 0)
		begin_chain(w, tenant);
	for (int k = 0; k < RECORD_FIELDS; k++)
		fields[k] = cell(r, i, k);
	record_hash(w->chain.hash, fields, digest);
	to_hex(w->chain.hash, prev);
	to_hex(digest, hash);
	snprintf(wanted, sizeof(wanted), "%" PRId64, ++w->chain.seq);
	if (strcmp(seq, wanted) != 0)
		break_chain(w, wanted, "it is missing");
	else if (strcmp(PQgetvalue(r, i, PREV), prev) != 0)
		break_chain(w, seq, "it does not follow the one before");
	else if (strcmp(PQgetvalue(r, i, HASH), hash) != 0)
		break_chain(w, seq, "it was changed");
	memcpy(w->chain.hash, digest, sizeof(digest));
	look_for_kept(w, seq, hash);
	w->rows++;
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
	fprintf(w->out, "%u rows in %u chains, %u broken\n", w->rows, w->chains, w->broken);
	if (w->kept == NULL || w->kept_found)
		return w->broken > 0;
	fprintf(w->out, "%s is in none of them: the chain was made anew\n", w->kept);
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
