/*
 * Reading: block headers of unit kinds and batch statements, and migrations.
 *
 * A block header is the run of `--` lines a file opens with; a line `-- word: rest` with
 * one of our words is a field, every other line is prose.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "sqlgen.h"

static const char *const types[] = {"int2", "int4", "int8",  "bool",
				    "uuid", "text", "bytea", "timestamptz"};

static char *trimmed(const char *s, size_t n)
{
	while (n > 0 && isspace((unsigned char)s[0]))
		s++, n--;
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	return copy_of(s, n);
}

static bool is_name(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s != '\0'; s++) {
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '_')
			return false;
	}
	return true;
}

static bool is_type(const char *s)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(s, types[i]) == 0)
			return true;
	}
	return false;
}

/* int2, int4 and bool have no value to spare for "null". */
static bool may_be_null(const char *type)
{
	return strcmp(type, "int2") != 0 && strcmp(type, "int4") != 0 && strcmp(type, "bool") != 0;
}

static void add_column(struct columns *cs, char *words, const char *file, int line)
{
	struct column *c = &cs->at[cs->n];
	char *type = words + strcspn(words, " \t");

	if (cs->n == COLUMNS_MAX)
		refuse(file, line, "more than %d columns", COLUMNS_MAX);
	if (*type == '\0')
		refuse(file, line, "column '%s' has no type", words);
	*type++ = '\0';
	c->name = words;
	c->type = trimmed(type, strlen(type));
	if (*c->type != '\0' && c->type[strlen(c->type) - 1] == '?') {
		c->nullable = true;
		c->type[strlen(c->type) - 1] = '\0';
	}
	if (!is_name(c->name) || !is_type(c->type))
		refuse(file, line, "'%s %s' is not a column: lower-case name and one of our types",
		       c->name, c->type);
	if (c->nullable && !may_be_null(c->type))
		refuse(file, line, "%s %s cannot be null in C", c->name, c->type);
	if (column_find(cs, c->name) != NULL)
		refuse(file, line, "column %s stands twice", c->name);
	cs->n++;
}

static void parse_columns(struct columns *cs, const char *s, const char *file, int line)
{
	while (*s != '\0') {
		size_t n = strcspn(s, ",");

		add_column(cs, trimmed(s, n), file, line);
		s += n + (s[n] == ',');
	}
}

const struct column *column_find(const struct columns *cs, const char *name)
{
	for (int i = 0; i < cs->n; i++) {
		if (strcmp(cs->at[i].name, name) == 0)
			return &cs->at[i];
	}
	return NULL;
}

/* "id(order_id), request(tenant, method, request_key)" */
static void parse_keys(struct kind *k, const char *s, int line)
{
	while (*(s += strspn(s, " \t,")) != '\0') {
		struct key_rule *r = &k->keys[k->n_keys];
		const char *open = strchr(s, '('), *close = strchr(s, ')');

		if (k->n_keys == KEYS_MAX || open == NULL || close == NULL || close < open)
			refuse(k->file, line,
			       "keys are at most %d of id(column), request(tenant, method, column)",
			       KEYS_MAX);
		r->maker = trimmed(s, (size_t)(open - s));
		for (const char *a = open + 1; a < close;) {
			size_t n = strcspn(a, ",)");

			if (r->n_args == KEY_ARGS_MAX)
				refuse(k->file, line, "key with more than %d arguments",
				       KEY_ARGS_MAX);
			r->args[r->n_args++] = trimmed(a, n);
			a += n + 1;
		}
		k->n_keys++;
		s = close + 1;
	}
}

static void parse_locks(struct kind *k, const char *s, int line)
{
	while (*(s += strspn(s, " \t,")) != '\0') {
		size_t n = strcspn(s, " \t,");

		if (strncmp(s, "orders", n) == 0 && n == 6)
			k->lock_orders = true;
		else if (strncmp(s, "jobs", n) == 0 && n == 4)
			k->lock_jobs = true;
		else if (strncmp(s, "none", n) != 0)
			refuse(k->file, line, "locks are orders and jobs");
		s += n;
	}
}

