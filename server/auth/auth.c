#include "server/auth/auth.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <openssl/crypto.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metric.h"
#include "core/base/random.h"
#include "server/auth/auth_inside.h"
#include "server/auth/edge.h"
#include "server/auth/peer.h"

enum { LOG_EVERY_MS = 1000 /* one line for each cause */ };

static const char *const cause_names[AUTH_CAUSES] = {
#define X(name, label) label,
	AUTH_CAUSE_TABLE(X)
#undef X
};

const char *auth_cause_name(enum auth_cause cause)
{
	return cause_names[cause];
}

/* ---- the credential ---- */

static enum auth_cause find_header(const grpc_metadata_array *md, const char *name, struct str *ret)
{
	bool found = false;

	for (size_t i = 0; i < md->count; i++) {
		const grpc_metadata *m = &md->metadata[i];

		if (grpc_slice_str_cmp(m->key, name) != 0)
			continue;
		if (found)
			return AUTH_MALFORMED; /* which of them was meant? */
		found = true;
		*ret = (struct str){(const char *)GRPC_SLICE_START_PTR(m->value),
				    GRPC_SLICE_LENGTH(m->value)};
	}
	return found ? AUTH_OK : AUTH_MISSING;
}

/* What stands behind "Bearer "; AUTH_MISSING when there is no such header. */
static enum auth_cause find_bearer(const grpc_metadata_array *md, struct str *ret)
{
	static const char scheme[] = "bearer ";
	struct str value = {0};
	enum auth_cause e = find_header(md, "authorization", &value);

	if (e != AUTH_OK)
		return e;
	if (value.n < sizeof(scheme) || strncasecmp(value.p, scheme, sizeof(scheme) - 1) != 0)
		return AUTH_MALFORMED;
	*ret = (struct str){value.p + sizeof(scheme) - 1, value.n - (sizeof(scheme) - 1)};
	return AUTH_OK;
}

static bool keys_are_stale(const struct auth *a)
{
	return a->keys == NULL ||
	       clock_mono_ms() - a->keys_as_of_ms > a->cfg->api_key_stale_s * 1000;
}

static enum auth_cause by_api_key(struct auth *a, struct str credential, struct arena *arena,
				  struct identity *ret)
{
	const struct api_key *k;
	enum auth_cause e;

	if (!a->has_pepper)
		return AUTH_NOT_TAKEN;
	if (keys_are_stale(a))
		return AUTH_KEYS_UNKNOWN;
	e = api_keys_check(a->keys, &a->pepper, credential, clock_wall_us(), &k);
	if (e == AUTH_OK && !identity_copy(&k->who, arena, ret))
		e = AUTH_NO_ROOM;
	return e;
}

typedef enum auth_cause check_fn(const struct auth *a, struct str shown, int64_t now_s,
				 struct arena *arena, struct jwt_claims *ret);

static enum auth_cause check_token(const struct auth *a, struct str token, int64_t now_s,
				   struct arena *arena, struct jwt_claims *ret)
{
	return jwt_check(token, a->jwks, &a->rules, now_s, arena, ret);
}

static enum auth_cause check_certificate(const struct auth *a, struct str header, int64_t now_s,
					 struct arena *arena, struct jwt_claims *ret)
{
	return edge_check(header, str_of(a->cfg->tls_client_uri), now_s, arena, ret);
}

/*
 * Checked now, or before and still within its time.  What certificates say is `known` apart from
 * what tokens do: everybody may have somebody's certificate, and must not send it as a token.
 */
static enum auth_cause by_check(const struct auth *a, struct jwt_cache *known, check_fn *check,
				struct str shown, struct arena *arena, struct identity *ret)
{
	int64_t now_s = clock_wall_us() / 1000000;
	const struct jwt_claims *before;
	uint8_t digest[DIGEST_BYTES];
	struct jwt_claims claims;
	enum auth_cause e;

