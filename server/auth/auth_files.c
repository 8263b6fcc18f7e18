/*
 * What is read from files and may change while orderd runs: a table of sources.  A reading looks
 * at all of them, on a thread that may wait; the loop thread then takes those that changed and are
 * good.  A certificate and its key are two files: between the writing of one and of the other they
 * do not fit, which is complained of once, and the next look finds them well.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "server/auth/auth_inside.h"

/* What one reading found. */
struct auth_reading {
	uv_work_t work;
	struct auth *auth;
	struct tls_files tls;
	int64_t tls_expires;
	struct jwks *jwks;
	struct deny *deny;
	struct rate_rules *rates;
	char why[SOURCES][200]; /* "": it is well */
	uint8_t digest[SOURCES][DIGEST_BYTES];
};

struct source {
	const char *field; /* the setting that names its file, or the first of them */
	bool (*wanted)(const struct auth *a);
	void (*read)(
		struct auth_reading *r); /* any thread; sets why or what is found, and digest */
	void (*take)(struct auth *a, struct auth_reading *r); /* loop thread */
};

/* ---- reading ---- */

static void complain(struct auth_reading *r, enum auth_source s, const char *path, const char *why)
{
	(void)snprintf(r->why[s], sizeof(r->why[s]), "%s%s%s", path, path[0] != '\0' ? ": " : "",
		       why);
}

/* The file's text, mixed into the source's digest; NULL after a complaint. */
static char *read_part(struct auth_reading *r, enum auth_source s, const char *path, size_t most,
		       size_t *ret_n)
{
	uint8_t both[2 * DIGEST_BYTES];
	char reason[100];
	char *text = file_read(path, most, ret_n);

	if (text == NULL) {
		complain(r, s, path,
			 errno == EFBIG ? "it is too large"
					: strerror_r(errno, reason, sizeof(reason)));
		return NULL;
	}
	memcpy(both, r->digest[s], DIGEST_BYTES);
	digest_sha256((struct str){text, *ret_n}, both + DIGEST_BYTES);
	digest_sha256((struct str){(const char *)both, sizeof(both)}, r->digest[s]);
	return text;
}

static bool tls_wanted(const struct auth *a)
{
	return a->tls != NULL;
}

static void read_tls(struct auth_reading *r)
{
	const struct config *cfg = r->auth->cfg;
	const char *why = NULL;
	size_t n;

	r->tls.cert = read_part(r, SOURCE_TLS, cfg->tls_cert_file, TLS_FILE_MAX, &n);
	if (r->tls.cert != NULL)
		r->tls.key = read_part(r, SOURCE_TLS, cfg->tls_key_file, TLS_FILE_MAX, &n);
	if (r->tls.key != NULL && cfg->tls_client_ca_file[0] != '\0')
		r->tls.client_ca =
			read_part(r, SOURCE_TLS, cfg->tls_client_ca_file, TLS_FILE_MAX, &n);
	if (r->why[SOURCE_TLS][0] == '\0')
		why = tls_check(&r->tls, &r->tls_expires);
	if (why != NULL)
		complain(r, SOURCE_TLS, "", why);
}

static void take_tls(struct auth *a, struct auth_reading *r)
{
	tls_take(a->tls, &r->tls);
	metric_set(METRIC_tls_expires, NULL, r->tls_expires);
}

static bool jwks_wanted(const struct auth *a)
{
	return a->cfg->jwt_jwks_file[0] != '\0';
}

static void read_jwks(struct auth_reading *r)
{
	const char *path = r->auth->cfg->jwt_jwks_file, *why;
	size_t n;
	char *text = read_part(r, SOURCE_JWKS, path, JWKS_BYTES_MAX, &n);

	if (text == NULL)
		return;
	r->jwks = jwks_read((struct str){text, n}, &why);
	if (r->jwks == NULL)
		complain(r, SOURCE_JWKS, path, why);
	file_wipe(text, n);
}

static void take_jwks(struct auth *a, struct auth_reading *r)
{
	jwks_free(a->jwks);
	a->jwks = r->jwks;
	r->jwks = NULL;
	jwt_cache_clear(a->known_tokens); /* by keys that may be gone */
}

static bool deny_wanted(const struct auth *a)
{
	return a->cfg->auth_deny_file[0] != '\0';
}

static void read_deny(struct auth_reading *r)
{
	size_t n;
	char *text = read_part(r, SOURCE_DENY, r->auth->cfg->auth_deny_file, DENY_BYTES_MAX, &n);

	if (text != NULL)
		r->deny = deny_read(text, n);
}

static void take_deny(struct auth *a, struct auth_reading *r)
{
	deny_free(a->deny);
	a->deny = r->deny;
	r->deny = NULL;
}

static bool rates_wanted(const struct auth *a)
{
	return a->cfg->rate_limits_file[0] != '\0';
}

static void read_rates(struct auth_reading *r)
{
	const char *path = r->auth->cfg->rate_limits_file;
	char why[160];
	size_t n;
	char *text = read_part(r, SOURCE_RATES, path, RATE_RULES_BYTES_MAX, &n);

	if (text == NULL)
		return;
	r->rates = rate_rules_read(text, n, why, sizeof(why));
	if (r->rates == NULL)
		complain(r, SOURCE_RATES, path, why);
}

