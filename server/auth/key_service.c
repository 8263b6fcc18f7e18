/*
 * CreateKey, ListKeys and RevokeKey: one unit each, for administrators and their own tenant.
 *
 * The kid comes from the request's id: a request repeated makes no second key, and cannot be told
 * the secret again, because nobody has it.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "core/store/store.h"
#include "orderd/v1/key_service.pb-c.h"
#include "server/app.h"
#include "server/auth/api_key.h"
#include "server/auth/auth.h"
#include "server/auth/key_feed.h"
#include "server/auth/policy.h"
#include "server/methods.h"
#include "server/orders/order_message.h"
#include "server/page_token.h"
#include "server/request.h"
#include "server/runtime/rpc.h"
#include "sql.gen.h"

enum { DAY_S = 86400, DAYS_DEFAULT = 90, DAYS_MAX = 400, PAGE_DEFAULT = 50 };

enum { ASK, DONE };

_Static_assert((int)ROLE_OPS_ADMIN + 1 == (int)ORDERD__V1__ROLE__ROLE_OPS_ADMIN &&
		       (int)ROLE_CUSTOMER + 1 == (int)ORDERD__V1__ROLE__ROLE_CUSTOMER,
	       "the contract's roles are ours, one higher");

/* ---------------------------------------------------------------- CreateKey */

struct creating {
	char kid[API_KEY_KID];
	char credential[API_KEY_TEXT + 1];
	uint8_t mac[DIGEST_BYTES];
	char locations[IDENTITY_LOCATIONS_MAX];
	Orderd__V1__Key key;
};

/* Words that calls ask for, and none that the maker's own credential lacks. */
static void read_scopes(struct flow *fl, struct api_key_create_head *h)
{
	const Orderd__V1__CreateKeyRequest *rq = rpc_request(fl);
	struct str own = rpc_identity(fl)->scopes, rest, word;
	const char *why = NULL;

	h->scopes = rest = may_text(fl, rq->scopes, IDENTITY_SCOPES_MAX, "scopes");
	if (rest.n > IDENTITY_SCOPES_MAX)
		return;
	if (!identity_scopes_ok(rest))
		why = "it is not words of printable ASCII, one blank between two";
	else if (rest.n == 0 && own.n > 0)
		why = "it is required of a caller whose own credential names scopes";
	while (why == NULL && str_next(&rest, ' ', &word)) {
		if (!policy_has_scope(&policy_of_orderd, word))
			why = "a word of it is no scope that a call needs";
		else if (own.n > 0 && !identity_has_scope(own, word))
			why = "it names a scope that the caller's own credential does not";
	}
	if (why != NULL)
		rpc_violation(fl, why, "scopes");
}

static void read_locations(struct flow *fl, struct api_key_create_head *h)
{
	const Orderd__V1__CreateKeyRequest *rq = rpc_request(fl);
	struct creating *c = rpc_state(fl);
	size_t n = 0;

	for (size_t i = 0; i < rq->n_locations; i++)
		if (!identity_add_location(c->locations, &n, text_of(rq->locations[i]))) {
			rpc_violation(fl,
				      "it is empty, longer than 32 bytes, has a control character, "
				      "or is one too many",
				      "locations[%zu]", i);
			return;
		}
	if (rq->n_locations > 0)
		h->locations = (struct str){c->locations, n};
	if (rq->n_locations > 0 && h->customer.p != NULL)
		rpc_violation(fl, "a key for a customer names none", "locations");
}

