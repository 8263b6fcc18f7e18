/*
 *	SIGHUP --> settings, on a thread that may wait --> credentials, likewise --> told
 *	             ^                                                                 |
 *	             +------------------- asked again meanwhile -----------------------+
 */
#include "server/reload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "server/app.h"
#include "server/auth/auth.h"
#include "server/readiness.h"
#include "server/runtime/rpc_server.h"

struct reload {
	struct app *app;
	int argc;
	char **argv;
	uv_work_t work;
	struct config fresh;
	bool good; /* fresh can be used */
	bool busy, again;
	bool reading; /* on the other thread */
	void (*on_closed)(void *arg);
	void *closed_arg;
};

/* ---- settings ---- */

static bool take_log_level(struct app *app, const char *value)
{
	enum log_level level;

	(void)app;
	if (!log_level_parse(value, &level))
		return false;
	log_level_set(level);
	return true;
}

static bool take_access_log(struct app *app, const char *value)
{
	return rpc_server_set_access_log(app->server, value);
}

/* The settings that can be taken, all of them words.  Also in docs/operations.md. */
static const struct {
	const char *field;
	size_t offset;
	bool (*take)(struct app *app, const char *value);
} takes[] = {
	{"log_level", offsetof(struct config, log_level), take_log_level},
	{"access_log", offsetof(struct config, access_log), take_access_log},
};

static char **word_of(struct config *cfg, size_t offset)
{
	return (char **)(void *)((char *)cfg + offset);
}

static void take(struct reload *r, size_t i)
{
	char **old = word_of(&r->app->cfg, takes[i].offset);
	char **fresh = word_of(&r->fresh, takes[i].offset);
	char *value = *fresh;

	if (!takes[i].take(r->app, value)) {
		log_error("setting_kept", "setting=%s value=%s kept=%s", takes[i].field,
			  LOG_Q(value), *old);
		return;
	}
	*fresh = *old; /* to be freed with the rest */
	*old = value;
	log_info("setting_reloaded", "setting=%s value=%s", takes[i].field, value);
}

static void on_change(void *arg, const char *field)
{
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		if (strcmp(takes[i].field, field) == 0) {
			take(arg, i);
			return;
		}
	}
	log_warn("setting_needs_restart", "setting=%s", field);
}

static void on_thread(uv_work_t *work)
{
	struct reload *r = work->data;

	r->good = config_read_again(&r->fresh, "orderd", r->argc, r->argv);
}

/* ---- the way ---- */

static void on_reloaded(void *arg)
{
	struct reload *r = arg;

	r->busy = false;
	log_info("reloaded", "again=%s", r->again ? "yes" : "no");
	readiness_say(r->app);
	if (r->again)
		reload_now(r);
}

static void finish_closing(struct reload *r)
{
	void (*on_closed)(void *arg) = r->on_closed;
	void *arg = r->closed_arg;

	free(r);
	on_closed(arg);
}

static void on_settings(uv_work_t *work, int status)
{
	struct reload *r = work->data;
	bool draining = r->app->draining;

	r->reading = false;
	if (status == 0 && r->good && !draining)
		config_compare(&r->app->cfg, &r->fresh, on_change, r);
	else if (!draining)
		log_error("settings_kept", "why=%s", LOG_Q("the mistakes are reported above"));
	config_done(&r->fresh);
	if (r->on_closed != NULL)
		finish_closing(r);
	else if (!draining)
		auth_reload(r->app->auth, on_reloaded, r);
}

void reload_now(struct reload *r)
{
	int rc;

	if (r->app->draining)
		return;
	r->again = r->busy; /* what is being read may be older than this wish */
	if (r->busy)
		return;
	r->busy = r->reading = true;
	readiness_say_reloading(r->app);
	rc = uv_queue_work(loop_uv(r->app->loop), &r->work, on_thread, on_settings);
	assert(rc == 0);
	(void)rc;
}

struct reload *reload_new(struct app *app, int argc, char **argv)
{
	struct reload *r = mem_alloc(sizeof(*r));

	r->app = app;
	r->argc = argc;
	r->argv = argv;
	r->work.data = r;
	return r;
}

void reload_close(struct reload *r, void (*on_closed)(void *arg), void *arg)
{
	r->on_closed = on_closed;
	r->closed_arg = arg;
	if (!r->reading)
		finish_closing(r);
}
