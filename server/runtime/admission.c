#include "server/runtime/admission.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/late.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/base/random.h"
#include "core/base/show.h"
#include "server/auth/auth.h"
#include "server/auth/rate_rules.h"
#include "server/runtime/rpc_runtime.h"
#include "server/runtime/turned_away.h"

#define SECOND_NS INT64_C(1000000000)

/* 800 tenants that are all busy with 40 methods each: 512 KiB. */
enum { BUCKETS = 32768 };

struct admission {
	struct late mailbox; /* calls wait in it for the loop */
	struct seats *seats;
	struct turned_away *turned_away; /* what the poller knows of the seats */
	struct buckets *buckets;
	struct rate rate; /* where no rule says another */
	_Atomic int64_t *shed[SHED_CAUSES];
};

static const char *const shed_labels[SHED_CAUSES] = {
#define X(name, label) label,
	SHED_TABLE(X)
#undef X
};

struct admission *admission_new(const struct config *cfg)
{
	struct admission *a = mem_alloc(sizeof(*a));

	a->mailbox.budget_ms = cfg->queue_wait_ms;
	a->seats = seats_new((size_t)cfg->max_in_flight, (uint32_t)cfg->max_in_flight_tenant,
			     (uint32_t)cfg->max_in_flight_caller);
	a->turned_away = turned_away_new();
	a->buckets = buckets_new(BUCKETS, random_u64());
	if (cfg->rate_limit > 0)
		a->rate = rate_of(cfg->rate_limit, SECOND_NS, cfg->rate_burst);
	for (int k = 0; k < SHED_CAUSES; k++)
		a->shed[k] = metric_counter(METRIC_rpc_shed, shed_labels[k]);
	return a;
}

void admission_free(struct admission *a)
{
	seats_free(a->seats);
	turned_away_free(a->turned_away);
	buckets_free(a->buckets);
	free(a);
}

int64_t admission_backlog_ms(const struct rpc_server *s)
{
	return s->opt.backlog_ms != NULL ? s->opt.backlog_ms(s->opt.arg) : 0;
}

void admission_shed(struct rpc_server *s, enum shed_cause cause)
{
	atomic_fetch_add_explicit(s->admission->shed[cause], 1, memory_order_relaxed);
}

void admission_look(struct rpc_server *s)
{
	atomic_store_explicit(&s->backlog_ms, admission_backlog_ms(s), memory_order_relaxed);
}

enum errc admission_early(struct rpc *c)
{
	int64_t now = clock_mono_ms();
	bool stands;

	admission_look(c->server);
	stands = late_saw(&c->server->admission->mailbox, now - c->arrived_us / 1000, now);

	if (c->served->method->class == RPC_PROBE)
		return ERR_OK;
	if (now >= c->flow.deadline_ms)
		return ERR_DEADLINE;
	if (!stands)
		return ERR_OK;
	admission_shed(c->server, SHED_LATE);
	return ERR_OVERLOADED;
}

/* ---- a seat ---- */

static void tell_whose_seats(struct rpc *c, enum seats_said said)
{
	const struct config *cfg = c->server->opt.cfg;
	char tenant[24];

	if (said == SEATS_CALLER_FULL) {
		rpc_quota(&c->flow, c->who.subject, "%lld calls at work (max_in_flight_caller)",
			  (long long)cfg->max_in_flight_caller);
		return;
	}
	(void)snprintf(tenant, sizeof(tenant), "tenant:%d", c->who.tenant);
	rpc_quota(&c->flow, str_of(tenant), "%lld calls at work (max_in_flight_tenant)",
		  (long long)cfg->max_in_flight_tenant);
}

static enum errc refuse_seat(struct rpc *c, enum seats_said said, const struct seat *full)
{
	const struct rpc_server *s = c->server;
	struct refusal again = {.cause = said == SEATS_CALLER_FULL ? SHED_CALLER : SHED_TENANT};

	tell_whose_seats(c, said);
	admission_shed(c->server, again.cause);
	status_make(&again.status, ERR_OVERLOADED, c->why, admission_backlog_ms(s));
	turned_away_note(s->admission->turned_away,
			 auth_fingerprint(s->opt.auth, c->call, &c->metadata), full, &again);
	return ERR_OVERLOADED;
}

bool admission_again(const struct rpc *c, struct refusal *ret)
{
	const struct rpc_server *s = c->server;
	struct turned_away *t = s->admission->turned_away;

	if (c->served->policy == NULL || rpc_class_of(c) != RPC_WORK || !turned_away_any(t))
		return false; /* whoever calls what has no policy hears something else */
	return turned_away_again(t, auth_fingerprint(s->opt.auth, c->call, &c->metadata), ret);
}

