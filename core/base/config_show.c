/*
 * The view of the settings: each with its value and where that came from.
 *
 * Secrets are files, so a value is the file's name.  Two kinds of value may hold a password
 * nevertheless, a connection string of libpq and the user part of a URL: such a one is not
 * shown at all, rather than picked apart.
 */
#include <strings.h>

#include "core/base/config_rows.h"
#include "core/base/show_parts.h"

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* libpq reads %70assword in a URI as the word it is. */
static char next_char(const char **p)
{
	int high = -1, low = -1;
	char c = *(*p)++;

	if (c == '%' && (high = hex_of((*p)[0])) >= 0)
		low = hex_of((*p)[1]);
	if (low < 0)
		return c;
	*p += 2;
	return (char)(high * 16 + low);
}

static bool begins_with(const char *p, const char *word)
{
	for (; *word != '\0'; word++)
		if (*p == '\0' || (next_char(&p) | 0x20) != *word)
			return false;
	return true;
}

bool config_holds_secret(const char *value)
{
	const char *authority = strstr(value, "://");

	for (const char *p = value; *p != '\0'; p++)
		if (begins_with(p, "password"))
			return true;
	return authority != NULL &&
	       memchr(authority + 3, '@', strcspn(authority + 3, "/?#")) != NULL;
}

static void show_value(struct show *s, const struct setting *row, const void *value)
{
	if (row->kind == SETTING_INT)
		show_printf(s, "%lld", (long long)*(const int64_t *)value);
	else if (row->kind == SETTING_FLAG)
		show_text(s, *(const bool *)value ? "on" : "off");
	else if (config_holds_secret(*(char *const *)value))
		show_text(s, "(not shown: it holds a password)");
	else
		show_text(s, *(char *const *)value);
}

void show_config(struct show *s, const void *cfg)
{
	static const char *const sources[] = {[FROM_DEFAULT] = "default",
					      [FROM_FILE] = "file",
					      [FROM_ENVIRONMENT] = "environment",
					      [FROM_COMMAND] = "option"};

	for (size_t i = 0; i < SETTINGS && show_row(s); i++) {
		const struct setting *row = &settings[i];
		struct origin from = config_origins[i];

		show_text(s, row->name);
		show_value(s, row, (const char *)cfg + row->offset);
		show_text(s, row->unit[0] != '\0' ? row->unit : NULL);
		show_text(s, sources[from.source]);
		if (from.source == FROM_FILE)
			show_int(s, from.line);
		else
			show_nothing(s);
	}
}
