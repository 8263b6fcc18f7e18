/*
 * Expanding: @head, @line, @columns and @fragment(arguments) in a statement, and the
 * checks a header must pass before C is made from it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlgen.h"

enum { DEPTH_MAX = 8 }; /* fragments inside fragments; deeper is a circle */

struct expansion {
	const struct sources *src;
	const struct kind *k;
	struct text out;
};

static const char *quoted_end(const char *s)
{
	char q = *s++;

	while (*s != '\0' && *s != q)
		s++;
	return *s != '\0' ? s + 1 : s;
}

static void add_unnest(struct text *t, const struct columns *cs, int *param, bool ordinal)
{
	text_printf(t, "unnest(");
	if (ordinal)
		text_printf(t, "$%d::int8[], ", (*param)++);
	for (int i = 0; i < cs->n; i++)
		text_printf(t, "%s$%d::%s[]", i > 0 ? ", " : "", (*param)++, cs->at[i].type);
	text_printf(t, ")");
}

static void add_names(struct text *t, const struct columns *cs)
{
	for (int i = 0; i < cs->n; i++)
		text_printf(t, "%s%s", i > 0 ? ", " : "", cs->at[i].name);
}

static void add_head(struct expansion *x)
{
	int param = 1;

	add_unnest(&x->out, &x->k->head, &param, false);
	text_printf(&x->out, " WITH ORDINALITY AS h(");
	add_names(&x->out, &x->k->head);
	text_printf(&x->out, ", n)");
}

static void add_line(struct expansion *x)
{
	int param = x->k->head.n + 1;

	if (x->k->line.n == 0)
		refuse(x->k->file, x->k->body_line, "@line without line:");
	add_unnest(&x->out, &x->k->line, &param, true);
	text_printf(&x->out, " AS l(n, ");
	add_names(&x->out, &x->k->line);
	text_printf(&x->out, ")");
}

static void add_shared_columns(struct expansion *x)
{
	int param = 1;

	add_unnest(&x->out, &x->k->head, &param, false);
	text_printf(&x->out, " AS c(");
	add_names(&x->out, &x->k->head);
	text_printf(&x->out, ")");
}

/* "(a, b)" -> arguments; returns the position behind ")". */
static const char *read_args(const struct kind *k, const char *s, char *args[ARGS_MAX], int *ret_n)
{
	const char *from;
	int depth = 0;

	*ret_n = 0;
	if (*s != '(')
		return s;
	for (from = ++s;; s++) {
		if (*s == '\0')
			refuse(k->file, k->body_line, "a fragment's arguments do not end");
		if (*s == '\'') {
			s = quoted_end(s) - 1;
		} else if (depth == 0 && (*s == ',' || *s == ')')) {
			while (from < s && isspace((unsigned char)*from))
				from++;
			if (*ret_n == ARGS_MAX)
				refuse(k->file, k->body_line, "more than %d arguments", ARGS_MAX);
			args[(*ret_n)++] = copy_of(from, (size_t)(s - from));
			from = s + 1;
			if (*s == ')')
				return s + 1;
		} else {
			depth += (*s == '(') - (*s == ')');
		}
	}
}

/* A fragment's text with $(1), $(2) replaced; its own comment header is dropped by the caller. */
static char *with_args(const struct kind *k, const char *name, const char *s, char *args[], int n)
{
	struct text t = {0};

	text_add(&t, "", 0);
	for (; *s != '\0'; s++) {
		char *end;
		long at;

		if (s[0] != '$' || s[1] != '(') {
			text_add(&t, s, 1);
			continue;
		}
		at = strtol(s + 2, &end, 10);
		if (*end != ')' || at < 1 || at > n)
			refuse(k->file, k->body_line,
			       "fragment %s needs argument %.8s, it is given %d", name, s, n);
		text_add(&t, args[at - 1], strlen(args[at - 1]));
		s = end;
	}
	return t.p;
}

static void add_text(struct expansion *x, const char *s, int depth);

static const char *add_fragment(struct expansion *x, const char *name, const char *s, int depth)
{
	struct text path = {0};
	char *args[ARGS_MAX];
	char *body;
	size_t size;
	int n;

	text_printf(&path, "%s/fragments/%s.sql", x->src->dir, name);
	body = file_read(path.p, &size);
	s = read_args(x->k, s, args, &n);
	while (strncmp(body, "--", 2) == 0)
		body += strcspn(body, "\n") + 1;
	while (size > 0 && *body != '\0' && isspace((unsigned char)body[strlen(body) - 1]))
		body[strlen(body) - 1] = '\0';
	add_text(x, with_args(x->k, name, body, args, n), depth + 1);
	return s;
}

static const char *add_include(struct expansion *x, const char *s, int depth)
{
	size_t n = 0;
	char *name;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	name = copy_of(s, n);
	s += n;
	if (strcmp(name, "head") == 0 && !x->k->shared)
		add_head(x);
	else if (strcmp(name, "line") == 0 && !x->k->shared)
		add_line(x);
	else if (strcmp(name, "columns") == 0 && x->k->shared)
		add_shared_columns(x);
	else
		s = add_fragment(x, name, s, depth);
	return s;
}