/* ---- a token ---- */

static struct rate rate_for(const struct rpc_server *s, int32_t tenant, const char *path)
{
	return rate_rules_find(auth_rates(s->opt.auth), tenant, path, s->admission->rate);
}

static uint64_t key_of(const struct rpc *c)
{
	return (uint64_t)(uint32_t)c->who.tenant << 16 | (uint64_t)(c->served - c->server->served);
}

static enum errc refuse_token(struct rpc *c, const struct rate *r, int64_t wait_ns)
{
	char tenant[24];

	(void)snprintf(tenant, sizeof(tenant), "tenant:%d", c->who.tenant);
	rpc_quota(&c->flow, str_of(tenant), "%s: %.6g in a second, %lld at once",
		  c->served->method->path, (double)SECOND_NS / (double)r->every_ns,
		  (long long)r->burst);
	rpc_pause(&c->flow, (wait_ns + 999999) / 1000000);
	admission_shed(c->server, SHED_RATE);
	return ERR_RATE_LIMITED;
}

enum errc admission_share(struct rpc *c)
{
	struct admission *a = c->server->admission;
	struct rate r = rate_for(c->server, c->who.tenant, c->served->method->path);
	enum seats_said said = SEATS_TAKEN;
	const struct seat *full;
	int64_t wait_ns;

	if (c->served->method->class == RPC_WORK)
		said = seats_take(a->seats, c->who.tenant, c->who.subject, &c->seated, &full);
	if (said != SEATS_TAKEN)
		return refuse_seat(c, said, full);
	wait_ns = buckets_take(a->buckets, key_of(c), &r, clock_mono_us() * 1000);
	return wait_ns > 0 ? refuse_token(c, &r, wait_ns) : ERR_OK;
}

void admission_leave(struct rpc *c)
{
	struct admission *a = c->server->admission;

	if (c->seated.tenant == NULL)
		return;
	turned_away_forget(a->turned_away, c->seated.tenant);
	turned_away_forget(a->turned_away, c->seated.caller);
	seats_leave(a->seats, &c->seated);
}

/* ---- for people ---- */

static int by_number(const void *a, const void *b)
{
	const struct seats_row *x = a, *y = b;

	return (x->n < y->n) - (x->n > y->n);
}

static void show_tenants(struct show *s, const void *arg)
{
	const struct rpc_server *server = arg;
	const struct seats *seats = server->admission->seats;
	size_t n = seats_count(seats);
	struct seats_row *rows = mem_array(n + 1, sizeof(*rows));

	seats_list(seats, rows);
	qsort(rows, n, sizeof(*rows), by_number);
	for (size_t i = 0; i < n && show_row(s); i++) {
		show_int(s, rows[i].tenant);
		show_str(s, rows[i].caller.p != NULL ? rows[i].caller : STR("(all)"));
		show_int(s, rows[i].n);
		show_int(s, rows[i].most);
	}
	free(rows);
}

static void show_bucket(struct show *s, const struct rpc_server *server, const struct bucket *k,
			int64_t now_ns)
{
	const struct rpc_method *m = server->served[k->key & 0xffff].method;
	int32_t tenant = (int32_t)(k->key >> 16);
	struct rate r = rate_for(server, tenant, m->path);

	show_int(s, tenant);
	show_text(s, m->name);
	if (r.every_ns > 0)
		show_printf(s, "%.6g/s", (double)SECOND_NS / (double)r.every_ns);
	else
		show_text(s, "none");
	show_int(s, bucket_tokens(k, &r, now_ns));
	show_int(s, r.burst);
	show_int(s, (k->full_ns - now_ns) / 1000000);
}

static void show_rates(struct show *s, const void *arg)
{
	const struct rpc_server *server = arg;
	struct bucket *all = mem_array(SHOW_ROWS_MAX, sizeof(*all));
	int64_t now_ns = clock_mono_us() * 1000;
	size_t n = buckets_emptiest(server->admission->buckets, now_ns, all, SHOW_ROWS_MAX);

	for (size_t i = 0; i < n && show_row(s); i++)
		show_bucket(s, server, &all[i], now_ns);
	free(all);
}

void admission_offer(const struct rpc_server *s, struct show_board *b)
{
	show_offer(b, SHOW_tenants, show_tenants, s);
	show_offer(b, SHOW_rates, show_rates, s);
}
