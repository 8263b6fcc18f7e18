/*
 * JSON Web Tokens, as users of an issuer send them: a signed JWS in compact form (RFC 7515, 7519),
 * ES256 or EdDSA and nothing else, checked as RFC 8725 asks.  Pure; time is an argument.
 *
 *	header   alg = the kid's own, kid known, typ = rules.type, no crit
 *	claims   iss, aud, exp (and not too far away), nbf if there, sub, and by configured names
 *	         tenant, role, customer; scope and locations if there
 */
#ifndef ORDERD_SERVER_JWT_H
#define ORDERD_SERVER_JWT_H

#include "server/auth/cause.h"
#include "server/auth/identity.h"
#include "server/auth/jwks.h"

enum {
	JWT_MAX = 4096,    /* bytes of a token */
	JWT_LEEWAY_S = 60, /* clocks differ */
};

struct jwt_rules {
	const char *issuer, *audience;
	const char *type; /* "at+jwt"; compared without case and without "application/" */
	const char *tenant_claim, *role_claim, *customer_claim, *locations_claim;
	uint32_t roles; /* that the issuer may give: bits 1 << role */
	int64_t life_s; /* a token may be good for so long from now */
};

struct jwt_claims {
	struct identity who; /* customer: of role customer, which has no locations, else absent */
	struct str jti;      /* p == NULL: it has none */
	int64_t not_before_s, expires_s;
};

/* "customer,service" as bits; false: one is no role. */
bool jwt_roles_parse(struct str list, uint32_t *ret);

/* Texts of *ret lie in `arena`. */
enum auth_cause jwt_check(struct str token, const struct jwks *keys, const struct jwt_rules *rules,
			  int64_t now_s, struct arena *arena, struct jwt_claims *ret);

/* A token checked before: is it still, or already, its time? */
enum auth_cause jwt_check_time(const struct jwt_claims *c, int64_t now_s);

#endif
