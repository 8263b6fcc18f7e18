/*
 * Settings as pages: the table of docs/configuration.md, the sample file, the page of man and what
 * bash completes, all from the rows.  For tools/docgen.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/config_rows.h"

/* What a value may be: "1..4096 KiB", "text, at most 16 bytes", "on, off". */
static void print_allowed(const struct setting *s)
{
	if (s->kind == SETTING_INT)
		(void)printf("%" PRId64 "..%" PRId64 "%s%s", s->least, s->most,
			     s->unit[0] != '\0' ? " " : "", s->unit);
	else if (s->kind == SETTING_TEXT)
		(void)printf("text, at most %" PRId64 " bytes", s->most);
	else
		(void)printf("on, off");
}

void config_print_markdown(void)
{
	(void)printf("| setting | default | allowed | what it is |\n|---|---|---|---|\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		(void)printf("| `%s` | ", s->name);
		if (s->def[0] == '\0')
			(void)printf("empty");
		else
			(void)printf("`%s`", s->def);
		(void)printf(" | ");
		print_allowed(s);
		(void)printf(" | %s |\n", s->text);
	}
}

void config_print_sample(void)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		(void)printf("\n# %s\n", s->text);
		if (s->kind == SETTING_TEXT) {
			(void)printf("#%s = \"%s\"\n", s->name, s->def);
			continue;
		}
		(void)printf("# ");
		print_allowed(s);
		(void)printf("\n#%s = %s\n", s->name, s->def);
	}
}

/* Text of ours for troff, where a backslash commands, as a dot does that begins a line. */
static void print_roff(const char *p)
{
	if (*p == '.' || *p == '\'')
		(void)printf("\\&");
	for (; *p != '\0'; p++) {
		if (*p == '\\')
			(void)printf("\\e");
		else if (*p == '-')
			(void)printf("\\-");
		else
			(void)putchar(*p);
	}
}

void config_print_man(void)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		(void)printf(".TP\n.B ");
		print_roff(s->name);
		(void)putchar('\n');
		print_roff(s->text);
		(void)printf("\n.br\n");
		print_allowed(s);
		(void)printf("; default ");
		print_roff(s->def[0] == '\0' ? "empty" : s->def);
		(void)putchar('\n');
	}
}

void config_print_options(void)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		(void)printf(" --");
		for (const char *p = settings[i].name; *p != '\0'; p++)
			(void)putchar(*p == '_' ? '-' : *p);
		(void)putchar('=');
	}
}
