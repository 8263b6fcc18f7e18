#include "server/auth/key_feed.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/auth/api_key.h"
#include "server/auth/auth.h"
#include "sql.gen.h"

enum {
	WHOLE_EVERY_MS = 60000, /* whatever the version says: a restored backup may have the same */
	NOTE_EVERY_MS = 3600000, /* for one key: it is an hour's precision */
	USED_MAX = 500,          /* keys in one writing back */
	FEED_ARENA = 131072,     /* those, some 100 bytes each with the question */
};

struct key_feed {
	struct app *app;
	struct timer next;
	struct flow reader;
	bool reading, again;
	int64_t version;
	int64_t whole_at_ms; /* not before */
	void (*on_closed)(void *arg);
	void *closed_arg;
};

enum { READ, MARK, DONE };

static struct key_feed *feed_of(struct flow *fl)
{
	return (struct key_feed *)(void *)((char *)fl - offsetof(struct key_feed, reader));
}

/* ---- reading ---- */

static int ask_keys(struct flow *fl)
{
	struct key_feed *f = feed_of(fl);
	int64_t now = clock_mono_ms();
	struct api_keys_live_head h = {.known = f->version, .most = API_KEYS_MAX + 1};

	if (now >= f->whole_at_ms) {
		f->whole_at_ms = now + WHOLE_EVERY_MS;
		h.known = 0;
	}
	return store_ask(fl, f->app->store, api_keys_live_unit(&h, NULL, 0));
}

/* false: a row that no version of this program has written. */
static bool key_of_row(const struct api_keys_live_row *r, struct api_key *ret, struct arena *arena)
{
	char *subject;

	*ret = (struct api_key){.expires_us = r->expires_at};
	if (r->kid.n != API_KEY_KID || r->mac.n != DIGEST_BYTES ||
	    !role_parse(r->role, &ret->who.role))
		return false;
	memcpy(ret->kid, r->kid.p, API_KEY_KID);
	memcpy(ret->mac, r->mac.p, DIGEST_BYTES);
	subject = arena_printf(arena, "key:" STR_FMT, STR_ARG(r->name));
	if (subject == NULL)
		return false;
	ret->who.tenant = r->tenant;
	ret->who.subject = str_of(subject);
	ret->who.scopes = r->scopes;
	ret->who.customer = r->customer;
	ret->who.locations = r->locations;
	return r->locations.p == NULL || identity_locations_ok(r->locations);
}

static void take_row(struct api_keys *set, const struct api_keys_live_row *r)
{
	struct arena scratch;
	struct api_key k;

	if (r->kid.p == NULL)
		return; /* there is none */
	arena_init(&scratch, 4096);
	if (!key_of_row(r, &k, &scratch) || !api_keys_add(set, &k))
		log_error("api_key_left_out", "kid=%s", log_quote(r->kid.p, (int)r->kid.n));
	arena_done(&scratch);
}

static bool is_to_be_noted(const struct api_key *k, int64_t now)
{
	return k->used && (k->noted_ms == 0 || now - k->noted_ms >= NOTE_EVERY_MS);
}

static bool has_uses(struct key_feed *f)
{
	struct api_keys *set = auth_keys(f->app->auth);
	struct api_key *k;

	for (uint32_t i = 0; set != NULL && (k = api_keys_at(set, i)) != NULL; i++)
		if (is_to_be_noted(k, clock_mono_ms()))
			return true;
	return false;
}

static int got_keys(struct flow *fl, const struct answer *a)
{
	struct key_feed *f = feed_of(fl);
	uint32_t n = answer_rows(a);
	struct api_keys *set;

	if (n == 0) {
		auth_keys_are_fresh(f->app->auth);
	} else {
		set = api_keys_new(n < API_KEYS_MAX ? n : API_KEYS_MAX);
		for (uint32_t i = 0; i < n; i++) {
			struct api_keys_live_row r = api_keys_live_row(a, i);

			f->version = r.version;
			take_row(set, &r);
		}
		metric_set(METRIC_auth_keys, NULL, api_keys_count(set));
		auth_take_keys(f->app->auth, set);
	}
	return has_uses(f) ? MARK : DONE;
}

