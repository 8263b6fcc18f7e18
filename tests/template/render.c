/*
 * render: one JSON object per line in, {"template", "view", "html"}; one per line out,
 * {"end", "line", "text"}.  A view's strings are texts, its booleans flags, its arrays of
 * objects lists.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/template.h"

enum { MOST = 1 << 20 };

static struct template_table table_of(const json_t *view, struct arena *a)
{
	struct template_value *values = arena_array(a, json_object_size(view) + 1, sizeof(*values));
	struct template_table t = {values, 0};
	const char *name;
	json_t *v;

	if (values == NULL)
		abort();
	json_object_foreach((json_t *)view, name, v)
	{
		struct template_value *to = &values[t.n++];

		to->name = name;
		if (json_is_string(v)) {
			to->kind = TEMPLATE_TEXT;
			to->text = (struct str){json_string_value(v), json_string_length(v)};
		} else if (json_is_boolean(v)) {
			to->kind = TEMPLATE_FLAG;
			to->flag = json_is_true(v);
		} else {
			struct template_table *rows =
				arena_array(a, json_array_size(v) + 1, sizeof(*rows));

			if (rows == NULL)
				abort();
			to->kind = TEMPLATE_LIST;
			to->rows = rows;
			to->n_rows = (uint32_t)json_array_size(v);
			for (uint32_t i = 0; i < to->n_rows; i++)
				rows[i] = table_of(json_array_get(v, i), a);
		}
	}
	return t;
}

static void answer(const json_t *question)
{
	const json_t *source = json_object_get(question, "template");
	struct template_result r;
	struct template_table top;
	struct arena a;
	json_t *out;

	arena_init(&a, (size_t)16 << 20);
	top = table_of(json_object_get(question, "view"), &a);
	r = template_render(
		(struct str){json_string_value(source), json_string_length(source)}, &top,
		json_is_true(json_object_get(question, "html")) ? TEMPLATE_HTML : TEMPLATE_PLAIN,
		MOST, &a);
	out = json_pack("{s:s, s:i, s:s%}", "end", template_end_text(r.end), "line", (int)r.line,
			"text", r.text.p != NULL ? r.text.p : "", r.text.n);
	if (out == NULL || json_dumpf(out, stdout, JSON_COMPACT) != 0)
		abort();
	putchar('\n');
	json_decref(out);
	arena_done(&a);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		json_t *question = json_loads(line, 0, NULL);

		if (question == NULL)
			return 1;
		answer(question);
		json_decref(question);
	}
	free(line);
	return 0;
}
