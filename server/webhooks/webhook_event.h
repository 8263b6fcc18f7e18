/*
 * What a provider's event says that we use: its id, its kind, and which of our objects it
 * is about.  Nothing else of it is read or kept; the provider is asked for the rest.
 *
 *	gateway  Stripe Event: the payment intent, also of events about charges and refunds
 *	carrier  EasyPost Event: the tracking code of a Tracker
 */
#ifndef ORDERD_SERVER_WEBHOOK_EVENT_H
#define ORDERD_SERVER_WEBHOOK_EVENT_H

#include "core/base/arena.h"
#include "core/base/str.h"

enum {
	WEBHOOK_ID_MAX = 255, /* bytes of an id or a kind */
	WEBHOOK_DEPTH_MAX = 32,
};

struct webhook_event {
	struct str id, kind;
	struct str object; /* empty: about nothing of ours */
};

/* Texts go to `arena`.  NULL when it is well, else what is wrong with `body`. */
typedef const char *webhook_read(struct str body, struct arena *arena, struct webhook_event *ret);
webhook_read webhook_read_gateway, webhook_read_carrier;

#endif
