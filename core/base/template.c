/*
 * A template is read into tokens once, then run: a section's two tags know each other, so
 * running it is going from token to token, with the rows at work on a short stack.
 */
#include "core/base/template.h"

#include <string.h>

enum { TOKENS_FIRST = 64 };

enum token_kind {
	TOKEN_TEXT,
	TOKEN_ESCAPED,
	TOKEN_RAW,
	TOKEN_SECTION,
	TOKEN_INVERTED,
	TOKEN_CLOSE
};

struct token {
	enum token_kind kind;
	struct str s; /* text or name */
	uint32_t line;
	uint32_t other; /* of a section's two tags: the index of the other */
};

struct reader {
	struct arena *arena;
	struct str rest;
	uint32_t line;
	struct token *tokens;
	uint32_t n, room;
	uint32_t line_first; /* token the present line began with */
	bool tags, words;    /* the present line has sections or comments; something to show */
	uint32_t open[TEMPLATE_NESTING];
	uint32_t depth;
};

struct frame {
	const struct template_table *rows; /* NULL: a section that is no list */
	uint32_t row, n_rows;
	uint32_t section; /* its token */
};

struct writer {
	const struct template_table *top;
	enum template_mode mode;
	const struct token *tokens;
	uint32_t n;
	struct frame frames[TEMPLATE_NESTING];
	uint32_t depth;
	char *out; /* NULL: only counting */
	size_t used, most;
	uint32_t line; /* of the token at work */
};

/* ---- reading ---- */

static enum template_end add(struct reader *r, enum token_kind kind, struct str s)
{
	if (r->n == r->room) {
		uint32_t room = r->room > 0 ? r->room * 2 : TOKENS_FIRST;
		struct token *bigger = arena_array(r->arena, room, sizeof(*bigger));

		if (bigger == NULL)
			return TEMPLATE_TOO_LARGE;
		if (r->n > 0)
			memcpy(bigger, r->tokens, r->n * sizeof(*bigger));
		r->tokens = bigger;
		r->room = room;
	}
	r->tokens[r->n++] = (struct token){.kind = kind, .s = s, .line = r->line};
	return TEMPLATE_OK;
}

static void line_ends(struct reader *r)
{
	for (uint32_t i = r->line_first; r->tags && !r->words && i < r->n; i++)
		if (r->tokens[i].kind == TOKEN_TEXT)
			r->tokens[i].s.n = 0;
	r->line_first = r->n;
	r->tags = r->words = false;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool all_space(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_space(s.p[i]))
			return false;
	return true;
}

static struct str skip(struct str s, size_t n)
{
	return (struct str){s.p + n, s.n - n};
}

/* Text up to the next tag, a token per line of it. */
static enum template_end read_text(struct reader *r, size_t n)
{
	enum template_end end = TEMPLATE_OK;

	while (n > 0 && end == TEMPLATE_OK) {
		const char *nl = memchr(r->rest.p, '\n', n);
		size_t part = nl != NULL ? (size_t)(nl - r->rest.p) + 1 : n;
		struct str s = {r->rest.p, part};

		end = add(r, TOKEN_TEXT, s);
		if (!all_space(s))
			r->words = true;
		if (nl != NULL) {
			line_ends(r);
			r->line++;
		}
		r->rest = skip(r->rest, part);
		n -= part;
	}
	return end;
}

static struct str trimmed(struct str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = skip(s, 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_'))
			return false;
	}
	return s.n > 0;
}

static enum template_end open_section(struct reader *r, enum token_kind kind, struct str name)
{
	if (r->depth == TEMPLATE_NESTING)
		return TEMPLATE_BAD_SECTION;
	r->open[r->depth++] = r->n;
	return add(r, kind, name);
}

static enum template_end close_section(struct reader *r, struct str name)
{
	uint32_t opened = r->depth > 0 ? r->open[r->depth - 1] : 0;

	if (r->depth == 0 || !str_eq(r->tokens[opened].s, name))
		return TEMPLATE_BAD_SECTION;
	r->depth--;
	r->tokens[opened].other = r->n;
	if (add(r, TOKEN_CLOSE, name) != TEMPLATE_OK)
		return TEMPLATE_TOO_LARGE;
	r->tokens[r->n - 1].other = opened;
	return TEMPLATE_OK;
}