/* "payment_captured   lane: order   rank: 40": further fields may stand on the unit line. */
static void parse_unit(struct kind *k, char *s, int line)
{
	char *lane = strstr(s, "lane:"), *rank = strstr(s, "rank:");

	if (lane == NULL || rank == NULL || rank < lane)
		refuse(k->file, line, "unit: name   lane: order|job|read   rank: number");
	k->name = trimmed(s, (size_t)(lane - s));
	k->lane = trimmed(lane + 5, (size_t)(rank - lane - 5));
	k->rank = atoi(rank + 5); /* banned-ok: our own files */
	if (strcmp(k->lane, "order") != 0 && strcmp(k->lane, "job") != 0 &&
	    strcmp(k->lane, "read") != 0)
		refuse(k->file, line, "lane is order, job or read");
}

static char *word_or_none(char *s)
{
	return strcmp(s, "no") == 0 || strcmp(s, "none") == 0 || *s == '\0' ? NULL : s;
}

static void parse_field(struct kind *k, const char *word, char *rest, int line)
{
	if (strcmp(word, "unit") == 0) {
		parse_unit(k, rest, line);
	} else if (strcmp(word, "shared") == 0) {
		k->name = rest;
		k->shared = true;
	} else if (strcmp(word, "keys") == 0) {
		if (word_or_none(rest) != NULL)
			parse_keys(k, rest, line);
	} else if (strcmp(word, "locks") == 0) {
		parse_locks(k, rest, line);
	} else if (strcmp(word, "head") == 0 || strcmp(word, "columns") == 0) {
		parse_columns(&k->head, rest, k->file, line);
	} else if (strcmp(word, "line") == 0) {
		if (word_or_none(rest) != NULL)
			parse_columns(&k->line, rest, k->file, line);
	} else if (strcmp(word, "answer") == 0) {
		parse_columns(&k->answer, rest, k->file, line);
	} else if (strcmp(word, "stock") == 0) {
		k->stock = word_or_none(rest);
	} else if (strcmp(word, "again") == 0) {
		k->again = word_or_none(rest);
	}
}