static void read_who(struct flow *fl, struct api_key_create_head *h)
{
	const Orderd__V1__CreateKeyRequest *rq = rpc_request(fl);

	h->name = want_text(fl, rq->name, IDENTITY_NAME_MAX, "name");
	if (h->name.n > 0 && h->name.n <= IDENTITY_NAME_MAX && !identity_name_ok(h->name))
		rpc_violation(fl, "it has a blank, or a character that is not printable ASCII",
			      "name");
	read_scopes(fl, h);
	if (rq->role == ORDERD__V1__ROLE__ROLE_UNSPECIFIED)
		rpc_violation(fl, "it is required", "role");
	else
		h->role = role_name((enum role)((int)rq->role - 1));
	if (rq->customer.len > 0 && !identity_name_ok(text_of(rq->customer)))
		rpc_violation(fl, "it is not 1 to 128 printable ASCII characters without blanks",
			      "customer");
	else if (rq->customer.len > 0)
		h->customer = text_of(rq->customer);
	else if (rq->role == ORDERD__V1__ROLE__ROLE_CUSTOMER)
		rpc_violation(fl, "it is required for ROLE_CUSTOMER", "customer");
}

static int ask_create(struct flow *fl)
{
	const Orderd__V1__CreateKeyRequest *rq = rpc_request(fl);
	const struct seal_key *pepper = auth_pepper(rpc_app(fl)->auth);
	struct creating *c = rpc_state(fl);
	struct api_key_create_head h = {.tenant = rpc_identity(fl)->tenant,
					.most = API_KEYS_MAX,
					.actor = rpc_identity(fl)->subject};
	struct str request;
	int64_t days;

	request = want_text(fl, rq->request_id, REQUEST_ID_MAX, "request_id");
	read_who(fl, &h);
	read_locations(fl, &h);
	days = want_range(fl, rq->valid_days, 0, DAYS_MAX, "valid_days");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	if (pepper == NULL)
		return rpc_fail(fl, ERR_KEYS_NOT_TAKEN);
	api_key_kid(h.tenant, request, c->kid);
	rpc_object(fl, (struct str){c->kid, sizeof(c->kid)});
	api_key_make(pepper, c->kid, c->credential, c->mac);
	h.kid = (struct str){c->kid, sizeof(c->kid)};
	h.mac = (struct str){(const char *)c->mac, sizeof(c->mac)};
	h.life_s = (days > 0 ? days : DAYS_DEFAULT) * DAY_S;
	return store_ask(fl, rpc_app(fl)->store, api_key_create_unit(&h, NULL, 0));
}

static int refuse_create(struct flow *fl, struct str outcome)
{
	const struct creating *c = rpc_state(fl);

	if (str_eq(outcome, STR("two")))
		return rpc_fail(fl, ERR_TWO_LIVE_KEYS);
	if (str_eq(outcome, STR("many")))
		return rpc_fail(fl, ERR_TOO_MANY_KEYS);
	rpc_about(fl, "orderd.v1.Key", (struct str){c->kid, sizeof(c->kid)});
	return rpc_fail(fl, ERR_ALREADY_EXISTS);
}

static int got_created(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__CreateKeyRequest *rq = rpc_request(fl);
	Orderd__V1__CreateKeyResponse rs = ORDERD__V1__CREATE_KEY_RESPONSE__INIT;
	struct api_key_create_row r = api_key_create_row(a, 0);
	struct creating *c = rpc_state(fl);
	int next;

	if (!str_eq(r.outcome, STR("created")))
		return refuse_create(fl, r.outcome);
	orderd__v1__key__init(&c->key);
	c->key.key_id = data_of((struct str){c->kid, sizeof(c->kid)});
	c->key.name = rq->name;
	c->key.role = rq->role;
	c->key.scopes = rq->scopes;
	c->key.customer = rq->customer;
	c->key.locations = rq->locations;
	c->key.n_locations = rq->n_locations;
	c->key.created_by = data_of(rpc_identity(fl)->subject);
	c->key.create_time = timestamp_message(fl, r.created_at);
	c->key.expire_time = timestamp_message(fl, r.expires_at);
	rs.key = &c->key;
	rs.credential = data_of((struct str){c->credential, API_KEY_TEXT});
	next = rpc_ok(fl, &rs.base);
	OPENSSL_cleanse(c->credential, sizeof(c->credential));
	key_feed_look(rpc_app(fl)->keys);
	return next;
}

