/*
 * The rows of config_table.h as data; shared by the reader (config.c) and the printers
 * (config_print.c) and by nobody else.
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

void config_print_help(const char *program);

#endif
