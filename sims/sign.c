/*
 * Signatures as the vendors make them.
 *
 * Stripe ("Webhook signatures", docs.stripe.com/webhooks): t is the time of the attempt, v1 is
 * HMAC-SHA-256 over "t.body"; the key is the endpoint's secret as it is written, "whsec_" and all.
 * EasyPost ("Webhooks guide", docs.easypost.com): HMAC-SHA-256 over the body, the key being the
 * secret in Unicode form NFKD.  Secrets here are ASCII, which that form leaves as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sims/hook.h"
#include "sims/sim.h"

enum { DIGEST_BYTES = 32, DIGEST_TEXT_SIZE = 2 * DIGEST_BYTES + 1 };

static void hmac_hex(const char *secret, bool badly, const char *text, char ret[DIGEST_TEXT_SIZE])
{
	unsigned char digest[DIGEST_BYTES];
	char other[512];
	unsigned n = 0;
	size_t i;

	snprintf(other, sizeof(other), "%s%s", secret, badly ? "?" : "");
	must(HMAC(EVP_sha256(), other, (int)strlen(other), (const unsigned char *)text,
		  strlen(text), digest, &n));
	for (i = 0; i < DIGEST_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* The wall clock, not the simulated one: receivers refuse what is not of the last minutes. */
void sign_gateway(const char *secret, const char *body, bool badly, char ret[HOOK_HEADER_SIZE])
{
	char digest[DIGEST_TEXT_SIZE];
	long long now = (long long)time(NULL);
	char *text;

	if (asprintf(&text, "%lld.%s", now, body) < 0)
		must(NULL);
	hmac_hex(secret, badly, text, digest);
	free(text);
	snprintf(ret, HOOK_HEADER_SIZE, "Stripe-Signature: t=%lld,v1=%s", now, digest);
}

void sign_carrier(const char *secret, const char *body, bool badly, char ret[HOOK_HEADER_SIZE])
{
	char digest[DIGEST_TEXT_SIZE];

	hmac_hex(secret, badly, body, digest);
	snprintf(ret, HOOK_HEADER_SIZE, "X-Hmac-Signature: hmac-sha256-hex=%s", digest);
}
