#include "terminal.h"

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_MS = 100 };

static bool colors, progressing;

static bool auto_colors(void)
{
	const char *no_color = getenv("NO_COLOR"); /* banned-ok: no-color.org */
	const char *term = getenv("TERM");         /* banned-ok: what terminals are told by */

	return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

void terminal_open(const char *when)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (when == NULL || strcmp(when, "auto") == 0)
		colors = auto_colors();
	else
		colors = strcmp(when, "always") == 0;
}

const char *color_on(enum color c)
{
	static const char *const codes[] = {
		[COLOR_NONE] = "",         [COLOR_GOOD] = "\033[32m",
		[COLOR_BUSY] = "\033[36m", [COLOR_WAITING] = "\033[33m",
		[COLOR_BAD] = "\033[31m",  [COLOR_FAINT] = "\033[2m",
	};

	return colors ? codes[c] : "";
}

const char *color_off(enum color c)
{
	return colors && c != COLOR_NONE ? "\033[0m" : "";
}

/* Of orders, payments, fulfilment, fulfilment orders, attempts, parcels and their tracking. */
static const struct {
	const char *state;
	enum color color;
} state_colors[] = {
	{"PENDING", COLOR_WAITING},
	{"CONFIRMED", COLOR_BUSY},
	{"CANCELLING", COLOR_FAINT},
	{"COMPLETED", COLOR_GOOD},
	{"CANCELLED", COLOR_FAINT},
	{"REJECTED", COLOR_BAD},
	{"EXPIRED", COLOR_BAD},
	{"UNKNOWN", COLOR_WAITING},
	{"AUTHORIZED", COLOR_BUSY},
	{"PARTIALLY_CAPTURED", COLOR_BUSY},
	{"CAPTURED", COLOR_GOOD},
	{"DECLINED", COLOR_BAD},
	{"VOIDED", COLOR_FAINT},
	{"REQUIRES_ACTION", COLOR_WAITING},
	{"UNFULFILLED", COLOR_WAITING},
	{"ALLOCATED", COLOR_BUSY},
	{"PARTIALLY_SHIPPED", COLOR_BUSY},
	{"SHIPPED", COLOR_BUSY},
	{"PARTIALLY_DELIVERED", COLOR_BUSY},
	{"DELIVERED", COLOR_GOOD},
	{"BACKORDERED", COLOR_WAITING},
	{"OPEN", COLOR_WAITING},
	{"PICKED", COLOR_BUSY},
	{"PACKED", COLOR_BUSY},
	{"CLOSED", COLOR_GOOD},
	{"INTENT", COLOR_BUSY},
	{"FAILED", COLOR_BAD},
	{"PLANNED", COLOR_WAITING},
	{"LABEL_INTENT", COLOR_BUSY},
	{"LABELLED", COLOR_BUSY},
	{"VOIDING", COLOR_FAINT},
	{"HANDED_OVER", COLOR_BUSY},
	{"LOST", COLOR_BAD},
	{"RETURNED", COLOR_BAD},
	{"PRE_TRANSIT", COLOR_BUSY},
	{"IN_TRANSIT", COLOR_BUSY},
	{"OUT_FOR_DELIVERY", COLOR_BUSY},
	{"AVAILABLE_FOR_PICKUP", COLOR_WAITING},
	{"RETURN_TO_SENDER", COLOR_BAD},
};

enum color state_color(const char *state)
{
	for (size_t i = 0; i < sizeof(state_colors) / sizeof(state_colors[0]); i++)
		if (strcasecmp(state_colors[i].state, state) == 0)
			return state_colors[i].color;
	return COLOR_NONE;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress(const char *fmt, ...)
{
	static long long said;
	long long now = now_ms();
	va_list ap;

	if (!isatty(STDERR_FILENO) || (progressing && now - said < PROGRESS_MS))
		return;
	said = now;
	progressing = true;
	fputs("\r", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\033[K", stderr);
}

void progress_end(void)
{
	if (progressing)
		fputs("\r\033[K", stderr);
	progressing = false;
}

void progress_pause(void)
{
	if (isatty(STDOUT_FILENO))
		progress_end();
}
