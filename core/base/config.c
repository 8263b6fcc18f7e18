/*
 * Reading settings: defaults, then the file, the environment and the command line, each
 * value through one door (config_apply) that knows its row and remembers where it came from.
 *
 * Mistakes are reported as they are met and counted; the process ends when all sources
 * have been read, so that one start shows them all.
 */
#include "core/base/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/config_rows.h"
#include "core/base/mem.h"
#include "core/base/str.h"

#ifndef ORDERD_VERSION
#error "ORDERD_VERSION comes from CMakeLists.txt"
#endif

enum { EXIT_MISTAKE = 2 };

#define CONFIG_DEFAULT_INT(v)  #v
#define CONFIG_DEFAULT_TEXT(v) v
#define CONFIG_DEFAULT_FLAG(v) #v

/* clang-format off */
const struct setting settings[SETTINGS] = {
#define X(kind, field, def, least, most, unit, text) \
	{SETTING_##kind, #field, CONFIG_DEFAULT_##kind(def), least, most, unit, text, \
	 offsetof(struct config, field)},
	CONFIG_TABLE(X)
#undef X
};
/* clang-format on */

/* Where each value came from, for mistakes that are found later; the file of this process. */
struct origin config_origins[SETTINGS];
const char *config_file_path = "";

/* ---- reporting ---- */

static void print_place(struct origin from, const char *name)
{
	switch (from.source) {
	case FROM_FILE:
		(void)fprintf(stderr, "%s:%d: %s: ", config_file_path, from.line, name);
		break;
	case FROM_ENVIRONMENT:
		(void)fputs("ORDERD_", stderr);
		for (const char *p = name; *p != '\0'; p++)
			(void)fputc(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p, stderr);
		(void)fputs(": ", stderr);
		break;
	case FROM_DEFAULT: /* to be set on the command line, if nowhere else */
	case FROM_COMMAND:
		(void)fputs("--", stderr);
		for (const char *p = name; *p != '\0'; p++)
			(void)fputc(*p == '_' ? '-' : *p, stderr);
		(void)fputs(": ", stderr);
		break;
	}
}

void config_mistake(struct reader *r, struct origin from, const char *name, const char *fmt, ...)
{
	va_list ap;

	print_place(from, name);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	r->mistakes++;
}

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

void config_refuse(const char *field, const char *fmt, ...)
{
	const struct setting *s = find_setting(field);
	va_list ap;

	if (s != NULL)
		print_place(config_origins[s - settings], field);
	else
		(void)fprintf(stderr, "%s: ", field);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(EXIT_MISTAKE); // NOLINT(concurrency-mt-unsafe): nothing is registered that could race
}

/* ---- names ---- */

static void unknown(struct reader *r, struct origin from, const char *name)
{
	const char *near = config_nearest_name(name);

	if (near != NULL)
		config_mistake(r, from, name, "no such setting; did you mean %s?", near);
	else
		config_mistake(r, from, name, "no such setting; --help lists them all");
}

/* ---- values ---- */

static void *field_of(struct config *cfg, const struct setting *s)
{
	return (char *)cfg + s->offset;
}

static bool parse_flag(const char *text, bool *ret)
{
	static const char *const words[] = {"on", "true", "yes", "off", "false", "no"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = i < 3;
			return true;
		}
	}
	return false;
}

static void apply_int(struct reader *r, const struct setting *s, struct origin from,
		      const char *text)
{
	long long value;

	if (!str_to_i64(str_of(text), s->least, s->most, &value))
		config_mistake(r, from, s->name, "must be a whole number from %lld to %lld%s%s",
			       (long long)s->least, (long long)s->most,
			       s->unit[0] != '\0' ? " " : "", s->unit);
	else
		*(int64_t *)field_of(r->cfg, s) = value;
}

