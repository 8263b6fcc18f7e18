/*
 * The rows of config_table.h as data, and what the parts of the reader (config.c,
 * config_file.c, config_hint.c) and the printers (config_print.c, config_show.c) share; nobody else
 * includes this.
 */
#ifndef ORDERD_BASE_CONFIG_ROWS_H
#define ORDERD_BASE_CONFIG_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"

enum setting_kind { SETTING_INT, SETTING_TEXT, SETTING_FLAG };

struct setting {
	enum setting_kind kind;
	const char *name;
	const char *def;
	int64_t least, most;
	const char *unit;
	const char *text;
	size_t offset; /* in struct config */
};

enum {

#define X(kind, field, def, least, most, unit, text) CONFIG_ROW_##field,
	CONFIG_TABLE(X)
#undef X
		SETTINGS
};

extern const struct setting settings[SETTINGS];

enum { CONFIG_NAME_MAX = 64 }; /* bytes of a field's name, as somebody typed it */

enum source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND };

struct origin {
	enum source source;
	int line; /* of the file */
};

struct reader {
	struct config *cfg;
	struct origin *origins; /* SETTINGS of them: where each value came from */
	const char *program;
	int mistakes;
	bool print, check;
};

extern const char *config_file_path;           /* the process's file; "" for none */
extern struct origin config_origins[SETTINGS]; /* where each value came from */

/* Report a mistake at its place on stderr and count it. */
void config_mistake(struct reader *r, struct origin from, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Set field `name` to `text`, or report why not. */
void config_apply(struct reader *r, const char *name, struct origin from, const char *text);

void config_read_file(struct reader *r, const char *path);
const char *config_nearest_name(const char *name); /* NULL if nothing is near */
void config_print_help(const char *program);

/* Whether a value is more than a name, and must not be shown: it has a password in it. */
bool config_holds_secret(const char *value);

#endif