/* clang-format off */
static const struct flow_step create_key_steps[] = {
	/*         name      ask         got          ms     on error  next    */
	[ASK]  = {"create", ask_create, got_created, 600000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_CREATE_KEY = {
	.path = "/orderd.v1.KeyService/CreateKey",
	.name = "create_key",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__create_key_request__descriptor,
	.response = &orderd__v1__create_key_response__descriptor,
	.steps = create_key_steps,
	.state_size = sizeof(struct creating),
};

/* ---------------------------------------------------------------- ListKeys */

static const char *filter_of(const Orderd__V1__ListKeysRequest *rq)
{
	return rq->with_revoked ? "all" : "live";
}

static int32_t page_of(struct flow *fl, const Orderd__V1__ListKeysRequest *rq)
{
	int64_t most = rpc_app(fl)->cfg.max_page;
	int64_t page = want_range(fl, rq->page_size, 0, most, "page_size");

	if (page == 0)
		page = PAGE_DEFAULT < most ? PAGE_DEFAULT : most;
	return (int32_t)page;
}

static int ask_list(struct flow *fl)
{
	const Orderd__V1__ListKeysRequest *rq = rpc_request(fl);
	int32_t *page = rpc_state(fl);
	struct api_key_list_head h = {
		.tenant = rpc_identity(fl)->tenant, .after = STR(""), .dead = rq->with_revoked};

	*page = page_of(fl, rq);
	h.most = *page + 1;
	if (rq->page_token.len > 0)
		h.after =
			page_token_open(fl, "keys", str_of(filter_of(rq)), text_of(rq->page_token));
	if (h.after.p == NULL)
		rpc_violation(fl, "it is not a token of this list with this filter", "page_token");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	return store_ask(fl, rpc_app(fl)->store, api_key_list_unit(&h, NULL, 0));
}

static Google__Protobuf__Timestamp *maybe_time(struct flow *fl, int64_t us)
{
	return us != DB_NULL ? timestamp_message(fl, us) : NULL;
}

/* Of codes with a byte between two. */
static size_t most_locations(struct str codes)
{
	return codes.n / 2 + 1;
}

static bool key_add_locations(struct flow *fl, Orderd__V1__Key *k, struct str codes)
{
	struct str rest = arena_str(&fl->arena, codes), one;

	if (codes.p == NULL)
		return true;
	k->locations = arena_array(&fl->arena, most_locations(codes), sizeof(*k->locations));
	if (rest.p == NULL || k->locations == NULL)
		return false;
	while (str_next(&rest, '\n', &one))
		k->locations[k->n_locations++] = data_of(one);
	return true;
}

static Orderd__V1__Key *key_from_row(struct flow *fl, const struct api_key_list_row *r)
{
	Orderd__V1__Key *k = arena_alloc(&fl->arena, sizeof(*k));
	enum role role;

	if (k == NULL)
		return NULL;
	orderd__v1__key__init(k);
	k->key_id = data_of(arena_str(&fl->arena, r->kid));
	k->name = data_of(arena_str(&fl->arena, r->name));
	if (role_parse(r->role, &role))
		k->role = (Orderd__V1__Role)((int)role + 1);
	k->scopes = data_of(arena_str(&fl->arena, r->scopes));
	k->customer = data_of(arena_str(&fl->arena, r->customer));
	if (!key_add_locations(fl, k, r->locations))
		return NULL;
	k->created_by = data_of(arena_str(&fl->arena, r->created_by));
	k->create_time = timestamp_message(fl, r->created_at);
	k->expire_time = timestamp_message(fl, r->expires_at);
	k->revoke_time = maybe_time(fl, r->revoked_at);
	k->last_use_time = maybe_time(fl, r->last_used_at);
	return k;
}

/* What the locations of all these keys take: of a page of keys it may be more than the rest. */
static size_t locations_memory(const struct answer *a)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < answer_rows(a); i++) {
		struct str codes = api_key_list_row(a, i).locations;

		if (codes.p != NULL)
			bytes += codes.n + most_locations(codes) * sizeof(ProtobufCBinaryData);
	}
	return bytes;
}

