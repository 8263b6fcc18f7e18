/*
 * Who may tell us news: the signatures of providers' webhooks.  Pure; time is an argument.
 *
 *	gateway  Stripe-Signature: t=<unix s>,v1=<hex>[,v1=<hex>...]
 *	         HMAC-SHA-256 over "<t>.<body>", the key is the whole secret ("whsec_...")
 *	carrier  X-Hmac-Signature: hmac-sha256-hex=<hex>
 *	         HMAC-SHA-256 over the body, the key is the secret in Unicode form NFKD
 *
 * A secrets file holds one secret a line: while a secret is changed both are there, and
 * either will do.  Only printable ASCII is taken, which is its own NFKD form.
 */
#ifndef ORDERD_SERVER_WEBHOOK_SIGNATURE_H
#define ORDERD_SERVER_WEBHOOK_SIGNATURE_H

#include <stdint.h>

#include "core/base/str.h"

enum {
	WEBHOOK_SECRETS_MAX = 8,
	WEBHOOK_SECRET_MIN = 16,   /* bytes; shorter ones can be guessed */
	WEBHOOK_TOLERANCE_S = 300, /* age of a gateway's signature, either way: clocks differ */
	WEBHOOK_SIGNATURES_MAX = 16,
};

struct webhook_secrets {
	char *text; /* heap; what each[] points into */
	struct str each[WEBHOOK_SECRETS_MAX];
	unsigned n;
};

/* Takes `text`, a file's content.  NULL when it is well, else what is wrong with it. */
const char *webhook_secrets_take(struct webhook_secrets *s, char *text);
void webhook_secrets_wipe(struct webhook_secrets *s);

enum webhook_verdict {
	WEBHOOK_SIGNED,
	WEBHOOK_FORGED, /* none of our secrets made this signature, or it is none */
	WEBHOOK_STALE,  /* the time it was signed for is not now */
};

typedef enum webhook_verdict webhook_check(const struct webhook_secrets *s, struct str header,
					   struct str body, int64_t now_s);
webhook_check webhook_check_gateway, webhook_check_carrier;

#endif
