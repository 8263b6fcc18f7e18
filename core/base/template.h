/*
 * Templates: a text with holes, filled from a table of names.  A part of Mustache 4.2
 * (mustache.github.io), and of what it says the same bytes:
 *
 *	{{name}}             the text, HTML-escaped when the mode says so
 *	{{{name}}} {{&name}} the text as it is
 *	{{#name}}..{{/name}} once per row of a list; once when a text is not empty, a flag set
 *	{{^name}}..{{/name}} once when there are no rows, the text is empty, the flag not set
 *	{{! anything}}       nothing
 *
 * A line that holds only section tags and comments leaves nothing behind, its end included.
 * No partials, lambdas, dotted names or other delimiters: such a template is refused, and
 * so is a name that no table has, because a mail with a hole in it would go out to people.
 */
#ifndef ORDERD_BASE_TEMPLATE_H
#define ORDERD_BASE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

enum {
	TEMPLATE_NESTING = 8,     /* sections within each other */
	TEMPLATE_STEPS = 1000000, /* tags and texts rendered, whatever they put out */
};

enum template_kind { TEMPLATE_TEXT, TEMPLATE_FLAG, TEMPLATE_LIST };

struct template_table;

struct template_value {
	const char *name; /* letters, digits, _ */
	enum template_kind kind;
	struct str text;                   /* TEXT; absent: empty */
	bool flag;                         /* FLAG */
	const struct template_table *rows; /* LIST */
	uint32_t n_rows;
};

struct template_table {
	const struct template_value *values;
	uint32_t n;
};

enum template_mode { TEMPLATE_PLAIN, TEMPLATE_HTML };

enum template_end {
	TEMPLATE_OK,
	TEMPLATE_BAD_TAG,      /* not closed, no name, or of a kind that is not served */
	TEMPLATE_BAD_SECTION,  /* not closed, closed without being open, or nested too deep */
	TEMPLATE_UNKNOWN_NAME, /* nobody has it, or it is a list where a text belongs */
	TEMPLATE_TOO_LARGE,    /* the text, the steps or the arena */
};

struct template_result {
	enum template_end end;
	uint32_t line;   /* of the template, from 1; where it went wrong */
	struct str text; /* in the arena, NUL-terminated; p == NULL unless OK */
};

/* Fill `source` from `top`, at most `most` bytes of it.  Names in a row hide those around it. */
struct template_result template_render(struct str source, const struct template_table *top,
				       enum template_mode mode, size_t most, struct arena *arena);

const char *template_end_text(enum template_end end);

#endif