	digest_sha256(shown, digest);
	before = jwt_cache_find(known, digest);
	e = before != NULL ? jwt_check_time(before, now_s) : check(a, shown, now_s, arena, &claims);
	if (e != AUTH_OK)
		return e;
	if (before == NULL)
		jwt_cache_put(known, digest, &claims);
	else
		claims = *before;
	if (deny_has(a->deny, claims.jti))
		return AUTH_DENIED;
	return identity_copy(&claims.who, arena, ret) ? AUTH_OK : AUTH_NO_ROOM;
}

static enum auth_cause by_token(const struct auth *a, struct str token, struct arena *arena,
				struct identity *ret)
{
	if (a->jwks == NULL)
		return AUTH_NOT_TAKEN;
	if (token.n > JWT_MAX)
		return AUTH_TOO_LARGE;
	return by_check(a, a->known_tokens, check_token, token, arena, ret);
}

/* The edge's word for a certificate is nobody else's to give, and is not passed over in silence. */
static enum auth_cause by_edge(const struct auth *a, grpc_call *call, struct str header,
			       struct arena *arena, struct identity *ret)
{
	if (!peer_is_edge(call, a->edge_from))
		return AUTH_NOT_TAKEN;
	return by_check(a, a->known_certificates, check_certificate, header, arena, ret);
}

static enum auth_cause by_connection(const struct auth *a, grpc_call *call, struct arena *arena,
				     struct identity *ret)
{
	struct str uri = {0};
	enum auth_cause e;

	if (a->cfg->tls_client_ca_file[0] == '\0')
		return AUTH_MISSING;
	e = peer_identify(call, str_of(a->cfg->tls_client_uri), arena, ret, &uri);
	return e == AUTH_OK && deny_has(a->deny, uri) ? AUTH_DENIED : e;
}

static enum auth_cause by_certificate(const struct auth *a, grpc_call *call,
				      const grpc_metadata_array *md, struct arena *arena,
				      struct identity *ret)
{
	struct str header = {0};
	enum auth_cause e = find_header(md, EDGE_CERTIFICATE_HEADER, &header);

	if (e == AUTH_MISSING)
		return by_connection(a, call, arena, ret);
	return e == AUTH_OK ? by_edge(a, call, header, arena, ret) : e;
}

static enum auth_cause find_caller(struct auth *a, grpc_call *call, const grpc_metadata_array *md,
				   struct arena *arena, struct identity *ret)
{
	struct str credential = {0};
	enum auth_cause e = find_bearer(md, &credential);

	if (e == AUTH_MISSING)
		return by_certificate(a, call, md, arena, ret);
	if (e != AUTH_OK)
		return e;
	return api_key_is(credential) ? by_api_key(a, credential, arena, ret)
				      : by_token(a, credential, arena, ret);
}

/* ---- refusals ---- */

static void note_refusal(struct auth *a, enum auth_cause cause, grpc_call *call)
{
	int64_t now_ms = clock_mono_ms();
	char *peer;

	metric_add(METRIC_auth_refused, auth_cause_name(cause), 1);
	if (now_ms < a->refused[cause].quiet_until_ms) {
		a->refused[cause].quiet++;
		return;
	}
	peer = grpc_call_get_peer(call);
	log_warn("auth_refused", "cause=%s peer=%s more=%" PRIu64, auth_cause_name(cause),
		 LOG_Q(peer), a->refused[cause].quiet);
	gpr_free(peer);
	a->refused[cause].quiet_until_ms = now_ms + LOG_EVERY_MS;
	a->refused[cause].quiet = 0;
}

enum errc identify(struct auth *a, grpc_call *call, const grpc_metadata_array *md,
		   struct arena *arena, struct identity *ret)
{
	enum auth_cause cause;

