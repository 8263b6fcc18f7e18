/*
 * Whatever stands in a webhook's header and body: nobody without the secret is believed, and what
 * is read of an event can be stored.  The input's first byte is the header's length.
 */
#include <stdio.h>

#include "core/base/mem.h"
#include "core/base/seal.h"
#include "server/webhooks/webhook_event.h"
#include "server/webhooks/webhook_signature.h"
#include "tests/fuzz/fuzz.h"

static const char secret[] = "a secret that no input knows: fuzz";

static struct webhook_secrets secrets(void)
{
	static struct webhook_secrets s = {.each = {STR(secret)}, .n = 1};

	return s;
}

/* A true signature in the same place is believed, so that a refusal of all is no way to pass. */
static void true_signature_is_believed(struct str body)
{
	struct webhook_secrets s = secrets();
	uint8_t digest[DIGEST_BYTES];
	char header[128];
	size_t n = (size_t)snprintf(header, sizeof(header), "hmac-sha256-hex=");

	digest_hmac(s.each[0], body, digest);
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		n += (size_t)snprintf(header + n, sizeof(header) - n, "%02x", digest[i]);
	MUST(webhook_check_carrier(&s, (struct str){header, n}, body, 0) == WEBHOOK_SIGNED);
}

static void read_as(webhook_read *read, struct str body)
{
	struct arena arena;
	struct webhook_event e;

	arena_init(&arena, 8192);
	if (read(body, &arena, &e) == NULL) {
		MUST(e.id.n > 0 && e.id.n <= WEBHOOK_ID_MAX && str_is_text(e.id));
		MUST(e.kind.n > 0 && e.kind.n <= WEBHOOK_ID_MAX && str_is_text(e.kind));
		MUST(e.object.p != NULL && e.object.n <= WEBHOOK_ID_MAX && str_is_text(e.object));
	}
	arena_done(&arena);
}

static void take_secrets(struct str text)
{
	struct webhook_secrets s;
	char *copy = mem_alloc(text.n + 1);

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	if (webhook_secrets_take(&s, copy) == NULL)
		MUST(s.n > 0 && s.n <= WEBHOOK_SECRETS_MAX && s.each[0].n >= WEBHOOK_SECRET_MIN);
	webhook_secrets_wipe(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct str header = take_str(&in, take_u8(&in));
	struct str body = take_str(&in, in.n);
	struct webhook_secrets s = secrets();

	MUST(webhook_check_gateway(&s, header, body, 1700000000) == WEBHOOK_FORGED);
	MUST(webhook_check_carrier(&s, header, body, 1700000000) == WEBHOOK_FORGED);
	true_signature_is_believed(body);
	read_as(webhook_read_gateway, body);
	read_as(webhook_read_carrier, body);
	take_secrets(header);
	return 0;
}
