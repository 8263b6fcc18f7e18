/*
 * A child process with its output in two memory files.  See child.h.
 */
#include "tests/unit/child.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void read_back(int fd, char *to, size_t size)
{
	ssize_t n = pread(fd, to, size - 1, 0);

	assert(n >= 0);
	to[n] = '\0';
	close(fd);
}

void child_run(struct child *ret, void (*body)(void *arg), void *arg)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);
	int status = 0;
	pid_t pid;

	assert(out >= 0 && err >= 0);
	(void)fflush(NULL);
	pid = fork();
	assert(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		body(arg);
		(void)fflush(NULL);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ret->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	read_back(out, ret->out, sizeof(ret->out));
	read_back(err, ret->err, sizeof(ret->err));
}
