/*
 * What is different on a terminal: colour by meaning on stdout, and on stderr one line that says
 * how far long work is.  Anywhere else there is neither.
 */
#ifndef ORDERCTL_TERMINAL_H
#define ORDERCTL_TERMINAL_H

enum color {
	COLOR_NONE,
	COLOR_GOOD,    /* as it should end */
	COLOR_BUSY,    /* under way */
	COLOR_WAITING, /* waits for somebody or something */
	COLOR_BAD,     /* has gone wrong */
	COLOR_FAINT,   /* is over, and nothing came of it */
};

/* `when` is auto, always or never; NULL: auto.  Text is UTF-8 from here on. */
void terminal_open(const char *when);

/* What to print before and behind a coloured word; "" where there is no colour. */
const char *color_on(enum color c);
const char *color_off(enum color c);

/* What the name of a state says, in either case: "DECLINED", "handed_over". */
enum color state_color(const char *state);

/* Say how far it is, in place of what was said before; at most ten times a second. */
void progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_pause(
	void); /* before something is printed on stdout, which may be the same terminal */
void progress_end(void);

#endif
