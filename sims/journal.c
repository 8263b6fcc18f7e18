/*
 * The journals' files and indexes, and the file of facts derived from them; journal.h
 * says what they promise.  Disk trouble ends the program: a stand-in that forgets
 * charges is worse than one that is down, and its users see a provider that is down.
 */
#include "sims/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sims/sim.h"

enum { READ_STEP = 16 * 1024 }; /* longer than nearly every line */

struct journal {
	int fd;
	_Atomic int64_t end; /* also read by whoever syncs, outside the simulator's lock */
	json_t *where;       /* id -> offset of the line with its newest version */
	json_t *names;       /* "kind:name" -> id */
	json_t *kinds;       /* kind -> ids in order of creation */
	json_t *saved;       /* idempotency key -> offset */

	pthread_mutex_t sync_lock;
	pthread_cond_t sync_done;
	int64_t synced;
	bool syncing;
};

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "orderd-sim: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t wrote = write(fd, p, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			give_up("write");
		p += wrote;
		n -= (size_t)wrote;
	}
}

static char *file_text(int fd, size_t *ret_n)
{
	struct stat st;
	char *text;
	ssize_t got;

	if (fstat(fd, &st) != 0)
		give_up("fstat");
	text = must(malloc((size_t)st.st_size + 1));
	*ret_n = 0;
	while (*ret_n < (size_t)st.st_size) {
		got = pread(fd, text + *ret_n, (size_t)st.st_size - *ret_n, (off_t)*ret_n);
		if (got < 0)
			give_up("pread");
		if (got == 0)
			break;
		*ret_n += (size_t)got;
	}
	text[*ret_n] = '\0';
	return text;
}

/* ---- index ---- */

static void index_name(struct journal *j, const json_t *object, const char *field)
{
	const char *kind = json_string_value(json_object_get(object, "object"));
	const char *name = json_string_value(json_object_get(object, field));
	char *full;

	if (name == NULL || name[0] == '\0' || asprintf(&full, "%s:%s", kind, name) < 0)
		return;
	json_object_set(j->names, full, json_object_get(object, "id"));
	free(full);
}

static void index_object(struct journal *j, const json_t *object, int64_t at)
{
	const char *id = json_string_value(json_object_get(object, "id"));
	const char *kind = json_string_value(json_object_get(object, "object"));
	json_t *ids;

	assert(id != NULL && kind != NULL);
	if (json_object_get(j->where, id) == NULL) {
		ids = json_object_get(j->kinds, kind);
		if (ids == NULL) {
			ids = must(json_array());
			json_object_set_new(j->kinds, kind, ids);
		}
		json_array_append(ids, json_object_get(object, "id"));
	}
	json_object_set_new(j->where, id, json_integer(at));
	index_name(j, object, "reference");
	index_name(j, object, "tracking_code");
}

static void index_line(struct journal *j, const json_t *line, int64_t at)
{
	const char *key = json_string_value(json_object_get(line, "key"));
	json_t *object;
	size_t i;

	json_array_foreach(json_object_get(line, "puts"), i, object) index_object(j, object, at);
	if (key != NULL && json_is_true(json_object_get(line, "saved")))
		json_object_set_new(j->saved, key, json_integer(at));
}

/* ---- open, append, sync ---- */

static void replay(struct journal *j, const char *path,
		   void (*on_line)(const json_t *line, int64_t at, void *arg), void *arg)
{
	size_t n;
	char *text = file_text(j->fd, &n);
	char *p = text;
	char *newline;
	json_t *line;

	while ((newline = memchr(p, '\n', n - (size_t)(p - text))) != NULL) {
		line = json_loadb(p, (size_t)(newline - p), 0, NULL);
		if (line == NULL) {
			fprintf(stderr, "orderd-sim: %s: damaged at byte %td\n", path, p - text);
			exit(1);
		}
		index_line(j, line, p - text);
		on_line(line, p - text, arg);
		json_decref(line);
		p = newline + 1;
	}
	j->end = p - text;
	j->synced = j->end;
	/* A line without its end was never answered. */
	if ((size_t)j->end < n && ftruncate(j->fd, (off_t)j->end) != 0)
		give_up("ftruncate");
	free(text);
}

struct journal *journal_open(const char *dir, const char *name,
			     void (*on_line)(const json_t *line, int64_t at, void *arg), void *arg)
{
	struct journal *j = must(calloc(1, sizeof(*j)));
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (j->fd < 0)
		give_up(path);
	j->where = must(json_object());
	j->names = must(json_object());
	j->kinds = must(json_object());
	j->saved = must(json_object());
	pthread_mutex_init(&j->sync_lock, NULL);
	pthread_cond_init(&j->sync_done, NULL);
	replay(j, path, on_line, arg);
	free(path);
	return j;
}

