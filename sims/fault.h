/*
 * Trouble made to order: the next `count` matching calls or webhooks, or a `rate` of them,
 * meet a fault.  Set over POST /_sim/faults; kept in memory only.  Under the simulator's lock.
 */
#ifndef ORDERD_SIMS_FAULT_H
#define ORDERD_SIMS_FAULT_H

#include <stdint.h>

#include <jansson.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_DROP_BEFORE, /* close without acting */
	FAULT_DROP_AFTER,  /* act, keep, close without answering */
	FAULT_429,         /* refuse; Retry-After */
	FAULT_500,         /* fail before acting; nothing is kept under the key */
	FAULT_500_AFTER, /* act, but answer 500, and the same to whoever asks again with the key */
	FAULT_SLOW,      /* act, keep, wait, answer */
	/* from here on: of webhooks, whose path is /webhooks/VENDOR/TYPE */
	FAULT_LATE,          /* sent `ms` after its time */
	FAULT_DOUBLED,       /* acknowledged, and sent once more */
	FAULT_REORDERED,     /* held until a later one was acknowledged, for `ms` at most */
	FAULT_LOST,          /* never sent */
	FAULT_BAD_SIGNATURE, /* the first attempt is signed with another secret */
	FAULT_KINDS
};

struct fault {
	enum fault_kind kind;
	int64_t ms;
};

struct faults;

struct faults *faults_new(uint64_t seed);
void faults_free(struct faults *f);

/* {"path", "fault", "method"?, "count"?, "rate"?, "ms"?}; NULL, or what is wrong with it.  `path`
 * may hold * for one segment. */
const char *faults_add(struct faults *f, const json_t *rule);
void faults_clear(struct faults *f);
json_t *faults_list(const struct faults *f); /* new reference */

/* The first rule that meets this call, or with method NULL this webhook; its count goes down. */
struct fault faults_meet(struct faults *f, const char *method, const char *path);

const char *fault_name(enum fault_kind kind);
enum fault_kind fault_of_name(const char *name); /* FAULT_NONE: no such */

#endif
