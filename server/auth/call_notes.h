/*
 * Calls that are still to go on record: a list with a bound, which never refuses one.
 *
 * Callers whom nobody knows may be many, so those alike - why, from where, what - wait for a while
 * and become one row with their number.  A known caller's refusal is a row of its own and due at
 * once.  When there is no room, calls alike share a row whoever made them, and what is like none
 * goes to one row for all the rest, of the installation: how many there were is always told.
 *
 * One that was handed out takes in no more, for it may be on record already.  Loop thread only.
 */
#ifndef ORDERD_SERVER_CALL_NOTES_H
#define ORDERD_SERVER_CALL_NOTES_H

#include "server/runtime/rpc_record.h"

enum {
	CALL_NOTES_MAX = 512,     /* some 800 bytes each */
	CALL_NOTES_UNKNOWN = 256, /* rows among them that callers nobody knows may take */
	CALL_NOTES_FOLD_MS = 10000,
};

#define CALL_NOTES_REST "MANY" /* reason of the row for all the rest */

struct call_kept {
	struct call_note note; /* its texts lie below */
	int64_t calls;
	int64_t due_ms;
	uint64_t like; /* equal: alike */
	bool known;
	struct call_kept *next; /* waiting: in order of arrival; else free */
	char actor[CALL_TEXT_MAX], role[16], peer[CALL_TEXT_MAX], request_id[CALL_TEXT_MAX];
	char object[CALL_TEXT_MAX];
};

struct call_notes;

struct call_notes *call_notes_new(void);
void call_notes_free(struct call_notes *ns);

/* false: it is off the record; not before CALL_NOTES_MAX rows are on their way. */
bool call_notes_add(struct call_notes *ns, const struct call_note *n, int64_t now_ms);

/* The first that is due, handed out until done or back; NULL: none is. */
struct call_kept *call_notes_take(struct call_notes *ns, int64_t now_ms);
void call_notes_done(struct call_notes *ns, struct call_kept *k);
void call_notes_back(struct call_notes *ns, struct call_kept *k, int64_t due_ms);

int64_t call_notes_due_ms(const struct call_notes *ns); /* of the first; INT64_MAX: none waits */
void call_notes_hurry(struct call_notes *ns);           /* all are due */
uint32_t call_notes_count(const struct call_notes *ns); /* waiting or handed out */

#endif
