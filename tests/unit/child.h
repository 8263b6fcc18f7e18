/*
 * Run a function in a child process and see how it ended and what it said: for exits,
 * for assertions that must fire, and for anything that changes the process.
 */
#ifndef ORDERD_TESTS_UNIT_CHILD_H
#define ORDERD_TESTS_UNIT_CHILD_H

struct child {
	int exit_code;   /* -1: ended by a signal */
	int signal;      /* 0: it exited */
	char out[32768]; /* stdout, NUL-terminated, cut */
	char err[32768]; /* stderr */
};

/* `body` returning is exit code 0. */
void child_run(struct child *ret, void (*body)(void *arg), void *arg);

#endif
