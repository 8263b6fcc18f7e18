#include "server/readiness.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/flow/supervisor.h"
#include "core/store/store.h"
#include "server/app.h"
#include "server/auth/auth.h"
#include "server/runtime/health.h"
#include "server/runtime/rpc_server.h"

enum {
	LOOK_MS = 200,
	/*
	 * A connection that was lost is made anew in less, mostly; calls wait for it so long.
	 * Saying NOT_SERVING at once would send every client of every server elsewhere and back.
	 */
	STORE_MOMENT_MS = 1000,
};

/* Whether PostgreSQL is there, or has been so lately that it is no news. */
static bool store_is_there(struct app *app)
{
	if (store_is_up(app->store)) {
		app->store_seen_ms = clock_mono_ms();
		return true;
	}
	return app->announced && clock_mono_ms() - app->store_seen_ms < STORE_MOMENT_MS;
}

static unsigned what_is_there(struct app *app)
{
	return (store_is_there(app) ? NEED_STORE : 0U) |
	       (auth_knows_callers(app->auth) ? NEED_CALLERS : 0U);
}

static const char *words(const struct app *app)
{
	if ((app->there & NEED_STORE) == 0)
		return "PostgreSQL is not reachable";
	if ((app->there & NEED_CALLERS) == 0)
		return "API keys are not known yet";
	return "serving";
}

void readiness_say(struct app *app)
{
	if (app->draining)
		return; /* that has been said, and is the last word */
	supervisor_say(app->supervisor, "%sSTATUS=%s", app->announced ? "READY=1\n" : "",
		       words(app));
}

/* One that is not ready must not say READY=1 afterwards, so it does not say this either. */
void readiness_say_reloading(struct app *app)
{
	if (app->announced)
		supervisor_say_reloading(app->supervisor);
}

static void announce(struct app *app)
{
	app->announced = true;
	puts("ready");
	fflush(stdout);
}

void readiness_look(struct app *app)
{
	unsigned there;

	if (app->server == NULL || app->draining)
		return;
	there = what_is_there(app);
	if (there == app->there)
		return;
	app->there = there;
	rpc_server_set_health(app->server, there);
	if (there == NEED_ALL && !app->announced)
		announce(app);
	readiness_say(app);
}

static void on_look(struct timer *t)
{
	struct app *app = (struct app *)(void *)((char *)t - offsetof(struct app, look));

	readiness_look(app);
	timer_set(app->loop, t, clock_mono_ms() + LOOK_MS);
}

/* A drain has its own end (overdue); until then only the loop counts. */
static bool is_well(void *arg)
{
	const struct app *app = arg;

	return app->draining || app->server == NULL || rpc_server_is_heard(app->server);
}

void readiness_open(struct app *app)
{
	app->supervisor = supervisor_new(app->loop, is_well, app);
	readiness_say(app);
	app->look.on_due = on_look;
	on_look(&app->look);
}

void readiness_drain(struct app *app)
{
	timer_clear(app->loop, &app->look);
	supervisor_say(app->supervisor, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%" PRId64,
		       (app->overdue.at_ms - clock_mono_ms()) * 1000);
}

void readiness_close(struct app *app)
{
	timer_clear(app->loop, &app->look);
	supervisor_free(app->supervisor);
}