	if (!a->required) {
		*ret = (struct identity){
			.tenant = 1, .role = ROLE_OPS_ADMIN, .subject = STR("local")};
		return ERR_OK;
	}
	*ret = (struct identity){0};
	cause = find_caller(a, call, md, arena, ret);
	if (cause == AUTH_OK)
		return ERR_OK;
	*ret = (struct identity){.refused = auth_cause_name(cause)};
	note_refusal(a, cause, call);
	return cause == AUTH_KEYS_UNKNOWN ? ERR_STORE_UNAVAILABLE : ERR_UNAUTHENTICATED;
}

static uint64_t hash_slice(uint64_t h, grpc_slice s)
{
	return hash_bytes(h, GRPC_SLICE_START_PTR(s), GRPC_SLICE_LENGTH(s));
}

uint64_t auth_fingerprint(const struct auth *a, grpc_call *call, const grpc_metadata_array *md)
{
	uint64_t h = a->fingerprint_seed;
	bool borne = false;
	char *peer;

	if (!a->required)
		return h; /* all are the same */
	for (size_t i = 0; i < md->count; i++) {
		const grpc_metadata *m = &md->metadata[i];
		bool bearer = grpc_slice_str_cmp(m->key, "authorization") == 0;

		if (bearer || grpc_slice_str_cmp(m->key, EDGE_CERTIFICATE_HEADER) == 0)
			h = hash_slice(hash_slice(h, m->key), m->value);
		borne |= bearer;
	}
	if (borne)
		return h;
	peer = grpc_call_get_peer(call);
	h = hash_bytes(h, peer, strlen(peer));
	gpr_free(peer);
	return h;
}

void auth_edge_from(struct auth *a, int fd)
{
	a->edge_from = fd;
}

bool auth_knows_callers(const struct auth *a)
{
	return !a->required || !a->has_pepper || !keys_are_stale(a);
}

/* ---- API keys ---- */

const struct seal_key *auth_pepper(const struct auth *a)
{
	return a->has_pepper ? &a->pepper : NULL;
}

/* What was used of the old set and not yet written down is not forgotten. */
static void carry_over(struct api_keys *old, struct api_keys *fresh)
{
	for (uint32_t i = 0; i < api_keys_count(old); i++) {
		struct api_key *k = api_keys_at(old, i);
		struct api_key *same = api_keys_find(fresh, k->kid);

		if (same == NULL)
			continue;
		same->used = k->used;
		same->noted_ms = k->noted_ms;
	}
}

void auth_take_keys(struct auth *a, struct api_keys *take)
{
	if (a->keys != NULL)
		carry_over(a->keys, take);
	api_keys_free(a->keys);
	a->keys = take;
	auth_keys_are_fresh(a);
}

void auth_keys_are_fresh(struct auth *a)
{
	a->keys_as_of_ms = clock_mono_ms();
}

const struct rate_rules *auth_rates(const struct auth *a)
{
	return a->rates;
}

struct api_keys *auth_keys(struct auth *a)
{
	return a->keys;
}

/* ---- start and end ---- */

static void need(const char *field, const char *value, const char *what_for)
{
	if (value[0] == '\0')
		config_refuse(field, "it is required %s", what_for);
}

/* Settings of tokens, when there is a file with their issuer's keys. */
static void read_rules(struct auth *a, const struct config *cfg)
{
	if (cfg->jwt_jwks_file[0] == '\0')
		return;
	need("jwt_issuer", cfg->jwt_issuer, "with jwt_jwks_file");
	need("jwt_audience", cfg->jwt_audience, "with jwt_jwks_file");
	if (!jwt_roles_parse(str_of(cfg->jwt_roles), &a->rules.roles))
		config_refuse("jwt_roles",
			      "it is a list of customer, service, mes, ops_read, "
			      "ops_write and ops_admin, not %s",
			      cfg->jwt_roles);
	a->rules.issuer = cfg->jwt_issuer;
	a->rules.audience = cfg->jwt_audience;
	a->rules.type = cfg->jwt_type;
	a->rules.tenant_claim = cfg->jwt_tenant_claim;
	a->rules.role_claim = cfg->jwt_role_claim;
	a->rules.customer_claim = cfg->jwt_customer_claim;
	a->rules.locations_claim = cfg->jwt_locations_claim;
	a->rules.life_s = cfg->jwt_life_s;
	a->known_tokens = jwt_cache_new();
}

