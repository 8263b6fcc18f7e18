#include "server/auth/jwt.h"

#include <math.h>
#include <strings.h>

#include "core/base/base64url.h"
#include "server/json.h"

enum { DEPTH_MAX = 8, SIGNATURE = 64 };

static const struct str subject_prefix = {"jwt:", 4};

struct parts {
	struct str header, claims, signature;
	struct str signed_text; /* header.claims, as they stand there */
};

/* ---- form ---- */

/* Exactly three parts, none empty. */
static bool split(struct str token, struct parts *ret)
{
	const char *end = token.p + token.n;
	const char *first = memchr(token.p, '.', token.n), *second;

	if (first == NULL)
		return false;
	second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
		return false;
	ret->header = (struct str){token.p, (size_t)(first - token.p)};
	ret->claims = (struct str){first + 1, (size_t)(second - first - 1)};
	ret->signature = (struct str){second + 1, (size_t)(end - second - 1)};
	ret->signed_text = (struct str){token.p, (size_t)(second - token.p)};
	return ret->header.n > 0 && ret->claims.n > 0;
}

/* A part as a JSON object; NULL when it is none. */
static json_t *open_part(struct str part)
{
	uint8_t plain[BASE64URL_BYTES(JWT_MAX)];
	const char *why;
	json_t *j;

	if (!base64url_decode(part, plain))
		return NULL;
	j = json_read((struct str){(const char *)plain, BASE64URL_BYTES(part.n)}, DEPTH_MAX, &why);
	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		j = NULL;
	}
	return j;
}

/* ---- header ---- */

static bool is_type(struct str typ, const char *wanted)
{
	static const char media[] = "application/";
	size_t n = sizeof(media) - 1;

	if (typ.n > n && strncasecmp(typ.p, media, n) == 0) {
		typ.p += n;
		typ.n -= n;
	}
	return typ.p != NULL && typ.n == strlen(wanted) && strncasecmp(typ.p, wanted, typ.n) == 0;
}

static enum auth_cause check_header(const json_t *header, const struct parts *p,
				    const struct jwks *keys, const struct jwt_rules *rules)
{
	struct str kid = json_text(json_object_get(header, "kid"));
	struct str alg = json_text(json_object_get(header, "alg"));
	uint8_t signature[SIGNATURE];

	if (json_object_get(header, "crit") != NULL)
		return AUTH_MALFORMED; /* something we must understand and do not */
	if (kid.p == NULL || !jwks_has(keys, kid))
		return AUTH_UNKNOWN_KEY;
	if (p->signature.n != BASE64URL_LENGTH(SIGNATURE) ||
	    !base64url_decode(p->signature, signature) ||
	    !jwks_verify(keys, kid, alg, p->signed_text, signature))
		return AUTH_FORGED;
	return is_type(json_text(json_object_get(header, "typ")), rules->type) ? AUTH_OK
									       : AUTH_WRONG_TYPE;
}

/* ---- claims ---- */

/* A NumericDate may have a fraction (RFC 7519, 2). */
static bool read_time(const json_t *j, int64_t *ret)
{
	double t = json_is_real(j) ? json_real_value(j) : 0;

	if (json_is_integer(j))
		t = (double)json_integer_value(j);
	else if (!json_is_real(j))
		return false;
	if (!isfinite(t) || t < 0 || t > 1e12)
		return false;
	*ret = (int64_t)t;
	return true;
}

static bool is_for(const json_t *aud, const char *audience)
{
	if (json_is_string(aud))
		return str_eq(json_text(aud), str_of(audience));
	for (size_t i = 0; i < json_array_size(aud); i++)
		if (str_eq(json_text(json_array_get(aud, i)), str_of(audience)))
			return true;
	return false;
}

static bool read_tenant(const json_t *j, int32_t *ret)
{
	long long n = json_integer_value(j);

	if (!json_is_integer(j) && !str_to_i64(json_text(j), 1, INT32_MAX, &n))
		return false;
	if (n < 1 || n > INT32_MAX)
		return false;
	*ret = (int32_t)n;
	return true;
}

enum auth_cause jwt_check_time(const struct jwt_claims *c, int64_t now_s)
{
	if (now_s >= c->expires_s + JWT_LEEWAY_S)
		return AUTH_EXPIRED;
	return now_s < c->not_before_s - JWT_LEEWAY_S ? AUTH_NOT_YET_VALID : AUTH_OK;
}

static enum auth_cause check_time(const json_t *claims, const struct jwt_rules *rules,
				  int64_t now_s, struct jwt_claims *ret)
{
	const json_t *nbf = json_object_get(claims, "nbf");

	if (!read_time(json_object_get(claims, "exp"), &ret->expires_s) ||
	    (nbf != NULL && !read_time(nbf, &ret->not_before_s)))
		return AUTH_WRONG_CLAIMS;
	if (ret->expires_s > now_s + rules->life_s + JWT_LEEWAY_S)
		return AUTH_TOO_LONG_LIVED;
	return jwt_check_time(ret, now_s);
}

