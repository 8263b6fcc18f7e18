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

static const char *read_option(struct usage *u, const char *p, bool may)
{
	char name[USAGE_NAME_MAX];
	struct usage_option *o;

	p = take(p + 2, may ? ']' : '\0', name, sizeof(name));
	o = add_option(u, name);
	o->forms |= 1U << u->n_forms;
	if (!may)
		o->needed |= 1U << u->n_forms;
	if (has_value(p)) {
		p = take(skip_blanks(p), may ? ']' : '\0', o->value, sizeof(o->value));
		o->repeats = cut_dots(o->value) || o->repeats;
	}
	if (may) {
		assert(*p == ']');
		p++;
	}
	o->repeats = take_dots(&p) || o->repeats;
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
		p = strncmp(p, "--", 2) == 0 ? read_option(u, p, may) : read_word(u, p, may);
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

void usage_show_option(const struct usage_option *o, int form, char *to, size_t room)
{
	bool may = (o->needed & 1U << form) == 0;

	snprintf(to, room, "%s--%s%s%s%s%s", may ? "[" : "", o->name,
		 o->value[0] != '\0' ? " " : "", o->value, may ? "]" : "", o->repeats ? "..." : "");
}

void usage_show_word(const struct usage_word *w, char *to, size_t room)
{
	snprintf(to, room, "%s%s%s%s", w->needed ? "" : "[", w->name, w->repeats ? "..." : "",
		 w->needed ? "" : "]");
}
