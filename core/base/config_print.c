/*
 * Settings for people who run a program: --help and --print-config, from the rows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/config_rows.h"

static const void *value_of(const struct config *cfg, const struct setting *s)
{
	return (const char *)cfg + s->offset;
}

/* In quotes, so that any text can be read back; see unquote() in config.c. */
static void print_quoted(const char *p)
{
	(void)putchar('"');
	for (; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			(void)putchar('\\');
		(void)putchar(*p);
	}
	(void)putchar('"');
}

void config_print(const struct config *cfg)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		const void *value = value_of(cfg, s);

		(void)printf("%s = ", s->name);
		if (s->kind == SETTING_INT)
			(void)printf("%" PRId64, *(const int64_t *)value);
		else if (s->kind == SETTING_FLAG)
			(void)printf("%s", *(const bool *)value ? "on" : "off");
		else
			print_quoted(*(char *const *)value);
		(void)printf("   # %s%s%s\n", s->unit, s->unit[0] != '\0' ? ": " : "", s->text);
	}
}

void config_print_help(const char *program)
{
	(void)printf(
		"usage: %s [--config=FILE] [--FIELD=VALUE ...]\n"
		"\n"
		"  --config=FILE    read FILE: lines of `field = value`, # begins a comment\n"
		"  --check-config   check all settings and exit\n"
		"  --print-config   print all settings in the form --config reads, and exit\n"
		"  --version        print the version and exit\n"
		"  --help           print this and exit\n"
		"\n"
		"A setting is taken from the command line (--field=value), else from the\n"
		"environment (ORDERD_FIELD), else from FILE, else it has its default.\n"
		"\n",
		program);
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		(void)printf("  --");
		for (const char *p = s->name; *p != '\0'; p++)
			(void)putchar(*p == '_' ? '-' : *p);
		(void)printf("=%s\n      %s", s->def, s->text);
		if (s->kind == SETTING_INT)
			(void)printf(" (%" PRId64 "..%" PRId64 "%s%s)", s->least, s->most,
				     s->unit[0] != '\0' ? " " : "", s->unit);
		(void)putchar('\n');
	}
}