static void apply_text(struct reader *r, const struct setting *s, struct origin from,
		       const char *text)
{
	char **field = field_of(r->cfg, s);
	size_t n = strlen(text);

	if (n < (size_t)s->least || n > (size_t)s->most) {
		config_mistake(r, from, s->name, "must have %lld to %lld bytes, has %zu",
			       (long long)s->least, (long long)s->most, n);
	} else if (!str_is_text(str_of(text)) || strpbrk(text, "\r\n") != NULL) {
		config_mistake(r, from, s->name, "must be one line of UTF-8 text");
	} else {
		free(*field);
		*field = mem_text(text);
	}
}

void config_apply(struct reader *r, const char *name, struct origin from, const char *text)
{
	const struct setting *s = find_setting(name);
	struct origin *last;

	if (s == NULL) {
		unknown(r, from, name);
		return;
	}
	last = &r->origins[s - settings];
	if (last->source == from.source && from.source != FROM_DEFAULT) {
		config_mistake(r, from, name, "given twice");
		return;
	}
	*last = from;
	if (s->kind == SETTING_INT)
		apply_int(r, s, from, text);
	else if (s->kind == SETTING_TEXT)
		apply_text(r, s, from, text);
	else if (!parse_flag(text, field_of(r->cfg, s)))
		config_mistake(r, from, name, "must be on or off");
}

static void apply_defaults(struct reader *r)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		r->origins[i] = (struct origin){FROM_DEFAULT, 0};
		config_apply(r, settings[i].name, r->origins[i], settings[i].def);
	}
	assert(r->mistakes == 0); /* a default that its own row refuses */
}

/* ---- environment and command line ---- */

static void read_environment(struct reader *r)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		char name[sizeof("ORDERD_") + CONFIG_NAME_MAX] = "ORDERD_";
		char *to = name + strlen(name);
		const char *value;

		for (const char *p = settings[i].name; *p != '\0'; p++)
			*to++ = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		*to = '\0';
		value = getenv(name); // NOLINT(concurrency-mt-unsafe): no thread yet; banned-ok:
		if (value != NULL)
			config_apply(r, settings[i].name, (struct origin){FROM_ENVIRONMENT, 0},
				     value);
	}
}

/* The options every program has besides its settings.  The last three end the start. */
static bool serve_wish(struct reader *r, const char *name)
{
	if (strcmp(name, "help") == 0) {
		config_print_help(r->program);
	} else if (strcmp(name, "version") == 0) {
		(void)printf("%s %s\n", r->program, ORDERD_VERSION);
	} else {
		r->print = r->print || strcmp(name, "print_config") == 0;
		r->check = r->check || strcmp(name, "check_config") == 0;
		return false;
	}
	return true;
}

struct option {
	char name[CONFIG_NAME_MAX + 1]; /* with underscores; "" = no option */
	const char *value;              /* NULL: none given */
	int args;                       /* arguments it takes up */
};

static bool is_wish(const char *name)
{
	static const char *const wishes[] = {"help", "version", "print_config", "check_config"};

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		if (strcmp(name, wishes[i]) == 0)
			return true;
	return false;
}

/* --field=value, or --field value */
static struct option option_at(int argc, char **argv, int i)
{
	struct option o = {.args = 1};
	const char *p = argv[i];
	size_t n;

	if (strncmp(p, "--", 2) != 0 || p[2] == '\0')
		return o;
	p += 2;
	n = strcspn(p, "=");
	(void)snprintf(o.name, sizeof(o.name), "%.*s",
		       (int)(n < CONFIG_NAME_MAX ? n : CONFIG_NAME_MAX), p);
	for (char *c = o.name; *c != '\0'; c++)
		if (*c == '-')
			*c = '_';
	if (p[n] == '=') {
		o.value = p + n + 1;
	} else if (!is_wish(o.name) && i + 1 < argc &&
		   (strcmp(o.name, "config") == 0 || find_setting(o.name) != NULL)) {
		o.value = argv[i + 1];
		o.args = 2;
	}
	return o;
}

