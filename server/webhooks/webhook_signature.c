#include "server/webhooks/webhook_signature.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "core/base/mem.h"
#include "core/base/seal.h"

/* ---- secrets ---- */

static const char *take_line(struct webhook_secrets *s, struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] <= ' ' || line.p[i] > '~')
			return "a secret has a character that is not printable ASCII";
	if (line.n < WEBHOOK_SECRET_MIN)
		return "a secret is shorter than 16 characters";
	if (s->n == WEBHOOK_SECRETS_MAX)
		return "it holds more than 8 secrets";
	s->each[s->n++] = line;
	return NULL;
}

const char *webhook_secrets_take(struct webhook_secrets *s, char *text)
{
	*s = (struct webhook_secrets){.text = text};
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		const char *why = n > 0 ? take_line(s, (struct str){p, n}) : NULL;

		if (why != NULL)
			return why;
		p += n + (p[n] == '\n');
	}
	return s->n > 0 ? NULL : "it holds no secret";
}

void webhook_secrets_wipe(struct webhook_secrets *s)
{
	if (s->text != NULL)
		explicit_bzero(s->text, strlen(s->text));
	free(s->text);
	*s = (struct webhook_secrets){0};
}

/* ---- signatures ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_digest(struct str hex, uint8_t ret[DIGEST_BYTES])
{
	if (hex.n != (size_t)2 * DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The part of `s` before `c`, and what is behind it; all of it when there is no `c`. */
static struct str cut(struct str *s, char c)
{
	const char *at = s->n > 0 ? memchr(s->p, c, s->n) : NULL;
	struct str head = {s->p, at != NULL ? (size_t)(at - s->p) : s->n};

	s->p += head.n + (at != NULL);
	s->n -= head.n + (at != NULL);
	return head;
}

/* Whether any secret makes any of these digests of `signed_text`.  All are compared, in constant
 * time: how long it takes tells nothing about how near a guess was. */
static bool any_matches(const struct webhook_secrets *s, struct str signed_text,
			const uint8_t (*given)[DIGEST_BYTES], unsigned n_given)
{
	bool found = false;

	for (unsigned i = 0; i < s->n; i++) {
		uint8_t want[DIGEST_BYTES];

		digest_hmac(s->each[i], signed_text, want);
		for (unsigned k = 0; k < n_given; k++)
			found |= CRYPTO_memcmp(want, given[k], DIGEST_BYTES) == 0;
	}
	return found;
}

struct gateway_header {
	struct str time; /* as it stands there: that is what was signed */
	long long time_s;
	uint8_t given[WEBHOOK_SIGNATURES_MAX][DIGEST_BYTES];
	unsigned n;
};

static bool read_gateway_header(struct str rest, struct gateway_header *ret)
{
	while (rest.n > 0) {
		struct str value = cut(&rest, ','), name = cut(&value, '=');

		if (str_eq(name, STR("t"))) {
			if (ret->time.p != NULL ||
			    !str_to_i64(value, 0, INT32_MAX * 1000LL, &ret->time_s))
				return false;
			ret->time = value;
		} else if (str_eq(name, STR("v1")) && ret->n < WEBHOOK_SIGNATURES_MAX &&
			   read_digest(value, ret->given[ret->n])) {
			ret->n++; /* other schemes (v0) are not for us */
		}
	}
	return ret->time.p != NULL && ret->n > 0;
}

enum webhook_verdict webhook_check_gateway(const struct webhook_secrets *s, struct str header,
					   struct str body, int64_t now_s)
{
	struct gateway_header h = {0};
	struct str text;
	char *copy;
	bool known;

	if (!read_gateway_header(header, &h))
		return WEBHOOK_FORGED;
	text.n = h.time.n + 1 + body.n;
	copy = mem_alloc(text.n);
	memcpy(copy, h.time.p, h.time.n);
	copy[h.time.n] = '.';
	if (body.n > 0)
		memcpy(copy + h.time.n + 1, body.p, body.n);
	text.p = copy;
	known = any_matches(s, text, (const uint8_t(*)[DIGEST_BYTES])h.given, h.n);
	free(copy);
	if (!known)
		return WEBHOOK_FORGED;
	return llabs(now_s - h.time_s) <= WEBHOOK_TOLERANCE_S ? WEBHOOK_SIGNED : WEBHOOK_STALE;
}

enum webhook_verdict webhook_check_carrier(const struct webhook_secrets *s, struct str header,
					   struct str body, int64_t now_s)
{
	uint8_t given[1][DIGEST_BYTES];
	struct str name = cut(&header, '=');

	(void)now_s; /* it tells no time; the same event again is known by its id */
	if (!str_eq(name, STR("hmac-sha256-hex")) || !read_digest(header, given[0]))
		return WEBHOOK_FORGED;
	return any_matches(s, body, (const uint8_t(*)[DIGEST_BYTES])given, 1) ? WEBHOOK_SIGNED
									      : WEBHOOK_FORGED;
}
