#include "server/runtime/seats.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/base/random.h"

struct seat {
	struct seat *next; /* of its chain */
	uint32_t n;
	int32_t tenant;
	bool whole; /* the tenant's, not one caller's */
	size_t caller_n;
	char caller[];
};

struct seats {
	struct seat **chains;
	size_t n_chains; /* a power of two */
	size_t n;
	uint32_t of_tenant, of_caller;
	uint64_t seed;
};

struct seats *seats_new(size_t most, uint32_t of_tenant, uint32_t of_caller)
{
	struct seats *s = mem_alloc(sizeof(*s));

	s->n_chains = 16;
	while (s->n_chains < most)
		s->n_chains *= 2;
	s->chains = mem_array(s->n_chains, sizeof(struct seat *));
	s->of_tenant = of_tenant;
	s->of_caller = of_caller;
	s->seed = random_u64();
	return s;
}

void seats_free(struct seats *s)
{
	if (s == NULL)
		return;
	assert(s->n == 0);
	free((void *)s->chains);
	free(s);
}

static uint64_t hash_of(const struct seats *s, int32_t tenant, struct str caller)
{
	uint64_t h = hash_bytes(s->seed, &tenant, sizeof(tenant));

	return caller.p != NULL ? hash_bytes(h, caller.p, caller.n) : h;
}

static bool is_of(const struct seat *k, int32_t tenant, struct str caller)
{
	if (k->tenant != tenant || k->whole != (caller.p == NULL))
		return false;
	return caller.p == NULL || str_eq((struct str){k->caller, k->caller_n}, caller);
}

static struct seat **find(struct seats *s, int32_t tenant, struct str caller)
{
	struct seat **at = &s->chains[hash_of(s, tenant, caller) & (s->n_chains - 1)];

	while (*at != NULL && !is_of(*at, tenant, caller))
		at = &(*at)->next;
	return at;
}

static struct seat *sit(struct seats *s, struct seat **at, int32_t tenant, struct str caller)
{
	struct seat *k = *at;

	if (k == NULL) {
		k = mem_alloc(sizeof(*k) + caller.n);
		k->tenant = tenant;
		k->whole = caller.p == NULL;
		k->caller_n = caller.n;
		if (caller.p != NULL)
			memcpy(k->caller, caller.p, caller.n);
		*at = k;
		s->n++;
	}
	k->n++;
	return k;
}

static void stand_up(struct seats *s, struct seat *k)
{
	struct str caller = {k->whole ? NULL : k->caller, k->caller_n};
	struct seat **at;

	if (--k->n > 0)
		return;
	at = find(s, k->tenant, caller);
	assert(*at == k);
	*at = k->next;
	free(k);
	s->n--;
}

static bool is_full(const struct seat *k, uint32_t most)
{
	return k != NULL && k->n >= most;
}

enum seats_said seats_take(struct seats *s, int32_t tenant, struct str caller, struct seated *ret,
			   const struct seat **ret_full)
{
	struct str whole = {0};
	struct seat **of_tenant, **of_caller;

	if (caller.p == NULL)
		caller = STR("");
	of_tenant = find(s, tenant, whole);
	*ret_full = *of_tenant;
	if (is_full(*of_tenant, s->of_tenant))
		return SEATS_TENANT_FULL;
	of_caller = find(s, tenant, caller);
	*ret_full = *of_caller;
	if (is_full(*of_caller, s->of_caller))
		return SEATS_CALLER_FULL;
	*ret_full = NULL;
	ret->tenant = sit(s, of_tenant, tenant, whole);
	ret->caller = sit(s, find(s, tenant, caller), tenant, caller); /* the chain may be longer */
	return SEATS_TAKEN;
}

void seats_leave(struct seats *s, struct seated *x)
{
	if (x->tenant == NULL)
		return;
	stand_up(s, x->caller);
	stand_up(s, x->tenant);
	*x = (struct seated){0};
}

/* ---- for people ---- */

size_t seats_count(const struct seats *s)
{
	return s->n;
}

void seats_list(const struct seats *s, struct seats_row *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_chains; i++)
		for (const struct seat *k = s->chains[i]; k != NULL; k = k->next, n++)
			ret[n] = (struct seats_row){
				.tenant = k->tenant,
				.caller = {k->whole ? NULL : k->caller, k->caller_n},
				.n = k->n,
				.most = k->whole ? s->of_tenant : s->of_caller};
	assert(n == s->n);
}