/* One code, or a list that is not empty; false: something else.  None: all locations. */
static bool read_locations(const json_t *j, struct arena *arena, struct str *ret)
{
	char text[IDENTITY_LOCATIONS_MAX];
	size_t n = 0;

	if (j == NULL)
		return true;
	if (json_is_string(j) && !identity_add_location(text, &n, json_text(j)))
		return false;
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!identity_add_location(text, &n, json_text(json_array_get(j, i))))
			return false;
	*ret = arena_str(arena, (struct str){text, n});
	return n > 0 && ret->p != NULL;
}

static enum auth_cause read_reach(const json_t *claims, const struct jwt_rules *rules,
				  struct arena *arena, struct identity *who)
{
	if (who->role != ROLE_CUSTOMER)
		return read_locations(json_object_get(claims, rules->locations_claim), arena,
				      &who->locations)
			       ? AUTH_OK
			       : AUTH_WRONG_CLAIMS;
	who->customer = json_text(json_object_get(claims, rules->customer_claim));
	return identity_name_ok(who->customer) ? AUTH_OK : AUTH_WRONG_CLAIMS;
}

static enum auth_cause read_who(const json_t *claims, const struct jwt_rules *rules,
				struct arena *arena, struct identity *who)
{
	const json_t *jti = json_object_get(claims, "jti");

	who->subject = json_text(json_object_get(claims, "sub"));
	who->scopes = json_text(json_object_get(claims, "scope"));
	if (!identity_name_ok(who->subject) || !identity_scopes_ok(who->scopes) ||
	    (jti != NULL && !identity_name_ok(json_text(jti))) ||
	    !read_tenant(json_object_get(claims, rules->tenant_claim), &who->tenant) ||
	    !role_parse(json_text(json_object_get(claims, rules->role_claim)), &who->role))
		return AUTH_WRONG_CLAIMS;
	if ((rules->roles & 1U << who->role) == 0)
		return AUTH_WRONG_ROLE;
	return read_reach(claims, rules, arena, who);
}

/* The claims die with their JSON: what is kept goes to the arena. */
static bool keep(struct jwt_claims *c, const json_t *claims, struct arena *arena)
{
	struct str jti = json_text(json_object_get(claims, "jti"));
	struct identity from = c->who;
	char subject[4 + IDENTITY_NAME_MAX];

	memcpy(subject, subject_prefix.p, subject_prefix.n);
	memcpy(subject + subject_prefix.n, from.subject.p, from.subject.n);
	from.subject = (struct str){subject, subject_prefix.n + from.subject.n};
	c->jti = arena_str(arena, jti);
	return identity_copy(&from, arena, &c->who) && (c->jti.p != NULL || jti.p == NULL);
}

static enum auth_cause check_claims(const json_t *claims, const struct jwt_rules *rules,
				    int64_t now_s, struct arena *arena, struct jwt_claims *ret)
{
	enum auth_cause e;

	*ret = (struct jwt_claims){0};
	if (!str_eq(json_text(json_object_get(claims, "iss")), str_of(rules->issuer)))
		return AUTH_WRONG_ISSUER;
	if (!is_for(json_object_get(claims, "aud"), rules->audience))
		return AUTH_WRONG_AUDIENCE;
	e = check_time(claims, rules, now_s, ret);
	if (e == AUTH_OK)
		e = read_who(claims, rules, arena, &ret->who);
	if (e == AUTH_OK && !keep(ret, claims, arena))
		e = AUTH_NO_ROOM;
	return e;
}

/* ---- all of it ---- */

enum auth_cause jwt_check(struct str token, const struct jwks *keys, const struct jwt_rules *rules,
			  int64_t now_s, struct arena *arena, struct jwt_claims *ret)
{
	enum auth_cause e = AUTH_MALFORMED;
	json_t *header, *claims;
	struct parts p;

	if (token.n > JWT_MAX)
		return AUTH_TOO_LARGE;
	if (token.n == 0 || !split(token, &p))
		return AUTH_MALFORMED;
	header = open_part(p.header);
	claims = NULL;
	if (header != NULL)
		e = check_header(header, &p, keys, rules);
	if (e == AUTH_OK) { /* only what is signed is read */
		claims = open_part(p.claims);
		e = claims != NULL ? check_claims(claims, rules, now_s, arena, ret)
				   : AUTH_MALFORMED;
	}
	json_decref(claims);
	json_decref(header);
	return e;
}

bool jwt_roles_parse(struct str list, uint32_t *ret)
{
	enum role role;
	struct str one;

	*ret = 0;
	while (str_next(&list, ',', &one)) {
		if (!role_parse(one, &role))
			return false;
		*ret |= 1U << role;
	}
	return *ret != 0;
}
