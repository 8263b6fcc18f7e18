/*
 * Whatever stands in a token or in a file of an issuer's keys: nobody without the issuer's key is
 * believed, and what is read of a token that is can be logged and stored.  The first byte says
 * whether the rest is a file of keys, a token, or claims that the issuer signs.
 */
#include <stdio.h>

#include "core/base/base64url.h"
#include "core/base/mem.h"
#include "server/auth/jwt.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/jwt_maker.h"

enum { NOW = 1700000000 };

static struct issuer issuer;
static struct jwks *keys;

static const struct jwt_rules rules = {.issuer = "i",
				       .audience = "a",
				       .type = "t",
				       .tenant_claim = "tenant",
				       .role_claim = "role",
				       .customer_claim = "sub",
				       .roles = (1U << ROLES) - 1,
				       .life_s = 3600};

static void make_issuer(void)
{
	const char *why;
	char *jwk, *set;

	if (keys != NULL)
		return;
	issuer = issuer_new("k", JWT_EDDSA);
	jwk = issuer_jwk(&issuer);
	set = mem_printf("{\"keys\":[%s]}", jwk);
	keys = jwks_read(str_of(set), &why);
	MUST(keys != NULL);
	free(set);
	free(jwk);
}

static enum auth_cause check(struct str token, struct arena *arena, struct jwt_claims *ret)
{
	arena_init(arena, 65536);
	return jwt_check(token, keys, &rules, NOW, arena, ret);
}

static void stranger_is_not_believed(struct str token)
{
	struct jwt_claims c;
	struct arena arena;

	MUST(check(token, &arena, &c) != AUTH_OK);
	arena_done(&arena);
}

/* What the issuer signs may be believed, and then it is something that we can use. */
static void believed_is_of_use(struct str claims)
{
	char *text = mem_alloc(claims.n + 1);
	struct jwt_claims c;
	struct arena arena;
	char *token;

	if (claims.n > 0)
		memcpy(text, claims.p, claims.n);
	token = token_signed(&issuer, "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"typ\":\"t\"}", text);
	if (check(str_of(token), &arena, &c) == AUTH_OK) {
		MUST(c.who.tenant > 0 && (unsigned)c.who.role < ROLES);
		MUST(c.who.subject.n > 4 && c.who.subject.n <= IDENTITY_NAME_MAX + 4);
		MUST(str_is_text(c.who.subject) && identity_scopes_ok(c.who.scopes));
		MUST((c.who.role == ROLE_CUSTOMER) == (c.who.customer.p != NULL));
		MUST(c.jti.p == NULL || identity_name_ok(c.jti));
		MUST(jwt_check_time(&c, NOW) == AUTH_OK);
		MUST(jwt_check_time(&c, c.expires_s + JWT_LEEWAY_S) == AUTH_EXPIRED);
	}
	arena_done(&arena);
	free(token);
	free(text);
}

static void file_is_read_or_refused(struct str text)
{
	const char *why = NULL;
	struct jwks *some = jwks_read(text, &why);
	unsigned char signature[64] = {1};

	MUST((some == NULL) == (why != NULL));
	if (some != NULL) {
		MUST(!jwks_verify(some, STR("k"), STR("EdDSA"), STR("text"), signature));
		MUST(!jwks_verify(some, STR("k"), STR("ES256"), STR("text"), signature));
	}
	jwks_free(some);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	unsigned kind = take_u8(&in) % 3;
	struct str text = take_str(&in, in.n);

	make_issuer();
	if (kind == 0)
		file_is_read_or_refused(text);
	else if (kind == 1)
		stranger_is_not_believed(text);
	else
		believed_is_of_use(text);
	return 0;
}