void journal_close(struct journal *j)
{
	journal_sync(j, j->end);
	close(j->fd);
	json_decref(j->where);
	json_decref(j->names);
	json_decref(j->kinds);
	json_decref(j->saved);
	pthread_mutex_destroy(&j->sync_lock);
	pthread_cond_destroy(&j->sync_done);
	free(j);
}

int64_t journal_append(struct journal *j, const json_t *line)
{
	char *text = must(json_dumps(line, JSON_COMPACT));
	size_t n = strlen(text);
	int64_t at = j->end;

	text[n] = '\n'; /* in the NUL's place: one write, so a crash cuts at most the last line */
	write_all(j->fd, text, n + 1);
	free(text);
	index_line(j, line, at);
	j->end += (int64_t)n + 1;
	return at;
}

int64_t journal_end(const struct journal *j)
{
	return j->end;
}

void journal_sync(struct journal *j, int64_t end)
{
	int64_t reached;

	pthread_mutex_lock(&j->sync_lock);
	while (j->synced < end) {
		if (j->syncing) {
			pthread_cond_wait(&j->sync_done, &j->sync_lock);
			continue;
		}
		j->syncing = true;
		reached = j->end; /* one sync for everybody who appended before it */
		pthread_mutex_unlock(&j->sync_lock);
		if (fdatasync(j->fd) != 0)
			give_up("fdatasync");
		pthread_mutex_lock(&j->sync_lock);
		j->syncing = false;
		j->synced = reached;
		pthread_cond_broadcast(&j->sync_done);
	}
	pthread_mutex_unlock(&j->sync_lock);
}

/* ---- reading ---- */

json_t *journal_line(struct journal *j, int64_t at)
{
	size_t room = READ_STEP;
	char *buf = NULL;
	char *newline = NULL;
	json_t *line;
	ssize_t got;

	while (newline == NULL) {
		buf = must(realloc(buf, room));
		got = pread(j->fd, buf, room, (off_t)at);
		if (got <= 0)
			give_up("pread");
		newline = memchr(buf, '\n', (size_t)got);
		assert(newline != NULL || (size_t)got == room);
		room *= 4;
	}
	line = json_loadb(buf, (size_t)(newline - buf), 0, NULL);
	assert(line != NULL);
	free(buf);
	return line;
}

json_t *journal_get(struct journal *j, const char *id)
{
	const json_t *at = json_object_get(j->where, id);
	json_t *found = NULL;
	json_t *line;
	json_t *object;
	size_t i;

	if (at == NULL)
		return NULL;
	line = journal_line(j, json_integer_value(at));
	json_array_foreach(json_object_get(line, "puts"), i,
			   object) if (strcmp(json_string_value(json_object_get(object, "id")),
					      id) == 0) found = object;
	json_incref(found);
	json_decref(line);
	return found;
}

json_t *journal_find(struct journal *j, const char *kind, const char *name)
{
	const char *id;
	char *full;

	if (asprintf(&full, "%s:%s", kind, name) < 0)
		abort();
	id = json_string_value(json_object_get(j->names, full));
	free(full);
	return id != NULL ? journal_get(j, id) : NULL;
}

json_t *journal_saved(struct journal *j, const char *key)
{
	const json_t *at = json_object_get(j->saved, key);

	return at != NULL ? journal_line(j, json_integer_value(at)) : NULL;
}

const json_t *journal_ids(struct journal *j, const char *kind)
{
	return json_object_get(j->kinds, kind);
}

char *journal_text(struct journal *j, size_t *ret_n)
{
	return file_text(j->fd, ret_n);
}

/* ---- facts ---- */

struct facts {
	int fd;
	char *path;
	char *fresh_path; /* until facts_ready() */
};

struct facts *facts_open(const char *dir)
{
	struct facts *f = must(calloc(1, sizeof(*f)));

	if (asprintf(&f->path, "%s/charges.jsonl", dir) < 0 ||
	    asprintf(&f->fresh_path, "%s/charges.jsonl.new", dir) < 0)
		abort();
	f->fd = open(f->fresh_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (f->fd < 0)
		give_up(f->fresh_path);
	return f;
}

void facts_ready(struct facts *f)
{
	if (rename(f->fresh_path, f->path) != 0)
		give_up(f->path);
}

void facts_add(struct facts *f, const json_t *list)
{
	json_t *fact;
	size_t i;

	json_array_foreach(list, i, fact)
	{
		char *text = must(json_dumps(fact, JSON_COMPACT));
		size_t n = strlen(text);

		text[n] = '\n';
		write_all(f->fd, text, n + 1);
		free(text);
	}
}

char *facts_text(struct facts *f, size_t *ret_n)
{
	return file_text(f->fd, ret_n);
}

void facts_close(struct facts *f)
{
	close(f->fd);
	free(f->path);
	free(f->fresh_path);
	free(f);
}
