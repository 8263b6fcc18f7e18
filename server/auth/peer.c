#include "server/auth/peer.h"

#include <limits.h>
#include <string.h>

#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/support/alloc.h>

/* ---- the URI ---- */

static bool begins(struct str s, struct str with)
{
	return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

/* Takes `word` and the segment behind it, up to the next slash, off the path. */
static bool take(struct str *path, const char *word, struct str *ret)
{
	struct str name;

	return str_next(path, '/', &name) && str_eq(name, str_of(word)) && path->n > 0 &&
	       str_next(path, '/', ret);
}

/* Locations, taken off the path; none are named: all are reached.  false: they are none. */
static bool take_locations(struct str *path, struct arena *arena, struct str *ret)
{
	static const struct str word = {"location/", 9};
	char text[IDENTITY_LOCATIONS_MAX];
	size_t n = 0;
	struct str code;

	while (begins(*path, word))
		if (!take(path, "location", &code) || !identity_name_ok(code) ||
		    !identity_add_location(text, &n, code))
			return false;
	if (n > 0)
		*ret = arena_str(arena, (struct str){text, n});
	return n == 0 || ret->p != NULL;
}

enum auth_cause peer_read_uri(struct str uri, struct str prefix, struct arena *arena,
			      struct identity *ret)
{
	struct str path, tenant, role;
	long long n;
	char *subject;

	*ret = (struct identity){0};
	if (!begins(uri, prefix))
		return AUTH_NO_IDENTITY;
	path = (struct str){uri.p + prefix.n, uri.n - prefix.n};
	if (!take(&path, "tenant", &tenant) || !take(&path, "role", &role))
		return AUTH_NO_IDENTITY;
	if (!str_to_i64(tenant, 1, INT32_MAX, &n) || !role_parse(role, &ret->role) ||
	    !take_locations(&path, arena, &ret->locations) || !identity_name_ok(path) ||
	    memchr(path.p, '/', path.n) != NULL)
		return AUTH_NO_IDENTITY;
	if (ret->role == ROLE_CUSTOMER && ret->locations.p != NULL)
		return AUTH_NO_IDENTITY;
	ret->tenant = (int32_t)n;
	subject = arena_printf(arena, "cert:" STR_FMT, STR_ARG(path));
	if (subject == NULL)
		return AUTH_NO_ROOM;
	ret->subject = str_of(subject);
	if (ret->role == ROLE_CUSTOMER)
		ret->customer = (struct str){ret->subject.p + sizeof("cert:") - 1, path.n};
	return AUTH_OK;
}

void peer_uris_see(struct peer_uris *u, struct str uri)
{
	if (!begins(uri, u->prefix))
		return;
	u->ours = uri;
	u->n++;
}

enum auth_cause peer_uris_read(const struct peer_uris *u, struct arena *arena, struct identity *ret,
			       struct str *ret_uri)
{
	if (u->n != 1)
		return AUTH_NO_IDENTITY;
	*ret_uri = arena_str(arena, u->ours);
	return ret_uri->p != NULL ? peer_read_uri(*ret_uri, u->prefix, arena, ret) : AUTH_NO_ROOM;
}

/* ---- the connection ---- */

static bool is_secured_by(const grpc_auth_context *ctx, const char *type)
{
	grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(
		ctx, GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
	const grpc_auth_property *p = grpc_auth_property_iterator_next(&it);

	return p != NULL && str_eq((struct str){p->value, p->value_length}, str_of(type));
}

/* "fd:12" */
static bool is_descriptor_from(grpc_call *call, int from)
{
	char *peer = grpc_call_get_peer(call);
	long long fd;
	bool is = strncmp(peer, "fd:", 3) == 0 && str_to_i64(str_of(peer + 3), from, INT_MAX, &fd);

	gpr_free(peer);
	return is;
}

bool peer_is_edge(grpc_call *call, int edge_from)
{
	grpc_auth_context *ctx = grpc_call_auth_context(call);
	/* auth_listener() gives these credentials to no other kind of listener. */
	bool is = ctx != NULL ? is_secured_by(ctx, "local") : is_descriptor_from(call, edge_from);

	grpc_auth_context_release(ctx);
	return is;
}

/* TLS has verified it, or there would be no connection. */
static bool has_certificate(const grpc_auth_context *ctx)
{
	grpc_auth_property_iterator it =
		grpc_auth_context_find_properties_by_name(ctx, GRPC_X509_PEM_CERT_PROPERTY_NAME);

	return grpc_auth_property_iterator_next(&it) != NULL;
}

static void see_uris(const grpc_auth_context *ctx, struct peer_uris *u)
{
	grpc_auth_property_iterator it =
		grpc_auth_context_find_properties_by_name(ctx, GRPC_PEER_URI_PROPERTY_NAME);
	const grpc_auth_property *p;

	while ((p = grpc_auth_property_iterator_next(&it)) != NULL)
		peer_uris_see(u, (struct str){p->value, p->value_length});
}

enum auth_cause peer_identify(grpc_call *call, struct str prefix, struct arena *arena,
			      struct identity *ret, struct str *ret_uri)
{
	grpc_auth_context *ctx = grpc_call_auth_context(call);
	struct peer_uris uris = {.prefix = prefix};
	enum auth_cause e = AUTH_MISSING;

	if (ctx != NULL && is_secured_by(ctx, GRPC_SSL_TRANSPORT_SECURITY_TYPE) &&
	    has_certificate(ctx)) {
		see_uris(ctx, &uris);
		e = peer_uris_read(&uris, arena, ret, ret_uri);
	}
	grpc_auth_context_release(ctx);
	return e;
}
