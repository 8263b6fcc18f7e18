/*
 * A configuration file of any bytes is refused or read; what was read prints as a file
 * that is read to the same settings.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/config.h"
#include "tests/fuzz/fuzz.h"

/* The linker sends exit() here: a refused file ends the start, not the fuzzer. */
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);

static jmp_buf refused;
static bool reading;

void __wrap_exit(int code)
{
	if (!reading)
		__real_exit(code);
	MUST(code == 2);
	longjmp(refused, 1);
}

static bool read_settings(const char *text, size_t n, struct config *cfg)
{
	static int fd = -1;
	char name[] = "orderd", option[64];
	char *argv[] = {name, option, NULL};
	int argc = 0;

	if (fd < 0)
		fd = memfd_create("settings", 0);
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, text, n, 0) == (ssize_t)n);
	(void)snprintf(option, sizeof(option), "--config=/proc/self/fd/%d", fd);
	*cfg = (struct config){0};
	reading = true;
	if (setjmp(refused) != 0) {
		reading = false;
		config_done(cfg);
		return false;
	}
	MUST(config_read(cfg, name, 2, argv, &argc) == CONFIG_RUN && argc == 1);
	reading = false;
	return true;
}

/* As --print-config prints it; to be freed. */
static char *print_settings(const struct config *cfg)
{
	FILE *out = stdout;
	char *text = NULL;
	size_t n = 0;

	stdout = open_memstream(&text, &n);
	MUST(stdout != NULL);
	config_print(cfg);
	(void)fclose(stdout);
	stdout = out;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config cfg;
	FILE *err = stderr;
	char *once, *twice;

	stderr = fopen("/dev/null", "w"); /* reports of sanitizers do not come this way */
	MUST(stderr != NULL);
	if (read_settings((const char *)data, size, &cfg)) {
		once = print_settings(&cfg);
		config_done(&cfg);
		MUST(read_settings(once, strlen(once), &cfg));
		twice = print_settings(&cfg);
		config_done(&cfg);
		MUST(strcmp(once, twice) == 0);
		free(once);
		free(twice);
	}
	(void)fclose(stderr);
	stderr = err;
	return 0;
}
