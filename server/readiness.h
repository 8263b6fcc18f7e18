/*
 * Whether orderd can do its work, looked at now and then, and told to all who ask: health checks
 * and /healthz (server/runtime/health.h), the supervisor (core/flow/supervisor.h), and once, by the
 * word "ready" on stdout, whoever started us.
 */
#ifndef ORDERD_SERVER_READINESS_H
#define ORDERD_SERVER_READINESS_H

struct app;

void readiness_open(struct app *app); /* the listeners are up */
void readiness_look(struct app *app); /* something may have changed: look now */
void readiness_drain(struct app *app);
void readiness_close(struct app *app); /* when the loop has ended */

/* The supervisor is told how it stands; that files are being read again, until it is next told. */
void readiness_say(struct app *app);
void readiness_say_reloading(struct app *app);

#endif