static enum template_end take_tag(struct reader *r, char sigil, struct str inside)
{
	struct str name = trimmed(inside);

	if (sigil == '!') {
		r->tags = true;
		return TEMPLATE_OK;
	}
	if (!is_name(name))
		return TEMPLATE_BAD_TAG;
	if (sigil == '#' || sigil == '^' || sigil == '/')
		r->tags = true;
	else
		r->words = true;
	switch (sigil) {
	case '#':
		return open_section(r, TOKEN_SECTION, name);
	case '^':
		return open_section(r, TOKEN_INVERTED, name);
	case '/':
		return close_section(r, name);
	case '\0':
		return add(r, TOKEN_ESCAPED, name);
	default:
		return add(r, TOKEN_RAW, name);
	}
}

/* From behind "{{" to behind the end of the tag. */
static enum template_end read_tag(struct reader *r)
{
	struct str close = STR("}}");
	char sigil = '\0';
	enum template_end end;
	const char *at;
	struct str inside;

	if (r->rest.n > 0 && r->rest.p[0] != '\0' && strchr("#^/!&{", r->rest.p[0]) != NULL) {
		sigil = r->rest.p[0];
		r->rest = skip(r->rest, 1);
	}
	if (sigil == '{')
		close = STR("}}}");
	at = r->rest.n > 0 ? memmem(r->rest.p, r->rest.n, close.p, close.n) : NULL;
	if (at == NULL)
		return TEMPLATE_BAD_TAG;
	inside = (struct str){r->rest.p, (size_t)(at - r->rest.p)};
	end = take_tag(r, sigil, inside);
	if (end != TEMPLATE_OK)
		return end;
	for (size_t i = 0; i < inside.n; i++)
		r->line += inside.p[i] == '\n';
	r->rest = skip(r->rest, inside.n + close.n);
	return TEMPLATE_OK;
}

static enum template_end read_all(struct reader *r)
{
	enum template_end end = TEMPLATE_OK;

	while (r->rest.n > 0 && end == TEMPLATE_OK) {
		const char *tag = memmem(r->rest.p, r->rest.n, "{{", 2);

		end = read_text(r, tag != NULL ? (size_t)(tag - r->rest.p) : r->rest.n);
		if (end != TEMPLATE_OK || tag == NULL)
			continue;
		r->rest = skip(r->rest, 2);
		end = read_tag(r);
	}
	line_ends(r);
	if (end == TEMPLATE_OK && r->depth > 0) {
		r->line = r->tokens[r->open[r->depth - 1]].line;
		return TEMPLATE_BAD_SECTION;
	}
	return end;
}

/* ---- running ---- */

static enum template_end put(struct writer *w, struct str s)
{
	if (s.n > w->most - w->used)
		return TEMPLATE_TOO_LARGE;
	if (w->out != NULL && s.n > 0)
		memcpy(w->out + w->used, s.p, s.n);
	w->used += s.n;
	return TEMPLATE_OK;
}

/* What Mustache escapes: more than HTML needs, so that a value may stand anywhere in quotes. */
static struct str escaped(const char *c)
{
	switch (*c) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	case '"':
		return STR("&quot;");
	case '\'':
		return STR("&#39;");
	case '/':
		return STR("&#x2F;");
	case '`':
		return STR("&#x60;");
	case '=':
		return STR("&#x3D;");
	default:
		return (struct str){c, 1};
	}
}

static enum template_end put_escaped(struct writer *w, struct str s)
{
	enum template_end end = TEMPLATE_OK;

	for (size_t i = 0; i < s.n && end == TEMPLATE_OK; i++)
		end = put(w, escaped(s.p + i));
	return end;
}

static const struct template_value *in_table(const struct template_table *t, struct str name)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (str_eq(str_of(t->values[i].name), name))
			return &t->values[i];
	return NULL;
}

static const struct template_value *look_up(const struct writer *w, struct str name)
{
	for (uint32_t d = w->depth; d-- > 0;) {
		const struct frame *f = &w->frames[d];
		const struct template_value *v =
			f->rows != NULL ? in_table(&f->rows[f->row], name) : NULL;

		if (v != NULL)
			return v;
	}
	return in_table(w->top, name);
}

