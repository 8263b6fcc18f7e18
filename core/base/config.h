/*
 * Settings: file < environment < command line, each checked against its row in
 * config_table.h.  Nothing else reads the environment, but for what a supervisor says there
 * (core/flow/supervisor.h, core/listen/held_sockets.h).
 */
#ifndef ORDERD_BASE_CONFIG_H
#define ORDERD_BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "config_table.h"

/* clang-format off */
struct config {
#define CONFIG_FIELD_INT(field) int64_t field;
#define CONFIG_FIELD_TEXT(field) char *field; /* owned; never NULL */
#define CONFIG_FIELD_FLAG(field) bool field;
#define X(kind, field, def, least, most, unit, text) CONFIG_FIELD_##kind(field)
	CONFIG_TABLE(X)
#undef X
};

/* clang-format on */

enum config_wish {
	CONFIG_RUN,
	CONFIG_EXIT
}; /* EXIT: --help, --version, --print-config or --check-config was served */

/*
 * Read all sources into *cfg.  A mistake is reported on stderr as `file:line: field: why`
 * (or `--field: why`, `ORDERD_FIELD: why`) and the process exits 2; every mistake is
 * reported, not only the first.  Arguments that are not options are left in place:
 * *ret_argc and argv[1..] hold them afterwards (a program that takes none refuses them).
 */
enum config_wish config_read(struct config *cfg, const char *program, int argc, char **argv,
			     int *ret_argc);

/*
 * The same sources once more, as they are now, into another *cfg; argc and argv as config_read()
 * got them.  False after mistakes, which are reported as at the start.  Any thread, one at a time.
 */
bool config_read_again(struct config *cfg, const char *program, int argc, char **argv);

/* Call on_change(arg, field) for each setting that differs. */
void config_compare(struct config *a, struct config *b,
		    void (*on_change)(void *arg, const char *field), void *arg);

/* Report a mistake found later (a file that cannot be read, a role nobody knows) the same way and
 * exit 2.  A field that is no setting, "arguments", is named as it is. */
_Noreturn void config_refuse(const char *field, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Read a small secret file (at most 4 KiB), trailing newline removed; exits 2 with the field's name
 * when it cannot. */
char *config_secret(const char *field, const char *path);

void config_print(const struct config *cfg); /* `field = value   # sentence`, as --print-config;
						readable by --config */
void config_done(struct config *cfg);

/* For tools/docgen: each setting as a row of docs/configuration.md, as a commented line with its
 * default, as an entry of orderd.conf(5), as an option for bash to complete. */
void config_print_markdown(void);
void config_print_sample(void);
void config_print_man(void);
void config_print_options(void);

#endif
