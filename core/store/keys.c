/*
 * Keys: at most one unit per key travels, first in, first out.
 *
 * A table from key to the queue of its askers; the first of a queue holds the key.  An
 * ask stands in the queues of all its keys at once and may travel when it is first in
 * each.  Asks join all their queues in one go, in one order for all, so no circle of
 * waiting can form.  Open addressing, deletion by shifting back: no tombstones.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "core/store/internal.h"

enum { SLOTS_MIN = 256 };

struct key key_of_id(struct id id)
{
	struct key k;

	memcpy(k.w, id.b, sizeof(k.w));
	return k;
}

/* A request key longer than the buffer is cut: two such requests may then wait for each other, no
 * more. */
struct key key_of_request(int32_t tenant, int16_t method, struct str request_key)
{
	unsigned char buf[1024], md[SHA256_DIGEST_LENGTH];
	size_t head = sizeof(tenant) + sizeof(method);
	size_t n = request_key.n < sizeof(buf) - head ? request_key.n : sizeof(buf) - head;
	struct key k = {{0, 0}};

	if (request_key.p == NULL)
		return k;
	memcpy(buf, &tenant, sizeof(tenant));
	memcpy(buf + sizeof(tenant), &method, sizeof(method));
	memcpy(buf + head, request_key.p, n);
	SHA256(buf, head + n, md);
	memcpy(k.w, md, sizeof(k.w));
	k.w[0] |= 1; /* never "none" */
	return k;
}

static bool key_is_none(const struct key *k)
{
	return k->w[0] == 0 && k->w[1] == 0;
}

static bool key_eq(const struct key *a, const struct key *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

/* Keys come from outside; the seed keeps a caller from choosing the ones that collide. */
static size_t home_of(const struct key_table *t, const struct key *k)
{
	uint64_t h = (k->w[0] ^ t->seed) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ (h >> 32) ^ k->w[1]) * UINT64_C(0xd6e8feb86659fd93);
	h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(h ^ (h >> 32)) & (t->n_slots - 1);
}

void keys_init(struct key_table *t)
{
	*t = (struct key_table){.n_slots = SLOTS_MIN};
	t->slots = mem_array(t->n_slots, sizeof(*t->slots));
	t->seed = random_u64();
}

void keys_done(struct key_table *t)
{
	assert(t->used == 0);
	free(t->slots);
	t->slots = NULL;
}

/* The key's slot, or the free one where it belongs. */
static struct key_slot *slot_of(const struct key_table *t, const struct key *k)
{
	size_t i = home_of(t, k);

	while (!key_is_none(&t->slots[i].key) && !key_eq(&t->slots[i].key, k))
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static void grow(struct key_table *t)
{
	struct key_slot *old = t->slots;
	size_t n = t->n_slots;

	t->n_slots *= 2;
	t->slots = mem_array(t->n_slots, sizeof(*t->slots));
	for (size_t i = 0; i < n; i++) {
		if (!key_is_none(&old[i].key))
			*slot_of(t, &old[i].key) = old[i];
	}
	free(old);
}

static void slot_free(struct key_table *t, struct key_slot *s)
{
	size_t hole = (size_t)(s - t->slots), i = hole;

	for (;;) {
		size_t home;

		i = (i + 1) & (t->n_slots - 1);
		if (key_is_none(&t->slots[i].key))
			break;
		home = home_of(t, &t->slots[i].key);
		if (((i - home) & (t->n_slots - 1)) < ((i - hole) & (t->n_slots - 1)))
			continue; /* it would move in front of its home */
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = (struct key_slot){0};
	t->used--;
}

/* Which of its keys `a` waits for by this slot. */
static int side_of(const struct ask *a, const struct key *k)
{
	return key_eq(&a->u.keys[0], k) ? 0 : 1;
}

void keys_take(struct key_table *t, struct ask *a)
{
	if (key_eq(&a->u.keys[0], &a->u.keys[1]))
		a->u.keys[1] = (struct key){{0, 0}};
	a->blocked_on = 0;
	for (int i = 0; i < 2; i++) {
		struct key_slot *s;

		if (key_is_none(&a->u.keys[i]))
			continue;
		if (2 * (t->used + 1) > t->n_slots)
			grow(t);
		s = slot_of(t, &a->u.keys[i]);
		a->behind[i] = NULL;
		if (s->first == NULL) {
			*s = (struct key_slot){a->u.keys[i], a, a};
			t->used++;
			continue;
		}
		s->last->behind[side_of(s->last, &s->key)] = a;
		s->last = a;
		a->blocked_on++;
	}
}

/* Out of the middle of a queue: a unit that is answered before its turn came. */
static void leave_queue(struct key_slot *s, struct ask *a, int side)
{
	struct ask *before = s->first;
	int at;

	while (before->behind[at = side_of(before, &s->key)] != a)
		before = before->behind[at];
	before->behind[at] = a->behind[side];
	if (s->last == a)
		s->last = before;
}

void keys_release(struct key_table *t, struct ask *a, void (*unblocked)(struct ask *next))
{
	for (int i = 0; i < 2; i++) {
		struct key_slot *s;
		struct ask *next;

		if (key_is_none(&a->u.keys[i]))
			continue;
		s = slot_of(t, &a->u.keys[i]);
		if (s->first != a) {
			leave_queue(s, a, i);
			continue;
		}
		next = s->first = a->behind[i];
		if (next == NULL)
			slot_free(t, s);
		else if (--next->blocked_on == 0)
			unblocked(next);
	}
}
