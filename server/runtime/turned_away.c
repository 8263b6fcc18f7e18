#include "server/runtime/turned_away.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/mem.h"

struct note {
	uint64_t fingerprint;
	const struct seat *missed; /* NULL: this place is free.  Never looked into */
	unsigned uses;
	struct refusal said;
};

struct turned_away {
	pthread_mutex_t lock;
	_Atomic size_t n;
	struct note notes[TURNED_AWAY_PLACES];
};

struct turned_away *turned_away_new(void)
{
	struct turned_away *t = mem_alloc(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	return t;
}

static struct note *place_of(struct turned_away *t, uint64_t fingerprint)
{
	return &t->notes[fingerprint % TURNED_AWAY_PLACES];
}

static void erase(struct turned_away *t, struct note *k)
{
	if (k->missed == NULL)
		return;
	status_done(&k->said.status);
	k->missed = NULL;
	atomic_fetch_sub(&t->n, 1);
}

void turned_away_free(struct turned_away *t)
{
	for (size_t i = 0; i < TURNED_AWAY_PLACES; i++)
		erase(t, &t->notes[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void turned_away_note(struct turned_away *t, uint64_t fingerprint, const struct seat *missed,
		      struct refusal *take)
{
	struct note *k = place_of(t, fingerprint);

	pthread_mutex_lock(&t->lock);
	erase(t, k);
	*k = (struct note){.fingerprint = fingerprint, .missed = missed, .said = *take};
	atomic_fetch_add(&t->n, 1);
	pthread_mutex_unlock(&t->lock);
}

void turned_away_forget(struct turned_away *t, const struct seat *seat)
{
	if (!turned_away_any(t))
		return;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < TURNED_AWAY_PLACES; i++)
		if (t->notes[i].missed == seat)
			erase(t, &t->notes[i]);
	pthread_mutex_unlock(&t->lock);
}

bool turned_away_any(const struct turned_away *t)
{
	return atomic_load_explicit(&t->n, memory_order_relaxed) > 0;
}

static bool is_to_be_seen(struct note *k)
{
	if (k->uses < TURNED_AWAY_USES) {
		k->uses++;
		return false;
	}
	k->uses = 0; /* the next ones are answered while the loop sees to this one */
	return true;
}

bool turned_away_again(struct turned_away *t, uint64_t fingerprint, struct refusal *ret)
{
	struct note *k = place_of(t, fingerprint);
	bool found;

	pthread_mutex_lock(&t->lock);
	found = k->missed != NULL && k->fingerprint == fingerprint && !is_to_be_seen(k);
	if (found) {
		ret->cause = k->said.cause;
		status_copy(&ret->status, &k->said.status);
	}
	pthread_mutex_unlock(&t->lock);
	return found;
}