/* ---- writing back ---- */

static int ask_mark(struct flow *fl)
{
	struct key_feed *f = feed_of(fl);
	struct api_keys *set = auth_keys(f->app->auth);
	struct api_keys_used_line *lines = arena_array(&fl->arena, USED_MAX, sizeof(*lines));
	struct api_keys_used_head h = {0};
	int64_t now = clock_mono_ms();
	struct api_key *k;
	uint32_t n = 0;

	for (uint32_t i = 0; lines != NULL && n < USED_MAX && (k = api_keys_at(set, i)) != NULL;
	     i++) {
		if (!is_to_be_noted(k, now))
			continue;
		k->used = false; /* lost if this fails: it says about when, not how often */
		k->noted_ms = now;
		lines[n] = (struct api_keys_used_line){
			.line = (int32_t)n,
			.tenant = k->who.tenant,
			.kid = arena_str(&fl->arena, (struct str){k->kid, API_KEY_KID})};
		n++;
	}
	return store_ask(fl, f->app->store, api_keys_used_unit(&h, lines, n));
}

static int got_mark(struct flow *fl, const struct answer *a)
{
	(void)fl;
	(void)a;
	return DONE;
}

/* clang-format off */
static const struct flow_step feed_steps[] = {
	/*         name         ask       got       ms                  on error  next    */
	[READ] = {"read_keys", ask_keys, got_keys, KEY_FEED_ANSWER_MS, DONE,     TO(MARK) | TO(DONE)},
	[MARK] = {"mark_used", ask_mark, got_mark, KEY_FEED_ANSWER_MS, DONE,     TO(DONE)},
	[DONE] = {"done"},
};

/* clang-format on */

/* ---- now and then ---- */

static void finish_closing(struct key_feed *f)
{
	void (*on_closed)(void *arg) = f->on_closed;
	void *arg = f->closed_arg;

	timer_clear(f->app->loop, &f->next);
	arena_done(&f->reader.arena);
	free(f);
	on_closed(arg);
}

static void on_reader_done(struct flow *fl)
{
	struct key_feed *f = feed_of(fl);

	f->reading = false;
	arena_reset(&fl->arena);
	if (f->on_closed != NULL) {
		finish_closing(f);
		return;
	}
	timer_set(f->app->loop, &f->next, clock_mono_ms() + (f->again ? 0 : KEY_FEED_EVERY_MS));
	f->again = false;
}

static void start_reading(struct key_feed *f)
{
	struct arena arena = f->reader.arena;

	f->reading = true;
	f->reader = (struct flow){.name = "api_keys",
				  .steps = feed_steps,
				  .loop = f->app->loop,
				  .arena = arena,
				  .done = on_reader_done};
	flow_start(&f->reader);
}

static void on_next(struct timer *t)
{
	start_reading((struct key_feed *)(void *)((char *)t - offsetof(struct key_feed, next)));
}

void key_feed_look(struct key_feed *f)
{
	if (f == NULL)
		return;
	f->again = f->reading; /* what is being read may be older */
	if (!f->reading)
		timer_set(f->app->loop, &f->next, clock_mono_ms());
}

struct key_feed *key_feed_new(struct app *app)
{
	struct key_feed *f;

	if (auth_pepper(app->auth) == NULL)
		return NULL;
	f = mem_alloc(sizeof(*f));
	f->app = app;
	f->next.on_due = on_next;
	arena_init(&f->reader.arena, FEED_ARENA);
	start_reading(f);
	return f;
}

void key_feed_close(struct key_feed *f, void (*on_closed)(void *arg), void *arg)
{
	if (f == NULL) {
		on_closed(arg);
		return;
	}
	timer_clear(f->app->loop, &f->next);
	f->on_closed = on_closed;
	f->closed_arg = arg;
	if (!f->reading)
		finish_closing(f);
}
