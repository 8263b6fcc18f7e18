#include "usage.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Up to a blank, `end` or the text's end; a blank inside quotes belongs to it. */
static const char *take(const char *p, char end, char *to, size_t room)
{
	size_t n = 0;
	bool quoted = false;

	for (; *p != '\0' && (quoted || (*p != ' ' && *p != '\n' && *p != end)); p++) {
		assert(n + 1 < room);
		to[n++] = *p;
		quoted = quoted != (*p == '"');
	}
	to[n] = '\0';
	return p;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \n");
}

/* "..." at p, or at the end of a name. */
static bool take_dots(const char **p)
{
	if (strncmp(*p, "...", 3) != 0)
		return false;
	*p += 3;
	return true;
}

static bool cut_dots(char *name)
{
	size_t n = strlen(name);

	if (n < 3 || strcmp(name + n - 3, "...") != 0)
		return false;
	name[n - 3] = '\0';
	return true;
}

/* The option of that name, whichever form has named it before. */
static struct usage_option *add_option(struct usage *u, const char *name)
{
	struct usage_option *o = u->options;

	while (o < u->options + u->n_options && strcmp(o->name, name) != 0)
		o++;
	if (o < u->options + u->n_options)
		return o;
	assert(u->n_options < USAGE_OPTIONS_MAX);
	u->n_options++;
	memcpy(o->name, name, strlen(name) + 1);
	return o;
}

/* Behind an option's name: a flag is followed by the next option, or by nothing. */
static bool has_value(const char *p)
{
	p = skip_blanks(p);
	return *p != '\0' && strchr("]-[|", *p) == NULL;
}

static const char *read_option(struct usage *u, const char *p, bool may, int one_of)
{
	char name[USAGE_NAME_MAX];
	struct usage_option *o;

	assert(strncmp(p, "--", 2) == 0);
	p = take(p + 2, may ? ']' : '\0', name, sizeof(name));
	o = add_option(u, name);
	o->forms |= 1U << u->n_forms;
	o->one_of = one_of;
	if (!may)
		o->needed |= 1U << u->n_forms;
	if (has_value(p)) {
		p = take(skip_blanks(p), may ? ']' : '\0', o->value, sizeof(o->value));
		o->repeats = cut_dots(o->value) || o->repeats;
	}
	return p;
}

/* Behind "[": options of which one may be given. */
static const char *read_bracket(struct usage *u, const char *p)
{
	const char *bar = strstr(p, " | ");
	int first = u->n_options, one_of = 0;

	if (bar != NULL && bar < strchr(p, ']'))
		one_of = ++u->n_brackets;
	p = read_option(u, p, true, one_of);
	for (p = skip_blanks(p); *p == '|'; p = skip_blanks(p))
		p = read_option(u, skip_blanks(p + 1), true, one_of);
	assert(*p == ']');
	p++;
	if (take_dots(&p))
		u->options[first].repeats = true;
	return p;
}

static const char *read_word(struct usage *u, const char *p, bool may)
{
	struct usage_word *w = &u->words[u->n_words++];

	assert(u->n_words <= USAGE_WORDS_MAX);
	p = take(p, may ? ']' : '\0', w->name, sizeof(w->name));
	w->repeats = cut_dots(w->name);
	w->needed = !may;
	w->form = u->n_forms;
	if (may) {
		assert(*p == ']');
		p++;
	}
	w->repeats = take_dots(&p) || w->repeats;
	return p;
}

void usage_read(struct usage *u, const char *text)
{
	const char *p = skip_blanks(text);

	*u = (struct usage){0};
	while (*p != '\0') {
		bool may = *p == '[';

		if (strncmp(p, "| ", 2) == 0) {
			u->n_forms++;
			p = skip_blanks(p + 1);
			continue;
		}
		if (may)
			p++;
		if (strncmp(p, "--", 2) != 0)
			p = read_word(u, p, may);
		else
			p = may ? read_bracket(u, p) : read_option(u, p, false, 0);
		p = skip_blanks(p);
	}
	u->n_forms++;
}

const struct usage_option *usage_option(const struct usage *u, const char *name)
{
	for (int i = 0; i < u->n_options; i++)
		if (strcmp(u->options[i].name, name) == 0)
			return &u->options[i];
	return NULL;
}

void usage_show_option(const struct usage *u, int i, int form, char *to, size_t room)
{
	const struct usage_option *o = &u->options[i];
	bool may = (o->needed & 1U << form) == 0;
	size_t n = 0;

	to[0] = '\0';
	if (o->one_of != 0 && i > 0 && u->options[i - 1].one_of == o->one_of)
		return;
	for (int k = i; k < u->n_options && n < room; k++) {
		const struct usage_option *other = &u->options[k];

		if (k > i && (o->one_of == 0 || other->one_of != o->one_of))
			break;
		n += (size_t)snprintf(to + n, room - n, "%s--%s%s%s",
				      k > i ? " | " : (may ? "[" : ""), other->name,
				      other->value[0] != '\0' ? " " : "", other->value);
	}
	if (n < room)
		snprintf(to + n, room - n, "%s%s", may ? "]" : "", o->repeats ? "..." : "");
}

void usage_show_word(const struct usage_word *w, char *to, size_t room)
{
	snprintf(to, room, "%s%s%s%s", w->needed ? "" : "[", w->name, w->repeats ? "..." : "",
		 w->needed ? "" : "]");
}