bool auth_read_pepper(const struct config *cfg, struct seal_key *ret)
{
	char *text;
	bool good;

	if (cfg->api_key_pepper_file[0] == '\0')
		return false;
	text = config_secret("api_key_pepper_file", cfg->api_key_pepper_file);
	good = seal_key_parse(str_of(text), ret);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	if (!good)
		config_refuse("api_key_pepper_file", "it does not hold 64 hexadecimal digits");
	return true;
}

static void check_tls(const struct config *cfg, bool wanted)
{
	if (wanted) {
		need("tls_cert_file", cfg->tls_cert_file, "by a tls: listener");
		need("tls_key_file", cfg->tls_key_file, "by a tls: listener");
	}
	if (!wanted && cfg->tls_client_ca_file[0] != '\0')
		config_refuse("tls_client_ca_file", "no tls: listener could ask for a certificate");
}

static bool is_required(const char *auth)
{
	if (strcmp(auth, "required") == 0)
		return true;
	if (strcmp(auth, "none") != 0)
		config_refuse("auth",
			      "it must be \"required\": callers show who they are, or "
			      "\"none\": every caller is tenant 1's administrator");
	return false;
}

struct auth *auth_new(struct loop *l, const struct config *cfg)
{
	struct auth *a = mem_alloc(sizeof(*a));
	bool tls = listeners_want(cfg, LISTENER_TLS);

	a->loop = l;
	a->cfg = cfg;
	a->edge_from = INT_MAX;
	a->required = is_required(cfg->auth);
	a->fingerprint_seed = random_u64();
	listeners_check(cfg, a->required);
	check_tls(cfg, tls);
	if (a->required && cfg->jwt_jwks_file[0] == '\0' && cfg->api_key_pepper_file[0] == '\0' &&
	    cfg->tls_client_ca_file[0] == '\0' && !listeners_want(cfg, LISTENER_EDGE))
		config_refuse("auth",
			      "with \"required\" one of api_key_pepper_file, jwt_jwks_file, "
			      "tls_client_ca_file and an edge: listener must say who is believed");
	read_rules(a, cfg);
	a->has_pepper = auth_read_pepper(cfg, &a->pepper);
	if (tls)
		a->tls = tls_new();
	if (listeners_want(cfg, LISTENER_EDGE))
		a->known_certificates = jwt_cache_new();
	auth_files_first(a);
	return a;
}

grpc_server_credentials *auth_listener(struct auth *a, enum listener_kind kind)
{
	switch (kind) {
	case LISTENER_TLS:
		return tls_listener(a->tls, a->cfg->tls_client_ca_file[0] != '\0');
	case LISTENER_EDGE:
		return grpc_local_server_credentials_create(UDS); /* what peer_is_edge() sees */
	case LISTENER_PLAIN:
	case LISTENER_KINDS:
		break;
	}
	return grpc_insecure_server_credentials_create();
}

void auth_finish_closing(struct auth *a)
{
	void (*on_closed)(void *arg) = a->on_closed;
	void *arg = a->closed_arg;

	tls_free(a->tls);
	jwks_free(a->jwks);
	deny_free(a->deny);
	rate_rules_free(a->rates);
	jwt_cache_free(a->known_tokens);
	jwt_cache_free(a->known_certificates);
	api_keys_free(a->keys);
	seal_key_wipe(&a->pepper);
	free(a);
	on_closed(arg);
}

void auth_close(struct auth *a, void (*on_closed)(void *arg), void *arg)
{
	a->on_closed = on_closed;
	a->closed_arg = arg;
	auth_files_stop(a);
	if (!auth_files_wait(a))
		auth_finish_closing(a);
}