static void take_option(struct reader *r, const struct option *o)
{
	struct origin from = {FROM_COMMAND, 0};

	if (strcmp(o->name, "config") == 0 || is_wish(o->name))
		return; /* served before */
	if (find_setting(o->name) == NULL)
		unknown(r, from, o->name);
	else if (o->value == NULL)
		config_mistake(r, from, o->name, "needs a value");
	else
		config_apply(r, o->name, from, o->value);
}

/* Settings from the command line; what is no option moves to the front.  Returns the new argc. */
static int read_command(struct reader *r, int argc, char **argv)
{
	int kept = 1;
	int i = 1;

	while (i < argc) {
		struct option o = option_at(argc, argv, i);

		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < argc; i++)
				argv[kept++] = argv[i];
			break;
		}
		if (o.name[0] == '\0')
			argv[kept++] = argv[i];
		else
			take_option(r, &o);
		i += o.args;
	}
	return kept;
}

/* --config and the wishes come first, wherever they stand.  True: a wish was served. */
static bool read_first(struct reader *r, int argc, char **argv, const char **ret_path)
{
	*ret_path = NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0;) {
		struct option o = option_at(argc, argv, i);

		if (is_wish(o.name) && serve_wish(r, o.name))
			return true;
		if (strcmp(o.name, "config") == 0) {
			if (o.value == NULL || *ret_path != NULL)
				config_mistake(r, (struct origin){FROM_COMMAND, 0}, "config",
					       o.value == NULL ? "needs a file" : "given twice");
			else
				*ret_path = o.value;
		}
		i += o.args;
	}
	return false;
}

enum config_wish config_read(struct config *cfg, const char *program, int argc, char **argv,
			     int *ret_argc)
{
	struct reader r = {.cfg = cfg, .origins = config_origins, .program = program};
	const char *path;

	memset(cfg, 0, sizeof(*cfg));
	apply_defaults(&r);
	*ret_argc = argc;
	if (read_first(&r, argc, argv, &path))
		return CONFIG_EXIT;
	if (path != NULL) {
		config_file_path = path;
		config_read_file(&r, path);
	}
	read_environment(&r);
	*ret_argc = read_command(&r, argc, argv);
	if (r.mistakes > 0) {
		config_done(cfg);
		exit(EXIT_MISTAKE); // NOLINT(concurrency-mt-unsafe): before any thread
	}
	if (r.print)
		config_print(cfg);
	else if (r.check)
		(void)puts("the configuration is valid");
	return r.print || r.check ? CONFIG_EXIT : CONFIG_RUN;
}

bool config_read_again(struct config *cfg, const char *program, int argc, char **argv)
{
	struct origin origins[SETTINGS];
	struct reader r = {.cfg = cfg, .origins = origins, .program = program};

	memset(cfg, 0, sizeof(*cfg));
	apply_defaults(&r);
	if (config_file_path[0] != '\0')
		config_read_file(&r, config_file_path);
	read_environment(&r);
	(void)read_command(&r, argc, argv);
	return r.mistakes == 0;
}

static bool is_same(const struct setting *s, const void *a, const void *b)
{
	if (s->kind == SETTING_INT)
		return *(const int64_t *)a == *(const int64_t *)b;
	if (s->kind == SETTING_FLAG)
		return *(const bool *)a == *(const bool *)b;
	return strcmp(*(char *const *)a, *(char *const *)b) == 0;
}

void config_compare(struct config *a, struct config *b,
		    void (*on_change)(void *arg, const char *field), void *arg)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (!is_same(&settings[i], field_of(a, &settings[i]), field_of(b, &settings[i])))
			on_change(arg, settings[i].name);
}

void config_done(struct config *cfg)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		char **field;

		if (settings[i].kind != SETTING_TEXT)
			continue;
		field = field_of(cfg, &settings[i]);
		free(*field);
		*field = NULL;
	}
}
