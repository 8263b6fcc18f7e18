#include "server/auth/call_notes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/metric.h"

enum { SPARE = 2 /* kept for the rest: a row on its way, and the next */ };

struct call_notes {
	struct call_kept *rows; /* CALL_NOTES_MAX */
	struct call_kept *free, *first, *last;
	uint32_t n, unknown;
};

struct call_notes *call_notes_new(void)
{
	struct call_notes *ns = mem_alloc(sizeof(*ns));

	ns->rows = mem_array(CALL_NOTES_MAX, sizeof(*ns->rows));
	for (size_t i = CALL_NOTES_MAX; i-- > 0;) {
		ns->rows[i].next = ns->free;
		ns->free = &ns->rows[i];
	}
	return ns;
}

void call_notes_free(struct call_notes *ns)
{
	free(ns->rows);
	free(ns);
}

/* ---- alike ---- */

/* FNV-1a; who makes two alike by force makes them share a row, and the number is right still. */
static uint64_t mix(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * UINT64_C(1099511628211);
	return (h ^ 0x100) * UINT64_C(1099511628211); /* no byte: ends the field */
}

static uint64_t likeness(const struct call_note *n)
{
	uint64_t h = UINT64_C(14695981039346656037);

	h = mix(h, n->actor);
	h = mix(h, n->peer);
	h = mix(h, str_of(n->method));
	h = mix(h, str_of(n->reason));
	return h ^ (uint32_t)n->tenant;
}

static struct call_kept *find_like(struct call_notes *ns, uint64_t like)
{
	struct call_kept *k = ns->first;

	while (k != NULL && k->like != like)
		k = k->next;
	return k;
}

/* ---- rows ---- */

static struct str keep(char *room, size_t size, struct str s)
{
	size_t n = s.n < size ? s.n : size;

	if (s.p == NULL)
		return s;
	memcpy(room, s.p, n);
	return (struct str){room, n};
}

static void enlist(struct call_notes *ns, struct call_kept *k)
{
	k->next = NULL;
	*(ns->last != NULL ? &ns->last->next : &ns->first) = k;
	ns->last = k;
}

static void tell(const struct call_notes *ns)
{
	metric_set(METRIC_call_records_waiting, NULL, ns->n);
}

static bool add_row(struct call_notes *ns, const struct call_note *n, uint64_t like, bool known,
		    int64_t due_ms)
{
	struct call_kept *k = ns->free;

	if (k == NULL)
		return false;
	ns->free = k->next;
	k->note = *n;
	k->calls = 1;
	k->due_ms = due_ms;
	k->like = like;
	k->known = known;
	k->note.actor = keep(k->actor, sizeof(k->actor), n->actor);
	k->note.role = keep(k->role, sizeof(k->role), n->role);
	k->note.peer = keep(k->peer, sizeof(k->peer), n->peer);
	k->note.request_id = keep(k->request_id, sizeof(k->request_id), n->request_id);
	k->note.object = keep(k->object, sizeof(k->object), n->object);
	enlist(ns, k);
	ns->n++;
	ns->unknown += !known;
	tell(ns);
	return true;
}

static bool fold(struct call_kept *k)
{
	k->calls++;
	metric_add(METRIC_call_records_folded, NULL, 1);
	return true;
}

static bool add_to_rest(struct call_notes *ns, const struct call_note *n, int64_t now_ms)
{
	struct call_note rest = {.id = n->id,
				 .at_us = n->at_us,
				 .actor = STR(""),
				 .role = STR(""),
				 .peer = STR(""),
				 .object = STR(""),
				 .method = "",
				 .status = n->status,
				 .reason = CALL_NOTES_REST};
	uint64_t like = likeness(&rest);
	struct call_kept *k = find_like(ns, like);

	return k != NULL ? fold(k) : add_row(ns, &rest, like, true, now_ms + CALL_NOTES_FOLD_MS);
}

bool call_notes_add(struct call_notes *ns, const struct call_note *n, int64_t now_ms)
{
	bool known = n->actor.n > 0;
	bool full =
		ns->n >= CALL_NOTES_MAX - SPARE || (!known && ns->unknown >= CALL_NOTES_UNKNOWN);
	uint64_t like = likeness(n);
	struct call_kept *k = !known || full ? find_like(ns, like) : NULL;

	if (k != NULL)
		return fold(k);
	if (full)
		return add_to_rest(ns, n, now_ms);
	return add_row(ns, n, like, known, known ? now_ms : now_ms + CALL_NOTES_FOLD_MS);
}

struct call_kept *call_notes_take(struct call_notes *ns, int64_t now_ms)
{
	struct call_kept *k = ns->first, *before = NULL;

	while (k != NULL && k->due_ms > now_ms) {
		before = k;
		k = k->next;
	}
	if (k == NULL)
		return NULL;
	*(before != NULL ? &before->next : &ns->first) = k->next;
	if (ns->last == k)
		ns->last = before;
	k->next = NULL;
	return k;
}

void call_notes_done(struct call_notes *ns, struct call_kept *k)
{
	assert(ns->n > 0);
	ns->n--;
	ns->unknown -= !k->known;
	k->next = ns->free;
	ns->free = k;
	tell(ns);
}

void call_notes_back(struct call_notes *ns, struct call_kept *k, int64_t due_ms)
{
	k->due_ms = due_ms;
	k->like = 0; /* it may be on record: it takes in no more */
	enlist(ns, k);
}

int64_t call_notes_due_ms(const struct call_notes *ns)
{
	int64_t due = INT64_MAX;

	for (const struct call_kept *k = ns->first; k != NULL; k = k->next)
		if (k->due_ms < due)
			due = k->due_ms;
	return due;
}

void call_notes_hurry(struct call_notes *ns)
{
	for (struct call_kept *k = ns->first; k != NULL; k = k->next)
		k->due_ms = 0;
}

uint32_t call_notes_count(const struct call_notes *ns)
{
	return ns->n;
}
