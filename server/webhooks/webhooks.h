/*
 * The providers' port: POST /webhooks/gateway and POST /webhooks/carrier.
 *
 * A webhook is a hint.  Its signature is checked, its id goes to an inbox (the same event
 * again is nothing new), and the job that waits for such news is made due; the job then
 * asks the provider itself.  So neither order nor age nor repetition of events matters,
 * and an event that never comes is made up for by the job's own polling: late, not lost.
 *
 *	200  the event is stored, or was before, or is about nothing of ours
 *	4xx  it never will be as it is (400, 401, 404, 405, 411, 413), or not now (429)
 *	503  not now: storage is away, or this server is shutting down; providers try again
 *
 * Signatures protect this port, so it may listen on any address, whatever auth says; TLS
 * is for a proxy in front of it.  A provider without a secret has no route.
 */
#ifndef ORDERD_SERVER_WEBHOOKS_H
#define ORDERD_SERVER_WEBHOOKS_H

#include "core/base/err.h"

struct app;
struct webhooks;

/* Listen as config.webhook_listen says; exits 2 when a setting is wrong.  The store must be open.
 */
struct webhooks *webhooks_new(struct app *app);
const char *webhooks_address(const struct webhooks *w); /* with the real port */

/* Take nothing new from now on. */
void webhooks_drain(struct webhooks *w);

/* Answer what is being stored, cut the rest, free.  After webhooks_drain(). */
void webhooks_close(struct webhooks *w, void (*on_closed)(void *arg), void *arg);

#endif
