/*
 * The journal is the database: one JSON line per decision, appended and synced before
 * the answer; memory holds only where the newest version of each object stands.  Read
 * again at start, so a kill at any moment forgets nothing that was answered.
 *
 * All calls but journal_sync() and journal_line() need the simulator's lock.
 */
#ifndef ORDERD_SIMS_JOURNAL_H
#define ORDERD_SIMS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct journal;

/* Open or create dir/name; a line cut short by a crash is removed.  on_line sees every old line and
 * the place it stands at.  Exits 1 when it cannot. */
struct journal *journal_open(const char *dir, const char *name,
			     void (*on_line)(const json_t *line, int64_t at, void *arg), void *arg);
void journal_close(struct journal *j);

/* Append {..., "puts": [objects], "key": ...} and return its place; it is readable at once and safe
 * after journal_sync(). */
int64_t journal_append(struct journal *j, const json_t *line);
int64_t journal_end(const struct journal *j);

/* Until everything before `end` is on disk; callers share one fdatasync().  Any thread, without the
 * lock. */
void journal_sync(struct journal *j, int64_t end);

/* The line at a place, as a new reference.  Any thread, without the lock: lines never change. */
json_t *journal_line(struct journal *j, int64_t at);

/* New references or NULL.  find: by "reference" or "tracking_code" of an object of this kind;
 * saved: the line of a key. */
json_t *journal_get(struct journal *j, const char *id);
json_t *journal_find(struct journal *j, const char *kind, const char *name);
json_t *journal_saved(struct journal *j, const char *key);

/* Ids of all objects of a kind, oldest first; borrowed. */
const json_t *journal_ids(struct journal *j, const char *kind);

/* Everything, as text; heap. */
char *journal_text(struct journal *j, size_t *ret_n);

/* Money and labels, one flat line each, for an independent count.  Derived: written anew from the
 * journals at start. */
struct facts;
struct facts *facts_open(const char *dir);
void facts_add(struct facts *f, const json_t *list);
void facts_ready(struct facts *f); /* old lines are in: take the place of the former file */
char *facts_text(struct facts *f, size_t *ret_n);
void facts_close(struct facts *f);

#endif