static void take_rates(struct auth *a, struct auth_reading *r)
{
	rate_rules_free(a->rates);
	a->rates = r->rates;
	r->rates = NULL;
}

static const struct source sources[SOURCES] = {
	[SOURCE_TLS] = {"tls_cert_file", tls_wanted, read_tls, take_tls},
	[SOURCE_JWKS] = {"jwt_jwks_file", jwks_wanted, read_jwks, take_jwks},
	[SOURCE_DENY] = {"auth_deny_file", deny_wanted, read_deny, take_deny},
	[SOURCE_RATES] = {"rate_limits_file", rates_wanted, read_rates, take_rates},
};

static void read_all(struct auth_reading *r)
{
	for (int s = 0; s < SOURCES; s++)
		if (sources[s].wanted(r->auth))
			sources[s].read(r);
}

static struct auth_reading *reading_new(struct auth *a)
{
	struct auth_reading *r = mem_alloc(sizeof(*r));

	r->auth = a;
	r->work.data = r;
	return r;
}

static void reading_free(struct auth_reading *r)
{
	tls_files_wipe(&r->tls);
	jwks_free(r->jwks);
	deny_free(r->deny);
	rate_rules_free(r->rates);
	free(r);
}

/* ---- taking ---- */

/* A file that cannot be used is complained of once, and once more when it has changed. */
static void keep_old(struct auth *a, struct auth_reading *r, int s)
{
	uint8_t *last = a->bad[s];
	uint8_t what[DIGEST_BYTES];

	digest_hmac((struct str){(const char *)r->digest[s], DIGEST_BYTES}, str_of(r->why[s]),
		    what);
	if (memcmp(last, what, DIGEST_BYTES) == 0)
		return;
	memcpy(last, what, DIGEST_BYTES);
	log_error("credentials_kept", "setting=%s why=%s", sources[s].field, LOG_Q(r->why[s]));
}

static void take_changed(struct auth *a, struct auth_reading *r, int s)
{
	bool first = !a->has[s];

	if (!first && memcmp(a->taken[s], r->digest[s], DIGEST_BYTES) == 0)
		return;
	a->has[s] = true;
	memcpy(a->taken[s], r->digest[s], DIGEST_BYTES);
	memset(a->bad[s], 0, DIGEST_BYTES);
	sources[s].take(a, r);
	if (!first)
		log_info("credentials_reloaded", "setting=%s", sources[s].field);
}

/* ---- again ---- */

static void on_thread(uv_work_t *work)
{
	read_all(work->data);
}

static void look(struct auth *a);

static void plan_look(struct auth *a)
{
	timer_set(a->loop, &a->look, clock_mono_ms() + a->cfg->auth_reload_s * 1000);
}

static void finish_look(struct auth *a)
{
	void (*on_reloaded)(void *arg) = a->on_reloaded;

	plan_look(a);
	a->on_reloaded = NULL;
	if (on_reloaded != NULL)
		on_reloaded(a->reloaded_arg);
}

static void on_read(uv_work_t *work, int status)
{
	struct auth_reading *r = work->data;
	struct auth *a = r->auth;
	bool again = a->read_again;

	a->reading = NULL;
	a->read_again = false;
	for (int s = 0; s < SOURCES && status == 0 && a->on_closed == NULL; s++) {
		if (!sources[s].wanted(a))
			continue;
		if (r->why[s][0] != '\0')
			keep_old(a, r, s);
		else
			take_changed(a, r, s);
	}
	reading_free(r);
	if (a->on_closed != NULL)
		auth_finish_closing(a);
	else if (again)
		look(a);
	else
		finish_look(a);
}

static void look(struct auth *a)
{
	int rc;

	timer_clear(a->loop, &a->look);
	a->reading = reading_new(a);
	rc = uv_queue_work(loop_uv(a->loop), &a->reading->work, on_thread, on_read);
	assert(rc == 0);
	(void)rc;
}

static void on_look(struct timer *t)
{
	look((struct auth *)(void *)((char *)t - offsetof(struct auth, look)));
}

void auth_reload(struct auth *a, void (*on_done)(void *arg), void *arg)
{
	a->on_reloaded = on_done;
	a->reloaded_arg = arg;
	if (a->reading != NULL)
		a->read_again = true; /* what is being read may be older than this wish */
	else
		look(a);
}

/* ---- start and end ---- */

void auth_files_first(struct auth *a)
{
	struct auth_reading *r = reading_new(a);
	bool any = false;

	read_all(r);
	for (int s = 0; s < SOURCES; s++) {
		if (!sources[s].wanted(a))
			continue;
		if (r->why[s][0] != '\0')
			config_refuse(sources[s].field, "%s", r->why[s]);
		take_changed(a, r, s);
		any = true;
	}
	reading_free(r);
	a->look.on_due = on_look;
	if (any)
		plan_look(a);
}

void auth_files_stop(struct auth *a)
{
	timer_clear(a->loop, &a->look);
}

bool auth_files_wait(const struct auth *a)
{
	return a->reading != NULL;
}
