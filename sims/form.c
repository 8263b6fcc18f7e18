/*
 * Forms, decoded.  Values stay text: whether "12" is a number is the endpoint's business.
 */
#include "sims/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sims/sim.h"

enum { FIELDS_MAX = 1000, NAME_MAX_BYTES = 512 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode in place; false on a bad escape. */
static bool decode(char *p, size_t *n)
{
	size_t in = 0;
	size_t out = 0;

	while (in < *n) {
		char c = p[in++];

		if (c == '+')
			c = ' ';
		if (c == '%') {
			int hi = in + 1 < *n ? hex_digit(p[in]) : -1;
			int lo = in + 1 < *n ? hex_digit(p[in + 1]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi * 16 + lo);
			in += 2;
		}
		p[out++] = c;
	}
	*n = out;
	return true;
}

bool form_add(json_t *form, const char *name, size_t name_n, const char *value, size_t value_n)
{
	char full[NAME_MAX_BYTES + 16];
	json_t *text;
	unsigned i;

	if (name_n == 0 || name_n > NAME_MAX_BYTES || json_object_size(form) >= FIELDS_MAX ||
	    memchr(name, '\0', name_n) != NULL || memchr(value, '\0', value_n) != NULL)
		return false;
	memcpy(full, name, name_n);
	full[name_n] = '\0';
	if (name_n > 2 && strcmp(full + name_n - 2, "[]") == 0)
		for (i = 0; i < FIELDS_MAX; i++) {
			snprintf(full + name_n - 2, 16, "[%u]", i);
			if (json_object_get(form, full) == NULL)
				break;
		}
	text = json_stringn(value, value_n);
	if (text == NULL)
		return false; /* not UTF-8 */
	return json_object_set_new(form, full, text) == 0;
}

static bool add_pair(json_t *form, char *pair, size_t n)
{
	char *equals = memchr(pair, '=', n);
	size_t name_n = equals != NULL ? (size_t)(equals - pair) : n;
	char *value = equals != NULL ? equals + 1 : pair + n;
	size_t value_n = equals != NULL ? n - name_n - 1 : 0;

	return decode(pair, &name_n) && decode(value, &value_n) &&
	       form_add(form, pair, name_n, value, value_n);
}

json_t *form_parse(const char *text, size_t n)
{
	char *copy = must(malloc(n + 1));
	json_t *form = must(json_object());
	char *p = copy;
	char *end;
	char *next;

	memcpy(copy, text, n);
	copy[n] = '\0';
	end = copy + n;
	while (p < end) {
		next = memchr(p, '&', (size_t)(end - p));
		if (next == NULL)
			next = end;
		if (next > p && !add_pair(form, p, (size_t)(next - p))) {
			json_decref(form);
			form = NULL;
			break;
		}
		p = next + 1;
	}
	free(copy);
	return form;
}

/* Put `value` below `at` following "[b][c]"; what does not follow that form is left out. */
static void nest(json_t *at, const char *brackets, json_t *value)
{
	char part[NAME_MAX_BYTES];
	const char *close;
	json_t *below;

	while (brackets[0] == '[' && (close = strchr(brackets, ']')) != NULL) {
		snprintf(part, sizeof(part), "%.*s", (int)(close - brackets - 1), brackets + 1);
		brackets = close + 1;
		if (brackets[0] == '\0') {
			json_object_set(at, part, value);
			return;
		}
		below = json_object_get(at, part);
		if (!json_is_object(below)) {
			below = must(json_object());
			json_object_set_new(at, part, below);
		}
		at = below;
	}
}

json_t *form_nested(const json_t *form, const char *root)
{
	size_t n = strlen(root);
	json_t *tree = NULL;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)form, name, value)
	{
		if (strncmp(name, root, n) != 0 || name[n] != '[')
			continue;
		if (tree == NULL)
			tree = must(json_object());
		nest(tree, name + n, value);
	}
	return tree;
}