static void parse_header_line(struct kind *k, const char *s, size_t n, int line)
{
	size_t word = 0;

	s += 2, n -= 2;
	while (n > 0 && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (word < n && islower((unsigned char)s[word]))
		word++;
	if (word < n && s[word] == ':')
		parse_field(k, copy_of(s, word), trimmed(s + word + 1, n - word - 1), line);
}

static struct kind *load_block(const char *path)
{
	size_t size;
	char *s = file_read(path, &size);
	struct kind *k = calloc(1, sizeof(*k));
	int line = 1;

	if (k == NULL)
		abort();
	k->file = copy_of(path, strlen(path));
	for (; strncmp(s, "--", 2) == 0; line++) {
		size_t n = strcspn(s, "\n");

		parse_header_line(k, s, n, line);
		s += n + (s[n] == '\n');
	}
	if (k->name == NULL)
		refuse(path, 1, "the header has neither unit: nor shared:");
	k->body = s;
	k->body_line = line;
	return k;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_sql(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".sql") == 0;
}

static char *path_of(const char *dir, const char *name)
{
	struct text t = {0};

	text_printf(&t, "%s/%s", dir, name);
	return t.p;
}

static struct dirent **list(const char *dir, int *ret_n, bool must)
{
	struct dirent **names = NULL;

	*ret_n = scandir(dir, &names, is_sql, by_name);
	if (*ret_n < 0 && must)
		refuse(dir, 0, "cannot be listed");
	if (*ret_n < 0)
		*ret_n = 0;
	return names;
}

static void check_file_name(const struct kind *k, const char *file)
{
	if (strncmp(file, k->name, strlen(k->name)) != 0 ||
	    strcmp(file + strlen(k->name), ".sql") != 0)
		refuse(k->file, 1, "is named %s inside", k->name);
	if (!is_name(k->name))
		refuse(k->file, 1, "'%s' is not a name", k->name);
}

static int by_rank(const void *a, const void *b)
{
	const struct kind *x = *(struct kind *const *)a, *y = *(struct kind *const *)b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
				  : strcmp(x->name, y->name);
}

void load_queries(struct sources *src, const char *dir)
{
	struct dirent **names;
	int n;

	src->dir = dir;
	names = list(path_of(dir, "batch"), &n, false);
	for (int i = 0; i < n; i++) {
		struct kind *k = load_block(path_of(path_of(dir, "batch"), names[i]->d_name));

		check_file_name(k, names[i]->d_name);
		if (!k->shared ||
		    src->n_shared == (int)(sizeof(src->shared) / sizeof(src->shared[0])))
			refuse(k->file, 1, "batch/ holds a few shared: statements");
		src->shared[src->n_shared++] = k;
	}
	names = list(dir, &n, true);
	for (int i = 0; i < n; i++) {
		struct kind *k = load_block(path_of(dir, names[i]->d_name));

		check_file_name(k, names[i]->d_name);
		if (k->shared || src->n_kinds == KINDS_MAX)
			refuse(k->file, 1, "is no unit kind, or one too many");
		src->kinds[src->n_kinds++] = k;
	}
	qsort(src->kinds, (size_t)src->n_kinds, sizeof(src->kinds[0]), by_rank);
	for (int i = 0; i < src->n_shared; i++) {
		check_kind(src, src->shared[i]);
		src->shared[i]->sql = expand(src, src->shared[i]);
	}
	for (int i = 0; i < src->n_kinds; i++) {
		check_kind(src, src->kinds[i]);
		src->kinds[i]->sql = expand(src, src->kinds[i]);
	}
}

/*
 * A rule of db/audit as a unit kind: its own text, unchanged, inside a count of what it finds.
 * All of it is counted, for a LIMIT would have the planner hope for an early row, and of a rule
 * that holds there is none.
 */
static void add_audit(struct sources *src, const char *dir, const char *file)
{
	struct kind *k = calloc(1, sizeof(*k));
	struct text name = {0}, body = {0};
	size_t size;

	if (k == NULL)
		abort();
	k->file = path_of(dir, file);
	text_printf(&name, "audit_%.*s", (int)strlen(file) - 4, file);
	text_printf(
		&body,
		"SELECT h.n, v.found, coalesce(v.first, '')\n  FROM @head\n CROSS JOIN LATERAL (\n"
		"SELECT count(*) AS found, string_agg(k.key, ' ') FILTER (WHERE k.i <= h.keys) AS "
		"first\n"
		"  FROM (SELECT row_number() OVER () AS i, to_jsonb(r)::text AS key\n          "
		"FROM (\n%s\n) r) k) v\n",
		file_read(k->file, &size));
	*k = (struct kind){.file = k->file,
			   .name = name.p,
			   .lane = copy_of("audit", 5),
			   .audit = true,
			   .body = body.p,
			   .body_line = 1};
	parse_columns(&k->head, "keys int8", k->file, 1);
	parse_columns(&k->answer, "ordinal int8, found int8, first text", k->file, 1);
	if (!is_name(k->name) || src->n_kinds == KINDS_MAX)
		refuse(k->file, 1, "is no rule's name, or one too many");
	k->sql = expand(src, k);
	src->kinds[src->n_kinds++] = k;
	src->n_audits++;
}

void load_audits(struct sources *src, const char *dir)
{
	int n;
	struct dirent **names = list(dir, &n, true);

	for (int i = 0; i < n; i++)
		add_audit(src, dir, names[i]->d_name);
}

static void sha256_hex(const char *p, size_t n, char ret[65])
{
	unsigned char md[32];

	if (EVP_Digest(p, n, md, NULL, EVP_sha256(), NULL) != 1)
		abort();
	for (size_t i = 0; i < sizeof(md); i++)
		snprintf(ret + 2 * i, 3, "%02x", md[i]);
}

void load_migrations(struct sources *src, const char *dir)
{
	int n;
	struct dirent **names = list(dir, &n, true);

	for (int i = 0; i < n && i < MIGRATIONS_MAX; i++) {
		struct migration_file *m = &src->migrations[src->n_migrations++];
		char *path = path_of(dir, names[i]->d_name);
		size_t size;

		m->name = names[i]->d_name;
		m->version = atoi(m->name); /* banned-ok: compared below */
		m->sql = file_read(path, &size);
		if (m->version != i + 1 || strlen(m->name) < 6 || m->name[4] != '_')
			refuse(path, 0,
			       "migrations are NNNN_name.sql, numbered from 0001 without gaps");
		sha256_hex(m->sql, size, m->sha256);
	}
}