static bool is_true(const struct template_value *v)
{
	switch (v->kind) {
	case TEMPLATE_TEXT:
		return v->text.n > 0;
	case TEMPLATE_FLAG:
		return v->flag;
	case TEMPLATE_LIST:
	default:
		return v->n_rows > 0;
	}
}

/* At a section's first tag: into it, or behind its last. */
static void enter(struct writer *w, uint32_t *i, const struct template_value *v)
{
	const struct token *t = &w->tokens[*i];

	if (is_true(v) == (t->kind == TOKEN_INVERTED)) {
		*i = t->other + 1;
		return;
	}
	w->frames[w->depth++] = (struct frame){.section = *i};
	if (t->kind == TOKEN_SECTION && v->kind == TEMPLATE_LIST) {
		w->frames[w->depth - 1].rows = v->rows;
		w->frames[w->depth - 1].n_rows = v->n_rows;
	}
	++*i;
}

/* At a section's last tag: to the next row, or behind it. */
static void leave(struct writer *w, uint32_t *i)
{
	struct frame *f = &w->frames[w->depth - 1];

	if (f->rows != NULL && ++f->row < f->n_rows) {
		*i = f->section + 1;
		return;
	}
	w->depth--;
	++*i;
}

static enum template_end put_value(struct writer *w, const struct token *t,
				   const struct template_value *v)
{
	if (v->kind != TEMPLATE_TEXT)
		return TEMPLATE_UNKNOWN_NAME;
	if (t->kind == TOKEN_ESCAPED && w->mode == TEMPLATE_HTML)
		return put_escaped(w, v->text);
	return put(w, v->text);
}

static enum template_end step(struct writer *w, uint32_t *i)
{
	const struct token *t = &w->tokens[*i];
	const struct template_value *v;

	w->line = t->line;
	if (t->kind == TOKEN_TEXT) {
		++*i;
		return put(w, t->s);
	}
	if (t->kind == TOKEN_CLOSE) {
		leave(w, i);
		return TEMPLATE_OK;
	}
	v = look_up(w, t->s);
	if (v == NULL)
		return TEMPLATE_UNKNOWN_NAME;
	if (t->kind == TOKEN_SECTION || t->kind == TOKEN_INVERTED) {
		enter(w, i, v);
		return TEMPLATE_OK;
	}
	++*i;
	return put_value(w, t, v);
}

static enum template_end run(struct writer *w)
{
	enum template_end end = TEMPLATE_OK;
	uint32_t steps = 0;
	uint32_t i = 0;

	while (i < w->n && end == TEMPLATE_OK)
		end = ++steps <= TEMPLATE_STEPS ? step(w, &i) : TEMPLATE_TOO_LARGE;
	return end;
}

static struct template_result failed(enum template_end end, uint32_t line)
{
	return (struct template_result){.end = end, .line = line};
}

struct template_result template_render(struct str source, const struct template_table *top,
				       enum template_mode mode, size_t most, struct arena *arena)
{
	struct reader r = {.arena = arena, .rest = source, .line = 1};
	struct writer w = {.top = top, .mode = mode, .most = most};
	enum template_end end = read_all(&r);

	if (end != TEMPLATE_OK)
		return failed(end, r.line);
	w.tokens = r.tokens;
	w.n = r.n;
	end = run(&w); /* how much is it? */
	if (end != TEMPLATE_OK)
		return failed(end, w.line);
	w.out = arena_alloc(arena, w.used + 1);
	if (w.out == NULL)
		return failed(TEMPLATE_TOO_LARGE, w.line);
	w.used = 0;
	end = run(&w);
	return (struct template_result){.end = end, .text = {w.out, w.used}};
}

const char *template_end_text(enum template_end end)
{
	static const char *const texts[] = {
		[TEMPLATE_OK] = "ok",
		[TEMPLATE_BAD_TAG] = "a tag is not closed, has no name, or is of a kind not served",
		[TEMPLATE_BAD_SECTION] = "a section is not closed, not open, or too deep",
		[TEMPLATE_UNKNOWN_NAME] = "a name is not known",
		[TEMPLATE_TOO_LARGE] = "the text is too large",
	};

	return texts[end];
}