static int got_list(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__ListKeysRequest *rq = rpc_request(fl);
	Orderd__V1__ListKeysResponse rs = ORDERD__V1__LIST_KEYS_RESPONSE__INIT;
	uint32_t page = (uint32_t) * (int32_t *)rpc_state(fl), n = answer_rows(a);
	struct str token = {0};

	if (!rpc_grow(fl, locations_memory(a)))
		return rpc_fail(fl, ERR_OVERLOADED);
	rs.keys = arena_array(&fl->arena, (size_t)page + 1, sizeof(*rs.keys));
	if (rs.keys == NULL)
		return rpc_fail(fl, ERR_TOO_LARGE);
	for (uint32_t i = 0; i < n && i < page; i++) {
		struct api_key_list_row r = api_key_list_row(a, i);

		if ((rs.keys[rs.n_keys++] = key_from_row(fl, &r)) == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	if (n > page) {
		token = page_token_make(fl, "keys", str_of(filter_of(rq)),
					api_key_list_row(a, page - 1).kid);
		if (token.p == NULL)
			return rpc_fail(fl, ERR_TOO_LARGE);
	}
	rs.next_page_token = data_of(token);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step list_keys_steps[] = {
	/*         name    ask       got       ms    on error  next    */
	[ASK]  = {"list", ask_list, got_list, 5000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_LIST_KEYS = {
	.path = "/orderd.v1.KeyService/ListKeys",
	.name = "list_keys",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__list_keys_request__descriptor,
	.response = &orderd__v1__list_keys_response__descriptor,
	.steps = list_keys_steps,
	.state_size = sizeof(int32_t),
};

/* ---------------------------------------------------------------- RevokeKey */

static int ask_revoke(struct flow *fl)
{
	const Orderd__V1__RevokeKeyRequest *rq = rpc_request(fl);
	struct api_key_revoke_head h = {.tenant = rpc_identity(fl)->tenant,
					.actor = rpc_identity(fl)->subject};

	h.kid = want_text(fl, rq->key_id, API_KEY_KID, "key_id");
	if (rpc_has_violations(fl))
		return rpc_fail(fl, ERR_INVALID_ARGUMENT);
	rpc_object(fl, h.kid);
	return store_ask(fl, rpc_app(fl)->store, api_key_revoke_unit(&h, NULL, 0));
}

static int got_revoked(struct flow *fl, const struct answer *a)
{
	const Orderd__V1__RevokeKeyRequest *rq = rpc_request(fl);
	Orderd__V1__RevokeKeyResponse rs = ORDERD__V1__REVOKE_KEY_RESPONSE__INIT;
	struct api_key_revoke_row r = api_key_revoke_row(a, 0);

	if (!str_eq(r.outcome, STR("revoked"))) {
		rpc_about(fl, "orderd.v1.Key", text_of(rq->key_id));
		return rpc_fail(fl, ERR_NOT_FOUND);
	}
	key_feed_look(rpc_app(fl)->keys);
	rs.revoke_time = timestamp_message(fl, r.revoked_at);
	return rpc_ok(fl, &rs.base);
}

/* clang-format off */
static const struct flow_step revoke_key_steps[] = {
	/*         name      ask         got          ms     on error  next    */
	[ASK]  = {"revoke", ask_revoke, got_revoked, 600000, DONE,     TO(DONE)},
	[DONE] = {"done"},
};
/* clang-format on */

const struct rpc_method RPC_REVOKE_KEY = {
	.path = "/orderd.v1.KeyService/RevokeKey",
	.name = "revoke_key",
	.kind = RPC_UNARY,
	.class = RPC_WORK,
	.request = &orderd__v1__revoke_key_request__descriptor,
	.response = &orderd__v1__revoke_key_response__descriptor,
	.steps = revoke_key_steps,
};