static void add_text(struct expansion *x, const char *s, int depth)
{
	const char *end;

	if (depth > DEPTH_MAX)
		refuse(x->k->file, x->k->body_line, "fragments deeper than %d", DEPTH_MAX);
	while (*s != '\0') {
		if (*s == '\'' || *s == '"') {
			end = quoted_end(s);
			text_add(&x->out, s, (size_t)(end - s));
			s = end;
		} else if (s[0] == '-' && s[1] == '-') {
			s += strcspn(s, "\n");
		} else if (s[0] == '@' && islower((unsigned char)s[1])) {
			s = add_include(x, s + 1, depth);
		} else {
			text_add(&x->out, s++, 1);
		}
	}
}

char *expand(const struct sources *src, const struct kind *k)
{
	struct expansion x = {.src = src, .k = k};

	text_add(&x.out, "", 0);
	add_text(&x, k->body, 0);
	while (x.out.n > 0 &&
	       (isspace((unsigned char)x.out.p[x.out.n - 1]) || x.out.p[x.out.n - 1] == ';'))
		x.out.p[--x.out.n] = '\0';
	if (x.out.n == 0)
		refuse(k->file, k->body_line, "there is no statement");
	return x.out.p;
}

static bool is_column(const struct columns *cs, const char *name, const char *type)
{
	const struct column *c = column_find(cs, name);

	return c != NULL && strcmp(c->type, type) == 0;
}

static void check_keys(const struct kind *k)
{
	for (int i = 0; i < k->n_keys; i++) {
		const struct key_rule *r = &k->keys[i];

		if (strcmp(r->maker, "id") == 0 && r->n_args == 1 &&
		    is_column(&k->head, r->args[0], "uuid"))
			continue;
		if (strcmp(r->maker, "request") != 0 || r->n_args != 3 ||
		    !is_column(&k->head, r->args[0], "int4") ||
		    !is_column(&k->head, r->args[2], "text") ||
		    (!isdigit((unsigned char)*r->args[1]) &&
		     !is_column(&k->head, r->args[1], "int2")))
			refuse(k->file, 1,
			       "keys: id(uuid column) or request(int4 column, int2 column or "
			       "number, text column)");
	}
}

static bool has_shared(const struct sources *src, const char *name)
{
	for (int i = 0; i < src->n_shared; i++) {
		if (strcmp(src->shared[i]->name, name) == 0)
			return true;
	}
	return false;
}

static void check_shared_needs(const struct sources *src, const struct kind *k)
{
	if (k->lock_orders &&
	    (!has_shared(src, "lock_orders") || !is_column(&k->head, "order_id", "uuid")))
		refuse(k->file, 1,
		       "locks: orders needs batch/lock_orders.sql and the head column order_id "
		       "uuid");
	if (k->lock_jobs &&
	    (!has_shared(src, "lock_jobs") || !is_column(&k->head, "job_id", "uuid")))
		refuse(k->file, 1,
		       "locks: jobs needs batch/lock_jobs.sql and the head column job_id uuid");
	if (k->stock != NULL &&
	    (!has_shared(src, "stock_lock") || !has_shared(src, "stock_apply") ||
	     !is_column(&k->head, k->stock, "uuid")))
		refuse(k->file, 1,
		       "stock: names a uuid head column and needs batch/stock_lock.sql and "
		       "stock_apply.sql");
	if ((k->lock_orders || k->lock_jobs || k->stock != NULL) && strcmp(k->lane, "read") == 0)
		refuse(k->file, 1, "a kind of the read lane has no transaction to lock in");
}

static void check_shared(const struct kind *k)
{
	static const char *const known[] = {"lock_orders", "lock_jobs", "stock_lock",
					    "stock_apply"};
	bool found = false;

	for (size_t i = 0; i < 4; i++)
		found |= strcmp(k->name, known[i]) == 0;
	if (!found)
		refuse(k->file, 1,
		       "batch/ knows lock_orders, lock_jobs, stock_lock and stock_apply");
	if (k->head.n != 2 || strcmp(k->head.at[0].type, "int4") != 0 ||
	    strcmp(k->head.at[1].type, "uuid") != 0)
		refuse(k->file, 1, "columns of a batch statement are a tenant int4 and an id uuid");
}

void check_kind(const struct sources *src, const struct kind *k)
{
	if (k->shared) {
		check_shared(k);
		return;
	}
	if (k->head.n == 0)
		refuse(k->file, 1, "head: names at least one column");
	if ((k->lock_orders || k->stock != NULL) &&
	    (!is_column(&k->head, "tenant", "int4") || strcmp(k->head.at[0].name, "tenant") != 0))
		refuse(k->file, 1,
		       "a kind that locks orders or moves stock has tenant int4 as its first head "
		       "column");
	if (k->answer.n == 0 || strcmp(k->answer.at[0].name, "ordinal") != 0 ||
	    strcmp(k->answer.at[0].type, "int8") != 0)
		refuse(k->file, 1, "the first answer column is ordinal int8");
	if (k->again != NULL && !is_column(&k->answer, k->again, "text"))
		refuse(k->file, 1, "again: names a text column of the answer");
	check_keys(k);
	check_shared_needs(src, k);
}
