#include "server/json.h"

static bool is_flat_enough(struct str text, unsigned depth_max)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if ((c == '[' || c == '{') && ++depth > depth_max)
			return false;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return true;
}

json_t *json_read(struct str text, unsigned depth_max, const char **ret_why)
{
	json_error_t where;
	json_t *j;

	if (text.n == 0) {
		*ret_why = "it is empty";
		return NULL;
	}
	if (!is_flat_enough(text, depth_max)) {
		*ret_why = "it is nested too deeply";
		return NULL;
	}
	j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &where);
	if (j == NULL)
		*ret_why = "it is not JSON";
	return j;
}

struct str json_text(const json_t *j)
{
	return (struct str){json_string_value(j), json_string_length(j)};
}
