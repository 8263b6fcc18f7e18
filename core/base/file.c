#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"

enum { FIRST_ROOM = 4096 };

static ssize_t read_on(int fd, char *to, size_t room)
{
	ssize_t got;

	do
		got = read(fd, to, room);
	while (got < 0 && errno == EINTR);
	return got;
}

void file_wipe(char *text, size_t n)
{
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
}

/* Twice the room, and nothing left behind where the text was: it may be a secret. */
static char *grow(char *text, size_t n, size_t *room)
{
	char *more = mem_alloc(2 * *room);

	memcpy(more, text, n);
	file_wipe(text, n);
	*room *= 2;
	return more;
}

char *file_read(const char *path, size_t most, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), why;
	size_t room = FIRST_ROOM, n = 0;
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = mem_alloc(room);
	while ((got = read_on(fd, text + n, room - 1 - n)) > 0 && n <= most) {
		n += (size_t)got;
		if (n == room - 1)
			text = grow(text, n, &room);
	}
	why = got < 0 ? errno : EFBIG;
	close(fd);
	if (got < 0 || n > most) {
		file_wipe(text, n);
		errno = why;
		return NULL;
	}
	text[n] = '\0';
	*ret_n = n;
	return text;
}
